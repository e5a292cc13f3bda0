#pragma once

#include "base/db.h"
#include "proto/record.h"

/*
 * The index's database: which log rows (by their first entry) hold a term. Terms are a letter and a value:
 * 's' subject, 'm' member, 't' event type, 'o' outcome or kind; 'f' member that a record counts as sender,
 * 'g' as recipient, 'c' member that was counted. Words that stand in nearly every row are no terms: looking
 * through the rows is as fast. All functions block on the disk and return what base/db.h
 * returns.
 */

#define INDEX_DB_WORD_MAX (1 + 64)

struct index_word {
    uint8_t bytes[INDEX_DB_WORD_MAX];
    size_t size; /* 0: no term */
};

/* index_db_word - the term for a value; none for an empty or common one. */
struct index_word index_db_word(char letter, struct byte_view value);

/* index_db_open - STATUS_CORRUPT, STATUS_UNSUPPORTED or STATUS_NEWER for a file that should be removed and
 * built again. */
enum status index_db_open(const char *path, bool read_only, struct db **ret_db);

/* index_db_remove - the file and what SQLite keeps beside it. Returns STATUS_IO or STATUS_PERMISSION. */
enum status index_db_remove(const char *path);

/* What the index covers: entries below `indexed`, of the log that starts with this entry (zeros: none yet).
 */
struct index_mark {
    uint64_t indexed;
    uint8_t first[RECORD_ENTRY_SIZE];
};

enum status index_db_read_mark(struct db *db, struct index_mark *ret_mark);
enum status index_db_write_mark(struct db *db, const struct index_mark *mark);

/* index_db_clear - nothing is indexed any more, and nothing is left in the file or its write-ahead log.
 * STATUS_BUSY while somebody reads: it is cleared, but call again for the write-ahead log. */
enum status index_db_clear(struct db *db);

/* index_db_term - the number of a term; STATUS_NOT_FOUND if it has none. */
enum status index_db_term(struct db *db, const struct index_word *word, int64_t *ret_term);

/* index_db_add_term - the number of a term, given one if it has none. */
enum status index_db_add_term(struct db *db, const struct index_word *word, int64_t *ret_term);

/* index_db_post - the row holds the term; again is harmless. */
enum status index_db_post(struct db *db, int64_t term, uint64_t row);

/* index_db_seek - the first row at or after `from` that holds the term; STATUS_NOT_FOUND if none. */
enum status index_db_seek(struct db *db, int64_t term, uint64_t from, uint64_t *ret_row);
