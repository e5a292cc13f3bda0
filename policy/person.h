#pragma once

#include "policy/register.h"
#include "proto/kind_reason.h"

/*
 * What is known of a person, given in words instead of by events: for case files and for replays of past
 * decisions. Only what is written is checked here; whether a protocol knows an area or a scope is the
 * caller's to ask.
 */

/* person_fields - the names that person_set takes, which NULL ends: listed, strand, area, home_force ... */
const char *const *person_fields(void);

/*
 * person_set - one fact about the person, and the ground that it rests on. "none": it is not known.
 *
 * Returns STATUS_NOT_FOUND (no such field) or STATUS_BAD_FORMAT; ret_reason (may be NULL) says what to write.
 */
enum status person_set(struct register_state *state, const char *field, const char *value,
                       struct kind_reason *ret_reason);

struct person_consent {
    const char *scope;
    int32_t expires; /* the last day on which it counts */
    int64_t given_at;
    int64_t withdrawn_at; /* INT64_MIN: never */
};

/* person_consent - a consent that was recorded, in the place of one of the same scope. Returns
 * STATUS_BAD_FORMAT (the scope is too long) or STATUS_TOO_LARGE (too many). */
enum status person_consent(struct register_state *state, const struct person_consent *consent,
                           struct kind_reason *ret_reason);

/* person_forget_consent - as if the scope had never been recorded. */
void person_forget_consent(struct register_state *state, const char *scope);

/* person_each - calls put for each fact that is known, as person_set takes it; consents apart. */
void person_each(const struct register_state *state,
                 void (*put)(void *context, const char *field, const char *value), void *context);
