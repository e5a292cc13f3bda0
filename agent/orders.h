#pragma once

#include "agent/agent.h"
#include "proto/wire_codec.h"

/* What the broker asks of us unasked; each in a transaction of its own. Return as base/db.h. */

/* orders_replan - standing events of ours may now go to somebody else: queued again. */
enum status orders_replan(struct agent *agent, const Wire__Replan *replan, int64_t now);

/* orders_recall - what we hold of these events goes. */
enum status orders_recall(struct agent *agent, const Wire__Recall *recall, int64_t now);
