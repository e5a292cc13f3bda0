#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "proto/ed25519.h"

/*
 * Named keys that sign notes (C2SP signed-note v1.0.0), of two types: plain Ed25519, and the timestamped
 * cosignatures of witnesses (C2SP tlog-cosignature v1). The key id is SHA-256(name ‖ newline ‖ type ‖ public
 * key), cut to four bytes; name and id together say which key signed. As text, a verifier key ("vkey") is
 * name+hex(id)+base64(type ‖ public key).
 */

#define NOTE_KEY_NAME_MAX  255
#define NOTE_KEY_ID_SIZE   4
#define NOTE_KEY_VKEY_SIZE (NOTE_KEY_NAME_MAX + 1 + 8 + 1 + 44 + 1) /* with the terminating zero */

enum note_key_type {
    NOTE_KEY_ED25519 = 0x01,
    NOTE_KEY_COSIGNATURE = 0x04,
};

/* Several threads may use a key at a time. */
struct note_key;

/*
 * note_key_new - names an Ed25519 key, which is borrowed and must outlive the note key; it signs if that key
 * is private. ret_key is freed with note_key_free. Returns STATUS_BAD_ARGUMENT for a name that is not good or
 * longer than NOTE_KEY_NAME_MAX, or STATUS_NO_MEMORY.
 */
enum status note_key_new(struct byte_view name, enum note_key_type type, const struct ed25519_key *key,
                         struct note_key **ret_key);

/*
 * note_key_parse - a verifier key as text; the key id must be the computed one. ret_key is freed with
 * note_key_free. Returns STATUS_BAD_FORMAT, STATUS_UNSUPPORTED (another type), STATUS_NO_MEMORY or
 * STATUS_CRYPTO.
 */
enum status note_key_parse(struct byte_view vkey, struct note_key **ret_key);

void note_key_free(struct note_key **key);

/* note_key_good_name - neither empty nor with a Unicode space, a plus or a control character; valid UTF-8. */
bool note_key_good_name(struct byte_view name);

struct byte_view note_key_name(const struct note_key *key); /* borrowed from the key */
enum note_key_type note_key_type(const struct note_key *key);
const uint8_t *note_key_id(const struct note_key *key); /* NOTE_KEY_ID_SIZE bytes, borrowed from the key */
const struct ed25519_key *note_key_ed25519(const struct note_key *key); /* borrowed from the key */

/* note_key_vkey - the public half as note_key_parse reads it. */
void note_key_vkey(const struct note_key *key, char out[static NOTE_KEY_VKEY_SIZE]);
