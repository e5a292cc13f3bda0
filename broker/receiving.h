#pragma once

#include "broker/engine.h"

/* receiving_receipts - a verified ReceiptBatch: sections that are confirmed leave the queue, the batch is
 * logged and kept for their senders. A receipt for what is confirmed already changes nothing; one that
 * contradicts what was sent refuses the whole batch. */
enum status receiving_receipts(struct engine *engine, struct job *job);

/* receiving_reports - a verified ReportBatch: opened, quarantined, confirmed, recalled. */
enum status receiving_reports(struct engine *engine, struct job *job);

/* receiving_fetch - credit, and which forwarded receipts have arrived. Never answered. */
enum status receiving_fetch(struct engine *engine, struct job *job);

/* receiving_confirmed - write down which forwarded receipts have arrived, within the transaction: at its
 * start, so that the pages of what goes are used again at once. What is said meanwhile waits for the next
 * one. */
enum status receiving_confirmed(struct engine *engine);
