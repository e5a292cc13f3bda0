#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "proto/digest.h"
#include "proto/note.h"

/*
 * Checkpoints (C2SP tlog-checkpoint v1.0.0): the head of a log as a signed note whose text is
 *
 *     <origin>\n<size>\n<base64 of the root>\n[<extension line>\n …]
 *
 * Our logs write no extension lines. Others' are kept, as signatures cover them; they mean nothing here.
 */

#define CHECKPOINT_SIZE_MAX INT64_MAX /* leaves, so that a size fits a database's integer */

struct checkpoint {
    struct byte_view origin;
    uint64_t size;
    struct digest root;
    struct byte_view extensions; /* whole lines, or empty */
};

/*
 * checkpoint_parse - the text of a note; views borrow from it. Returns STATUS_BAD_FORMAT, also for a size
 * above CHECKPOINT_SIZE_MAX and for a root of an empty tree that is not SHA-256 of nothing.
 */
enum status checkpoint_parse(struct byte_view text, struct checkpoint *ret_checkpoint);

/*
 * checkpoint_format - the text that checkpoint_parse reads, appended to out. Returns STATUS_BAD_ARGUMENT for
 * a checkpoint that it would not read back the same, STATUS_TOO_LARGE or STATUS_NO_MEMORY; out may then hold
 * part of it.
 */
enum status checkpoint_format(const struct checkpoint *checkpoint, struct byte_buffer *out);

/*
 * checkpoint_sign - the whole note, signed by the log, whose key's name must be the origin (STATUS_MISMATCH).
 * key is of type NOTE_KEY_ED25519 and private (asserted). Returns as checkpoint_format and note_sign. Whether
 * this size was signed before with another root is the caller's to know.
 */
enum status checkpoint_sign(const struct checkpoint *checkpoint, const struct note_key *key,
                            struct byte_buffer *out);

/*
 * checkpoint_cosign - appends a witness's cosignature line for a checkpoint's text. key is of type
 * NOTE_KEY_COSIGNATURE and private (asserted); now in milliseconds since the epoch, signed in whole seconds.
 * Returns STATUS_BAD_FORMAT if the text is no checkpoint, else as note_sign. Consistency with what was
 * cosigned before is the caller's to check.
 */
enum status checkpoint_cosign(struct byte_view text, const struct note_key *key, int64_t now,
                              struct byte_buffer *out);

/*
 * checkpoint_open - parses a signed checkpoint and verifies that the log signed it; other signatures are only
 * parsed. log is of type NOTE_KEY_ED25519 (asserted). ret_note may be NULL; it and ret_checkpoint borrow from
 * bytes. Returns STATUS_BAD_FORMAT, STATUS_MISMATCH (of another origin than the key's name),
 * STATUS_UNKNOWN_KEY (the log did not sign), STATUS_BAD_SIGNATURE, STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status checkpoint_open(struct byte_view bytes, const struct note_key *log, struct note *ret_note,
                            struct checkpoint *ret_checkpoint);

/*
 * checkpoint_witnessed - how many of n witnesses (keys of type NOTE_KEY_COSIGNATURE, each of another name or
 * id) cosigned an opened checkpoint. A witness counts once, however many lines it has.
 *
 * ret_signed for each witness whether and when; n elements
 *
 * No cosignature at all is STATUS_OK with a count of 0. Returns STATUS_BAD_SIGNATURE if a witness's signature
 * does not verify, STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status checkpoint_witnessed(const struct note *note, const struct note_key *const *witnesses, size_t n,
                                 struct note_signed *ret_signed, size_t *ret_count);
