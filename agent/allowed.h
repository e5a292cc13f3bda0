#pragma once

#include "agent/agent.h"
#include "proto/core.h"

/*
 * What a rule lets a sender tell us, by which ways: read from the protocol, whatever the broker says. All
 * routes of one rule for one event type from one class to ours, or to the class whose place ours takes for a
 * juvenile.
 */
struct allowed {
    bool any;
    struct label_set labels; /* of all of them */
    struct label_set free;   /* of those that need no consent */
    struct label_set by_consent[PROTOCOL_CONSENTS_MAX];
    uint32_t consents;                  /* bits */
    bool stands_freely;                 /* one of them needs no consent */
    const struct protocol_route *route; /* the first */
};

/* allowed_find - event: its type; from, us: classes; rule: its id. */
void allowed_find(const struct protocol *protocol, uint16_t event, uint16_t from, uint16_t us,
                  struct byte_view rule, struct allowed *ret);

/*
 * allowed_standing - what of it rests on no consent of this person that we know to be withdrawn.
 *
 * ret_stands    at least one way does
 * ret_standing  what those ways grant
 *
 * Returns what the database returned.
 */
enum status allowed_standing(struct agent *agent, const struct protocol *protocol, const struct core *core,
                             const struct allowed *allowed, bool *ret_stands, struct label_set *ret_standing);
