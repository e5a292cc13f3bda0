#pragma once

#include "policy/decide.h"
#include "policy/protocol.h"
#include "proto/kind_reason.h"

/* A protocol in sentences, for people who review one. */

/* May this party send that event to that one, about such a person? What is NULL is chosen so that the answer
 * is yes if it can be; without `to` it is about everybody who could receive it. */
struct explain_question {
    const char *event;
    const char *from; /* member ids */
    const char *to;
    const char *item;            /* is this item among what they would receive? */
    const char *const *consents; /* scopes in force */
    size_t consent_count;
    const char *area;
    const char *strand;
    const char *home_force;
    bool juvenile;
};

/*
 * explain_answer - yes or no, and why, in sentences with paragraph, gateway and items. Appends to ret_text.
 *
 * ret_yes  the recipient, or without one anybody, would receive it, with the item if the question names one
 *
 * Returns STATUS_NOT_FOUND when the question names something that neither protocol nor catalogue knows;
 * ret_reason says what. STATUS_NO_MEMORY.
 */
enum status explain_answer(const struct protocol *protocol, const struct explain_question *question,
                           int64_t now, bool *ret_yes, struct byte_buffer *ret_text,
                           struct kind_reason *ret_reason);

/* explain_summary - what a protocol that loads contains, and what a reviewer should look at. Appends. */
void explain_summary(const struct protocol *protocol, struct byte_buffer *ret_text);

/* explain_grant - why one recipient is granted what it is: rule and purpose, gateways, crossing, condition,
 * consent, how long it may be kept; a sentence a line. Appends. */
void explain_grant(const struct protocol *protocol, const struct policy_recipient *recipient,
                   struct byte_buffer *ret_text);
