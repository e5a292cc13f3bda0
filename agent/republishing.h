#pragma once

#include "agent/agent.h"
#include "proto/wire_codec.h"

/*
 * After the broker has lost a part of its log it begins a new one (docs/operations.md, "Backup and restore").
 * The bundle then names another log, and we publish again, byte for byte, whatever we still hold that was
 * accepted: what the broker knows gets its first answer again, what it lost it takes anew. Our own state of
 * these events stays what it was. Proofs are fetched anew, from our first number.
 */
extern const char republishing_schema[];

/* republishing_look - whether the bundle in force names another log than the one before; then it begins.
 * Outside transactions. Returns what base/db.h returns. */
enum status republishing_look(struct agent *agent, int64_t now);

/* republishing_outcome - what became of an event of ours. *ret_ours: it was published again, and this is done
 * with. Inside a transaction. */
enum status republishing_outcome(struct agent *agent, const Wire__Outcome *outcome, int64_t now,
                                 bool *ret_ours);

/* republishing_retry - those for which the broker had no time are tried again. Outside transactions. */
enum status republishing_retry(struct agent *agent);
