#include "certs/keyfile.h"

#include <string.h>

#include "proto/random.h"

#define SET_TITLE     "concordat keys 1\n"
#define LOG_TITLE     "concordat log key 1\n"
#define STORAGE_TITLE "concordat storage key 1\n"
#define WITNESS_TITLE "concordat witness key 1\n"
#define KEY_SIZE      32

/* Loads the raw keys of a set. */
static enum status load(struct keyfile_set *set)
{
    enum status status = ed25519_private(set->signing, &set->signing_key);

    if (status != STATUS_OK || !claims_has_transport(set->role))
        return status;
    status = x25519_private(set->transport, &set->transport_key);
    if (status == STATUS_OK)
        status = x25519_private(set->sealing, &set->sealing_key);
    if (status == STATUS_OK)
        certificate_key_id(x25519_public_of(set->sealing_key), set->sealing_id);
    return status;
}

/* X25519 keys are stored as OpenSSL and libzmq hold them: 32 bytes, clamped when they are used. */
static enum status fill(struct keyfile_set *set)
{
    enum status status = random_bytes(set->signing, sizeof set->signing);

    if (status == STATUS_OK && claims_has_transport(set->role)) {
        status = random_bytes(set->transport, sizeof set->transport);
        if (status == STATUS_OK)
            status = random_bytes(set->sealing, sizeof set->sealing);
    }
    return status;
}

enum status keyfile_generate(const char *member, enum role role, struct keyfile_set *ret)
{
    struct keyfile_set set = {.role = role};
    size_t size = strlen(member);

    memcpy(set.member, member, size + 1);
    enum status status = fill(&set);
    if (status == STATUS_OK)
        status = load(&set);
    if (status == STATUS_OK)
        *ret = set;
    else
        keyfile_clear(&set);
    bytes_wipe(&set, sizeof set);
    return status;
}

void keyfile_clear(struct keyfile_set *set)
{
    ed25519_free(&set->signing_key);
    x25519_private_free(&set->transport_key);
    x25519_private_free(&set->sealing_key);
    bytes_wipe(set, sizeof *set);
}

static void format_key(struct byte_buffer *text, const char *word, const uint8_t key[static KEY_SIZE])
{
    char hex[2 * KEY_SIZE + 1];

    bytes_to_hex(key, KEY_SIZE, hex);
    bytes_append_string(text, word);
    bytes_append_string(text, " ");
    bytes_append_string(text, hex);
    bytes_append_string(text, "\n");
    bytes_wipe(hex, sizeof hex);
}

void keyfile_format_set(const struct keyfile_set *set, struct byte_buffer *text)
{
    bytes_append_format(text, SET_TITLE "member %s\nrole %s\n", set->member, role_text(set->role));
    format_key(text, "signing", set->signing);
    if (claims_has_transport(set->role)) {
        format_key(text, "transport", set->transport);
        format_key(text, "sealing", set->sealing);
    }
}

void keyfile_format_log(const struct keyfile_log *log, struct byte_buffer *text)
{
    bytes_append_format(text, LOG_TITLE "name %s\n", log->name);
    format_key(text, "seed", log->seed);
}

void keyfile_format_storage(const uint8_t key[static 32], struct byte_buffer *text)
{
    bytes_append_string(text, STORAGE_TITLE);
    format_key(text, "key", key);
}

void keyfile_format_witness(const uint8_t seed[static ED25519_SEED_SIZE], struct byte_buffer *text)
{
    bytes_append_string(text, WITNESS_TITLE);
    format_key(text, "seed", seed);
}

static bool take_exact(struct byte_reader *reader, const char *text)
{
    size_t size = strlen(text);

    return bytes_equal(bytes_read_view(reader, size), bytes_of_string(text));
}

/* The value of the next line "word value". */
static bool take_value(struct byte_reader *reader, const char *word, struct byte_view *ret_value)
{
    if (!take_exact(reader, word) || !take_exact(reader, " "))
        return false;
    const uint8_t *end = reader->rest.size == 0 ? NULL : memchr(reader->rest.data, '\n', reader->rest.size);
    if (end == NULL)
        return false;
    *ret_value = bytes_read_view(reader, (size_t)(end - reader->rest.data));
    return bytes_read_u8(reader) == '\n';
}

static bool take_key(struct byte_reader *reader, const char *word, uint8_t ret_key[static KEY_SIZE])
{
    char hex[2 * KEY_SIZE + 1];
    struct byte_view value = {0};

    if (!take_value(reader, word, &value) || value.size != sizeof hex - 1)
        return false;
    memcpy(hex, value.data, value.size);
    hex[value.size] = 0;
    bool good = bytes_from_hex(hex, ret_key, KEY_SIZE) == STATUS_OK;
    bytes_wipe(hex, sizeof hex);
    return good;
}

static bool read_set(struct byte_reader *reader, struct keyfile_set *set)
{
    struct byte_view value = {0};

    if (!take_exact(reader, SET_TITLE) || !take_value(reader, "member", &value) ||
        member_check(value) != STATUS_OK)
        return false;
    memcpy(set->member, value.data, value.size);
    if (!take_value(reader, "role", &value) || role_parse(value, &set->role) != STATUS_OK ||
        !take_key(reader, "signing", set->signing))
        return false;
    if (claims_has_transport(set->role) &&
        (!take_key(reader, "transport", set->transport) || !take_key(reader, "sealing", set->sealing)))
        return false;
    return bytes_read_done(reader);
}

enum status keyfile_parse_set(struct byte_view text, struct keyfile_set *ret)
{
    struct keyfile_set set = {0};
    struct byte_reader reader = bytes_reader(text);
    enum status status = read_set(&reader, &set) ? load(&set) : STATUS_CORRUPT;

    if (status == STATUS_OK)
        *ret = set;
    else
        keyfile_clear(&set);
    bytes_wipe(&set, sizeof set);
    return status;
}

enum status keyfile_parse_log(struct byte_view text, struct keyfile_log *ret)
{
    struct keyfile_log log = {0};
    struct byte_view name = {0};
    struct byte_reader reader = bytes_reader(text);
    enum status status = STATUS_CORRUPT;

    if (!take_exact(&reader, LOG_TITLE) || !take_value(&reader, "name", &name) ||
        name.size > CLAIMS_LOG_NAME_LONGEST)
        return STATUS_CORRUPT;
    memcpy(log.name, name.data, name.size);
    if (strlen(log.name) == name.size && claims_log_name_good(log.name) &&
        take_key(&reader, "seed", log.seed) && bytes_read_done(&reader)) {
        *ret = log;
        status = STATUS_OK;
    }
    bytes_wipe(&log, sizeof log);
    return status;
}

/* A title and one key, and nothing else. */
static enum status parse_one(struct byte_view text, const char *title, const char *word,
                             uint8_t ret_key[static KEY_SIZE])
{
    uint8_t key[KEY_SIZE] = {0};
    struct byte_reader reader = bytes_reader(text);
    enum status status = STATUS_CORRUPT;

    if (take_exact(&reader, title) && take_key(&reader, word, key) && bytes_read_done(&reader)) {
        memcpy(ret_key, key, KEY_SIZE);
        status = STATUS_OK;
    }
    bytes_wipe(key, sizeof key);
    return status;
}

enum status keyfile_parse_storage(struct byte_view text, uint8_t ret_key[static 32])
{
    return parse_one(text, STORAGE_TITLE, "key", ret_key);
}

enum status keyfile_parse_witness(struct byte_view text, uint8_t ret_seed[static ED25519_SEED_SIZE])
{
    return parse_one(text, WITNESS_TITLE, "seed", ret_seed);
}
