#pragma once

#include "agent/agent.h"
#include "proto/wire_codec.h"

/*
 * Planning: what waits in the outbox is asked about, the answers are checked against our own decision, and
 * what agrees is sealed. One request at a time.
 */
struct planning;

#define PLANNING_BATCH 16 /* events in a request: their grounds must fit one frame */
#define PLANNING_DIFFERS                                                                                     \
    5 /* so often may the broker's plan be other than ours before the event is refused                       \
       */

enum status planning_new(struct agent *agent, struct planning **ret_planning);
void planning_free(struct planning **planning);

/*
 * planning_ask - appends a PlanRequest frame for events whose turn it is; also writes (its own transaction)
 * those that cannot be planned any more.
 *
 * STATUS_NOT_FOUND when there is nothing to ask now, or a request is under way; as base/db.h otherwise.
 */
enum status planning_ask(struct planning *planning, uint64_t request, int64_t now, struct byte_buffer *ret);

/* planning_waits - is a request under way, and is it this one (0: any)? */
bool planning_waits(const struct planning *planning, uint64_t request);

/*
 * planning_answer - to the request under way; another answer is dropped. Writes in its own transaction.
 * STATUS_BAD_FORMAT for an answer that does not fit the request: the events are planned again.
 */
enum status planning_answer(struct planning *planning, uint64_t request, const Wire__PlanAnswer *answer,
                            int64_t now);

/* planning_again - the broker would not answer: all events of the request wait for at least delay. Writes in
 * its own transaction. */
enum status planning_again(struct planning *planning, int64_t now, int64_t delay);

/* planning_drop - forget the request (the connection ended, or another bundle came); nothing is lost. */
void planning_drop(struct planning *planning);
