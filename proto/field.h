#pragma once

#include "base/bytes.h"

/*
 * Canonical protobuf by hand, for the small messages that are decoded by the ten thousand a second: nothing
 * is copied or allocated. A message is read by asking for its fields in ascending order; what is asked for
 * and absent, and what is there and never asked for, is an error. After the first error the reader stays
 * failed and every further read gives nothing.
 */
struct field_reader {
    struct byte_view rest;
    enum status status; /* STATUS_OK, STATUS_BAD_FORMAT or STATUS_NOT_CANONICAL (a varint not minimal) */
};

struct field_reader field_reader(struct byte_view message);

/* field_bytes - a required field of bytes, text or an embedded message; borrowed. */
struct byte_view field_bytes(struct field_reader *reader, uint32_t number);

/* field_text - the same, refusing what is not UTF-8 without a zero byte. */
struct byte_view field_text(struct field_reader *reader, uint32_t number);

/* field_fixed - a required field of exactly size bytes, or NULL; borrowed. */
const uint8_t *field_fixed(struct field_reader *reader, uint32_t number, size_t size);

/* field_copy - the same, copied to out, which is left as it is on failure. */
void field_copy(struct field_reader *reader, uint32_t number, size_t size, uint8_t *out);

/* field_varint - a required number. */
uint64_t field_varint(struct field_reader *reader, uint32_t number);

/* field_is_next - whether a field of bytes with this number comes next: for optional and repeated ones. */
bool field_is_next(const struct field_reader *reader, uint32_t number);

/* field_end - fails the reader if anything is left, and returns its status. */
enum status field_end(struct field_reader *reader);

/* field_put_* - append one field; for an embedded message give field_put_start() its size, then its fields.
 */
void field_put_bytes(struct byte_buffer *buffer, uint32_t number, struct byte_view value);
void field_put_varint(struct byte_buffer *buffer, uint32_t number, uint64_t value);
void field_put_start(struct byte_buffer *buffer, uint32_t number, size_t size);

/* field_size_* - how many bytes field_put_* appends, tag included. */
size_t field_size_bytes(uint32_t number, size_t size);
size_t field_size_varint(uint32_t number, uint64_t value);

/* field_put_raw, field_size_raw - a bare varint, as packed repeated fields hold them. */
void field_put_raw(struct byte_buffer *buffer, uint64_t value);
size_t field_size_raw(uint64_t value);
