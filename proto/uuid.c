#include "proto/uuid.h"

#include <string.h>

#define LAST_MS       (((int64_t)1 << 48) - 1)
#define COUNTER_LIMIT ((uint32_t)1 << 26)
#define RANDOM_TAIL   6 /* bytes after the counter */

static const uint8_t dash_after[UUID_SIZE] = {[3] = 1, [5] = 1, [7] = 1, [9] = 1};

struct uuid_source uuid_source(const struct random_source *random)
{
    return (struct uuid_source){.random = random, .last_ms = -1};
}

/* Bits: time 48, version 4, counter 12 (high), variant 2, counter 14 (low), random 48. */
static void pack(int64_t ms, uint32_t counter, const uint8_t tail[static RANDOM_TAIL], uint8_t *id)
{
    bytes_put_u64(id, (uint64_t)ms << 16 | 0x7000 | counter >> 14);
    bytes_put_u16(id + 8, (uint16_t)(0x8000 | (counter & 0x3fff)));
    memcpy(id + 10, tail, RANDOM_TAIL);
}

static uint32_t counter_of(const uint8_t *id)
{
    return (uint32_t)(bytes_get_u16(id + 6) & 0x0fff) << 14 | (bytes_get_u16(id + 8) & 0x3fff);
}

enum status uuid_resume(struct uuid_source *source, const uint8_t last[static UUID_SIZE])
{
    if (!uuid_is_v7(last))
        return STATUS_BAD_FORMAT;
    int64_t ms = uuid_time(last);
    uint32_t counter = counter_of(last);
    if (ms > source->last_ms || (ms == source->last_ms && counter > source->counter)) {
        source->last_ms = ms;
        source->counter = counter;
    }
    return STATUS_OK;
}

enum status uuid_next(struct uuid_source *source, int64_t now_ms, uint8_t ret_id[static UUID_SIZE])
{
    uint8_t random[4 + RANDOM_TAIL];
    int64_t ms = source->last_ms;
    uint32_t counter = source->counter + 1;

    if (now_ms < 0 || now_ms > LAST_MS)
        return STATUS_BAD_ARGUMENT;
    enum status status = random_fill(source->random, random, sizeof random);
    if (status != STATUS_OK)
        return status;
    if (now_ms > ms || counter == COUNTER_LIMIT) {
        ms = now_ms > ms ? now_ms : ms + 1;
        counter = bytes_get_u32(random) % (COUNTER_LIMIT / 2);
    }
    if (ms > LAST_MS)
        return STATUS_BAD_ARGUMENT;
    source->last_ms = ms;
    source->counter = counter;
    pack(ms, counter, random + 4, ret_id);
    return STATUS_OK;
}

void uuid_format(const uint8_t id[static UUID_SIZE], char ret_text[static UUID_TEXT_SIZE])
{
    char *at = ret_text;

    for (size_t i = 0; i < UUID_SIZE; i++) {
        bytes_to_hex(id + i, 1, at);
        at += 2;
        if (dash_after[i])
            *at++ = '-';
    }
    *at = '\0';
}

enum status uuid_parse(struct byte_view text, uint8_t ret_id[static UUID_SIZE])
{
    char digits[2 * UUID_SIZE + 1] = {0};
    char again[UUID_TEXT_SIZE];
    uint8_t id[UUID_SIZE];
    size_t count = 0;

    if (text.size != UUID_TEXT_SIZE - 1)
        return STATUS_BAD_FORMAT;
    for (size_t i = 0; i < text.size && count < 2 * UUID_SIZE; i++) {
        if (text.data[i] != '-')
            digits[count++] = (char)text.data[i];
    }
    if (count != 2 * UUID_SIZE || bytes_from_hex(digits, id, sizeof id) != STATUS_OK)
        return STATUS_BAD_FORMAT;
    uuid_format(id, again);
    if (memcmp(again, text.data, text.size) != 0) /* a dash elsewhere, an upper-case digit */
        return STATUS_BAD_FORMAT;
    memcpy(ret_id, id, sizeof id);
    return STATUS_OK;
}

bool uuid_is_v7(const uint8_t id[static UUID_SIZE])
{
    return id[6] >> 4 == 7 && id[8] >> 6 == 2;
}

int64_t uuid_time(const uint8_t id[static UUID_SIZE])
{
    return (int64_t)(bytes_get_u64(id) >> 16);
}

int uuid_compare(const uint8_t a[static UUID_SIZE], const uint8_t b[static UUID_SIZE])
{
    return memcmp(a, b, UUID_SIZE);
}
