#pragma once

#include "agent/proofs.h"

/* A log entry beside the event in our outbox or inbox that it is about. */

/*
 * agree_event - told is a verified entry of ours with its personal part.
 *
 * ret_met      whether we have, or had, that event
 * ret_differs  what the entry says otherwise than our own event, in words; NULL: nothing. Static storage
 *
 * Returns as base/db.h and agent/vault.h.
 */
enum status agree_event(struct agent *agent, enum proofs_role role, const struct entry_proof_told *told,
                        bool *ret_met, const char **ret_differs);

/* agree_erased - whether that event of ours has been erased here: a proof that comes later is kept without
 * its personal part. */
enum status agree_erased(struct agent *agent, const struct proofs_event *event, bool *ret_erased);

/* agree_later - a received event whose proof may have come before it: met now, and told when it differs.
 * Inside a transaction. */
enum status agree_later(struct agent *agent, const struct proofs_event *event, int64_t now);

/* agree_before_us - was that before this agent's database began? Then it cannot know. */
bool agree_before_us(struct agent *agent, int64_t time);

/*
 * agree_gone - may the log have no personal part of an entry of ours any more? So it is if its retention can
 * be over, if that was before us, or if what was told about its number or index is of an event that has been
 * erased here; without anything told, if any has.
 */
enum status agree_gone(struct agent *agent, enum proofs_role role, uint64_t counter, uint64_t index,
                       int64_t time, int64_t now, bool *ret_gone);

/* agree_settle_unknown - the entry's personal part was erased before we had it: what was told about number
 * and index says which proof is no longer owed. Inside a transaction. */
enum status agree_settle_unknown(struct agent *agent, enum proofs_role role, uint64_t counter, uint64_t index,
                                 bool final);
