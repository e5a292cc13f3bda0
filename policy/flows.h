#pragma once

#include "policy/decide.h"

/*
 * What a protocol lets flow, as a list that people can read: one flow for each event type and entry of a
 * rule's `to`, from some classes to some classes. Only what runs is listed, and only between classes that
 * have a party; what is not listed is denied.
 */
struct flow {
    uint16_t event;
    uint16_t rule;
    uint16_t entry; /* position in the rule's `to`; PROTOCOL_NONE: a record, which has no recipient */
    uint32_t from;  /* bits: classes */
    uint32_t to;    /* bits: classes */
    uint16_t replaced_class; /* whose place `to` takes, or PROTOCOL_NONE */
    enum protocol_relation relation;
    struct label_set labels;
    uint32_t gateways; /* bits: those that carry something */
    uint16_t crossing; /* indexes, or PROTOCOL_NONE */
    uint16_t condition;
    uint16_t consent;
    const struct protocol_route *route; /* one of those that it stands for; NULL: a record */
};

struct flows {
    const struct protocol *protocol; /* borrowed */
    size_t count;
    struct flow *list; /* in the order of the catalogue's event types */
};

enum flows_person { FLOWS_ADULT, FLOWS_JUVENILE };

/*
 * flows_make - all flows about an adult, or about a juvenile (classes denied and replaced as the file says).
 *
 * apart  each pair of classes for itself, instead of what is alike put together
 *
 * NULL: out of memory. The caller frees it with flows_free.
 */
struct flows *flows_make(const struct protocol *protocol, enum flows_person person, bool apart);
void flows_free(struct flows **flows);

/* flows_classes - "police, prison" into a buffer. Appends. */
void flows_classes(const struct protocol *protocol, uint32_t classes, struct byte_buffer *ret);

/* flows_labels - "name, dob"; "no item: the event itself" when there is none. Appends. */
void flows_labels(const struct catalogue *catalogue, const struct label_set *labels, struct byte_buffer *ret);

/* flows_clock - "at least P14D before release_date", "within P1D", or "". Appends. */
void flows_clock(const struct protocol *protocol, const struct flow *flow, struct byte_buffer *ret);

/* flows_period - "18 years", "12 months", "14 days", "4 hours", or as ISO 8601 has it. Appends. */
void flows_period(struct duration period, struct byte_buffer *ret);

/* flows_when - which values of an attribute it is about: "action court or recall_requested", "adults only",
 * or "". Appends. */
void flows_when(const struct protocol *protocol, const struct flow *flow, struct byte_buffer *ret);
