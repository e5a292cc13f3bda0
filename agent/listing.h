#pragma once

#include "agent/agent.h"
#include "proto/core.h"

/* Folds list changes into what we know of people, from wherever they come: the inbox, or our own outbox. */
struct listing {
    const uint8_t *event;      /* CORE_EVENT_SIZE bytes */
    const uint8_t *subject;    /* CORE_SUBJECT_SIZE bytes */
    struct byte_view protocol; /* its id */
    struct byte_view from;
    int64_t created;
    /* the value of a label that came with the event, or NULL */
    const struct byte_view *(*value)(const void *values, const char *label);
    const void *values;
};

/*
 * listing_apply - what an event type with this effect does to the person. Others do nothing. Inside a
 * transaction. An event older than what we know changes nothing that the newer one said.
 */
enum status listing_apply(struct agent *agent, enum effect effect, const struct listing *listing);

/* listing_correct - other values for what the list change `event` of `from` told us of a person. Inside a
 * transaction; nothing happens when what we know does not come from that event. */
enum status listing_correct(struct agent *agent, const struct listing *listing);
