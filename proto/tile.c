#include "proto/tile.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* A tile of level l spans 2^(8 (l + 1)) leaves; below this index it starts before leaf 2^64. */
static uint64_t end_of_level(unsigned level)
{
    return (uint64_t)1 << (56 - 8 * level);
}

static bool possible(const struct tile_id *id)
{
    return id->level < TILE_LEVELS && (!id->entries || id->level == 0) && id->width >= 1 &&
           id->width <= TILE_WIDTH && id->n < end_of_level(id->level);
}

uint16_t tile_width(uint8_t level, uint64_t n, uint64_t size)
{
    assert(level < TILE_LEVELS);
    uint64_t hashes = size >> (8 * level);

    if (n > hashes / TILE_WIDTH)
        return 0;
    return n < hashes / TILE_WIDTH ? TILE_WIDTH : (uint16_t)(hashes % TILE_WIDTH);
}

struct tile_place tile_place(unsigned height, uint64_t index)
{
    unsigned within = height % 8;
    size_t count = (size_t)1 << within;

    assert(height < 64);
    return (struct tile_place){
        .level = (uint8_t)(height / 8),
        .n = index >> (8 - within),
        .first = (size_t)(index & (TILE_WIDTH / count - 1)) * count,
        .count = count,
    };
}

void tile_path(const struct tile_id *id, char out[static TILE_PATH_SIZE])
{
    char digits[21];
    char *end = out;

    assert(possible(id));
    if (id->entries)
        end += sprintf(end, "tile/entries/");
    else
        end += sprintf(end, "tile/%u/", id->level);

    int length = snprintf(digits, sizeof digits, "%018llu", (unsigned long long)id->n);
    const char *group = digits;
    while (group < digits + length - 3 && memcmp(group, "000", 3) == 0)
        group += 3;
    for (; group < digits + length - 3; group += 3)
        end += sprintf(end, "x%.3s/", group);
    end += sprintf(end, "%s", group);
    if (id->width < TILE_WIDTH)
        sprintf(end, ".p/%u", id->width);
}

/* Takes literal off the front of rest, if it stands there. */
static bool take(struct byte_view *rest, const char *literal)
{
    size_t size = strlen(literal);

    if (rest->size < size || memcmp(rest->data, literal, size) != 0)
        return false;
    *rest = bytes_view(rest->data + size, rest->size - size);
    return true;
}

/* Takes between least and most digits off the front of rest, as many as stand there; most is at most 3. */
static bool take_digits(struct byte_view *rest, size_t least, size_t most, unsigned *ret_value)
{
    unsigned value = 0;
    size_t count = 0;

    for (; count < most && count < rest->size; count++) {
        uint8_t digit = rest->data[count];
        if (digit < '0' || digit > '9')
            break;
        value = value * 10 + (digit - '0');
    }
    if (count < least)
        return false;
    *rest = bytes_view(rest->data + count, rest->size - count);
    *ret_value = value;
    return true;
}

/* Takes a decimal number of one to three digits without a leading zero. */
static bool take_number(struct byte_view *rest, unsigned *ret_value)
{
    bool leading_zero =
        rest->size >= 2 && rest->data[0] == '0' && rest->data[1] >= '0' && rest->data[1] <= '9';

    return !leading_zero && take_digits(rest, 1, 3, ret_value);
}

/* Takes a tile's index: groups of three digits, all but the last with an x before and a slash after. */
static bool take_index(struct byte_view *rest, uint64_t *ret_n)
{
    const uint64_t largest_head = end_of_level(0) / 1000; /* what three more digits cannot make overflow */
    uint64_t n = 0;
    unsigned group = 0;

    while (take(rest, "x")) {
        if (!take_digits(rest, 3, 3, &group) || !take(rest, "/"))
            return false;
        if ((n == 0 && group == 0) || n > largest_head)
            return false;
        n = n * 1000 + group;
    }
    if (!take_digits(rest, 3, 3, &group) || n > largest_head)
        return false;
    *ret_n = n * 1000 + group;
    return true;
}

enum status tile_parse_path(struct byte_view path, struct tile_id *ret_id)
{
    struct tile_id id = {.width = TILE_WIDTH};
    unsigned number = 0;

    if (!take(&path, "tile/"))
        return STATUS_BAD_FORMAT;
    if (take(&path, "entries/")) {
        id.entries = true;
    } else {
        if (!take_number(&path, &number) || number >= TILE_LEVELS || !take(&path, "/"))
            return STATUS_BAD_FORMAT;
        id.level = (uint8_t)number;
    }
    if (!take_index(&path, &id.n))
        return STATUS_BAD_FORMAT;
    if (take(&path, ".p/")) {
        if (!take_number(&path, &number) || number >= TILE_WIDTH)
            return STATUS_BAD_FORMAT;
        id.width = (uint16_t)number;
    }
    if (path.size > 0 || !possible(&id))
        return STATUS_BAD_FORMAT;
    *ret_id = id;
    return STATUS_OK;
}

enum status tile_append_entry(struct byte_buffer *bundle, struct byte_view entry)
{
    if (entry.size > TILE_ENTRY_MAX)
        return STATUS_TOO_LARGE;
    bytes_append_u16(bundle, (uint16_t)entry.size);
    bytes_append_view(bundle, entry);
    return bundle->status;
}

enum status tile_parse_bundle(struct byte_view bundle, size_t width,
                              struct byte_view ret_entries[static TILE_WIDTH])
{
    struct byte_view entries[TILE_WIDTH];
    struct byte_reader reader = bytes_reader(bundle);

    assert(width >= 1 && width <= TILE_WIDTH);
    for (size_t i = 0; i < width; i++)
        entries[i] = bytes_read_view(&reader, bytes_read_u16(&reader));
    if (!bytes_read_done(&reader))
        return STATUS_BAD_FORMAT;
    memcpy(ret_entries, entries, width * sizeof *entries);
    return STATUS_OK;
}
