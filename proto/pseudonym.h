#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/*
 * What stands for a person wherever the broker can see it:
 * uint32 epoch ‖ HMAC-SHA-256(pseudonym key of that epoch, canonical(kind, member, id)).
 * Only members hold the key. Any of them can try all plausible ids: a pseudonym guards against the broker and
 * against accidents, not against members.
 */

#define PSEUDONYM_SIZE     36
#define PSEUDONYM_KEY_SIZE 32
#define PSEUDONYM_TEXT     76 /* ten digits, a dash, 64 digits, the terminating zero */

/* Kinds of person: symbol, and what the HMAC covers. A pnc is known to all, a local reference to its member
 * alone. */
#define PSEUDONYM_KIND_TABLE(X)                                                                              \
    X(PNC, "pnc")                                                                                            \
    X(LOCAL, "local")

enum pseudonym_kind {
#define PSEUDONYM_KIND_ENUM(symbol, text) PSEUDONYM_KIND_##symbol,
    PSEUDONYM_KIND_TABLE(PSEUDONYM_KIND_ENUM)
#undef PSEUDONYM_KIND_ENUM
};

struct pseudonym {
    uint8_t bytes[PSEUDONYM_SIZE];
};

/*
 * pseudonym_make
 *
 * epoch   which pseudonym key this is; from 1
 * member  empty for PNC, the owner's member id for LOCAL
 * id      the PNC id in canonical form, which the caller sees to, or the owner's reference; not empty
 *
 * Returns STATUS_BAD_ARGUMENT when one of these is not so, STATUS_TOO_LARGE when member and id pass 64 KiB,
 * or STATUS_NO_MEMORY.
 */
enum status pseudonym_make(uint32_t epoch, const uint8_t key[static PSEUDONYM_KEY_SIZE],
                           enum pseudonym_kind kind, struct byte_view member, struct byte_view id,
                           struct pseudonym *ret_pseudonym);

/* pseudonym_from_bytes - as it stands in an event. Returns STATUS_BAD_FORMAT unless 36 bytes with an epoch
 * from 1. */
enum status pseudonym_from_bytes(struct byte_view bytes, struct pseudonym *ret_pseudonym);

uint32_t pseudonym_epoch(const struct pseudonym *pseudonym);
bool pseudonym_equal(const struct pseudonym *a, const struct pseudonym *b);

/* pseudonym_format - for people and searches: the epoch in decimal, a dash, 64 lower-case hexadecimal digits.
 */
void pseudonym_format(const struct pseudonym *pseudonym, char out[static PSEUDONYM_TEXT]);

/* pseudonym_parse - exactly what pseudonym_format gives; STATUS_BAD_FORMAT otherwise. */
enum status pseudonym_parse(const char *text, struct pseudonym *ret_pseudonym);
