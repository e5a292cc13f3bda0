#pragma once

#include <jansson.h>

#include "agent/control.h"

/* What people are shown of our log proofs. */

/* proof_view_status - how the log stands with us, for `status`; the caller's. STATUS_NO_MEMORY, or as
 * base/db.h. */
enum status proof_view_status(struct agent *agent, json_t **ret);

/*
 * proof_view_reply - the control request {"do":"proof","event":ID,"person":BOOL}: every proof that we hold
 * about an event. person: with what it says about whom.
 *
 *   {"ok":{"event":ID,"proofs":[{"as","number","entry","kind","final","proof"}]}}
 *
 * `proof` is a file that can be verified offline (proto/entry_proof.h). NULL without memory.
 */
json_t *proof_view_reply(struct control *control, const json_t *request, uint32_t uid, int64_t now);
