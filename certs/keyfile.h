#pragma once

#include "certs/claims.h"

/*
 * The text of key files (certs/keystore.h): a first line that says what it is, then "word value" lines in a
 * fixed order, keys in lower-case hexadecimal. Nothing here touches the disk. Buffers that hold a text are
 * wiped by the caller.
 */

#define KEYFILE_LARGEST ((size_t)4096)

/* One set of keys with everything loaded. Empty (all zeros) or whole; cleared with keyfile_clear. */
struct keyfile_set {
    char member[MEMBER_ID_LENGTH + 1];
    enum role role;
    uint8_t signing[ED25519_SEED_SIZE];
    uint8_t transport[X25519_KEY_SIZE]; /* agents and brokers, as the two below */
    uint8_t sealing[X25519_KEY_SIZE];
    uint8_t sealing_id[CERTIFICATE_KEY_ID_SIZE];
    struct ed25519_key *signing_key;
    struct x25519_private *transport_key;
    struct x25519_private *sealing_key;
};

struct keyfile_log {
    char name[CLAIMS_LOG_NAME_LONGEST + 1];
    uint8_t seed[ED25519_SEED_SIZE];
};

/* keyfile_generate - new keys for a checked member id; ret must be empty. STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status keyfile_generate(const char *member, enum role role, struct keyfile_set *ret);
void keyfile_clear(struct keyfile_set *set); /* frees, wipes, leaves it empty */

void keyfile_format_set(const struct keyfile_set *set, struct byte_buffer *text);
void keyfile_format_log(const struct keyfile_log *log, struct byte_buffer *text);
void keyfile_format_storage(const uint8_t key[static 32], struct byte_buffer *text);
void keyfile_format_witness(const uint8_t seed[static ED25519_SEED_SIZE], struct byte_buffer *text);

/* keyfile_parse_set - ret must be empty. STATUS_CORRUPT for anything that keyfile_format_set does not write,
 * STATUS_NO_MEMORY or STATUS_CRYPTO; likewise the others. */
enum status keyfile_parse_set(struct byte_view text, struct keyfile_set *ret);
enum status keyfile_parse_log(struct byte_view text, struct keyfile_log *ret);
enum status keyfile_parse_storage(struct byte_view text, uint8_t ret_key[static 32]);
enum status keyfile_parse_witness(struct byte_view text, uint8_t ret_seed[static ED25519_SEED_SIZE]);
