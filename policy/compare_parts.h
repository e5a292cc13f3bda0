#pragma once

/* What the files of the comparison share; nobody else includes this. */

#include "policy/protocol.h"

struct comparison {
    const struct protocol *before;
    const struct protocol *after;
    struct byte_buffer *out;
    const char *heading; /* not written yet; or NULL */
    size_t changes;
    bool no_memory;
};

/* compare_under - what follows stands under this heading, if anything follows. */
void compare_under(struct comparison *comparison, const char *heading);

/* compare_say - one sentence. */
void compare_say(struct comparison *comparison, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Names in alphabetical order, so that two lists with the same names read the same. */
#define COMPARE_NAMES_MAX 256

struct compare_names {
    size_t count;
    const char *list[COMPARE_NAMES_MAX];
};

void compare_names_add(struct compare_names *names, const char *name);

/* compare_names_write - "a, b"; "none" without any. Appends. */
void compare_names_write(const struct compare_names *names, struct byte_buffer *ret);

/* The parts of a comparison. */
void compare_things_all(struct comparison *comparison);
void compare_flows_all(struct comparison *comparison);
