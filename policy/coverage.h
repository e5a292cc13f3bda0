#pragma once

#include "policy/decide.h"

/*
 * What of a protocol a set of decisions has tried: every rule for each of its event types, every entry of its
 * `to`, and every way in which the file itself says no.
 */
enum coverage_kind { COVERAGE_RULE, COVERAGE_ENTRY, COVERAGE_REFUSAL, COVERAGE_DENIAL };

#define COVERAGE_KINDS 4

struct coverage_unit {
    enum coverage_kind kind;
    uint16_t rule;         /* or PROTOCOL_NONE: of the protocol as a whole, or of a class */
    uint16_t event;        /* or CATALOGUE_NONE: any */
    uint16_t entry;        /* position in the rule's `to`, or PROTOCOL_NONE */
    uint16_t denial;       /* COVERAGE_DENIAL: index; otherwise PROTOCOL_NONE */
    uint16_t class_index;  /* COVERAGE_REFUSAL of a class as a whole; otherwise PROTOCOL_NONE */
    enum policy_code code; /* COVERAGE_REFUSAL */
    bool reachable;        /* there are parties between whom it can happen */
    uint32_t count;        /* decisions that tried it */
};

struct coverage {
    const struct protocol *protocol; /* borrowed */
    size_t count;
    struct coverage_unit *units;
};

struct coverage_summary {
    size_t total[COVERAGE_KINDS]; /* by enum coverage_kind; reachable ones only */
    size_t tried[COVERAGE_KINDS];
    size_t unreachable;
};

/* coverage_new - everything that there is to try; NULL: out of memory. */
struct coverage *coverage_new(const struct protocol *protocol);
void coverage_free(struct coverage **coverage);

/* coverage_add - count a decision and what was asked. */
void coverage_add(struct coverage *coverage, const struct policy_request *request,
                  const struct policy_decision *decision);

struct coverage_summary coverage_sum(const struct coverage *coverage);

/* coverage_complete - is everything that can be tried tried? */
bool coverage_complete(const struct coverage_summary *summary);

/* coverage_write - one line a unit (only those untried unless all), then the summary. Appends. */
void coverage_write(const struct coverage *coverage, bool all, struct byte_buffer *ret_text);
