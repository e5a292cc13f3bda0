#pragma once

#include <jansson.h>

#include "agent/agent.h"
#include "agent/draft.h"
#include "proto/items.h"

/*
 * Events that reply to one that is held here, put together for the outbox: the answer to a question, and the
 * confirmation that somebody overrode the rules rightly. What a reply borrows lives as long as it does.
 */
struct reply {
    struct draft draft;
    struct draft_value values[DRAFT_VALUES_MAX];
    uint8_t correlation[UUID_SIZE];
    char id[UUID_TEXT_SIZE];
    char texts[3][ITEMS_VALUE_MAX + 1];
    char protocol[PROTOCOL_ID_LENGTH + 1];
};

/*
 * replying_answer - to a question. items: a JSON object of labels and values, each of which was asked for;
 * borrowed until the reply is queued. NULL: nothing is answered, and that is told.
 *
 * replying_confirm - to an override by somebody else.
 *
 * STATUS_REFUSED with a reason when the event is not held here or is none to be replied to so, or no rule
 * lets us; otherwise as inbox_event_find.
 */
enum status replying_answer(struct agent *agent, const uint8_t event[static UUID_SIZE], const json_t *items,
                            struct reply *ret_reply, struct draft_reason *ret_reason);
enum status replying_confirm(struct agent *agent, const uint8_t event[static UUID_SIZE],
                             struct reply *ret_reply, struct draft_reason *ret_reason);
