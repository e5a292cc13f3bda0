#pragma once

#include "base/bytes.h"
#include "proto/record.h"

/*
 * How the log's records stand in a row of table log (docs/log-format.md, "Databases of a broker"). Writers
 * and readers of such rows share this, so that a stored byte has one meaning.
 *
 * records  = n times: entry (66) ‖ account salt (32) ‖ uint32 length ‖ account part ‖ uint32 place of its
 * block personal = blocks: salt (32) ‖ uint32 length ‖ personal part; the top bit of length says erased, salt
 * and part are then zeros
 */

#define LOGROW_MAX       ((size_t)64 << 20) /* bytes of either column */
#define LOGROW_HEAD_SIZE 40                 /* state of row 1 of table head: uint64 size ‖ root */

/* What the databases say they are (application_id, user_version). */
#define LOGROW_STORE_APPLICATION      0x434f4e42 /* "CONB": the store, with tables log, tile and head */
#define LOGROW_STORE_VERSION          2
#define LOGROW_STORE_OLDEST           1 /* from this layout on the log's tables can be read as they are */
#define LOGROW_CHECKPOINT_APPLICATION 0x434f4e4b /* "CONK": the last signed checkpoint */
#define LOGROW_CHECKPOINT_VERSION     2
#define LOGROW_CHECKPOINT_OLDEST      1

/* A row being read; borrowed. */
struct logrow {
    struct byte_reader records;
    struct byte_view personal;
};

struct logrow_record {
    const uint8_t *entry;        /* RECORD_ENTRY_SIZE bytes */
    const uint8_t *account_salt; /* RECORD_SALT_SIZE bytes */
    struct byte_view account;
    uint32_t place; /* of its block in personal */
};

struct logrow_block {
    const uint8_t *salt; /* RECORD_SALT_SIZE bytes; NULL: erased */
    struct byte_view part;
    size_t size; /* of the whole block */
};

/* logrow_add_block - appends a block; *ret_place is what records refer to it by. Errors stay in the buffer.
 */
void logrow_add_block(struct byte_buffer *personal, const uint8_t salt[static RECORD_SALT_SIZE],
                      struct byte_view part, uint32_t *ret_place);

/* logrow_add_record - appends a record. Errors stay in the buffer. */
void logrow_add_record(struct byte_buffer *records, const struct logrow_record *record);

/* logrow_open - read a row from its two columns; personal may be empty if only entries or accounts are
 * wanted. */
struct logrow logrow_open(struct byte_view records, struct byte_view personal);

/* logrow_next - the next record. STATUS_NOT_FOUND at the row's end, STATUS_BAD_FORMAT for what is no record.
 */
enum status logrow_next(struct logrow *row, struct logrow_record *ret_record);

/* logrow_block - the block of a record. STATUS_BAD_FORMAT unless a whole block stands at its place; an erased
 * one must be zeros throughout. */
enum status logrow_block(const struct logrow *row, const struct logrow_record *record,
                         struct logrow_block *ret_block);

/* logrow_verify - the record against its entry (record_verify), as far as it is not erased. STATUS_BAD_FORMAT
 * or STATUS_BAD_COMMITMENT. */
enum status logrow_verify(const struct logrow *row, const struct logrow_record *record);

/* logrow_erased_block - appends what an erased block of that size (logrow_block.size) consists of. */
void logrow_erased_block(size_t size, struct byte_buffer *out);
