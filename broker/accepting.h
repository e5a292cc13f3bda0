#pragma once

#include "broker/judging.h"

/*
 * What an outcome does: counters, log records, the register, standing events, grounds.
 */

/* A subject whose facts an event changed, for what must follow once the batch stands in the queue. */
struct accepting_change {
    struct subject *subject;
    uint32_t cleared; /* grounds that have ended */
    uint8_t event[STORE_EVENT_SIZE];
};

#define ACCEPTING_CHANGES_MAX (2 * STORE_BATCH_EVENTS)

struct accepting_batch {
    uint64_t id;
    struct peer *sender;
    size_t index; /* of the event under way */
    size_t change_count;
    struct accepting_change changes[ACCEPTING_CHANGES_MAX];
};

void accepting_start(struct accepting_batch *batch, uint64_t id, struct peer *sender);

/* accepting_event - after judging_event found it acceptable, with its decision in engine->decision. When the
 * register refuses after all, the fate becomes JUDGING_REFUSED and nothing else happens. */
enum status accepting_event(struct engine *engine, struct job *job, struct accepting_batch *batch,
                            struct subject *subject, struct judging *judging);

/* accepting_refusal - count and log a refused event, unless identical ones were logged just before. */
enum status accepting_refusal(struct engine *engine, struct job *job, struct accepting_batch *batch,
                              size_t index, struct judging *judging);

/* accepting_after - once the batch is written: recall what rested on grounds that have ended, and tell
 * senders of standing events to whom somebody was added. */
enum status accepting_after(struct engine *engine, struct accepting_batch *batch);

/* accepting_account - the account part that all records about an event share. */
struct record_account accepting_account(const struct engine *engine, const struct core *core,
                                        const struct rulebook_protocol *protocol);
