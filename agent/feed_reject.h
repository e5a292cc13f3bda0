#pragma once

#include <stdint.h>

/*
 * What is wrong with one row of a file, for the person who mends it. Never repeats a value: reasons end in
 * pages and reject files. reason is one sentence without a full stop.
 */
#define FEED_COLUMN_SIZE 65
#define FEED_REASON_SIZE 256

struct feed_reject {
    uint64_t line;                 /* of the file, from 1 */
    char column[FEED_COLUMN_SIZE]; /* heading or path; empty: the row as a whole */
    char reason[FEED_REASON_SIZE];
};

/* feed_reject_set - column may be NULL; cut short between characters if it is too long. */
void feed_reject_set(struct feed_reject *ret, uint64_t line, const char *column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
