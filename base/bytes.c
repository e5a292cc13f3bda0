#include "base/bytes.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct byte_view bytes_view(const void *data, size_t size)
{
    return (struct byte_view){data, size};
}

struct byte_view bytes_of_string(const char *text)
{
    return bytes_view(text, strlen(text));
}

bool bytes_equal(struct byte_view a, struct byte_view b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int bytes_compare(struct byte_view a, struct byte_view b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

    if (order != 0)
        return order;
    return a.size < b.size ? -1 : a.size > b.size;
}

bool bytes_equal_secret(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}

void bytes_wipe(void *data, size_t size)
{
    if (size > 0)
        OPENSSL_cleanse(data, size);
}

struct byte_buffer bytes_buffer(size_t limit)
{
    return (struct byte_buffer){.limit = limit};
}

void bytes_buffer_free(struct byte_buffer *buffer)
{
    free(buffer->data);
    *buffer = bytes_buffer(buffer->limit);
}

void bytes_buffer_wipe(struct byte_buffer *buffer)
{
    bytes_wipe(buffer->data, buffer->capacity);
    bytes_buffer_free(buffer);
}

void bytes_buffer_clear(struct byte_buffer *buffer)
{
    buffer->size = 0;
    buffer->status = STATUS_OK;
}

struct byte_view bytes_buffer_view(const struct byte_buffer *buffer)
{
    return bytes_view(buffer->data, buffer->size);
}

/* Makes room for size more bytes; growth never leaves an unwiped copy behind, as buffers may hold secrets. */
static bool reserve(struct byte_buffer *buffer, size_t size)
{
    if (buffer->status != STATUS_OK)
        return false;
    if (size > buffer->limit || buffer->size > buffer->limit - size) {
        buffer->status = STATUS_TOO_LARGE;
        return false;
    }
    if (buffer->size + size <= buffer->capacity)
        return true;

    size_t capacity = buffer->capacity < 64 ? 64 : buffer->capacity * 2;
    if (capacity < buffer->size + size)
        capacity = buffer->size + size;
    if (capacity > buffer->limit)
        capacity = buffer->limit;
    uint8_t *data = malloc(capacity);
    if (data == NULL) {
        buffer->status = STATUS_NO_MEMORY;
        return false;
    }
    if (buffer->size > 0)
        memcpy(data, buffer->data, buffer->size);
    bytes_wipe(buffer->data, buffer->size);
    free(buffer->data);
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void bytes_reserve(struct byte_buffer *buffer, size_t size)
{
    (void)reserve(buffer, size);
}

void bytes_append(struct byte_buffer *buffer, const void *data, size_t size)
{
    if (size == 0 || !reserve(buffer, size))
        return;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void bytes_append_view(struct byte_buffer *buffer, struct byte_view view)
{
    bytes_append(buffer, view.data, view.size);
}

void bytes_append_string(struct byte_buffer *buffer, const char *text)
{
    bytes_append(buffer, text, strlen(text));
}

void bytes_append_u8(struct byte_buffer *buffer, uint8_t value)
{
    bytes_append(buffer, &value, 1);
}

void bytes_append_u16(struct byte_buffer *buffer, uint16_t value)
{
    uint8_t out[2];

    bytes_put_u16(out, value);
    bytes_append(buffer, out, sizeof out);
}

void bytes_append_u32(struct byte_buffer *buffer, uint32_t value)
{
    uint8_t out[4];

    bytes_put_u32(out, value);
    bytes_append(buffer, out, sizeof out);
}

void bytes_append_u64(struct byte_buffer *buffer, uint64_t value)
{
    uint8_t out[8];

    bytes_put_u64(out, value);
    bytes_append(buffer, out, sizeof out);
}

void bytes_append_zeros(struct byte_buffer *buffer, size_t count)
{
    if (count == 0 || !reserve(buffer, count))
        return;
    memset(buffer->data + buffer->size, 0, count);
    buffer->size += count;
}

void bytes_append_format(struct byte_buffer *buffer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    assert(size >= 0);
    /* vsnprintf writes a terminating zero, which must fit but is not counted. */
    if (!reserve(buffer, (size_t)size + 1))
        return;
    va_start(arguments, format);
    vsnprintf((char *)buffer->data + buffer->size, (size_t)size + 1, format, arguments);
    va_end(arguments);
    buffer->size += (size_t)size;
}

void bytes_put_u16(uint8_t out[static 2], uint16_t value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

void bytes_put_u32(uint8_t out[static 4], uint32_t value)
{
    bytes_put_u16(out, (uint16_t)(value >> 16));
    bytes_put_u16(out + 2, (uint16_t)value);
}

void bytes_put_u64(uint8_t out[static 8], uint64_t value)
{
    bytes_put_u32(out, (uint32_t)(value >> 32));
    bytes_put_u32(out + 4, (uint32_t)value);
}

uint16_t bytes_get_u16(const uint8_t in[static 2])
{
    return (uint16_t)((uint32_t)in[0] << 8 | in[1]);
}

uint32_t bytes_get_u32(const uint8_t in[static 4])
{
    return (uint32_t)bytes_get_u16(in) << 16 | bytes_get_u16(in + 2);
}

uint64_t bytes_get_u64(const uint8_t in[static 8])
{
    return (uint64_t)bytes_get_u32(in) << 32 | bytes_get_u32(in + 4);
}

struct byte_reader bytes_reader(struct byte_view view)
{
    return (struct byte_reader){.rest = view};
}

struct byte_view bytes_read_view(struct byte_reader *reader, size_t size)
{
    if (reader->failed || size > reader->rest.size) {
        reader->failed = true;
        return bytes_view(NULL, 0);
    }
    struct byte_view taken = bytes_view(reader->rest.data, size);
    if (size > 0) {
        reader->rest.data += size;
        reader->rest.size -= size;
    }
    return taken;
}

void bytes_read_into(struct byte_reader *reader, void *out, size_t size)
{
    struct byte_view taken = bytes_read_view(reader, size);

    if (size == 0)
        return;
    if (taken.size == size)
        memcpy(out, taken.data, size);
    else
        memset(out, 0, size);
}

uint8_t bytes_read_u8(struct byte_reader *reader)
{
    uint8_t in[1];

    bytes_read_into(reader, in, sizeof in);
    return in[0];
}

uint16_t bytes_read_u16(struct byte_reader *reader)
{
    uint8_t in[2];

    bytes_read_into(reader, in, sizeof in);
    return bytes_get_u16(in);
}

uint32_t bytes_read_u32(struct byte_reader *reader)
{
    uint8_t in[4];

    bytes_read_into(reader, in, sizeof in);
    return bytes_get_u32(in);
}

uint64_t bytes_read_u64(struct byte_reader *reader)
{
    uint8_t in[8];

    bytes_read_into(reader, in, sizeof in);
    return bytes_get_u64(in);
}

bool bytes_read_done(const struct byte_reader *reader)
{
    return !reader->failed && reader->rest.size == 0;
}

void bytes_to_hex(const void *data, size_t size, char *out)
{
    const uint8_t *in = data;

    for (size_t i = 0; i < size; i++) {
        out[2 * i] = hex_digits[in[i] >> 4];
        out[2 * i + 1] = hex_digits[in[i] & 15];
    }
    out[2 * size] = '\0';
}

/* The value of a hexadecimal digit, or -1. */
static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

enum status bytes_from_hex(const char *text, void *ret_data, size_t size)
{
    uint8_t *out = ret_data;

    if (strlen(text) != 2 * size)
        return STATUS_BAD_FORMAT;
    for (size_t i = 0; i < 2 * size; i++) {
        if (hex_value(text[i]) < 0)
            return STATUS_BAD_FORMAT;
    }
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
    return STATUS_OK;
}

size_t bytes_base64_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

void bytes_to_base64(const void *data, size_t size, char *out)
{
    const uint8_t *in = data;

    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)in[i] << 16;
        if (left > 1)
            group |= (uint32_t)in[i + 1] << 8;
        if (left > 2)
            group |= in[i + 2];
        *out++ = base64_digits[group >> 18];
        *out++ = base64_digits[group >> 12 & 63];
        *out++ = left > 1 ? base64_digits[group >> 6 & 63] : '=';
        *out++ = left > 2 ? base64_digits[group & 63] : '=';
    }
    *out = '\0';
}

/* The value of a base64 digit, or -1. */
static int base64_value(char digit)
{
    const char *found = digit == '\0' ? NULL : strchr(base64_digits, digit);

    return found == NULL ? -1 : (int)(found - base64_digits);
}

enum status bytes_from_base64(const char *text, size_t text_size, uint8_t *ret_data, size_t limit,
                              size_t *ret_size)
{
    size_t padding = 0;

    if (text_size % 4 != 0)
        return STATUS_BAD_FORMAT;
    while (padding < 2 && padding < text_size && text[text_size - 1 - padding] == '=')
        padding++;
    size_t size = text_size / 4 * 3 - padding;
    if (size > limit)
        return STATUS_TOO_LARGE;
    for (size_t i = 0; i < text_size - padding; i++) {
        if (base64_value(text[i]) < 0)
            return STATUS_BAD_FORMAT;
    }
    if (padding > 0) {
        int last = base64_value(text[text_size - padding - 1]);
        if ((last & (padding == 2 ? 15 : 3)) != 0)
            return STATUS_BAD_FORMAT;
    }

    uint32_t group = 0;
    size_t written = 0;
    for (size_t i = 0; i < text_size - padding; i++) {
        group = group << 6 | (uint32_t)base64_value(text[i]);
        if (i % 4 != 0)
            ret_data[written++] = (uint8_t)(group >> (6 - 2 * (i % 4)));
    }
    *ret_size = size;
    return STATUS_OK;
}
