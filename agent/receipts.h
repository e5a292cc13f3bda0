#pragma once

#include "agent/agent.h"
#include "proto/receipt.h"

/*
 * Receipts both ways: those that we give for what we received, and those that recipients gave for what we
 * sent. Only a receipt that we verified ourselves makes an event delivered.
 */
extern const char receipts_schema[];

/* receipts_queue - ours; inside the transaction that stores what it confirms. */
enum status receipts_queue(struct agent *agent, const struct receipt *receipt);

/*
 * receipts_batch - appends a signed ReceiptBatch frame with the oldest receipts that wait.
 *
 * ret_last, ret_count  for receipts_stored, and how many events they confirm
 *
 * STATUS_NOT_FOUND when none waits; otherwise as receipt_batch_build() or base/db.h.
 */
enum status receipts_batch(struct agent *agent, uint64_t request, int64_t now, struct byte_buffer *ret,
                           int64_t *ret_last, size_t *ret_count);

/* receipts_stored - the broker has those up to last: forget them, note it with the events. Inside a
 * transaction. */
enum status receipts_stored(struct agent *agent, int64_t last, int64_t now);

/*
 * receipts_confirm - what recipients signed about our events, as forwarded. Inside a transaction. Those that
 * are not for what we sent are left out and told (incidents). The stream's cursor moves on.
 *
 * Returns STATUS_BAD_SIGNATURE or another status of receipt_forwarded_verify() when nothing of it counts, or
 * as base/db.h.
 */
enum status receipts_confirm(struct agent *agent, const Wire__ForwardedReceipts *forwarded, int64_t now);

/* receipts_after - the last forwarded batch that we have; 0 at first. */
enum status receipts_after(struct agent *agent, uint64_t *ret_id);

/* receipts_confirmed - everything of the broker's row up to this id is stored here. Inside a transaction. */
enum status receipts_confirmed(struct agent *agent, uint64_t id);

/* receipts_settled - an accepted event of ours none of whose sections is still on its way is delivered.
 * Inside a transaction. outbox: the row's id. */
enum status receipts_settled(struct agent *agent, int64_t outbox, int64_t now);
