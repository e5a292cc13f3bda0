#pragma once

#include "policy/decide.h"

struct arena;
struct yaml_errors;

/*
 * Cases: what a protocol is expected to say, written in words beside it. Each case gives what is known of a
 * person, an event, and who is to receive what. Grammar: docs/protocol-guide.md, "Cases".
 */
#define CASES_MAX          2000
#define CASES_PEOPLE_MAX   64
#define CASES_SAYS_MAX     4
#define CASES_REFUSALS_MAX 64

/* The files that a case file is about, as it names them: relative to itself. */
struct cases_files {
    char protocol[256];
    char catalogue[256];
    char overlay[256]; /* of the protocol; or empty */
};

struct cases_recipient {
    uint16_t party;
    struct label_set labels;
    bool late;
    const char *gateway;  /* NULL: any */
    const char *rule;     /* NULL: any */
    bool has_urgent;      /* the case says whether it is */
    bool urgent;          /* only if it does */
    int64_t deadline;     /* INT64_MIN: any */
    uint16_t in_place_of; /* class whose place it takes, or PROTOCOL_NONE: any */
};

/* A refusal of one party, of a class, or (both PROTOCOL_NONE) of the event. */
struct cases_refusal {
    uint16_t party;
    uint16_t class_index;
    enum policy_code code;
};

struct cases_case {
    const char *name;
    uint32_t line;
    uint32_t column;
    int64_t now;
    struct register_state person;
    struct policy_facts facts; /* person points into the case */
    struct policy_request request;
    bool recorded;
    uint16_t recipient_count;
    struct cases_recipient *recipients; /* ascending by party */
    uint16_t refusal_count;
    struct cases_refusal *refusals;
    uint16_t says_count;
    const char *says[CASES_SAYS_MAX]; /* each must occur in a refusal's sentence */
};

struct cases {
    const struct protocol *protocol; /* borrowed */
    uint16_t count;
    struct cases_case *list;
    struct arena *arena; /* holds all of the above */
};

/*
 * cases_name_files - which protocol and catalogue a case file names, so that they can be loaded before it.
 * Returns STATUS_BAD_FORMAT (errors says where and why), STATUS_TOO_LARGE or STATUS_NO_MEMORY.
 */
enum status cases_name_files(struct byte_view text, struct yaml_errors *errors,
                             struct cases_files *ret_files);

/*
 * cases_load - read a case file against the protocol that it names.
 *
 * protocol  borrowed; must live longer than the cases
 * errors    gets everything that is wrong, where, and what to do about it
 * ret_cases on STATUS_OK owned by the caller (cases_free); keeps nothing of text
 *
 * Returns as cases_name_files.
 */
enum status cases_load(struct byte_view text, const struct protocol *protocol, struct yaml_errors *errors,
                       struct cases **ret_cases);

void cases_free(struct cases **cases);

/*
 * cases_check - decide one case and compare. Returns whether everything is as expected; if not, appends what
 * was expected and what came, in sentences, to ret_text. ret_decision is always set.
 */
bool cases_check(const struct protocol *protocol, const struct cases_case *it,
                 struct policy_decision *ret_decision, struct byte_buffer *ret_text);
