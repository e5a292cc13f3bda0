#include "broker/checkpoints.h"

#include <stdlib.h>
#include <string.h>

#include "broker/cosigned.h"
#include "proto/logrow.h"

#define NOTE_LIMIT ((size_t)1 << 20)
#define WAL_PAGES  1000 /* after which the WAL is copied into the database */

struct checkpoints {
    struct db *db;
    int64_t fence;
};

static const char schema[] =
    "CREATE TABLE fence (id INTEGER PRIMARY KEY CHECK (id = 1), holder INTEGER NOT NULL) STRICT;"
    "INSERT INTO fence VALUES (1, 0);"
    "CREATE TABLE checkpoint (id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, root BLOB NOT "
    "NULL,"
    " time INTEGER NOT NULL, note BLOB NOT NULL) STRICT;";

/* Append only, as in broker/layout.c. */
static const struct db_change changes[] = {
    {.sql = cosigned_schema}, /* 2 */
};

_Static_assert(sizeof changes / sizeof changes[0] + 1 == LOGROW_CHECKPOINT_VERSION,
               "LOGROW_CHECKPOINT_VERSION is one more than there are changes");

static enum status read_fence(struct db *db, int64_t *ret_holder)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(db, "SELECT holder FROM fence WHERE id = 1", &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    if (row)
        *ret_holder = db_column_int64(statement, 0);
    db_reset(statement);
    return row ? STATUS_OK : STATUS_CORRUPT;
}

static enum status take_fence(struct checkpoints *checkpoints)
{
    enum status status = db_begin(checkpoints->db);

    if (status != STATUS_OK)
        return status;
    status = db_exec(checkpoints->db, "UPDATE fence SET holder = holder + 1 WHERE id = 1");
    if (status == STATUS_OK)
        status = read_fence(checkpoints->db, &checkpoints->fence);
    if (status == STATUS_OK)
        return db_commit(checkpoints->db);
    db_rollback(checkpoints->db);
    return status;
}

enum status checkpoints_open(const char *path, const char *vfs, struct checkpoints **ret)
{
    const struct db_options options = {
        .application_id = LOGROW_CHECKPOINT_APPLICATION,
        .user_version = LOGROW_CHECKPOINT_VERSION,
        .schema_sql = schema,
        .changes = changes,
        .change_count = sizeof changes / sizeof changes[0],
        .kind = DB_DURABLE,
        .memory = path == NULL,
        .cache_kib = 64,
        .vfs = vfs,
    };
    struct checkpoints *checkpoints = calloc(1, sizeof *checkpoints);

    if (checkpoints == NULL)
        return STATUS_NO_MEMORY;
    enum status status = db_open(path, &options, &checkpoints->db);
    if (status == STATUS_OK)
        status = take_fence(checkpoints);
    if (status == STATUS_OK)
        *ret = checkpoints;
    else
        checkpoints_close(&checkpoints);
    return status;
}

void checkpoints_close(struct checkpoints **checkpoints)
{
    if (*checkpoints == NULL)
        return;
    db_close(&(*checkpoints)->db);
    free(*checkpoints);
    *checkpoints = NULL;
}

enum status checkpoints_take(struct db_statement *statement, struct byte_buffer *note,
                             struct checkpoints_entry *ret)
{
    struct checkpoints_entry entry = {.time = db_column_int64(statement, 2)};
    int64_t size = db_column_int64(statement, 0);
    struct byte_view root = db_column_blob(statement, 1);

    if (size < 0 || root.size != DIGEST_SIZE || entry.time < 0)
        return STATUS_CORRUPT;
    entry.size = (uint64_t)size;
    memcpy(entry.root.bytes, root.data, DIGEST_SIZE);
    bytes_buffer_clear(note);
    note->limit = NOTE_LIMIT;
    bytes_append_view(note, db_column_blob(statement, 3));
    entry.note = bytes_buffer_view(note);
    if (note->status == STATUS_OK)
        *ret = entry;
    return note->status;
}

enum status checkpoints_read(struct checkpoints *checkpoints, struct byte_buffer *note,
                             struct checkpoints_entry *ret)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(
        checkpoints->db, "SELECT size, root, time, note FROM checkpoint WHERE id = 1", &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    status = row ? checkpoints_take(statement, note, ret) : STATUS_NOT_FOUND;
    db_reset(statement);
    return status;
}

struct db *checkpoints_db(struct checkpoints *checkpoints)
{
    return checkpoints->db;
}

enum status checkpoints_begin(struct checkpoints *checkpoints)
{
    int64_t holder = 0;
    enum status status = db_begin(checkpoints->db);

    if (status != STATUS_OK)
        return status;
    status = read_fence(checkpoints->db, &holder);
    if (status == STATUS_OK && holder != checkpoints->fence)
        status = STATUS_FORKED;
    if (status != STATUS_OK)
        db_rollback(checkpoints->db);
    return status;
}

enum status checkpoints_end(struct checkpoints *checkpoints, enum status status)
{
    if (status == STATUS_OK)
        status = db_commit(checkpoints->db);
    else
        db_rollback(checkpoints->db);
    /* A reader in the way only means that the WAL stays a little longer. */
    if (status == STATUS_OK && db_wal_pages(checkpoints->db) > WAL_PAGES) {
        enum status copied = db_checkpoint(checkpoints->db, false);
        status = copied == STATUS_BUSY || copied == STATUS_NO_SPACE ? STATUS_OK : copied;
    }
    return status;
}

static bool same(const struct checkpoints_entry *a, const struct checkpoints_entry *b)
{
    return a->size == b->size && memcmp(&a->root, &b->root, sizeof a->root) == 0 && a->time == b->time &&
           bytes_equal(a->note, b->note);
}

/* Within the transaction: may next follow what is stored? */
static enum status judge(struct checkpoints *checkpoints, const struct checkpoints_entry *before,
                         const struct checkpoints_entry *next)
{
    struct byte_buffer note = bytes_buffer(NOTE_LIMIT);
    struct checkpoints_entry stored;
    enum status status = checkpoints_read(checkpoints, &note, &stored);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        goto out;
    bool found = status == STATUS_OK;
    status = STATUS_OK;
    if (found != (before != NULL))
        status = STATUS_FORKED;
    else if (found && (!same(&stored, before) || next->size <= stored.size))
        status = STATUS_FORKED;
    else if (found && next->time < stored.time)
        status = STATUS_ROLLBACK;
out:
    bytes_buffer_free(&note);
    return status;
}

static enum status put(struct checkpoints *checkpoints, const struct checkpoints_entry *next)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(checkpoints->db,
                     "INSERT INTO checkpoint (id, size, root, time, note) VALUES (1, ?1, ?2, ?3, ?4)"
                     " ON CONFLICT (id) DO UPDATE SET size = excluded.size, root = excluded.root,"
                     " time = excluded.time, note = excluded.note",
                     &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)next->size);
    db_bind_blob(statement, 2, bytes_view(next->root.bytes, DIGEST_SIZE));
    db_bind_int64(statement, 3, next->time);
    db_bind_blob(statement, 4, next->note);
    return db_run(statement);
}

enum status checkpoints_replace(struct checkpoints *checkpoints, const struct checkpoints_entry *before,
                                const struct checkpoints_entry *next)
{
    enum status status = checkpoints_begin(checkpoints);

    if (status != STATUS_OK)
        return status;
    status = judge(checkpoints, before, next);
    if (status == STATUS_OK)
        status = put(checkpoints, next);
    return checkpoints_end(checkpoints, status);
}
