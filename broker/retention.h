#pragma once

#include "broker/engine.h"

/*
 * Retention of the log's personal parts, on its own (docs/log-format.md, "Erasure and retention"): each part
 * goes when the longest retention of the rules that its records name is over, looks, questions, overrides and
 * incidents when the protocol's log_retention is. With an event's part goes what the store has of the event,
 * unless the register still rests on it. A round every retention_every, a part of it at each call, across
 * restarts.
 */

/* retention_run - the next part of a round, if one is due. Returns what the store and the log return. */
enum status retention_run(struct engine *engine);

/* retention_forget - something was overwritten in this transaction: the next round ends with emptying the
 * write-ahead log and making the index anew. */
enum status retention_forget(struct engine *engine);

/* retention_again - another look at an event on which the register rested (STORE_WATCH_RETAINED). */
enum status retention_again(struct engine *engine, struct store_watch *watch);
