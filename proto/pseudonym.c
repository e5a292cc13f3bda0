#include "proto/pseudonym.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/canonical.h"
#include "proto/digest.h"

#define EPOCH_SIZE 4
#define HMAC_SIZE  (PSEUDONYM_SIZE - EPOCH_SIZE)
#define LONGEST    ((size_t)65536)

static const char *const kinds[] = {
#define PSEUDONYM_KIND_TEXT(symbol, text) [PSEUDONYM_KIND_##symbol] = (text),
    PSEUDONYM_KIND_TABLE(PSEUDONYM_KIND_TEXT)
#undef PSEUDONYM_KIND_TEXT
};

enum status pseudonym_make(uint32_t epoch, const uint8_t key[static PSEUDONYM_KEY_SIZE],
                           enum pseudonym_kind kind, struct byte_view member, struct byte_view id,
                           struct pseudonym *ret_pseudonym)
{
    struct byte_buffer person = bytes_buffer(LONGEST);

    if (epoch == 0 || id.size == 0 || (member.size == 0) != (kind == PSEUDONYM_KIND_PNC))
        return STATUS_BAD_ARGUMENT;
    canonical_append_string(&person, kinds[kind]);
    canonical_append(&person, member);
    canonical_append(&person, id);
    enum status status = person.status;
    if (status == STATUS_OK) {
        const struct byte_view view = bytes_buffer_view(&person);
        bytes_put_u32(ret_pseudonym->bytes, epoch);
        digest_hmac(bytes_view(key, PSEUDONYM_KEY_SIZE), &view, 1, ret_pseudonym->bytes + EPOCH_SIZE);
    }
    bytes_buffer_wipe(&person);
    return status;
}

enum status pseudonym_from_bytes(struct byte_view bytes, struct pseudonym *ret_pseudonym)
{
    if (bytes.size != PSEUDONYM_SIZE || bytes_get_u32(bytes.data) == 0)
        return STATUS_BAD_FORMAT;
    memcpy(ret_pseudonym->bytes, bytes.data, PSEUDONYM_SIZE);
    return STATUS_OK;
}

uint32_t pseudonym_epoch(const struct pseudonym *pseudonym)
{
    return bytes_get_u32(pseudonym->bytes);
}

bool pseudonym_equal(const struct pseudonym *a, const struct pseudonym *b)
{
    return memcmp(a->bytes, b->bytes, PSEUDONYM_SIZE) == 0;
}

void pseudonym_format(const struct pseudonym *pseudonym, char out[static PSEUDONYM_TEXT])
{
    int size = snprintf(out, PSEUDONYM_TEXT, "%" PRIu32 "-", pseudonym_epoch(pseudonym));

    bytes_to_hex(pseudonym->bytes + EPOCH_SIZE, HMAC_SIZE, out + size);
}

/* Reads the epoch and the dash; returns what follows, or NULL. */
static const char *parse_epoch(const char *text, uint32_t *ret_epoch)
{
    uint64_t epoch = 0;

    if (*text == '0')
        return NULL;
    for (; *text >= '0' && *text <= '9'; text++) {
        epoch = epoch * 10 + (uint64_t)(*text - '0');
        if (epoch > UINT32_MAX)
            return NULL;
    }
    if (epoch == 0 || *text != '-')
        return NULL;
    *ret_epoch = (uint32_t)epoch;
    return text + 1;
}

enum status pseudonym_parse(const char *text, struct pseudonym *ret_pseudonym)
{
    struct pseudonym pseudonym;
    uint32_t epoch = 0;
    const char *digits = parse_epoch(text, &epoch);

    if (digits == NULL || bytes_from_hex(digits, pseudonym.bytes + EPOCH_SIZE, HMAC_SIZE) != STATUS_OK)
        return STATUS_BAD_FORMAT;
    if (strpbrk(digits, "ABCDEF") != NULL)
        return STATUS_BAD_FORMAT;
    bytes_put_u32(pseudonym.bytes, epoch);
    *ret_pseudonym = pseudonym;
    return STATUS_OK;
}
