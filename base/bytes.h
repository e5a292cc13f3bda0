#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Bytes that somebody else owns. data may be NULL only when size is 0. */
struct byte_view {
    const uint8_t *data;
    size_t size;
};

/*
 * Bytes that grow up to a limit. Zero-initialise and set limit, or use bytes_buffer(). After the first failed
 * append the buffer stays failed (status), so that a run of appends is checked once at its end.
 */
struct byte_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t limit;
    enum status status;
};

/* A cursor over borrowed bytes. After the first short read it stays failed and every further read gives
 * zeros. */
struct byte_reader {
    struct byte_view rest;
    bool failed;
};

struct byte_view bytes_view(const void *data, size_t size);
struct byte_view bytes_of_string(const char *text); /* without the terminating zero */
bool bytes_equal(struct byte_view a, struct byte_view b);
int bytes_compare(struct byte_view a, struct byte_view b); /* as memcmp, the shorter first among equals */

/* bytes_equal_secret - as memcmp() == 0, in time that depends on size alone. */
bool bytes_equal_secret(const void *a, const void *b, size_t size);

/* bytes_wipe - overwrite so that the compiler cannot leave it out. */
void bytes_wipe(void *data, size_t size);

struct byte_buffer bytes_buffer(size_t limit);
void bytes_buffer_free(struct byte_buffer *buffer);  /* also leaves it empty and usable again */
void bytes_buffer_wipe(struct byte_buffer *buffer);  /* wipes what it held, then frees */
void bytes_buffer_clear(struct byte_buffer *buffer); /* size 0 and status OK, keeps the memory */
struct byte_view bytes_buffer_view(const struct byte_buffer *buffer);

/* Appends set buffer->status to STATUS_TOO_LARGE or STATUS_NO_MEMORY when they fail, and then do nothing. */
void bytes_append(struct byte_buffer *buffer, const void *data, size_t size);
void bytes_reserve(struct byte_buffer *buffer, size_t size); /* room for that many more at once */
void bytes_append_view(struct byte_buffer *buffer, struct byte_view view);
void bytes_append_string(struct byte_buffer *buffer, const char *text);
void bytes_append_u8(struct byte_buffer *buffer, uint8_t value);
void bytes_append_u16(struct byte_buffer *buffer, uint16_t value); /* big-endian, as all integers here */
void bytes_append_u32(struct byte_buffer *buffer, uint32_t value);
void bytes_append_u64(struct byte_buffer *buffer, uint64_t value);
void bytes_append_zeros(struct byte_buffer *buffer, size_t count);
void bytes_append_format(struct byte_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void bytes_put_u16(uint8_t out[static 2], uint16_t value);
void bytes_put_u32(uint8_t out[static 4], uint32_t value);
void bytes_put_u64(uint8_t out[static 8], uint64_t value);
uint16_t bytes_get_u16(const uint8_t in[static 2]);
uint32_t bytes_get_u32(const uint8_t in[static 4]);
uint64_t bytes_get_u64(const uint8_t in[static 8]);

struct byte_reader bytes_reader(struct byte_view view);
uint8_t bytes_read_u8(struct byte_reader *reader);
uint16_t bytes_read_u16(struct byte_reader *reader);
uint32_t bytes_read_u32(struct byte_reader *reader);
uint64_t bytes_read_u64(struct byte_reader *reader);
struct byte_view bytes_read_view(struct byte_reader *reader,
                                 size_t size); /* borrowed from the reader's bytes */
void bytes_read_into(struct byte_reader *reader, void *out, size_t size);

/* bytes_read_done - true when nothing failed and nothing is left. */
bool bytes_read_done(const struct byte_reader *reader);

/* bytes_to_hex - writes 2 * size lower-case digits and a zero; out holds 2 * size + 1. */
void bytes_to_hex(const void *data, size_t size, char *out);

/* bytes_from_hex - exactly size bytes from 2 * size digits, either case; STATUS_BAD_FORMAT otherwise. */
enum status bytes_from_hex(const char *text, void *ret_data, size_t size);

/* bytes_base64_size - characters that size bytes take, without the terminating zero. */
size_t bytes_base64_size(size_t size);

/* bytes_to_base64 - RFC 4648 §4 with padding; out holds bytes_base64_size(size) + 1. */
void bytes_to_base64(const void *data, size_t size, char *out);

/*
 * bytes_from_base64 - strict: padding required, no white space, unused bits zero. ret_data holds limit bytes.
 * Returns STATUS_BAD_FORMAT or STATUS_TOO_LARGE.
 */
enum status bytes_from_base64(const char *text, size_t text_size, uint8_t *ret_data, size_t limit,
                              size_t *ret_size);
