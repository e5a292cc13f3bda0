#include "broker/index_db.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/safefile.h"

#define APPLICATION 0x434f4e49 /* "CONI" */
#define VERSION     2

static const char schema[] = "CREATE TABLE mark (id INTEGER PRIMARY KEY CHECK (id = 1), indexed INTEGER NOT "
                             "NULL, first BLOB NOT NULL) STRICT;"
                             "CREATE TABLE term (id INTEGER PRIMARY KEY, word BLOB NOT NULL UNIQUE) STRICT;"
                             "CREATE TABLE posting (term INTEGER NOT NULL, row INTEGER NOT NULL, PRIMARY KEY "
                             "(term, row)) STRICT, WITHOUT ROWID;";

struct index_word index_db_word(char letter, struct byte_view value)
{
    static const char *const common[] = {"accepted", "disclosed", "delivered"};
    struct index_word word = {.size = 0};

    if (value.size == 0 || value.size >= INDEX_DB_WORD_MAX)
        return word;
    for (size_t i = 0; letter == 'o' && i < sizeof common / sizeof common[0]; i++) {
        if (bytes_equal(value, bytes_of_string(common[i])))
            return word;
    }
    word.bytes[0] = (uint8_t)letter;
    memcpy(word.bytes + 1, value.data, value.size);
    word.size = 1 + value.size;
    return word;
}

enum status index_db_open(const char *path, bool read_only, struct db **ret_db)
{
    const struct db_options options = {
        .application_id = APPLICATION,
        .user_version = VERSION,
        .schema_sql = schema,
        .kind = DB_DERIVED,
        .read_only = read_only,
        .cache_kib = read_only ? 512 : 4096,
    };

    return db_open(path, &options, ret_db);
}

enum status index_db_remove(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char name[PATH_MAX];

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        int length = snprintf(name, sizeof name, "%s%s", path, ends[i]);
        if (length < 0 || (size_t)length >= sizeof name)
            return STATUS_BAD_ARGUMENT;
        if (unlink(name) != 0 && errno != ENOENT)
            return safefile_status(errno);
    }
    return STATUS_OK;
}

enum status index_db_read_mark(struct db *db, struct index_mark *ret_mark)
{
    struct db_statement *statement = NULL;
    struct index_mark mark = {.indexed = 0};
    bool row = false;
    enum status status = db_statement(db, "SELECT indexed, first FROM mark WHERE id = 1", &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    if (row) {
        int64_t indexed = db_column_int64(statement, 0);
        struct byte_view first = db_column_blob(statement, 1);
        if (indexed < 0 || first.size != sizeof mark.first)
            status = STATUS_CORRUPT;
        else
            memcpy(mark.first, first.data, sizeof mark.first);
        mark.indexed = (uint64_t)indexed;
        db_reset(statement);
    }
    if (status == STATUS_OK)
        *ret_mark = mark;
    return status;
}

enum status index_db_write_mark(struct db *db, const struct index_mark *mark)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(db,
                     "INSERT INTO mark (id, indexed, first) VALUES (1, ?1, ?2)"
                     " ON CONFLICT (id) DO UPDATE SET indexed = excluded.indexed, first = excluded.first",
                     &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)mark->indexed);
    db_bind_blob(statement, 2, bytes_view(mark->first, sizeof mark->first));
    return db_run(statement);
}

enum status index_db_clear(struct db *db)
{
    enum status status =
        db_exec(db, "BEGIN IMMEDIATE; DELETE FROM posting; DELETE FROM term; DELETE FROM mark; COMMIT");

    return status == STATUS_OK ? db_checkpoint(db, true) : status;
}

/* The number that a prepared statement gives in its first row and column. */
static enum status one_number(struct db_statement *statement, int64_t *ret_number)
{
    bool row = false;
    enum status status = db_step(statement, &row);

    if (status != STATUS_OK)
        return status;
    if (row) {
        *ret_number = db_column_int64(statement, 0);
        db_reset(statement);
    }
    return row ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status index_db_term(struct db *db, const struct index_word *word, int64_t *ret_term)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(db, "SELECT id FROM term WHERE word = ?1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(word->bytes, word->size));
    return one_number(statement, ret_term);
}

enum status index_db_add_term(struct db *db, const struct index_word *word, int64_t *ret_term)
{
    struct db_statement *statement = NULL;
    enum status status = index_db_term(db, word, ret_term);

    if (status != STATUS_NOT_FOUND)
        return status;
    status = db_statement(db, "INSERT INTO term (word) VALUES (?1)", &statement);
    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(word->bytes, word->size));
    status = db_run(statement);
    if (status == STATUS_OK)
        *ret_term = db_last_rowid(db);
    return status;
}

enum status index_db_post(struct db *db, int64_t term, uint64_t row)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(db, "INSERT OR IGNORE INTO posting (term, row) VALUES (?1, ?2)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, term);
    db_bind_int64(statement, 2, (int64_t)row);
    return db_run(statement);
}

enum status index_db_seek(struct db *db, int64_t term, uint64_t from, uint64_t *ret_row)
{
    struct db_statement *statement = NULL;
    int64_t row = 0;
    enum status status = db_statement(
        db, "SELECT row FROM posting WHERE term = ?1 AND row >= ?2 ORDER BY row LIMIT 1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, term);
    db_bind_int64(statement, 2, (int64_t)from);
    status = one_number(statement, &row);
    if (status == STATUS_OK)
        *ret_row = (uint64_t)row;
    return status;
}
