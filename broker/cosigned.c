#include "broker/cosigned.h"

#include <string.h>

const char cosigned_schema[] =
    "CREATE TABLE cosigned (id INTEGER PRIMARY KEY CHECK (id IN (1, 2)), size INTEGER NOT NULL,"
    " root BLOB NOT NULL, time INTEGER NOT NULL, note BLOB NOT NULL) STRICT;"
    "CREATE TABLE witness (member TEXT PRIMARY KEY, size INTEGER NOT NULL, time INTEGER NOT NULL) STRICT;"
    "CREATE TABLE fork (id INTEGER PRIMARY KEY, found INTEGER NOT NULL, member TEXT NOT NULL,"
    " text TEXT NOT NULL, shown BLOB NOT NULL, ours BLOB NOT NULL) STRICT;";

/* ---- reading ---- */

enum status cosigned_read(struct checkpoints *checkpoints, enum cosigned_which which,
                          struct byte_buffer *note, struct checkpoints_entry *ret)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(
        checkpoints_db(checkpoints), "SELECT size, root, time, note FROM cosigned WHERE id = ?1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, which);
    status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    status = row ? checkpoints_take(statement, note, ret) : STATUS_NOT_FOUND;
    db_reset(statement);
    return status;
}

enum status cosigned_last(struct checkpoints *checkpoints, const char *member, struct cosigned_last *ret)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(checkpoints_db(checkpoints),
                                      "SELECT size, time FROM witness WHERE member = ?1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, member);
    status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    int64_t size = db_column_int64(statement, 0);
    if (size < 0)
        status = STATUS_CORRUPT;
    else
        *ret = (struct cosigned_last){.size = (uint64_t)size, .time = db_column_int64(statement, 1)};
    db_reset(statement);
    return status;
}

enum status cosigned_fork(struct checkpoints *checkpoints, struct byte_buffer *text)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(checkpoints_db(checkpoints), "SELECT text FROM fork ORDER BY id LIMIT 1", &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    bytes_buffer_clear(text);
    bytes_append_string(text, db_column_text(statement, 0));
    db_reset(statement);
    return text->status;
}

/* ---- writing ---- */

static enum status put_note(struct db *db, enum cosigned_which which, const struct checkpoints_entry *entry)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        db, "INSERT OR REPLACE INTO cosigned (id, size, root, time, note) VALUES (?1, ?2, ?3, ?4, ?5)",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, which);
    db_bind_int64(statement, 2, (int64_t)entry->size);
    db_bind_blob(statement, 3, bytes_view(entry->root.bytes, DIGEST_SIZE));
    db_bind_int64(statement, 4, entry->time);
    db_bind_blob(statement, 5, entry->note);
    return db_run(statement);
}

static enum status put_witness(struct db *db, const char *member, uint64_t size, int64_t now)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        db, "INSERT OR REPLACE INTO witness (member, size, time) VALUES (?1, ?2, ?3)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, member);
    db_bind_int64(statement, 2, (int64_t)size);
    db_bind_int64(statement, 3, now);
    return db_run(statement);
}

enum status cosigned_put(struct checkpoints *checkpoints, const struct checkpoints_entry *offered, bool final,
                         const char *member, int64_t now)
{
    struct db *db = checkpoints_db(checkpoints);
    enum status status = checkpoints_begin(checkpoints);

    if (status != STATUS_OK)
        return status;
    status = put_note(db, COSIGNED_OFFERED, offered);
    if (status == STATUS_OK && final)
        status = put_note(db, COSIGNED_FINAL, offered);
    if (status == STATUS_OK)
        status = put_witness(db, member, offered->size, now);
    return checkpoints_end(checkpoints, status);
}

enum status cosigned_add_fork(struct checkpoints *checkpoints, const struct cosigned_fork *fork)
{
    struct db_statement *statement = NULL;
    enum status status = checkpoints_begin(checkpoints);

    if (status != STATUS_OK)
        return status;
    status = db_statement(checkpoints_db(checkpoints),
                          "INSERT INTO fork (found, member, text, shown, ours) VALUES (?1, ?2, ?3, ?4, ?5)",
                          &statement);
    if (status == STATUS_OK) {
        db_bind_int64(statement, 1, fork->found);
        db_bind_text(statement, 2, fork->member);
        db_bind_text(statement, 3, fork->text);
        db_bind_blob(statement, 4, fork->shown);
        db_bind_blob(statement, 5, fork->ours);
        status = db_run(statement);
    }
    return checkpoints_end(checkpoints, status);
}
