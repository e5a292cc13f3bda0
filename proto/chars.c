#include "proto/chars.h"

#include <assert.h>
#include <string.h>

#define MOST_DIGITS 19 /* of them any number fits uint64_t */

bool chars_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

bool chars_is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

bool chars_is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

uint8_t chars_to_upper(uint8_t c)
{
    return chars_is_lower(c) ? (uint8_t)(c - 'a' + 'A') : c;
}

static bool matches(uint8_t c, char shape)
{
    switch (shape) {
    case '9':
        return chars_is_digit(c);
    case 'A':
        return chars_is_upper(c);
    case 'X':
        return chars_is_digit(c) || chars_is_upper(c);
    default:
        return c == (uint8_t)shape;
    }
}

bool chars_match(struct byte_view text, const char *pattern)
{
    if (text.size != strlen(pattern))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (!matches(text.data[i], pattern[i]))
            return false;
    }
    return true;
}

size_t chars_digits(struct byte_view text, size_t from)
{
    size_t end = from;

    while (end < text.size && chars_is_digit(text.data[end]))
        end++;
    return end - from;
}

uint64_t chars_number(struct byte_view digits)
{
    uint64_t number = 0;

    assert(digits.size <= MOST_DIGITS);
    for (size_t i = 0; i < digits.size; i++) {
        assert(chars_is_digit(digits.data[i]));
        number = number * 10 + (uint64_t)(digits.data[i] - '0');
    }
    return number;
}

struct byte_view chars_part(struct byte_view text, size_t from, size_t size)
{
    assert(from <= text.size && size <= text.size - from);
    return bytes_view(text.size == 0 ? NULL : text.data + from, size);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

struct byte_view chars_trim(struct byte_view text)
{
    while (text.size > 0 && is_blank(text.data[0]))
        text = chars_part(text, 1, text.size - 1);
    while (text.size > 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    return text;
}
