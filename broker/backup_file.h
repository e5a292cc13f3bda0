#pragma once

#include "base/bytes.h"
#include "proto/random.h"
#include "proto/x25519.h"

/*
 * A backup: files in a row, encrypted for one recovery key while they are read, opened again only by its
 * private half. Constant memory. Format: docs/operations.md, "The format of a backup".
 *
 * head   = "concordat/backup/1\n" ‖ key id (16) ‖ uint64 milliseconds when it was made ‖ enc (32)
 * chunks = HPKE (RFC 9180, base mode, as in proto/hpke.h) with info = head without enc; each seals
 *          BACKUP_FILE_CHUNK bytes, the last 1 to that many; sequence numbers from 0; aad = one byte, 1 for
 * the last plain  = for each file uint16 length ‖ name ‖ uint64 size ‖ bytes; then uint16 0
 */
#define BACKUP_FILE_CHUNK    ((size_t)1 << 20)
#define BACKUP_FILE_KEY_ID   16
#define BACKUP_FILE_HEAD     (19 + BACKUP_FILE_KEY_ID + 8 + X25519_KEY_SIZE)
#define BACKUP_FILE_NAME_MAX 255

/* Where the bytes go, and come from. read gives fewer than size only at the end. */
struct backup_sink {
    enum status (*write)(void *context, struct byte_view bytes);
    void *context;
};

struct backup_source {
    enum status (*read)(void *context, uint8_t *bytes, size_t size, size_t *ret_size);
    void *context;
};

/* backup_file_key_id - by which a key is known: the first bytes of SHA-256(public key). */
void backup_file_key_id(const uint8_t key[static X25519_KEY_SIZE], uint8_t out[static BACKUP_FILE_KEY_ID]);

struct backup_writer;

/*
 * backup_writer_start - the head is written at once. key and sink are borrowed, the key during the call only.
 * Returns what hpke_sender_start or the sink return; ret is freed with backup_writer_free, which ends
 * nothing.
 */
enum status backup_writer_start(const struct x25519_public *key, int64_t now,
                                const struct random_source *random, const struct backup_sink *sink,
                                struct backup_writer **ret);
void backup_writer_free(struct backup_writer **writer);

/* backup_writer_file - the next file, of exactly size bytes; the one before must be complete (asserted). */
enum status backup_writer_file(struct backup_writer *writer, const char *name, uint64_t size);

/* backup_writer_put - bytes of that file. Returns what hpke_seal (STATUS_EXPIRED: 64 GiB are in it) or the
 * sink return. */
enum status backup_writer_put(struct backup_writer *writer, struct byte_view bytes);

/* backup_writer_end - nothing more comes; without it the backup is none. */
enum status backup_writer_end(struct backup_writer *writer);

/* What a head says; nothing of it is proven until a chunk opens. */
struct backup_head {
    uint8_t key_id[BACKUP_FILE_KEY_ID];
    int64_t made;
};

struct backup_reader;

/*
 * backup_reader_start - key and source are borrowed. STATUS_BAD_FORMAT for what is no backup, STATUS_NEWER
 * for one of a later format, STATUS_UNKNOWN_KEY for one that was made for another key (ret_head is filled in
 * then too), STATUS_BAD_SEAL, STATUS_NO_MEMORY, or what the source returns.
 */
enum status backup_reader_start(const struct x25519_private *key, const struct backup_source *source,
                                struct backup_head *ret_head, struct backup_reader **ret);
void backup_reader_free(struct backup_reader **reader);

/*
 * backup_reader_next - the next file; what was not read of the one before is skipped. STATUS_NOT_FOUND after
 * the last one: the backup was read to its end and is whole. STATUS_BAD_SEAL: a chunk is not what was sealed,
 * or stands in another place; STATUS_CORRUPT: the file ends before its end, or its end is damaged;
 * STATUS_BAD_FORMAT: sealed, but no files.
 */
enum status backup_reader_next(struct backup_reader *reader, char ret_name[static BACKUP_FILE_NAME_MAX + 1],
                               uint64_t *ret_size);

/* backup_reader_get - up to size of the file's next bytes, 0 at its end; valid until the next call. Errors as
 * backup_reader_next. */
enum status backup_reader_get(struct backup_reader *reader, struct byte_view *ret_bytes);

/* backup_reader_chunk - how many chunks were opened: where damage is. */
uint64_t backup_reader_chunk(const struct backup_reader *reader);
