#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Log lines of daemons, for the journal or a file:
 *
 *     <4>2026-12-01T09:14:46.218Z broker: batch refused sender=prison.dovegate reason="bad signature"
 *
 * The number is the priority as sd-daemon(3) reads it. Whatever the message holds, it stays one line of
 * printable UTF-8: control characters and bytes that are no UTF-8 appear as \n, \t, \x1b. Values that come
 * from outside go through logline_value, so that one cannot pass for another. Never log what a section holds.
 */
enum logline_level {
    LOGLINE_ERROR = 3,
    LOGLINE_WARNING = 4,
    LOGLINE_NOTICE = 5,
    LOGLINE_INFO = 6,
    LOGLINE_DEBUG = 7,
};

#define LOGLINE_SIZE       2048
#define LOGLINE_VALUE_SIZE 256

/* logline_write - one line to stderr in one write; what fails there is lost. Keeps errno. `now` as
 * everywhere. */
void logline_write(int64_t now, enum logline_level level, const char *component, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* logline_format - the same into out, with the line's end and a zero; returns the length without the zero. A
 * line that is too long ends in "...". */
size_t logline_format(char out[static LOGLINE_SIZE], int64_t now, enum logline_level level,
                      const char *component, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* logline_value - a value for key=%s: as it is if it is one plain word, else in quotes, cut if it is long.
 * Returns out. */
const char *logline_value(char out[static LOGLINE_VALUE_SIZE], const char *value);

/*
 * At most per_minute lines a minute and key, so that a hostile peer cannot fill the disk. Many different keys
 * share the last slot: no more than (LOGLINE_LIMIT_SLOTS + 1) * per_minute lines pass in any minute's window.
 */
#define LOGLINE_LIMIT_SLOTS 64
#define LOGLINE_LIMIT_KEY   96

struct logline_slot {
    char key[LOGLINE_LIMIT_KEY]; /* longer keys that begin alike count as one */
    int64_t since;
    unsigned passed;
    unsigned held;
};

struct logline_limit {
    unsigned per_minute;
    struct logline_slot slots[LOGLINE_LIMIT_SLOTS];
    struct logline_slot shared;
};

struct logline_limit logline_limit(unsigned per_minute);

/* logline_allow - whether a line with this key may be written now. If so, *ret_held is how many were held
 * back in the window before. */
bool logline_allow(struct logline_limit *limit, int64_t now, const char *key, unsigned *ret_held);
