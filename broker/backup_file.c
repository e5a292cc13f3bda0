#include "broker/backup_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/digest.h"
#include "proto/hpke.h"

static const char magic[] = "concordat/backup/1\n";

#define MAGIC_SIZE  (sizeof magic - 1)
#define MAGIC_WORD  (sizeof "concordat/backup/" - 1) /* what later formats begin with too */
#define INFO_SIZE   (BACKUP_FILE_HEAD - X25519_KEY_SIZE)
#define SEALED_SIZE (BACKUP_FILE_CHUNK + HPKE_TAG_SIZE)

_Static_assert(MAGIC_SIZE == 19 && HPKE_ENC_SIZE == X25519_KEY_SIZE, "as the header file says");

void backup_file_key_id(const uint8_t key[static X25519_KEY_SIZE], uint8_t out[static BACKUP_FILE_KEY_ID])
{
    uint8_t digest[DIGEST_SIZE];

    digest_sha256(bytes_view(key, X25519_KEY_SIZE), digest);
    memcpy(out, digest, BACKUP_FILE_KEY_ID);
}

/* ---- writing ---- */

struct backup_writer {
    struct hpke_sender *sender;
    struct backup_sink sink;
    struct byte_buffer plain; /* of the chunk being filled */
    struct byte_buffer sealed;
    uint64_t left; /* of the file being written */
    bool ended;
};

enum status backup_writer_start(const struct x25519_public *key, int64_t now,
                                const struct random_source *random, const struct backup_sink *sink,
                                struct backup_writer **ret)
{
    struct backup_writer *writer = calloc(1, sizeof *writer);
    uint8_t head[BACKUP_FILE_HEAD];
    enum status status = STATUS_NO_MEMORY;

    if (writer == NULL)
        return status;
    writer->sink = *sink;
    writer->plain = bytes_buffer(BACKUP_FILE_CHUNK);
    writer->sealed = bytes_buffer(SEALED_SIZE);
    memcpy(head, magic, MAGIC_SIZE);
    backup_file_key_id(x25519_public_bytes(key), head + MAGIC_SIZE);
    bytes_put_u64(head + MAGIC_SIZE + BACKUP_FILE_KEY_ID, (uint64_t)now);
    status = hpke_sender_start(key, bytes_view(head, INFO_SIZE), random, &writer->sender, head + INFO_SIZE);
    if (status == STATUS_OK)
        status = sink->write(sink->context, bytes_view(head, sizeof head));
    if (status == STATUS_OK)
        *ret = writer;
    else
        backup_writer_free(&writer);
    return status;
}

void backup_writer_free(struct backup_writer **writer)
{
    if (*writer == NULL)
        return;
    hpke_sender_free(&(*writer)->sender);
    bytes_buffer_wipe(&(*writer)->plain);
    bytes_buffer_free(&(*writer)->sealed);
    free(*writer);
    *writer = NULL;
}

static enum status flush(struct backup_writer *writer, bool last)
{
    const uint8_t mark = last;
    uint64_t sequence = 0;

    bytes_buffer_clear(&writer->sealed);
    enum status status = hpke_seal(writer->sender, bytes_view(&mark, 1), bytes_buffer_view(&writer->plain),
                                   &writer->sealed, &sequence);
    bytes_buffer_clear(&writer->plain);
    return status == STATUS_OK ? writer->sink.write(writer->sink.context, bytes_buffer_view(&writer->sealed))
                               : status;
}

/* A full chunk is sealed when more comes: the last one must be told apart. */
static enum status put(struct backup_writer *writer, struct byte_view bytes)
{
    enum status status = STATUS_OK;

    while (status == STATUS_OK && bytes.size > 0) {
        if (writer->plain.size == BACKUP_FILE_CHUNK)
            status = flush(writer, false);
        size_t room = BACKUP_FILE_CHUNK - writer->plain.size;
        size_t part = bytes.size < room ? bytes.size : room;
        if (status == STATUS_OK) {
            bytes_append(&writer->plain, bytes.data, part);
            status = writer->plain.status;
        }
        bytes = bytes_view(bytes.data + part, bytes.size - part);
    }
    return status;
}

enum status backup_writer_file(struct backup_writer *writer, const char *name, uint64_t size)
{
    const size_t length = strlen(name);
    uint8_t number[8];
    enum status status;

    assert(writer->left == 0 && !writer->ended && length > 0 && length <= BACKUP_FILE_NAME_MAX);
    bytes_put_u16(number, (uint16_t)length);
    status = put(writer, bytes_view(number, 2));
    if (status == STATUS_OK)
        status = put(writer, bytes_of_string(name));
    bytes_put_u64(number, size);
    if (status == STATUS_OK)
        status = put(writer, bytes_view(number, 8));
    writer->left = size;
    return status;
}

enum status backup_writer_put(struct backup_writer *writer, struct byte_view bytes)
{
    assert(bytes.size <= writer->left);
    writer->left -= bytes.size;
    return put(writer, bytes);
}

enum status backup_writer_end(struct backup_writer *writer)
{
    static const uint8_t none[2] = {0, 0};
    enum status status;

    assert(writer->left == 0 && !writer->ended);
    writer->ended = true;
    status = put(writer, bytes_view(none, sizeof none));
    return status == STATUS_OK ? flush(writer, true) : status;
}

/* ---- reading ---- */

struct backup_reader {
    struct hpke_receiver *receiver;
    struct backup_source source;
    struct byte_buffer plain; /* of the chunk that was opened last */
    size_t used;              /* of it */
    uint8_t *sealed;          /* the next one, and the first byte of what follows */
    size_t sealed_size;
    uint64_t chunk;
    bool last; /* the chunk that was opened is the last one */
    uint64_t left;
};

void backup_reader_free(struct backup_reader **reader)
{
    if (*reader == NULL)
        return;
    hpke_receiver_free(&(*reader)->receiver);
    bytes_buffer_wipe(&(*reader)->plain);
    free((*reader)->sealed);
    free(*reader);
    *reader = NULL;
}

static enum status read_head(const struct x25519_private *key, const uint8_t head[static BACKUP_FILE_HEAD],
                             size_t size, struct backup_head *ret_head)
{
    uint8_t own[BACKUP_FILE_KEY_ID];

    if (size < MAGIC_SIZE || memcmp(head, magic, MAGIC_WORD) != 0)
        return STATUS_BAD_FORMAT;
    if (memcmp(head, magic, MAGIC_SIZE) != 0)
        return STATUS_NEWER;
    if (size < BACKUP_FILE_HEAD)
        return STATUS_CORRUPT;
    memcpy(ret_head->key_id, head + MAGIC_SIZE, BACKUP_FILE_KEY_ID);
    ret_head->made = (int64_t)(bytes_get_u64(head + MAGIC_SIZE + BACKUP_FILE_KEY_ID) & INT64_MAX);
    backup_file_key_id(x25519_public_of(key), own);
    return memcmp(own, ret_head->key_id, sizeof own) == 0 ? STATUS_OK : STATUS_UNKNOWN_KEY;
}

enum status backup_reader_start(const struct x25519_private *key, const struct backup_source *source,
                                struct backup_head *ret_head, struct backup_reader **ret)
{
    uint8_t head[BACKUP_FILE_HEAD] = {0};
    struct backup_reader *reader = NULL;
    size_t size = 0;
    enum status status = source->read(source->context, head, sizeof head, &size);

    if (status == STATUS_OK)
        status = read_head(key, head, size, ret_head);
    if (status != STATUS_OK)
        return status;
    reader = calloc(1, sizeof *reader);
    if (reader != NULL)
        reader->sealed = malloc(SEALED_SIZE + 1);
    status = reader == NULL || reader->sealed == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    if (status == STATUS_OK) {
        reader->source = *source;
        reader->plain = bytes_buffer(BACKUP_FILE_CHUNK);
        status = hpke_receiver_start(key, head + INFO_SIZE, bytes_view(head, INFO_SIZE), &reader->receiver);
    }
    if (status == STATUS_OK)
        *ret = reader;
    else
        backup_reader_free(&reader);
    return status;
}

/* The next chunk is in reader->plain. One byte more than a chunk is read ahead: whether it is the last is in
 * what it is sealed with, and must agree with where the file ends. */
static enum status open_chunk(struct backup_reader *reader)
{
    size_t got = 0;
    size_t chunk;
    uint8_t mark;

    if (reader->last)
        return STATUS_BAD_FORMAT; /* the files say that there is more */
    enum status status = reader->source.read(reader->source.context, reader->sealed + reader->sealed_size,
                                             SEALED_SIZE + 1 - reader->sealed_size, &got);
    if (status != STATUS_OK)
        return status;
    reader->sealed_size += got;
    mark = reader->sealed_size <= SEALED_SIZE;
    chunk = mark ? reader->sealed_size : SEALED_SIZE;
    if (chunk <= HPKE_TAG_SIZE)
        return STATUS_CORRUPT;
    bytes_buffer_clear(&reader->plain);
    status = hpke_open_at(reader->receiver, reader->chunk, bytes_view(&mark, 1),
                          bytes_view(reader->sealed, chunk), &reader->plain);
    if (status == STATUS_BAD_SEAL && mark == 1)
        return STATUS_CORRUPT; /* what stands at the end is not what was sealed as the last */
    if (status != STATUS_OK)
        return status;
    reader->chunk++;
    reader->last = mark == 1;
    reader->used = 0;
    reader->sealed_size -= chunk;
    if (reader->sealed_size > 0)
        reader->sealed[0] = reader->sealed[chunk];
    return STATUS_OK;
}

static enum status take(struct backup_reader *reader, uint8_t *out, size_t size)
{
    enum status status = STATUS_OK;

    for (size_t done = 0; status == STATUS_OK && done < size;) {
        size_t there = reader->plain.size - reader->used;
        size_t part = size - done < there ? size - done : there;
        if (part == 0) {
            status = open_chunk(reader);
            continue;
        }
        memcpy(out + done, reader->plain.data + reader->used, part);
        reader->used += part;
        done += part;
    }
    return status;
}

enum status backup_reader_get(struct backup_reader *reader, struct byte_view *ret_bytes)
{
    enum status status = STATUS_OK;
    size_t part;

    if (reader->left > 0 && reader->used == reader->plain.size)
        status = open_chunk(reader);
    if (status != STATUS_OK)
        return status;
    part = reader->plain.size - reader->used;
    part = reader->left < part ? (size_t)reader->left : part;
    *ret_bytes = bytes_view(part == 0 ? NULL : reader->plain.data + reader->used, part);
    reader->used += part;
    reader->left -= part;
    return STATUS_OK;
}

static enum status skip(struct backup_reader *reader)
{
    struct byte_view bytes;
    enum status status = STATUS_OK;

    while (status == STATUS_OK && reader->left > 0)
        status = backup_reader_get(reader, &bytes);
    return status;
}

/* After the empty name: nothing may follow. */
static enum status end(const struct backup_reader *reader)
{
    if (reader->last && reader->used == reader->plain.size)
        return STATUS_NOT_FOUND;
    return STATUS_BAD_FORMAT;
}

enum status backup_reader_next(struct backup_reader *reader, char ret_name[static BACKUP_FILE_NAME_MAX + 1],
                               uint64_t *ret_size)
{
    uint8_t number[8];
    uint8_t name[BACKUP_FILE_NAME_MAX];
    enum status status = skip(reader);

    if (status == STATUS_OK)
        status = take(reader, number, 2);
    if (status != STATUS_OK)
        return status;
    size_t length = bytes_get_u16(number);
    if (length == 0)
        return end(reader);
    if (length > BACKUP_FILE_NAME_MAX)
        return STATUS_BAD_FORMAT;
    status = take(reader, name, length);
    if (status == STATUS_OK)
        status = take(reader, number, 8);
    if (status == STATUS_OK && memchr(name, 0, length) != NULL)
        status = STATUS_BAD_FORMAT;
    if (status != STATUS_OK)
        return status;
    memcpy(ret_name, name, length);
    ret_name[length] = '\0';
    reader->left = bytes_get_u64(number);
    *ret_size = reader->left;
    return STATUS_OK;
}

uint64_t backup_reader_chunk(const struct backup_reader *reader)
{
    return reader->chunk;
}
