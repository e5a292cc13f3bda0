#include "broker/store/store_sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "broker/store/store_sqlite_parts.h"

#define SCRATCH_LIMIT ((size_t)64 << 20)

/* Rows in the commit path are appended by rowid; sender and range are the only index that it pays for. */
const char store_sqlite_schema[] =
    "CREATE TABLE member(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, sent INTEGER NOT NULL,"
    " received INTEGER NOT NULL, undelivered INTEGER NOT NULL, forwarded INTEGER NOT NULL,"
    " confirmed INTEGER NOT NULL, high BLOB) STRICT;"
    "CREATE TABLE batch(id INTEGER PRIMARY KEY, sender INTEGER NOT NULL, first BLOB, last BLOB,"
    " count INTEGER NOT NULL, committed INTEGER NOT NULL, certificate BLOB NOT NULL, signature BLOB NOT NULL,"
    " outcomes BLOB NOT NULL, openings BLOB NOT NULL, headers BLOB NOT NULL) STRICT;"
    "CREATE INDEX batch_range ON batch(sender, first) WHERE first IS NOT NULL;"
    "CREATE TABLE late(sender INTEGER NOT NULL, event BLOB NOT NULL, batch INTEGER NOT NULL,"
    " place INTEGER NOT NULL, PRIMARY KEY(sender, event)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE queue(id INTEGER PRIMARY KEY, sender INTEGER NOT NULL, count INTEGER NOT NULL,"
    " live BLOB NOT NULL, marks BLOB NOT NULL, sections BLOB NOT NULL) STRICT;"
    "CREATE TABLE forward(id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;"
    "CREATE TABLE subject(key BLOB PRIMARY KEY, state BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE ground(id INTEGER PRIMARY KEY, ground BLOB NOT NULL) STRICT;"
    "CREATE TABLE replan(sender INTEGER NOT NULL, event BLOB NOT NULL, PRIMARY KEY(sender, event)) STRICT,"
    " WITHOUT ROWID;"
    "CREATE TABLE recall(recipient INTEGER NOT NULL, sender INTEGER NOT NULL, event BLOB NOT NULL,"
    " reason TEXT NOT NULL, PRIMARY KEY(recipient, sender, event)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE report(reporter INTEGER NOT NULL, event BLOB NOT NULL, mark BLOB NOT NULL,"
    " PRIMARY KEY(reporter, event, mark)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE watch(kind INTEGER NOT NULL, recipient INTEGER NOT NULL, sender INTEGER NOT NULL,"
    " event BLOB NOT NULL, batch INTEGER NOT NULL, place INTEGER NOT NULL, since INTEGER NOT NULL,"
    " due INTEGER NOT NULL, value INTEGER NOT NULL, PRIMARY KEY(kind, recipient, sender, event)) STRICT,"
    " WITHOUT ROWID;"
    "CREATE INDEX watch_due ON watch(due);"
    "CREATE TABLE state(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;";

struct store_sqlite *store_sqlite_self(const struct store *store)
{
    return (struct store_sqlite *)(void *)(uintptr_t)store;
}

/* Reading: a row is copied at once and its statement reset, as an open one holds old pages in the WAL. */

struct store_sqlite_column store_sqlite_keep(struct store_sqlite *self, struct db_statement *statement,
                                             int number)
{
    struct byte_view blob = db_column_blob(statement, number);
    struct store_sqlite_column column = {self->scratch.size, blob.size};

    bytes_append_view(&self->scratch, blob);
    return column;
}

struct byte_view store_sqlite_kept(const struct store_sqlite *self, struct store_sqlite_column column)
{
    return bytes_view(self->scratch.data == NULL ? NULL : self->scratch.data + column.offset, column.size);
}

/* The first row of a statement whose parameters are bound, or STATUS_NOT_FOUND. */
enum status store_sqlite_first(struct store_sqlite *self, struct db_statement *statement)
{
    bool row = false;
    enum status status = db_step(statement, &row);

    bytes_buffer_clear(&self->scratch);
    if (status != STATUS_OK)
        return status;
    return row ? STATUS_OK : STATUS_NOT_FOUND;
}

/* The only column of a statement's only row. */
enum status store_sqlite_blob(struct store_sqlite *self, struct db_statement *statement,
                              struct byte_view *ret_value)
{
    struct store_sqlite_column value;
    enum status status = store_sqlite_first(self, statement);

    if (status != STATUS_OK)
        return status;
    value = store_sqlite_keep(self, statement, 0);
    db_reset(statement);
    if (self->scratch.status != STATUS_OK)
        return self->scratch.status;
    *ret_value = store_sqlite_kept(self, value);
    return STATUS_OK;
}

static void sqlite_close(struct store *store)
{
    struct store_sqlite *self = store_sqlite_self(store);

    bytes_buffer_wipe(&self->scratch);
    free(self);
}

static const char *sqlite_error(const struct store *store)
{
    return db_error_text(store_sqlite_self(store)->db);
}

static enum status sqlite_begin(struct store *store)
{
    return db_begin(store_sqlite_self(store)->db);
}

static enum status sqlite_commit(struct store *store)
{
    return db_commit(store_sqlite_self(store)->db);
}

static void sqlite_rollback(struct store *store)
{
    db_rollback(store_sqlite_self(store)->db);
}

static void read_member(struct db_statement *statement, struct store_member *member)
{
    struct byte_view high = db_column_blob(statement, 7);
    const char *id = db_column_text(statement, 1);

    memset(member, 0, sizeof *member);
    member->number = (uint32_t)db_column_int64(statement, 0);
    memcpy(member->id, id, strnlen(id, MEMBER_ID_LENGTH));
    member->sent = (uint64_t)db_column_int64(statement, 2);
    member->received = (uint64_t)db_column_int64(statement, 3);
    member->undelivered = (uint64_t)db_column_int64(statement, 4);
    member->forwarded = (uint64_t)db_column_int64(statement, 5);
    member->confirmed = (uint64_t)db_column_int64(statement, 6);
    member->has_high = high.size == STORE_EVENT_SIZE;
    if (member->has_high)
        memcpy(member->high, high.data, STORE_EVENT_SIZE);
}

static enum status sqlite_each_member(struct store *store, store_member_visitor *visit, void *context)
{
    struct db_statement *statement = NULL;
    struct store_member member;
    bool row = false;
    enum status status = db_statement(store_sqlite_self(store)->db,
                                      "SELECT number, id, sent, received, undelivered, forwarded, confirmed,"
                                      " high FROM member ORDER BY number",
                                      &statement);

    while (status == STATUS_OK) {
        status = db_step(statement, &row);
        if (status != STATUS_OK || !row)
            break;
        read_member(statement, &member);
        status = visit(context, &member);
    }
    if (statement != NULL)
        db_reset(statement);
    return status;
}

static enum status sqlite_put_member(struct store *store, const struct store_member *member)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(store_sqlite_self(store)->db,
                                      "INSERT INTO member(number, id, sent, received, undelivered, forwarded,"
                                      " confirmed, high) VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(number)"
                                      " DO UPDATE SET sent = excluded.sent, received = excluded.received,"
                                      " undelivered = excluded.undelivered, forwarded = excluded.forwarded,"
                                      " confirmed = excluded.confirmed, high = excluded.high",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, member->number);
    db_bind_text(statement, 2, member->id);
    db_bind_int64(statement, 3, (int64_t)member->sent);
    db_bind_int64(statement, 4, (int64_t)member->received);
    db_bind_int64(statement, 5, (int64_t)member->undelivered);
    db_bind_int64(statement, 6, (int64_t)member->forwarded);
    db_bind_int64(statement, 7, (int64_t)member->confirmed);
    if (member->has_high)
        db_bind_blob(statement, 8, bytes_view(member->high, STORE_EVENT_SIZE));
    return db_run(statement);
}

static enum status sqlite_last_batch(struct store *store, uint64_t *ret_id)
{
    struct store_sqlite *self = store_sqlite_self(store);
    struct db_statement *statement = NULL;
    enum status status = db_statement(self->db, "SELECT ifnull(max(id), 0) FROM batch", &statement);

    if (status == STATUS_OK)
        status = store_sqlite_first(self, statement);
    if (status != STATUS_OK)
        return status;
    *ret_id = (uint64_t)db_column_int64(statement, 0);
    db_reset(statement);
    return STATUS_OK;
}

static enum status sqlite_append_batch(struct store *store, const struct store_batch *batch)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(store_sqlite_self(store)->db,
                     "INSERT INTO batch(id, sender, first, last, count, committed, certificate,"
                     " signature, outcomes, openings, headers) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)batch->id);
    db_bind_int64(statement, 2, batch->sender);
    if (batch->has_range) {
        db_bind_blob(statement, 3, bytes_view(batch->first, STORE_EVENT_SIZE));
        db_bind_blob(statement, 4, bytes_view(batch->last, STORE_EVENT_SIZE));
    }
    db_bind_int64(statement, 5, batch->count);
    db_bind_int64(statement, 6, batch->committed);
    db_bind_blob(statement, 7, batch->certificate);
    db_bind_blob(statement, 8, batch->signature);
    db_bind_blob(statement, 9, batch->outcomes);
    db_bind_blob(statement, 10, batch->openings);
    db_bind_blob(statement, 11, batch->headers);
    return db_run(statement);
}

static enum status sqlite_get_batch(struct store *store, uint64_t id, struct store_batch *ret_batch)
{
    struct store_sqlite *self = store_sqlite_self(store);
    struct db_statement *statement = NULL;
    struct store_sqlite_column columns[7];
    struct store_batch batch = {.id = id};
    enum status status = db_statement(self->db,
                                      "SELECT first, last, certificate, signature, outcomes, openings,"
                                      " headers, sender, count, committed FROM batch WHERE id = ?",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)id);
    status = store_sqlite_first(self, statement);
    if (status != STATUS_OK)
        return status;
    for (int i = 0; i < 7; i++)
        columns[i] = store_sqlite_keep(self, statement, i);
    batch.sender = (uint32_t)db_column_int64(statement, 7);
    batch.count = (uint32_t)db_column_int64(statement, 8);
    batch.committed = db_column_int64(statement, 9);
    db_reset(statement);
    if (self->scratch.status != STATUS_OK)
        return self->scratch.status;
    batch.has_range = columns[0].size == STORE_EVENT_SIZE && columns[1].size == STORE_EVENT_SIZE;
    if (batch.has_range) {
        memcpy(batch.first, store_sqlite_kept(self, columns[0]).data, STORE_EVENT_SIZE);
        memcpy(batch.last, store_sqlite_kept(self, columns[1]).data, STORE_EVENT_SIZE);
    }
    batch.certificate = store_sqlite_kept(self, columns[2]);
    batch.signature = store_sqlite_kept(self, columns[3]);
    batch.outcomes = store_sqlite_kept(self, columns[4]);
    batch.openings = store_sqlite_kept(self, columns[5]);
    batch.headers = store_sqlite_kept(self, columns[6]);
    *ret_batch = batch;
    return STATUS_OK;
}

static enum status sqlite_append_late(struct store *store, uint32_t sender,
                                      const uint8_t event[static STORE_EVENT_SIZE], struct store_place place)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(store_sqlite_self(store)->db,
                     "INSERT INTO late(sender, event, batch, place) VALUES(?, ?, ?, ?)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, sender);
    db_bind_blob(statement, 2, bytes_view(event, STORE_EVENT_SIZE));
    db_bind_int64(statement, 3, (int64_t)place.batch);
    db_bind_int64(statement, 4, place.index);
    return db_run(statement);
}

static enum status sqlite_find_late(struct store *store, uint32_t sender,
                                    const uint8_t event[static STORE_EVENT_SIZE],
                                    struct store_place *ret_place)
{
    struct store_sqlite *self = store_sqlite_self(store);
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(self->db, "SELECT batch, place FROM late WHERE sender = ? AND event = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, sender);
    db_bind_blob(statement, 2, bytes_view(event, STORE_EVENT_SIZE));
    status = store_sqlite_first(self, statement);
    if (status != STATUS_OK)
        return status;
    ret_place->batch = (uint64_t)db_column_int64(statement, 0);
    ret_place->index = (uint32_t)db_column_int64(statement, 1);
    db_reset(statement);
    return STATUS_OK;
}

static enum status sqlite_find_range(struct store *store, uint32_t sender,
                                     const uint8_t event[static STORE_EVENT_SIZE], uint64_t *ret_batch)
{
    struct store_sqlite *self = store_sqlite_self(store);
    struct db_statement *statement = NULL;
    bool inside;
    enum status status = db_statement(self->db,
                                      "SELECT id, last >= ?2 FROM batch WHERE sender = ?1 AND first <= ?2"
                                      " AND first IS NOT NULL ORDER BY first DESC LIMIT 1",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, sender);
    db_bind_blob(statement, 2, bytes_view(event, STORE_EVENT_SIZE));
    status = store_sqlite_first(self, statement);
    if (status != STATUS_OK)
        return status;
    inside = db_column_int64(statement, 1) != 0;
    if (inside)
        *ret_batch = (uint64_t)db_column_int64(statement, 0);
    db_reset(statement);
    return inside ? STATUS_OK : STATUS_NOT_FOUND;
}

static const struct store_operations sqlite_operations = {
    .close = sqlite_close,
    .error = sqlite_error,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .each_member = sqlite_each_member,
    .put_member = sqlite_put_member,
    .last_batch = sqlite_last_batch,
    .append_batch = sqlite_append_batch,
    .get_batch = sqlite_get_batch,
    .append_late = sqlite_append_late,
    .find_late = sqlite_find_late,
    .find_range = sqlite_find_range,
    .append_slice = store_queue_append_slice,
    .next_slice = store_queue_next_slice,
    .get_slice = store_queue_get_slice,
    .take_out = store_queue_take_out,
    .rest_on = store_queue_rest_on,
    .set_deadline = store_queue_set_deadline,
    .drop_slice = store_queue_drop_slice,
    .next_marks = store_queue_next_marks,
    .append_forward = store_people_append_forward,
    .next_forward = store_people_next_forward,
    .drop_forwards = store_people_drop_forwards,
    .get_subject = store_people_get_subject,
    .put_subject = store_people_put_subject,
    .next_subject = store_people_next_subject,
    .append_ground = store_people_append_ground,
    .get_ground = store_people_get_ground,
    .drop_ground = store_watch_drop_ground,
    .blank_batch = store_watch_blank_batch,
    .put_watch = store_watch_put,
    .drop_watch = store_watch_drop,
    .find_watch = store_watch_find,
    .due_watch = store_watch_due,
    .each_watch = store_watch_each,
    .put_replan = store_people_put_replan,
    .drop_replan = store_people_drop_replan,
    .each_replan = store_people_each_replan,
    .put_recall = store_people_put_recall,
    .drop_recall = store_people_drop_recall,
    .each_recall = store_people_each_recall,
    .note_report = store_people_note_report,
    .drop_reports = store_people_drop_reports,
    .get_state = store_people_get_state,
    .put_state = store_people_put_state,
};

enum status store_sqlite_new(struct db *db, struct store **ret_store)
{
    struct store_sqlite *self = calloc(1, sizeof *self);

    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->face.operations = &sqlite_operations;
    self->db = db;
    self->scratch = bytes_buffer(SCRATCH_LIMIT);
    *ret_store = &self->face;
    return STATUS_OK;
}
