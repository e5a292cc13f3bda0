#pragma once

#include "base/bytes.h"

/*
 * The signed core of an event: what everybody who carries or receives it sees.
 * Format: docs/wire-format.md, "Core".
 */

#define CORE_EVENT_SIZE     16 /* UUIDv7 */
#define CORE_SUBJECT_SIZE   36 /* pseudonym: uint32 epoch ‖ 32 bytes */
#define CORE_DIGEST_SIZE    32
#define CORE_ATTRIBUTES_MAX 32
#define CORE_SIZE_MAX       8192                     /* bytes of an encoded core */
#define CORE_TIME_MAX       INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z, the last time accepted */

struct core_attribute {
    struct byte_view id;
    uint8_t commitment[CORE_DIGEST_SIZE];
};

/* Views are borrowed: from the caller when encoding, from the encoded bytes after decoding. */
struct core {
    uint8_t event[CORE_EVENT_SIZE];
    uint8_t bundle[CORE_DIGEST_SIZE]; /* digest of the bundle head */
    uint8_t subject[CORE_SUBJECT_SIZE];
    struct byte_view type;
    struct byte_view protocol;
    struct byte_view from;
    struct byte_view purpose;
    struct byte_view officer;
    int64_t occurred;
    int64_t created;
    struct byte_view effective; /* YYYY-MM-DD, or empty */
    bool has_correlation;
    bool has_supersedes;
    bool has_repeats;
    uint8_t correlation[CORE_EVENT_SIZE];
    uint8_t supersedes[CORE_EVENT_SIZE];
    uint8_t repeats[CORE_EVENT_SIZE];
    size_t attribute_count;
    struct core_attribute attributes[CORE_ATTRIBUTES_MAX]; /* catalogue order; ids unique */
};

/*
 * core_encode - appends the canonical bytes.
 *
 * Returns STATUS_BAD_ARGUMENT for what core_decode() would not accept again, or what appending returned; ret
 * then holds what it held before.
 */
enum status core_encode(const struct core *core, struct byte_buffer *ret);

/*
 * core_decode - from exactly these bytes; ret_core borrows them.
 *
 * Checks the encoding, all sizes, that ids are UUIDs of version 7, that names, member id and officer have
 * their form, that the date is one, that times lie within 0 and CORE_TIME_MAX, that attribute ids are unique.
 * Returns STATUS_TOO_LARGE, STATUS_BAD_FORMAT or STATUS_NOT_CANONICAL.
 */
enum status core_decode(struct byte_view bytes, struct core *ret_core);

/* core_digest - SHA-256 of the encoded core, to which sections are bound. */
void core_digest(struct byte_view bytes, uint8_t out[static CORE_DIGEST_SIZE]);
