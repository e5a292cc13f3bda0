#pragma once

#include "agent/agent.h"
#include "proto/wire_codec.h"

/*
 * Asking the broker for our own entries of the log, one request at a time. A round asks for the log's newest
 * count of us, then for what we sent, then for what we received, from where we have final proofs, until the
 * log shows no more. There is one when the connection is new and every day, and every `proof_seconds` while
 * proofs are owed; less often when that brings nothing.
 */
struct proving;

enum status proving_new(struct agent *agent, struct proving **ret_proving);
void proving_free(struct proving **proving);

/* proving_drop - the connection is gone, or the bundle is another: whatever was asked counts no more. */
void proving_drop(struct proving *proving);

/* proving_ask - appends the next LogRequest frame. STATUS_NOT_FOUND when nothing is to be asked now; or as
 * base/db.h. May write to the database. */
enum status proving_ask(struct proving *proving, uint64_t request, int64_t now, struct byte_buffer *ret);

/* proving_answer - in a transaction of its own. Returns as base/db.h or STATUS_NO_MEMORY. */
enum status proving_answer(struct proving *proving, uint64_t request, const Wire__LogAnswer *answer,
                           int64_t now);

/* proving_waits - is this the number of the request under way? */
bool proving_waits(const struct proving *proving, uint64_t request);

/* proving_later - the broker did not answer it: the round ends, the next one comes after `delay`. */
void proving_later(struct proving *proving, int64_t now, int64_t delay);

/* proving_next - when proving_ask has something to ask; INT64_MAX: nothing is known of. Or as base/db.h. */
enum status proving_next(struct proving *proving, int64_t now, int64_t *ret_at);
