#pragma once

#include "policy/decide.h"

/* How a route reaches a class: as the file says, or in the place of a class that is replaced for juveniles.
 */
struct way {
    uint16_t to_class;
    uint16_t replaced_class;  /* or PROTOCOL_NONE */
    enum policy_code stopped; /* why nothing goes this way, or POLICY_NONE */
    uint16_t denial;          /* DENIED: which */
    uint16_t gateway;         /* the grant's own */
    uint16_t crossing;        /* or PROTOCOL_NONE */
    struct label_set labels;
};

/* way_direct - as the route says. */
struct way way_direct(const struct protocol_route *route);

/* way_replaced - to the class that takes the place of the route's, which has one; the gateways,
 * the crossing and denials are checked anew. */
struct way way_replaced(const struct protocol *protocol, const struct protocol_route *route, uint16_t from);
