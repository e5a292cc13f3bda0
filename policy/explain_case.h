#pragma once

#include "policy/decide.h"
#include "policy/explain.h"

/* The imaginary person and event that answer a question; shared by explain.c and explain_case.c only. */
struct explain_case {
    const struct protocol *protocol;
    const struct explain_question *question;
    int64_t now;
    uint16_t from; /* parties */
    uint16_t to;
    struct register_state person;
    struct policy_facts facts;
    struct policy_request request;
    struct policy_decision decision;
    char values[CATALOGUE_ATTRIBUTES_MAX][REGISTER_PSEUDONYM_SIZE];
};

/* explain_case_make - everything but the decision. Returns STATUS_NOT_FOUND with a reason as explain_answer
 * does. */
enum status explain_case_make(struct explain_case *ret_case, struct kind_reason *ret_reason);
