#include "broker/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct say say_new(void (*write)(void *context, int64_t now, enum logline_level level, const char *text),
                   void *context, unsigned per_minute)
{
    return (struct say){write, context, logline_limit(per_minute)};
}

void say_line(struct say *say, int64_t now, enum logline_level level, const char *key, const char *format,
              ...)
{
    char text[SAY_TEXT];
    unsigned held = 0;
    va_list arguments;

    if (say->write == NULL || !logline_allow(&say->limit, now, key, &held))
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t used = strlen(text);
    if (held > 0)
        (void)snprintf(text + used, sizeof text - used, " (and %u like it)", held);
    say->write(say->context, now, level, text);
}
