#pragma once

#include "audit/ask.h"
#include "certs/officer_key.h"

/*
 * Asking the log as an officer: signed here, carried by the agency's agent, checked and logged by the broker,
 * and answered to a key that only this process has (docs/wire-format.md, "Query").
 *
 * folder  of the agent, which runs
 * now     when it is signed
 *
 * The rest is as with ask_broker; the agent that does not run is ASK_NOT_RUNNING.
 */
enum ask_result ask_officer(const char *folder, const struct officer_key *key, int64_t now,
                            const json_t *request, const struct ask_taker *taker,
                            char reason[static ASK_REASON_SIZE]);
