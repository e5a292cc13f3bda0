#include "proto/canonical.h"

#define LENGTH_SIZE ((size_t)4)

void canonical_append(struct byte_buffer *buffer, struct byte_view value)
{
    if (value.size > UINT32_MAX) {
        if (buffer->status == STATUS_OK)
            buffer->status = STATUS_TOO_LARGE;
        return;
    }
    bytes_append_u32(buffer, (uint32_t)value.size);
    bytes_append_view(buffer, value);
}

void canonical_append_string(struct byte_buffer *buffer, const char *text)
{
    canonical_append(buffer, bytes_of_string(text));
}

void canonical_append_list_start(struct byte_buffer *buffer, uint32_t count)
{
    bytes_append_u32(buffer, count);
}

static enum status fail(struct byte_reader *reader, enum status status)
{
    reader->failed = true;
    return status;
}

enum status canonical_read(struct byte_reader *reader, size_t limit, struct byte_view *ret_value)
{
    uint32_t size = bytes_read_u32(reader);

    if (reader->failed)
        return STATUS_BAD_FORMAT;
    if (size > limit)
        return fail(reader, STATUS_TOO_LARGE);
    struct byte_view value = bytes_read_view(reader, size);
    if (reader->failed)
        return STATUS_BAD_FORMAT;
    *ret_value = value;
    return STATUS_OK;
}

enum status canonical_read_list_start(struct byte_reader *reader, uint32_t limit, uint32_t *ret_count)
{
    uint32_t count = bytes_read_u32(reader);

    if (reader->failed)
        return STATUS_BAD_FORMAT;
    if (count > limit)
        return fail(reader, STATUS_TOO_LARGE);
    if (count > reader->rest.size / LENGTH_SIZE)
        return fail(reader, STATUS_BAD_FORMAT);
    *ret_count = count;
    return STATUS_OK;
}
