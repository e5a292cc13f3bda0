#pragma once

#include "agent/agent.h"
#include "proto/wire_codec.h"

/*
 * What the broker tells us about single events (docs/wire-format.md, "Notice"): of ours, that nobody fetched
 * or acknowledged them, that they will not be delivered, or what a recipient signed about them; of what we
 * are to receive, that it waits for us.
 */

/* notices_take - store them and what follows. Inside a transaction. Errors as base/db.h. */
enum status notices_take(struct agent *agent, const Wire__Notices *notices, int64_t now);
