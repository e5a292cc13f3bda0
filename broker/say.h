#pragma once

#include "base/logline.h"

/*
 * What the broker has to say to whoever runs it. The library decides what and how often, the program where it
 * goes. Values that come from outside are passed through logline_value by the caller.
 */
#define SAY_TEXT 1024

struct say {
    void (*write)(void *context, int64_t now, enum logline_level level, const char *text);
    void *context;
    struct logline_limit limit; /* by key */
};

/* say_new - at most per_minute lines a minute and key. write may be NULL: nothing is said. */
struct say say_new(void (*write)(void *context, int64_t now, enum logline_level level, const char *text),
                   void *context, unsigned per_minute);

/* say_line - one line, unless lines with this key came too often; then the next one that passes tells how
 * many were held back. */
void say_line(struct say *say, int64_t now, enum logline_level level, const char *key, const char *format,
              ...) __attribute__((format(printf, 5, 6)));
