#include "proto/text.h"

#include <string.h>

#include "proto/chars.h"

struct range {
    uint32_t first, last;
};

/* Ascending. Unicode 15: categories Cc, Cf, Zl, Zp, Co, noncharacters, and Default_Ignorable_Code_Point. */
static const struct range hidden[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x034f, 0x034f},   {0x0600, 0x0605},
    {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},   {0x0890, 0x0891},   {0x08e2, 0x08e2},
    {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f},   {0x3164, 0x3164},   {0xd800, 0xf8ff},   {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
    {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}, {0xf0000, 0x10ffff},
};

/* Ascending. Category Zs without the plain space. */
static const struct range spaces[] = {
    {0x00a0, 0x00a0}, {0x1680, 0x1680}, {0x2000, 0x200a},
    {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000},
};

static bool in_ranges(const struct range *ranges, size_t count, uint32_t point)
{
    for (size_t i = 0; i < count && ranges[i].first <= point; i++) {
        if (point <= ranges[i].last)
            return true;
    }
    return false;
}

bool text_is_hidden(uint32_t point)
{
    return (point & 0xfffe) == 0xfffe || in_ranges(hidden, sizeof hidden / sizeof hidden[0], point);
}

static bool is_space(uint32_t point)
{
    return in_ranges(spaces, sizeof spaces / sizeof spaces[0], point);
}

/* Bytes of the character that begins with this byte, 0 if none does. */
static size_t sequence_size(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

bool text_next(struct byte_view *rest, uint32_t *ret_point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};

    if (rest->size == 0)
        return false;
    size_t size = sequence_size(rest->data[0]);
    if (size == 0 || size > rest->size)
        return false;
    uint32_t point = size == 1 ? rest->data[0] : rest->data[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((rest->data[i] & 0xc0) != 0x80)
            return false;
        point = point << 6 | (rest->data[i] & 0x3fu);
    }
    if (point < smallest[size] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return false;
    *rest = chars_part(*rest, size, rest->size - size);
    *ret_point = point;
    return true;
}

enum status text_length(struct byte_view text, size_t *ret_length)
{
    size_t length = 0;

    for (uint32_t point; text_next(&text, &point);)
        length++;
    if (text.size > 0)
        return STATUS_BAD_FORMAT;
    *ret_length = length;
    return STATUS_OK;
}

static enum status verify(struct byte_view text, struct kind_reason *ret_reason)
{
    for (uint32_t point; text_next(&text, &point);) {
        if (text_is_hidden(point))
            return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                                   "holds a character that does not show (U+%04X): type the text anew",
                                   (unsigned)point);
    }
    if (text.size > 0)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT, "not UTF-8 text: save the source as UTF-8");
    return STATUS_OK;
}

static struct byte_view trim(struct byte_view text)
{
    struct byte_view result = {text.data, 0};
    size_t start = text.size;

    for (struct byte_view rest = text; rest.size > 0;) {
        size_t at = text.size - rest.size;
        uint32_t point = 0;
        if (!text_next(&rest, &point))
            break;
        if (point == ' ' || is_space(point))
            continue;
        if (start == text.size)
            start = at;
        result = chars_part(text, start, text.size - rest.size - start);
    }
    return result;
}

enum status text_canonical(struct byte_view in, char *out, size_t out_size, struct kind_reason *ret_reason)
{
    struct byte_view rest = trim(chars_trim(in));
    enum status status = verify(chars_trim(in), ret_reason);
    char *at = out;

    if (status != STATUS_OK)
        return status;
    if (out_size <= rest.size)
        return kind_reason_set(ret_reason, STATUS_TOO_LARGE, "too long: shorten it");
    while (rest.size > 0) {
        const uint8_t *bytes = rest.data;
        size_t before = rest.size;
        uint32_t point = 0;
        if (!text_next(&rest, &point))
            break;
        if (is_space(point)) {
            *at++ = ' ';
            continue;
        }
        memcpy(at, bytes, before - rest.size);
        at += before - rest.size;
    }
    *at = '\0';
    return STATUS_OK;
}
