#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "proto/note_key.h"

/*
 * Signed notes (C2SP signed-note v1.0.0): a text, a blank line, and signature lines
 *
 *     — <key name> base64(key id (4) ‖ signature)
 *
 * Cosignatures are for texts that are checkpoints; proto/checkpoint.h makes sure of that. Nothing here blocks
 * or reads the clock.
 */

#define NOTE_SIZE_MAX       ((size_t)1 << 20)
#define NOTE_SIGNATURES_MAX 64
#define NOTE_SIGNATURE_SIZE_MAX                                                                              \
    8192 /* bytes of one signature, key id included; post-quantum ones take about 5 kB */

/* One signature line; borrowed from the note. */
struct note_signature {
    struct byte_view name;
    uint8_t key_id[NOTE_KEY_ID_SIZE];
    struct byte_view base64; /* of key id and signature; well-formed */
};

/* A parsed note; borrowed from its bytes. Nothing is verified yet. */
struct note {
    struct byte_view text; /* with its last newline */
    size_t signature_count;
    struct note_signature signatures[NOTE_SIGNATURES_MAX];
};

/* What note_verify found out about one key. */
struct note_signed {
    bool by;      /* it signed, and that verifies */
    int64_t time; /* of the newest such cosignature, milliseconds since the epoch; 0 for NOTE_KEY_ED25519 */
};

/*
 * note_parse - STATUS_BAD_FORMAT unless the bytes are UTF-8 without control characters but newline, at most
 * NOTE_SIZE_MAX, with 1 to NOTE_SIGNATURES_MAX well-formed signature lines after the last blank line.
 */
enum status note_parse(struct byte_view bytes, struct note *ret_note);

/*
 * note_parse_signatures - signature lines alone, as a witness returns them, to be held against text;
 * otherwise as note_parse.
 */
enum status note_parse_signatures(struct byte_view text, struct byte_view lines, struct note *ret_note);

/*
 * note_verify - verifies every signature whose name and key id are those of one of n keys, and ignores the
 * others.
 *
 * ret_signed for each key whether it signed; n elements
 *
 * Returns STATUS_OK if at least one key signed and none failed, STATUS_UNKNOWN_KEY if none of the keys
 * signed, STATUS_BAD_SIGNATURE if a signature of a known key does not verify (the whole note is refused),
 * STATUS_NO_MEMORY or STATUS_CRYPTO. Whether a cosignature's time is acceptable is the caller's to judge.
 */
enum status note_verify(const struct note *note, const struct note_key *const *keys, size_t n,
                        struct note_signed *ret_signed);

/*
 * note_start - begins a note in an empty buffer: text, which must end in a newline, and the blank line.
 * Returns STATUS_BAD_FORMAT for a text that no note may have, STATUS_TOO_LARGE or STATUS_NO_MEMORY.
 */
enum status note_start(struct byte_view text, struct byte_buffer *out);

/*
 * note_sign - appends a signature line for text. key must hold a private key (asserted). now, in milliseconds
 * since the epoch and not negative (asserted), is the time of a cosignature, in whole seconds;
 * NOTE_KEY_ED25519 does not use it. Returns STATUS_TOO_LARGE (out's limit), STATUS_NO_MEMORY or
 * STATUS_CRYPTO; out may then hold part of a line.
 */
enum status note_sign(struct byte_view text, const struct note_key *key, int64_t now,
                      struct byte_buffer *out);

/* note_append_signature - appends the line of a parsed signature. Errors stay in the buffer's status. */
void note_append_signature(const struct note_signature *signature, struct byte_buffer *out);
