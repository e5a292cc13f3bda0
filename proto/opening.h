#pragma once

#include "proto/core.h"
#include "proto/wire_codec.h"

/*
 * The opening of an event's attributes, which goes to the broker only: identifier, value and salt of each, in
 * the order of the core. commitment = SHA-256(salt16 ‖ canonical(id, value)).
 * Format: docs/wire-format.md, "Opening".
 */

#define OPENING_SALT_SIZE 16

struct opening_attribute {
    struct byte_view id;
    struct byte_view value;
    uint8_t salt[OPENING_SALT_SIZE];
};

/* opening_commit - fills core->attributes from what is to be opened; count ≤ CORE_ATTRIBUTES_MAX, asserted.
 */
void opening_commit(const struct opening_attribute *attributes, size_t count, struct core *core);

/* opening_encode - appends the encoded Opening. Returns what appending returned. */
enum status opening_encode(const struct opening_attribute *attributes, size_t count, struct byte_buffer *ret);

/*
 * opening_decode - from an encoded Opening, such as one kept in an outbox; ret_attributes has room for
 * CORE_ATTRIBUTES_MAX and borrows the bytes.
 * Returns STATUS_BAD_FORMAT, STATUS_NOT_CANONICAL or STATUS_TOO_LARGE.
 */
enum status opening_decode(struct byte_view bytes, struct opening_attribute *ret_attributes,
                           size_t *ret_count);

/*
 * opening_check - does this open exactly the attributes of the core, all of them, in order?
 * Returns STATUS_BAD_COMMITMENT otherwise.
 */
enum status opening_check(const struct core *core, const Wire__Opening *opening);

/*
 * opening_check_part - the same for some of the attributes, in the order of the core: each opens the
 * commitment of its id. Which ones must be there is the caller's to say.
 */
enum status opening_check_part(const struct core *core, const Wire__Opening *opening);

/* opening_value - the value opened for an id, or NULL; borrowed from the opening. */
const char *opening_value(const Wire__Opening *opening, const char *id);
