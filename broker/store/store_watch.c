#include <string.h>

#include "broker/store/store_sqlite_parts.h"

/* Watches and what an erasure takes away, in SQLite. */

#define COLUMNS "kind, recipient, sender, event, batch, place, since, due, value"

enum status store_watch_drop_ground(struct store *store, struct store_place place)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(store_sqlite_self(store)->db, "DELETE FROM ground WHERE id = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)(place.batch << 8 | place.index));
    return db_run(statement);
}

enum status store_watch_blank_batch(struct store *store, uint64_t id, struct byte_view headers,
                                    struct byte_view openings)
{
    struct store_sqlite *self = store_sqlite_self(store);
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(self->db, "UPDATE batch SET headers = ?, openings = ? WHERE id = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, headers);
    db_bind_blob(statement, 2, openings);
    db_bind_int64(statement, 3, (int64_t)id);
    status = db_run(statement);
    return status == STATUS_OK && db_changes(self->db) == 0 ? STATUS_NOT_FOUND : status;
}

static void bind_key(struct db_statement *statement, const struct store_watch *watch)
{
    db_bind_int64(statement, 1, watch->kind);
    db_bind_int64(statement, 2, watch->recipient);
    db_bind_int64(statement, 3, watch->sender);
    db_bind_blob(statement, 4, bytes_view(watch->event, STORE_EVENT_SIZE));
}

enum status store_watch_put(struct store *store, const struct store_watch *watch)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        store_sqlite_self(store)->db,
        "INSERT OR REPLACE INTO watch(" COLUMNS ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", &statement);

    if (status != STATUS_OK)
        return status;
    bind_key(statement, watch);
    db_bind_int64(statement, 5, (int64_t)watch->place.batch);
    db_bind_int64(statement, 6, watch->place.index);
    db_bind_int64(statement, 7, watch->since);
    db_bind_int64(statement, 8, watch->due);
    db_bind_int64(statement, 9, (int64_t)watch->value);
    return db_run(statement);
}

enum status store_watch_drop(struct store *store, const struct store_watch *watch)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        store_sqlite_self(store)->db,
        "DELETE FROM watch WHERE kind = ? AND recipient = ? AND sender = ? AND event = ?", &statement);

    if (status != STATUS_OK)
        return status;
    bind_key(statement, watch);
    return db_run(statement);
}

static enum status read_watch(struct db_statement *statement, struct store_watch *ret)
{
    const struct byte_view event = db_column_blob(statement, 3);

    if (event.size != STORE_EVENT_SIZE)
        return STATUS_CORRUPT;
    *ret = (struct store_watch){
        .kind = (enum store_watch_kind)db_column_int64(statement, 0),
        .recipient = (uint32_t)db_column_int64(statement, 1),
        .sender = (uint32_t)db_column_int64(statement, 2),
        .place = {(uint64_t)db_column_int64(statement, 4), (uint32_t)db_column_int64(statement, 5)},
        .since = db_column_int64(statement, 6),
        .due = db_column_int64(statement, 7),
        .value = (uint64_t)db_column_int64(statement, 8)};
    memcpy(ret->event, event.data, STORE_EVENT_SIZE);
    return STATUS_OK;
}

static enum status read_one(struct db_statement *statement, struct store_watch *ret)
{
    bool row = false;
    enum status status = db_step(statement, &row);

    if (status != STATUS_OK)
        return status;
    status = row ? read_watch(statement, ret) : STATUS_NOT_FOUND;
    db_reset(statement);
    return status;
}

enum status store_watch_find(struct store *store, struct store_watch *watch)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(store_sqlite_self(store)->db,
                                      "SELECT " COLUMNS " FROM watch WHERE kind = ? AND recipient = ?"
                                      " AND sender = ? AND event = ?",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    bind_key(statement, watch);
    return read_one(statement, watch);
}

enum status store_watch_due(struct store *store, int64_t now, struct store_watch *ret_watch)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(store_sqlite_self(store)->db,
                     "SELECT " COLUMNS " FROM watch WHERE due <= ? ORDER BY due LIMIT 1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, now);
    return read_one(statement, ret_watch);
}

enum status store_watch_each(struct store *store, enum store_watch_kind kind, store_watch_visitor *visit,
                             void *context)
{
    struct db_statement *statement = NULL;
    struct store_watch watch;
    bool row = false;
    enum status status = db_statement(
        store_sqlite_self(store)->db,
        "SELECT " COLUMNS " FROM watch WHERE kind = ? ORDER BY recipient, sender, event", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, kind);
    while (status == STATUS_OK) {
        status = db_step(statement, &row);
        if (status != STATUS_OK || !row)
            break;
        status = read_watch(statement, &watch);
        if (status == STATUS_OK)
            status = visit(context, &watch);
    }
    db_reset(statement);
    return status;
}
