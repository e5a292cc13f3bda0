#pragma once

#include <jansson.h>

#include "agent/outbox_row.h"
#include "agent/sealing.h"

/*
 * The outbox's rows on their way out. Everything that writes must be called inside a transaction; what it
 * wrote counts once that commits.
 */

/* A queued event whose turn it is. */
struct departure {
    uint8_t event[UUID_SIZE];
    int64_t attempts;
    int64_t differs;
    struct byte_buffer kept; /* the encoded prepared event; secret */
};

/*
 * departure_due - queued events that may be planned at now, oldest first, at most limit; none while an
 * earlier event about the same person is still under way.
 *
 * ending_only  only types that take away (removals, withdrawals): all that an expired bundle lets through
 *
 * ret has room for limit; free each with departure_free. STATUS_OK also for none.
 */
enum status departure_due(struct agent *agent, int64_t now, bool ending_only, size_t limit,
                          struct departure *ret, size_t *ret_count);
void departure_free(struct departure *departure);

/* departure_next_due - when the next queued event may be planned; INT64_MAX if none waits. */
enum status departure_next_due(struct agent *agent, int64_t *ret_due);

/* departure_keep - queued → sealed: the envelope and its sections. decision says whose are late. */
enum status departure_keep(struct agent *agent, const struct plan *plan, const struct sealed_event *sealed,
                           const struct policy_decision *decision, int64_t now);

/* A sealed event as it will be sent; borrows kept. */
struct departure_sealed {
    uint8_t event[UUID_SIZE];
    struct byte_buffer kept; /* holds the opening's values; secret */
    struct envelope_event envelope;
    struct envelope_slot slots[HEADER_SECTIONS_MAX];
};

/* departure_sealed - the oldest sealed event after `after` (16 bytes; zeros: the first). STATUS_NOT_FOUND. */
enum status departure_sealed(struct agent *agent, const uint8_t after[static UUID_SIZE],
                             struct departure_sealed *ret);
void departure_sealed_free(struct departure_sealed *sealed);

/*
 * departure_again - sealed or queued → queued, not before a back-off that grows with each time, with jitter.
 * differs: the plan was not what the protocol says. delay: at least so many milliseconds.
 */
enum status departure_again(struct agent *agent, const uint8_t event[static UUID_SIZE], int64_t now,
                            int64_t delay, bool differs);

/* departure_busy - the same because the broker is busy; it is told (incidents) when that is not the first
 * time. */
enum status departure_busy(struct agent *agent, const uint8_t event[static UUID_SIZE], const char *reason,
                           int64_t now);

/* departure_accept - → accepted, or delivered if it had no recipient. answer: as departure_answer, or NULL.
 */
enum status departure_accept(struct agent *agent, const uint8_t event[static UUID_SIZE], const json_t *answer,
                             int64_t now);

/* departure_refuse - → refused, for ever. */
enum status departure_refuse(struct agent *agent, const uint8_t event[static UUID_SIZE], const json_t *answer,
                             int64_t now);

/* departure_refuse_text - the same for a reason of our own. */
enum status departure_refuse_text(struct agent *agent, const uint8_t event[static UUID_SIZE],
                                  const char *reason, int64_t now);

/* departure_answer - {"reason","refusals":[{"to","rule","item","code","text"}]} as kept with an event; NULL
 * without memory. */
json_t *departure_answer(const char *reason, Wire__Refusal *const *refusals, size_t count);
