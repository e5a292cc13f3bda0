#pragma once

#include "agent/agent.h"
#include "proto/wire_codec.h"

/*
 * outcome_apply - what the broker said of an event that we published, and what follows from it here: the list
 * of people, consents, what it supersedes. Inside a transaction. An event that is settled already, or that
 * is not ours, stays as it is.
 */
enum status outcome_apply(struct agent *agent, const Wire__Outcome *outcome, int64_t now);
