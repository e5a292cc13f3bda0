#pragma once

#include "agent/agent.h"
#include "agent/plan.h"
#include "policy/register.h"

/*
 * What this member knows itself about the person of a plan, against what the broker's grounds say. A broker
 * can leave out that somebody left the list or withdrew a consent; whoever was told so is not deceived.
 *
 * own_facts_apply - ends in the state what we know to have ended.
 *
 * ret_ended  whether something was ended that the grounds said
 *
 * Returns STATUS_OK, or what the database returns.
 */
enum status own_facts_apply(struct agent *agent, const struct plan *plan, struct register_state *state,
                            bool *ret_ended);
