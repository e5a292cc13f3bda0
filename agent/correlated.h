#pragma once

#include "agent/agent.h"
#include "agent/facts.h"

/*
 * correlated_find - what we hold, in inbox or outbox, of the event that a plan says it answers, and of the
 * one that it corrects. answer: of the broker, which may know that somebody never received that one; nobody
 * who gave us a receipt is left out for that.
 */
enum status correlated_find(struct agent *agent, const struct plan *plan, const Wire__Plan *answer,
                            struct facts_correlated *ret);

/* correlated_asked - of a question of ours: its type and what it was for. Empty when it is none, or is not
 * kept any more. */
enum status correlated_asked(struct agent *agent, const struct catalogue *catalogue,
                             const uint8_t question[static UUID_SIZE], struct facts_correlated *ret);

/* correlated_already - the parties that had the event which a plan repeats, be it from the event itself or
 * from an earlier repeat; empty when it repeats none. */
enum status correlated_already(struct agent *agent, const struct plan *plan, struct party_set *ret);
