#pragma once

#include <jansson.h>

#include "agent/agent.h"
#include "proto/wire_codec.h"

/*
 * This agent as a witness of the log (docs/wire-format.md, "Cosigning"): it cosigns a checkpoint only if the
 * log's key signed it and it continues what was cosigned last, and remembers that durably before it answers.
 * Whatever does not continue it is kept, told, and answered with what is held.
 *
 * Crash points: witness.checked, witnessed.floor, witnessed.kept.
 */

/* witness_note - the newest checkpoint that we cosigned of the log in force, for a Hello; ret must be empty
 * and stays so when there is none. Returns what base/db.h and base/safefile.h return; what is damaged is told
 * as an incident. */
enum status witness_note(struct agent *agent, int64_t now, struct byte_buffer *ret);

/*
 * witness_offer - judge an offer.
 *
 * request  number of the frame to answer with
 * ret      on STATUS_OK that frame, a Cosignature, was appended to it
 *
 * STATUS_NOT_FOUND: nothing is answered (we are no witness, the log's key did not sign it, our own record is
 * damaged or cannot be written). Otherwise what base/db.h and base/safefile.h return (nothing was answered),
 * STATUS_NO_MEMORY or STATUS_CRYPTO. Outside transactions.
 */
enum status witness_offer(struct agent *agent, const Wire__CheckpointOffer *offer, uint64_t request,
                          int64_t now, struct byte_buffer *ret);

/* witness_seen - the checkpoint in a Welcome, if there is one, must not be older than what we cosigned, nor
 * another of the same size. Errors as witness_offer. */
enum status witness_seen(struct agent *agent, const Wire__Welcome *welcome, int64_t now);

/* witness_status - {"named": bool, "key_differs": bool, "cosigned": size, "since": time or null, "newest":
 * size, "forks": […]}; the caller's. */
enum status witness_status(struct agent *agent, json_t **ret);
