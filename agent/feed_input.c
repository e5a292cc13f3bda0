#include "agent/feed_input.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/safefile.h"

#define READ_SIZE     ((size_t)16 << 10)
#define BUFFER_SIZE   (FEED_ROW_MAX + 4 * READ_SIZE)
#define LARGEST_BYTES 3 /* that one byte of another encoding becomes in UTF-8 */

struct feed_input {
    int fd; /* -1: bytes */
    struct byte_view bytes;
    enum feed_encoding encoding;
    bool started;
    bool ended;
    uint64_t size;
    struct digest_stream digest;
    size_t from; /* data[from, to) is in view */
    size_t to;
    uint8_t data[BUFFER_SIZE];
};

static enum status make(int fd, struct byte_view bytes, enum feed_encoding encoding,
                        struct feed_input **ret_input)
{
    struct feed_input *input = malloc(sizeof *input);

    if (input == NULL)
        return STATUS_NO_MEMORY;
    input->fd = fd;
    input->bytes = bytes;
    input->encoding = encoding;
    input->started = input->ended = false;
    input->size = 0;
    input->from = input->to = 0;
    digest_start(&input->digest);
    *ret_input = input;
    return STATUS_OK;
}

enum status feed_input_of_file(int fd, enum feed_encoding encoding, struct feed_input **ret_input)
{
    enum status status = make(fd, bytes_view(NULL, 0), encoding, ret_input);

    if (status != STATUS_OK)
        (void)close(fd);
    return status;
}

enum status feed_input_of_bytes(struct byte_view bytes, enum feed_encoding encoding,
                                struct feed_input **ret_input)
{
    return make(-1, bytes, encoding, ret_input);
}

void feed_input_free(struct feed_input **input)
{
    if (*input == NULL)
        return;
    if ((*input)->fd >= 0)
        (void)close((*input)->fd);
    bytes_wipe(*input, sizeof **input);
    free(*input);
    *input = NULL;
}

struct byte_view feed_input_view(const struct feed_input *input)
{
    return bytes_view(input->data + input->from, input->to - input->from);
}

bool feed_input_ended(const struct feed_input *input)
{
    return input->ended;
}

void feed_input_take(struct feed_input *input, size_t size)
{
    assert(size <= input->to - input->from);
    input->from += size;
}

uint64_t feed_input_size(const struct feed_input *input)
{
    return input->size;
}

void feed_input_digest(const struct feed_input *input, uint8_t out[static DIGEST_SIZE])
{
    struct digest_stream copy = input->digest;

    digest_finish(&copy, out);
}

void feed_input_not_utf8(uint64_t line, struct feed_refusal *ret_refusal)
{
    (void)snprintf(ret_refusal->text, sizeof ret_refusal->text,
                   "line %llu is not UTF-8: save the file as UTF-8, or name its encoding in feed.yaml "
                   "(encoding: windows-1252)",
                   (unsigned long long)line);
}

/* Windows-1252, 0x80 to 0x9f (WHATWG Encoding Standard, index windows-1252); the rest is Latin-1. */
static const uint16_t windows_1252[32] = {
    0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8d,   0x017d, 0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178,
};

static size_t put_character(uint8_t *out, unsigned point)
{
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (uint8_t)(0xc0 | point >> 6);
        out[1] = (uint8_t)(0x80 | (point & 0x3f));
        return 2;
    }
    out[0] = (uint8_t)(0xe0 | point >> 12);
    out[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    out[2] = (uint8_t)(0x80 | (point & 0x3f));
    return LARGEST_BYTES;
}

/* Appends what was read, as UTF-8. */
static void append(struct feed_input *input, struct byte_view raw)
{
    if (input->encoding == FEED_UTF8) {
        memcpy(input->data + input->to, raw.data, raw.size);
        input->to += raw.size;
        return;
    }
    for (size_t i = 0; i < raw.size; i++) {
        unsigned point = raw.data[i];

        if (input->encoding == FEED_WINDOWS_1252 && point >= 0x80 && point < 0xa0)
            point = windows_1252[point - 0x80];
        input->to += put_character(input->data + input->to, point);
    }
}

static enum status refuse(struct feed_refusal *ret_refusal, const char *text)
{
    (void)snprintf(ret_refusal->text, sizeof ret_refusal->text, "%s", text);
    return STATUS_UNSUPPORTED;
}

static bool starts(struct byte_view raw, const char *magic, size_t size)
{
    return raw.size >= size && memcmp(raw.data, magic, size) == 0;
}

/* What a file begins with tells most of what is no text; a byte-order mark of UTF-8 is taken away. */
static enum status look_at_start(struct feed_input *input, struct byte_view *raw,
                                 struct feed_refusal *ret_refusal)
{
    if (starts(*raw, "\xff\xfe", 2) || starts(*raw, "\xfe\xff", 2))
        return refuse(ret_refusal, "the file is UTF-16: save it as UTF-8 (in Excel: \"CSV UTF-8\")");
    if (starts(*raw, "PK\x03\x04", 4))
        return refuse(ret_refusal, "the file is a zip archive or an Excel workbook: save it as CSV");
    if (starts(*raw, "\xd0\xcf\x11\xe0", 4))
        return refuse(ret_refusal, "the file is an old Excel workbook: save it as CSV");
    if (starts(*raw, "\x1f\x8b", 2))
        return refuse(ret_refusal, "the file is compressed (gzip): unpack it first");
    if (starts(*raw, "%PDF", 4))
        return refuse(ret_refusal, "the file is a PDF: it must be a CSV or JSON lines file");
    if (starts(*raw, "\xef\xbb\xbf", 3)) {
        if (input->encoding != FEED_UTF8)
            return refuse(ret_refusal, "the file begins with UTF-8's byte-order mark, but feed.yaml names "
                                       "another encoding: say encoding: utf-8");
        raw->data += 3;
        raw->size -= 3;
    }
    return STATUS_OK;
}

/* Up to READ_SIZE bytes of the file; at its beginning enough to know what it is. 0 bytes: the end. */
static enum status read_some(struct feed_input *input, uint8_t *out, size_t *ret_size)
{
    size_t size = 0;

    if (input->fd < 0) {
        size = input->bytes.size < READ_SIZE ? input->bytes.size : READ_SIZE;
        if (size > 0)
            memcpy(out, input->bytes.data, size);
        input->bytes = bytes_view(size > 0 ? input->bytes.data + size : NULL, input->bytes.size - size);
        *ret_size = size;
        return STATUS_OK;
    }
    while (size < READ_SIZE) {
        const ssize_t got = read(input->fd, out + size, READ_SIZE - size);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return safefile_status(errno);
        if (got == 0)
            break;
        size += (size_t)got;
    }
    *ret_size = size;
    return STATUS_OK;
}

enum status feed_input_fill(struct feed_input *input, struct feed_refusal *ret_refusal)
{
    uint8_t block[READ_SIZE];
    struct byte_view raw = {.data = block};
    enum status status = STATUS_OK;

    if (input->ended)
        return STATUS_OK;
    if (input->from > 0) {
        memmove(input->data, input->data + input->from, input->to - input->from);
        input->to -= input->from;
        input->from = 0;
    }
    assert(input->to + LARGEST_BYTES * READ_SIZE <= BUFFER_SIZE);
    status = read_some(input, block, &raw.size);
    if (status != STATUS_OK)
        goto out;
    input->ended = raw.size < READ_SIZE && (input->fd >= 0 || input->bytes.size == 0);
    input->size += raw.size;
    digest_update(&input->digest, raw);
    if (!input->started)
        status = look_at_start(input, &raw, ret_refusal);
    input->started = true;
    if (status == STATUS_OK)
        append(input, raw);
out:
    bytes_wipe(block, sizeof block);
    return status;
}
