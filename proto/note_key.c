#include "proto/note_key.h"

#include <stdlib.h>
#include <string.h>

#include "proto/digest.h"
#include "proto/text.h"

#define ENCODED_SIZE (1 + ED25519_PUBLIC_SIZE) /* type ‖ public key */

struct note_key {
    char name[NOTE_KEY_NAME_MAX + 1];
    size_t name_size;
    uint8_t id[NOTE_KEY_ID_SIZE];
    enum note_key_type type;
    const struct ed25519_key *key;
    struct ed25519_key *owned; /* NULL if key is borrowed */
};

/* Unicode's White_Space property. */
static bool is_space(uint32_t point)
{
    return (point >= 0x09 && point <= 0x0d) || point == 0x20 || point == 0x85 || point == 0xa0 ||
           point == 0x1680 || (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
           point == 0x202f || point == 0x205f || point == 0x3000;
}

bool note_key_good_name(struct byte_view name)
{
    uint32_t point = 0;
    bool empty = name.size == 0;

    while (text_next(&name, &point)) {
        if (point < 0x20 || point == '+' || is_space(point))
            return false;
    }
    return !empty && name.size == 0;
}

static void compute_id(struct byte_view name, const uint8_t encoded[static ENCODED_SIZE],
                       uint8_t out[static NOTE_KEY_ID_SIZE])
{
    const struct byte_view parts[] = {name, bytes_of_string("\n"), bytes_view(encoded, ENCODED_SIZE)};
    uint8_t digest[DIGEST_SIZE];

    digest_sha256_parts(parts, 3, digest);
    memcpy(out, digest, NOTE_KEY_ID_SIZE);
}

static void encode(const struct note_key *key, uint8_t out[static ENCODED_SIZE])
{
    out[0] = (uint8_t)key->type;
    ed25519_public_bytes(key->key, out + 1);
}

enum status note_key_new(struct byte_view name, enum note_key_type type, const struct ed25519_key *key,
                         struct note_key **ret_key)
{
    uint8_t encoded[ENCODED_SIZE];

    if (name.size > NOTE_KEY_NAME_MAX || !note_key_good_name(name))
        return STATUS_BAD_ARGUMENT;
    struct note_key *made = calloc(1, sizeof *made);
    if (made == NULL)
        return STATUS_NO_MEMORY;
    memcpy(made->name, name.data, name.size);
    made->name_size = name.size;
    made->type = type;
    made->key = key;
    encode(made, encoded);
    compute_id(name, encoded, made->id);
    *ret_key = made;
    return STATUS_OK;
}

/* Splits a vkey at its first two plus signs; the name holds none, the base64 may. */
static bool split(struct byte_view vkey, struct byte_view *ret_name, struct byte_view *ret_id,
                  struct byte_view *ret_base64)
{
    const uint8_t *end = vkey.size == 0 ? NULL : vkey.data + vkey.size;
    const uint8_t *first = vkey.size == 0 ? NULL : memchr(vkey.data, '+', vkey.size);
    const uint8_t *second = first == NULL ? NULL : memchr(first + 1, '+', (size_t)(end - first) - 1);

    if (second == NULL)
        return false;
    *ret_name = bytes_view(vkey.data, (size_t)(first - vkey.data));
    *ret_id = bytes_view(first + 1, (size_t)(second - first) - 1);
    *ret_base64 = bytes_view(second + 1, (size_t)(end - second) - 1);
    return true;
}

enum status note_key_parse(struct byte_view vkey, struct note_key **ret_key)
{
    struct byte_view name;
    struct byte_view id;
    struct byte_view base64;
    uint8_t encoded[ENCODED_SIZE];
    char expected[2 * NOTE_KEY_ID_SIZE + 1];
    size_t size = 0;
    struct ed25519_key *public = NULL;
    struct note_key *key = NULL;
    enum status status = STATUS_BAD_FORMAT;

    if (!split(vkey, &name, &id, &base64))
        goto out;
    /* Longer keys are of types that are not known here, such as the post-quantum ones. */
    status = bytes_from_base64((const char *)base64.data, base64.size, encoded, sizeof encoded, &size);
    if (status != STATUS_OK) {
        status = status == STATUS_TOO_LARGE ? STATUS_UNSUPPORTED : status;
        goto out;
    }
    if (size < 1 || (encoded[0] != NOTE_KEY_ED25519 && encoded[0] != NOTE_KEY_COSIGNATURE)) {
        status = size < 1 ? STATUS_BAD_FORMAT : STATUS_UNSUPPORTED;
        goto out;
    }
    status = size == sizeof encoded ? ed25519_public(encoded + 1, &public) : STATUS_BAD_FORMAT;
    if (status == STATUS_OK)
        status = note_key_new(name, (enum note_key_type)encoded[0], public, &key);
    if (status != STATUS_OK) {
        status = status == STATUS_BAD_ARGUMENT ? STATUS_BAD_FORMAT : status;
        goto out;
    }
    key->owned = public;
    public = NULL;
    bytes_to_hex(key->id, sizeof key->id, expected);
    if (!bytes_equal(id, bytes_of_string(expected))) {
        status = STATUS_BAD_FORMAT;
        goto out;
    }
    *ret_key = key;
    key = NULL;
out:
    note_key_free(&key);
    ed25519_free(&public);
    return status;
}

void note_key_free(struct note_key **key)
{
    if (key == NULL || *key == NULL)
        return;
    ed25519_free(&(*key)->owned);
    free(*key);
    *key = NULL;
}

struct byte_view note_key_name(const struct note_key *key)
{
    return bytes_view(key->name, key->name_size);
}

enum note_key_type note_key_type(const struct note_key *key)
{
    return key->type;
}

const uint8_t *note_key_id(const struct note_key *key)
{
    return key->id;
}

const struct ed25519_key *note_key_ed25519(const struct note_key *key)
{
    return key->key;
}

void note_key_vkey(const struct note_key *key, char out[static NOTE_KEY_VKEY_SIZE])
{
    uint8_t encoded[ENCODED_SIZE];

    memcpy(out, key->name, key->name_size);
    out += key->name_size;
    *out++ = '+';
    bytes_to_hex(key->id, sizeof key->id, out);
    out += 2 * sizeof key->id;
    *out++ = '+';
    encode(key, encoded);
    bytes_to_base64(encoded, sizeof encoded, out);
}
