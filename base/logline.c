#include "base/logline.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/civil.h"

enum {
    WINDOW_MS = 60000,
};

/* The length of the printable UTF-8 character at text, or 0 if there is none: then its first byte is escaped.
 * The zero at the end of text stops every look ahead. */
static size_t printable(const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    uint32_t code;
    size_t length;

    if (at[0] < 0x80)
        return at[0] >= 0x20 && at[0] != 0x7f;
    if (at[0] >= 0xc2 && at[0] <= 0xdf)
        length = 2, code = at[0] & 0x1fu;
    else if (at[0] >= 0xe0 && at[0] <= 0xef)
        length = 3, code = at[0] & 0x0fu;
    else if (at[0] >= 0xf0 && at[0] <= 0xf4)
        length = 4, code = at[0] & 0x07u;
    else
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3fu);
    }
    bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    bool no_character = (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff;
    bool control = code < 0xa0 || code == 0x2028 || code == 0x2029;
    bool turns = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    return overlong || no_character || control || turns ? 0 : length;
}

/* What stands in a line for the character at *text, which it steps over. Returns its length. */
static size_t escape(const char **text, char out[static 5])
{
    size_t length = printable(*text);
    uint8_t byte = (uint8_t) * *text;

    if (length > 0) {
        memcpy(out, *text, length);
        *text += length;
        return length;
    }
    (*text)++;
    if (byte == '\n' || byte == '\t' || byte == '\r')
        return (size_t)snprintf(out, 5, "\\%c", byte == '\n' ? 'n' : byte == '\t' ? 't' : 'r');
    return (size_t)snprintf(out, 5, "\\x%02x", byte);
}

__attribute__((format(printf, 5, 0))) static size_t format_line(char out[static LOGLINE_SIZE], int64_t now,
                                                                enum logline_level level,
                                                                const char *component, const char *format,
                                                                va_list arguments)
{
    static const char cut[] = "...";
    char message[LOGLINE_SIZE], time[CIVIL_TIME_SIZE], piece[5];
    const char *at = message;

    civil_format_time(now, time);
    size_t size = (size_t)snprintf(out, LOGLINE_SIZE, "<%d>%s %.60s: ", (int)level, time, component);
    if (vsnprintf(message, sizeof message, format, arguments) < 0)
        snprintf(message, sizeof message, "a message could not be formatted: %s", format);
    while (*at != '\0') {
        size_t length = escape(&at, piece);
        if (size + length + sizeof cut + 1 > LOGLINE_SIZE) {
            memcpy(out + size, cut, sizeof cut - 1);
            size += sizeof cut - 1;
            break;
        }
        memcpy(out + size, piece, length);
        size += length;
    }
    out[size++] = '\n';
    out[size] = '\0';
    return size;
}

void logline_write(int64_t now, enum logline_level level, const char *component, const char *format, ...)
{
    int saved = errno;
    char line[LOGLINE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    size_t size = format_line(line, now, level, component, format, arguments);
    va_end(arguments);
    ssize_t written;
    do {
        written = write(STDERR_FILENO, line, size);
    } while (written < 0 && errno == EINTR);
    errno = saved;
}

size_t logline_format(char out[static LOGLINE_SIZE], int64_t now, enum logline_level level,
                      const char *component, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    size_t size = format_line(out, now, level, component, format, arguments);
    va_end(arguments);
    return size;
}

static bool is_word(const char *value)
{
    size_t size = strlen(value);

    for (size_t i = 0; i < size; i++) {
        if (value[i] <= ' ' || value[i] > '~' || strchr("\"=\\", value[i]) != NULL)
            return false;
    }
    return size > 0 && size < LOGLINE_VALUE_SIZE;
}

const char *logline_value(char out[static LOGLINE_VALUE_SIZE], const char *value)
{
    static const char cut[] = "...\"";
    size_t size = 0;

    if (is_word(value)) {
        memcpy(out, value, strlen(value) + 1);
        return out;
    }
    out[size++] = '"';
    for (; *value != '\0';) {
        char piece[6] = "\\";
        size_t length = *value == '"' || *value == '\\';
        length += escape(&value, piece + length);
        if (size + length + sizeof cut > LOGLINE_VALUE_SIZE) {
            memcpy(out + size, cut, sizeof cut);
            return out;
        }
        memcpy(out + size, piece, length);
        size += length;
    }
    out[size++] = '"';
    out[size] = '\0';
    return out;
}

struct logline_limit logline_limit(unsigned per_minute)
{
    return (struct logline_limit){.per_minute = per_minute};
}

static bool is_over(const struct logline_slot *slot, int64_t now)
{
    /* A clock that was set back ends the window too. */
    return slot->passed == 0 || now < slot->since || now - slot->since >= WINDOW_MS;
}

/* The key's slot, or one whose window is over, or the one that the rest share. */
static struct logline_slot *slot_for(struct logline_limit *limit, int64_t now, const char *key)
{
    struct logline_slot *vacant = NULL;

    for (size_t i = 0; i < LOGLINE_LIMIT_SLOTS; i++) {
        struct logline_slot *slot = &limit->slots[i];
        if (slot->passed > 0 && strncmp(slot->key, key, sizeof slot->key - 1) == 0)
            return slot;
        if (is_over(slot, now) && (vacant == NULL || slot->passed == 0))
            vacant = slot;
    }
    if (vacant == NULL)
        return &limit->shared;
    limit->shared.held += vacant->held;
    *vacant = (struct logline_slot){.since = now};
    snprintf(vacant->key, sizeof vacant->key, "%s", key);
    return vacant;
}

bool logline_allow(struct logline_limit *limit, int64_t now, const char *key, unsigned *ret_held)
{
    struct logline_slot *slot = slot_for(limit, now, key);
    bool fresh = is_over(slot, now);

    if (!fresh && slot->passed >= limit->per_minute) {
        slot->held++;
        return false;
    }
    if (fresh) {
        slot->since = now;
        slot->passed = 0;
    }
    *ret_held = slot->held;
    slot->held = 0;
    slot->passed++;
    return true;
}
