#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/*
 * The people on the scheme, folded from the register as the broker tells it ("do":"register",
 * broker/retelling.h): what reports from the register need of each. Memory: about a kilobyte a person.
 */
#define SCHEME_PEOPLE_MAX ((size_t)200000)
#define SCHEME_TEXT       72

struct scheme_person {
    char reference[80]; /* pseudonym */
    char protocol[SCHEME_TEXT];
    bool listed;
    char area[SCHEME_TEXT]; /* texts are empty when not known; these are kept after a removal */
    char strand[SCHEME_TEXT];
    char selector[SCHEME_TEXT];
    char status[SCHEME_TEXT];
    char action[SCHEME_TEXT];
    char review_due[16];
    int64_t added;   /* commit of the listing; INT64_MIN: never */
    int64_t removed; /* of the removal; INT64_MIN: not removed since */
    char authority[SCHEME_TEXT];
    char why[SCHEME_TEXT];
    char removed_by[SCHEME_TEXT]; /* on whose authority */
    int64_t referred;             /* when the referral to treatment that waits happened; INT64_MIN: none */
};

struct scheme;

enum status scheme_new(struct scheme **ret);
void scheme_free(struct scheme **scheme);

/* scheme_take - the next line. *ret_person (may be NULL) is the one whom it is about, as they are now; valid
 * until the next call. STATUS_TOO_LARGE beyond SCHEME_PEOPLE_MAX, STATUS_NO_MEMORY. */
enum status scheme_take(struct scheme *scheme, const json_t *line, struct scheme_person **ret_person);

/* scheme_each - everybody, ascending by protocol, area and reference; visit returns another status than
 * STATUS_OK to end. */
enum status scheme_each(struct scheme *scheme,
                        enum status (*visit)(void *context, const struct scheme_person *person),
                        void *context);

/* scheme_area - the area for people: "(unknown)" for none. */
const char *scheme_area(const struct scheme_person *person);
