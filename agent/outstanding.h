#pragma once

#include <jansson.h>

#include "agent/agent.h"

/*
 * outstanding_list - what of our events waits for somebody else, one line a recipient: [{"event","type","to",
 * "what","since"}], oldest event first. what: "uncollected" (its deadline passed before it was fetched),
 * "unacknowledged" (urgent, and escalated), "unconfirmed" (a correction, retraction or erasure). The
 * caller's; errors as base/db.h.
 */
enum status outstanding_list(struct agent *agent, json_t **ret);
