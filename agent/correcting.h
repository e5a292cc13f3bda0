#pragma once

#include "agent/prepared.h"
#include "policy/effect.h"
#include "proto/uuid.h"

struct agent;

/*
 * Corrections, retractions and erasures of our own events (docs/agent.md): to each recipient of the original,
 * by one event for the original and one for each of its repeats.
 */
struct correcting {
    enum correction what;
    const uint8_t *target; /* of ours */
    const char *reason;    /* a code of the catalogue; NULL: the usual one */
    const char *officer;
    const struct draft_value *values; /* CORRECTION_VALUES only */
    size_t value_count;
};

#define CORRECTING_EVENTS 32 /* an original and its repeats */

/*
 * correcting_queue - into the outbox. Inside a transaction.
 *
 * ret_events  the new events' ids
 *
 * STATUS_REFUSED with a reason: the event is none of ours, was not accepted, corrects another itself, or was
 * erased; nobody was told what is to be corrected. Otherwise as outbox_queue().
 */
enum status correcting_queue(struct agent *agent, const struct correcting *correcting, int64_t now,
                             uint8_t ret_events[static CORRECTING_EVENTS][UUID_SIZE], size_t *ret_count,
                             struct draft_reason *ret_reason);

/* correcting_accepted - after the broker accepted an event of ours: if it corrects another, that one is kept
 * as it is now right, stands no more, or is forgotten. Inside a transaction. */
enum status correcting_accepted(struct agent *agent, const struct prepared *prepared);
