#include "proto/field.h"

#include <string.h>

#include "base/utf8.h"

#define WIRE_VARINT 0u
#define WIRE_BYTES  2u
#define VARINT_MAX  10 /* bytes that 64 bits take at most */

/* The varint at the start of view. *ret_size is 0 when there is none; *ret_minimal tells a padded one. */
static uint64_t peek_varint(struct byte_view view, size_t *ret_size, bool *ret_minimal)
{
    uint64_t value = 0;

    *ret_size = 0;
    *ret_minimal = true;
    for (size_t i = 0; i < view.size && i < VARINT_MAX; i++) {
        uint8_t byte = view.data[i];
        if (i == VARINT_MAX - 1 && byte > 1)
            return 0;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            *ret_size = i + 1;
            *ret_minimal = i == 0 || byte != 0;
            return value;
        }
    }
    return 0;
}

static uint64_t take_varint(struct field_reader *reader)
{
    size_t size;
    bool minimal;

    if (reader->status != STATUS_OK)
        return 0;
    uint64_t value = peek_varint(reader->rest, &size, &minimal);
    if (size == 0 || !minimal) {
        reader->status = size == 0 ? STATUS_BAD_FORMAT : STATUS_NOT_CANONICAL;
        return 0;
    }
    reader->rest.data += size;
    reader->rest.size -= size;
    return value;
}

static void fail(struct field_reader *reader, enum status status)
{
    if (reader->status == STATUS_OK)
        reader->status = status;
}

struct field_reader field_reader(struct byte_view message)
{
    return (struct field_reader){.rest = message, .status = STATUS_OK};
}

struct byte_view field_bytes(struct field_reader *reader, uint32_t number)
{
    if (take_varint(reader) != (number << 3 | WIRE_BYTES))
        fail(reader, STATUS_BAD_FORMAT);
    uint64_t size = take_varint(reader);
    if (size > reader->rest.size)
        fail(reader, STATUS_BAD_FORMAT);
    if (reader->status != STATUS_OK)
        return bytes_view(NULL, 0);
    struct byte_view value = bytes_view(reader->rest.data, (size_t)size);
    reader->rest.data += size;
    reader->rest.size -= (size_t)size;
    return value;
}

struct byte_view field_text(struct field_reader *reader, uint32_t number)
{
    struct byte_view text = field_bytes(reader, number);

    if (!utf8_valid(text)) {
        fail(reader, STATUS_BAD_FORMAT);
        return bytes_view(NULL, 0);
    }
    return text;
}

const uint8_t *field_fixed(struct field_reader *reader, uint32_t number, size_t size)
{
    struct byte_view value = field_bytes(reader, number);

    if (value.size != size)
        fail(reader, STATUS_BAD_FORMAT);
    return reader->status == STATUS_OK ? value.data : NULL;
}

void field_copy(struct field_reader *reader, uint32_t number, size_t size, uint8_t *out)
{
    const uint8_t *bytes = field_fixed(reader, number, size);

    if (bytes != NULL && size > 0)
        memcpy(out, bytes, size);
}

uint64_t field_varint(struct field_reader *reader, uint32_t number)
{
    if (take_varint(reader) != (number << 3 | WIRE_VARINT))
        fail(reader, STATUS_BAD_FORMAT);
    return take_varint(reader);
}

bool field_is_next(const struct field_reader *reader, uint32_t number)
{
    size_t size;
    bool minimal;

    if (reader->status != STATUS_OK)
        return false;
    return peek_varint(reader->rest, &size, &minimal) == (number << 3 | WIRE_BYTES) && size > 0;
}

enum status field_end(struct field_reader *reader)
{
    if (reader->rest.size > 0)
        fail(reader, STATUS_BAD_FORMAT);
    return reader->status;
}

void field_put_raw(struct byte_buffer *buffer, uint64_t value)
{
    uint8_t out[VARINT_MAX];
    size_t size = 0;

    for (; value >= 0x80; value >>= 7)
        out[size++] = (uint8_t)(value | 0x80);
    out[size++] = (uint8_t)value;
    bytes_append(buffer, out, size);
}

void field_put_start(struct byte_buffer *buffer, uint32_t number, size_t size)
{
    field_put_raw(buffer, number << 3 | WIRE_BYTES);
    field_put_raw(buffer, size);
}

void field_put_bytes(struct byte_buffer *buffer, uint32_t number, struct byte_view value)
{
    field_put_start(buffer, number, value.size);
    bytes_append_view(buffer, value);
}

void field_put_varint(struct byte_buffer *buffer, uint32_t number, uint64_t value)
{
    field_put_raw(buffer, number << 3 | WIRE_VARINT);
    field_put_raw(buffer, value);
}

size_t field_size_raw(uint64_t value)
{
    size_t size = 1;

    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

size_t field_size_bytes(uint32_t number, size_t size)
{
    return field_size_raw(number << 3) + field_size_raw(size) + size;
}

size_t field_size_varint(uint32_t number, uint64_t value)
{
    return field_size_raw(number << 3) + field_size_raw(value);
}
