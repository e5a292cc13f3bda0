#pragma once

#include "agent/agent.h"
#include "proto/core.h"

/*
 * Consents as far as this member recorded them itself: what rests on one that we know to be withdrawn goes
 * into quarantine, even if the broker hides the withdrawal.
 */
extern const char consents_schema[];

/* consents_note - a consent was given or withdrawn at `at`, by an accepted event of ours. In a transaction.
 */
enum status consents_note(struct agent *agent, struct byte_view protocol,
                          const uint8_t subject[static CORE_SUBJECT_SIZE], struct byte_view scope, bool given,
                          int64_t at);

/* consents_withdrawn - do we know that this person withdrew that consent, and did not give it again well
 * after, as far as we know or (given_at; INT64_MIN: nothing shown) are shown? Senders' clocks are compared,
 * so that what is within their error counts as withdrawn. */
enum status consents_withdrawn(struct agent *agent, struct byte_view protocol,
                               const uint8_t subject[static CORE_SUBJECT_SIZE], struct byte_view scope,
                               int64_t given_at, bool *ret_withdrawn);
