#pragma once

#include <jansson.h>

#include "agent/compose.h"

struct agent;

/*
 * The ban on passing on what other members told us (`settings.onward` of the protocol that it came under).
 * What an agency's own records say cannot be told from what it copied there, so this stops what can be known:
 * a value given by a person or a hook that the inbox holds from another member, about the same person, under
 * the same label; of kinds with few values (codes, dates, ...) only where the new event names that one as
 * what it answers. Names and numbers by which everybody knows the person are no news and stay free.
 */

/* onward_source_text - "own records", "sender's leave", or NULL; static storage. */
const char *onward_source_text(enum draft_source source);

/*
 * onward_read - where values come from, as the request says: "own" and "leave", lists of labels that must be
 * among the values. STATUS_REFUSED with a reason.
 */
enum status onward_read(const json_t *request, struct draft_value *values, size_t count,
                        struct draft_reason *ret_reason);

/* What is about to be queued, and from whom. */
struct onward {
    const struct draft *draft; /* its values are the first of prepared, in the same order */
    const struct prepared *prepared;
    const struct protocol *protocol; /* of the new event */
    uint16_t event;                  /* its type */
    uint16_t class_index;            /* ours */
};

/*
 * onward_check - STATUS_OK, or STATUS_REFUSED with a sentence that names the value, who told it under which
 * rule, and what to do. What an override tells is free: emergencies are confirmed afterwards. Otherwise what
 * the database or the vault returned.
 */
enum status onward_check(struct agent *agent, const struct onward *onward, struct draft_reason *ret_reason);
