#include "base/utf8.h"

/* What a leading byte announces: how many bytes follow and the smallest code point that needs so many. */
struct lead {
    uint32_t bits;
    uint32_t least;
    size_t following;
    bool valid;
};

static struct lead read_lead(uint8_t byte)
{
    if (byte < 0x80)
        return (struct lead){byte, 0, 0, true};
    if (byte >= 0xc2 && byte <= 0xdf)
        return (struct lead){byte & 0x1fu, 0x80, 1, true};
    if (byte >= 0xe0 && byte <= 0xef)
        return (struct lead){byte & 0x0fu, 0x800, 2, true};
    if (byte >= 0xf0 && byte <= 0xf4)
        return (struct lead){byte & 0x07u, 0x10000, 3, true};
    return (struct lead){.valid = false};
}

/* Takes one code point off text; false when what stands there is none. */
static bool take(struct byte_view *text, uint32_t *ret_point)
{
    struct lead lead = read_lead(text->data[0]);

    if (!lead.valid || text->size <= lead.following)
        return false;
    uint32_t point = lead.bits;
    for (size_t i = 1; i <= lead.following; i++) {
        if ((text->data[i] & 0xc0) != 0x80)
            return false;
        point = point << 6 | (text->data[i] & 0x3fu);
    }
    if (point < lead.least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return false;
    text->data += lead.following + 1;
    text->size -= lead.following + 1;
    *ret_point = point;
    return true;
}

/* Goes past characters from least to most, which are ASCII: nearly all of what is ever looked at. */
static void skip_ascii(struct byte_view *text, uint8_t least, uint8_t most)
{
    while (text->size > 0 && text->data[0] >= least && text->data[0] <= most) {
        text->data++;
        text->size--;
    }
}

bool utf8_valid(struct byte_view text)
{
    uint32_t point;

    for (skip_ascii(&text, 0x01, 0x7f); text.size > 0; skip_ascii(&text, 0x01, 0x7f)) {
        if (!take(&text, &point) || point == 0)
            return false;
    }
    return true;
}

bool utf8_printable(struct byte_view text)
{
    uint32_t point;

    for (skip_ascii(&text, 0x20, 0x7e); text.size > 0; skip_ascii(&text, 0x20, 0x7e)) {
        if (!take(&text, &point) || point < 0x20 || (point >= 0x7f && point <= 0x9f))
            return false;
    }
    return true;
}

size_t utf8_whole(struct byte_view text)
{
    size_t lead = text.size;
    size_t following = 0;

    while (lead > 0 && following < 3 && (text.data[lead - 1] & 0xc0) == 0x80) {
        lead--;
        following++;
    }
    if (lead == 0)
        return text.size;
    return read_lead(text.data[lead - 1]).following > following ? lead - 1 : text.size;
}
