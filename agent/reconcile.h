#pragma once

#include "agent/proofs.h"
#include "proto/wire_codec.h"

/*
 * Is an entry of the log what it should be? Every entry that the broker says is ours is verified
 * (commitments, inclusion, signatures), held against its neighbours (our numbers have no gap, and ascend with
 * the log) and against our own outbox or inbox. What does not fit is told as an incident: an entry omitted,
 * repeated, out of order, of another's event, or a log with two entries for one number. docs/log-format.md,
 * "Completeness".
 */
struct reconcile;

/* reconcile_new - with the keys of the bundle in force, which is borrowed. STATUS_NOT_FOUND when the bundle
 * names no log; STATUS_BAD_FORMAT for keys that are none. Freed with reconcile_free. */
enum status reconcile_new(struct agent *agent, struct reconcile **ret_reconcile);
void reconcile_free(struct reconcile **reconcile);

/*
 * reconcile_entry - our number `counter`, as the broker answered. Inside a transaction.
 *
 * ret_kept  whether it is our entry of that number and was kept, perhaps with an incident; false: the answer
 *           is no good from here on, and an incident says why
 *
 * Returns as base/db.h, or STATUS_NO_MEMORY.
 */
enum status reconcile_entry(struct reconcile *reconcile, enum proofs_role role, uint64_t counter,
                            const Wire__LogEntry *entry, int64_t now, bool *ret_kept);

/* reconcile_count - the log's newest count of our entries: fits what we hold, and is remembered. Otherwise as
 * reconcile_entry. */
enum status reconcile_count(struct reconcile *reconcile, const Wire__LogEntry *entry, int64_t now);

/* reconcile_end - the log shows nothing of ours from `counter` on: is anything missing? Inside a
 * transaction. */
enum status reconcile_end(struct agent *agent, enum proofs_role role, uint64_t counter, int64_t now);

/* reconcile_overdue - proofs that have been owed too long are told. Inside a transaction. */
enum status reconcile_overdue(struct agent *agent, int64_t now);

/* reconcile_delivered - an event has just been put into the inbox, under this number: a proof of it is owed
 * from now on. Inside the same transaction. */
enum status reconcile_delivered(struct agent *agent, struct byte_view from,
                                const uint8_t event[static UUID_SIZE], uint64_t counter, int64_t now);

/* reconcile_accepted - the broker said that it accepted an event of ours. Inside a transaction. index: of its
 * entry, or NULL. */
enum status reconcile_accepted(struct agent *agent, const uint8_t event[static UUID_SIZE],
                               const uint64_t *index, int64_t now);
