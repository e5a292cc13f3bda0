#include "agent/feed_reject.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts off the beginning of a character that did not fit. */
static void cut_between_characters(char *text)
{
    size_t size = strlen(text);
    size_t tail = 0;

    while (size > 0 && ((unsigned char)text[size - 1] & 0xc0) == 0x80) {
        size--;
        tail++;
    }
    if (size > 0 && (unsigned char)text[size - 1] >= 0xc0) {
        const unsigned char lead = (unsigned char)text[size - 1];
        const size_t wanted = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;

        if (tail < wanted)
            text[size - 1] = '\0';
    }
}

void feed_reject_set(struct feed_reject *ret, uint64_t line, const char *column, const char *format, ...)
{
    va_list arguments;

    ret->line = line;
    (void)snprintf(ret->column, sizeof ret->column, "%s", column != NULL ? column : "");
    cut_between_characters(ret->column);
    va_start(arguments, format);
    (void)vsnprintf(ret->reason, sizeof ret->reason, format, arguments);
    va_end(arguments);
    cut_between_characters(ret->reason);
}
