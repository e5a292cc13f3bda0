#pragma once

#include "agent/agent.h"
#include "proto/wire_codec.h"

/* Publishing: sealed events go out in signed batches, byte for byte until each has its outcome. One batch at
 * a time. */
struct publishing;

#define PUBLISHING_BATCH 64

enum status publishing_new(struct agent *agent, struct publishing **ret_publishing);
void publishing_free(struct publishing **publishing);

/* publishing_send - appends a Publish frame with the oldest sealed events. STATUS_NOT_FOUND when none waits
 * or a batch is under way; otherwise as base/db.h or envelope_publish_build(). */
enum status publishing_send(struct publishing *publishing, uint64_t request, int64_t now,
                            struct byte_buffer *ret);

/* publishing_waits - is a batch under way, and is it this one (0: any)? */
bool publishing_waits(const struct publishing *publishing, uint64_t request);

/* publishing_answer - the outcomes, in a transaction of its own. STATUS_BAD_FORMAT for an answer that does
 * not fit the batch: it is sent again. */
enum status publishing_answer(struct publishing *publishing, uint64_t request,
                              const Wire__PublishAnswer *answer, int64_t now);

/* publishing_again - the broker would not take the batch: its events are planned anew after at least delay.
 */
enum status publishing_again(struct publishing *publishing, int64_t now, int64_t delay);

/* publishing_drop - forget that a batch is under way: it will be sent again as it is. */
void publishing_drop(struct publishing *publishing);
