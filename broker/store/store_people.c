#include <assert.h>
#include <string.h>

#include "broker/store/store_sqlite_parts.h"

/* Subjects, grounds, and what members are to be told, in SQLite. */

#define FORWARD_BITS 40

static int64_t forward_id(uint32_t sender, uint64_t id)
{
    assert(sender <= STORE_NUMBER_MAX && id < UINT64_C(1) << FORWARD_BITS);
    return (int64_t)((uint64_t)sender << FORWARD_BITS | id);
}

static int64_t ground_id(struct store_place place)
{
    assert(place.index < STORE_BATCH_EVENTS);
    return (int64_t)(place.batch << 8 | place.index);
}

enum status store_people_append_forward(struct store *store, uint32_t sender, uint64_t id,
                                        struct byte_view body)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(store_sqlite_self(store)->db, "INSERT INTO forward(id, body) VALUES(?, ?)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, forward_id(sender, id));
    db_bind_blob(statement, 2, body);
    return db_run(statement);
}

enum status store_people_next_forward(struct store *store, uint32_t sender, uint64_t after, uint64_t *ret_id,
                                      struct byte_view *ret_body)
{
    struct store_sqlite *self = store_sqlite_self(store);
    struct db_statement *statement = NULL;
    struct store_sqlite_column body;
    uint64_t id;
    enum status status = db_statement(
        self->db, "SELECT id, body FROM forward WHERE id > ? AND id <= ? ORDER BY id LIMIT 1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, forward_id(sender, after));
    db_bind_int64(statement, 2, forward_id(sender, (UINT64_C(1) << FORWARD_BITS) - 1));
    status = store_sqlite_first(self, statement);
    if (status != STATUS_OK)
        return status;
    id = (uint64_t)db_column_int64(statement, 0) & ((UINT64_C(1) << FORWARD_BITS) - 1);
    body = store_sqlite_keep(self, statement, 1);
    db_reset(statement);
    if (self->scratch.status != STATUS_OK)
        return self->scratch.status;
    *ret_id = id;
    *ret_body = store_sqlite_kept(self, body);
    return STATUS_OK;
}

enum status store_people_drop_forwards(struct store *store, uint32_t sender, uint64_t up_to)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(store_sqlite_self(store)->db,
                                      "DELETE FROM forward WHERE id BETWEEN ? AND ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, forward_id(sender, 0));
    db_bind_int64(statement, 2, forward_id(sender, up_to));
    return db_run(statement);
}

enum status store_people_get_subject(struct store *store, struct byte_view key, struct byte_view *ret_state)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(store_sqlite_self(store)->db, "SELECT state FROM subject WHERE key = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, key);
    return store_sqlite_blob(store_sqlite_self(store), statement, ret_state);
}

enum status store_people_put_subject(struct store *store, struct byte_view key, struct byte_view state)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(store_sqlite_self(store)->db,
                                      "INSERT OR REPLACE INTO subject(key, state) VALUES(?, ?)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, key);
    db_bind_blob(statement, 2, state);
    return db_run(statement);
}

enum status store_people_next_subject(struct store *store, struct byte_view after, struct byte_view *ret_key,
                                      struct byte_view *ret_state)
{
    struct store_sqlite *self = store_sqlite_self(store);
    struct db_statement *statement = NULL;
    struct store_sqlite_column columns[2];
    enum status status = db_statement(
        self->db, "SELECT key, state FROM subject WHERE key > ? ORDER BY key LIMIT 1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, after);
    status = store_sqlite_first(self, statement);
    if (status != STATUS_OK)
        return status;
    columns[0] = store_sqlite_keep(self, statement, 0);
    columns[1] = store_sqlite_keep(self, statement, 1);
    db_reset(statement);
    if (self->scratch.status != STATUS_OK)
        return self->scratch.status;
    *ret_key = store_sqlite_kept(self, columns[0]);
    *ret_state = store_sqlite_kept(self, columns[1]);
    return STATUS_OK;
}

enum status store_people_append_ground(struct store *store, struct store_place place, struct byte_view ground)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(store_sqlite_self(store)->db, "INSERT INTO ground(id, ground) VALUES(?, ?)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, ground_id(place));
    db_bind_blob(statement, 2, ground);
    return db_run(statement);
}

enum status store_people_get_ground(struct store *store, struct store_place place,
                                    struct byte_view *ret_ground)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(store_sqlite_self(store)->db, "SELECT ground FROM ground WHERE id = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, ground_id(place));
    return store_sqlite_blob(store_sqlite_self(store), statement, ret_ground);
}

static enum status change_replan(struct db_statement *statement, uint32_t sender, const uint8_t *event)
{
    db_bind_int64(statement, 1, sender);
    db_bind_blob(statement, 2, bytes_view(event, STORE_EVENT_SIZE));
    return db_run(statement);
}

enum status store_people_put_replan(struct store *store, uint32_t sender,
                                    const uint8_t event[static STORE_EVENT_SIZE])
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(store_sqlite_self(store)->db,
                                      "INSERT OR IGNORE INTO replan(sender, event) VALUES(?, ?)", &statement);

    return status == STATUS_OK ? change_replan(statement, sender, event) : status;
}

enum status store_people_drop_replan(struct store *store, uint32_t sender,
                                     const uint8_t event[static STORE_EVENT_SIZE])
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(store_sqlite_self(store)->db,
                                      "DELETE FROM replan WHERE sender = ? AND event = ?", &statement);

    return status == STATUS_OK ? change_replan(statement, sender, event) : status;
}

enum status store_people_each_replan(struct store *store, uint32_t sender,
                                     const uint8_t after[static STORE_EVENT_SIZE],
                                     store_replan_visitor *visit, void *context)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(store_sqlite_self(store)->db,
                     "SELECT event FROM replan WHERE sender = ? AND event > ? ORDER BY event", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, sender);
    db_bind_blob(statement, 2, bytes_view(after, STORE_EVENT_SIZE));
    while (status == STATUS_OK) {
        struct byte_view event;
        status = db_step(statement, &row);
        if (status != STATUS_OK || !row)
            break;
        event = db_column_blob(statement, 0);
        status = event.size == STORE_EVENT_SIZE ? visit(context, event.data) : STATUS_CORRUPT;
    }
    db_reset(statement);
    return status;
}

enum status store_people_put_recall(struct store *store, const struct store_recall *recall)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        store_sqlite_self(store)->db,
        "INSERT OR IGNORE INTO recall(recipient, sender, event, reason) VALUES(?, ?, ?, ?)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, recall->recipient);
    db_bind_int64(statement, 2, recall->sender);
    db_bind_blob(statement, 3, bytes_view(recall->event, STORE_EVENT_SIZE));
    db_bind_text(statement, 4, recall->reason);
    return db_run(statement);
}

enum status store_people_drop_recall(struct store *store, uint32_t recipient, uint32_t sender,
                                     const uint8_t event[static STORE_EVENT_SIZE])
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(store_sqlite_self(store)->db,
                     "DELETE FROM recall WHERE recipient = ? AND sender = ? AND event = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, recipient);
    db_bind_int64(statement, 2, sender);
    db_bind_blob(statement, 3, bytes_view(event, STORE_EVENT_SIZE));
    return db_run(statement);
}

enum status store_people_each_recall(struct store *store, const struct store_recall *after,
                                     store_recall_visitor *visit, void *context)
{
    struct db_statement *statement = NULL;
    struct store_recall recall = {.recipient = after->recipient};
    bool row = false;
    enum status status = db_statement(store_sqlite_self(store)->db,
                                      "SELECT sender, event, reason FROM recall WHERE recipient = ?"
                                      " AND (sender, event) > (?, ?) ORDER BY sender, event",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, after->recipient);
    db_bind_int64(statement, 2, after->sender);
    db_bind_blob(statement, 3, bytes_view(after->event, STORE_EVENT_SIZE));
    while (status == STATUS_OK) {
        struct byte_view event;
        status = db_step(statement, &row);
        if (status != STATUS_OK || !row)
            break;
        event = db_column_blob(statement, 1);
        if (event.size != STORE_EVENT_SIZE) {
            status = STATUS_CORRUPT;
            break;
        }
        recall.sender = (uint32_t)db_column_int64(statement, 0);
        memcpy(recall.event, event.data, STORE_EVENT_SIZE);
        recall.reason = db_column_text(statement, 2);
        status = visit(context, &recall);
    }
    db_reset(statement);
    return status;
}

enum status store_people_note_report(struct store *store, uint32_t reporter, uint32_t sender,
                                     const uint8_t event[static STORE_EVENT_SIZE],
                                     const uint8_t mark[static STORE_REPORT_SIZE])
{
    struct db *db = store_sqlite_self(store)->db;
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        db, "INSERT OR IGNORE INTO report(reporter, event, mark, sender) VALUES(?, ?, ?, ?)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, reporter);
    db_bind_blob(statement, 2, bytes_view(event, STORE_EVENT_SIZE));
    db_bind_blob(statement, 3, bytes_view(mark, STORE_REPORT_SIZE));
    db_bind_int64(statement, 4, sender);
    status = db_run(statement);
    return status == STATUS_OK && db_changes(db) == 0 ? STATUS_EXISTS : status;
}

/* The table is small beside the log, and erasures are rare: no index. Rows of an older layout do not know the
 * sender. */
enum status store_people_drop_reports(struct store *store, uint32_t sender,
                                      const uint8_t event[static STORE_EVENT_SIZE])
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(store_sqlite_self(store)->db,
                                      "DELETE FROM report WHERE event = ? AND sender IN (0, ?)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, STORE_EVENT_SIZE));
    db_bind_int64(statement, 2, sender);
    return db_run(statement);
}

enum status store_people_get_state(struct store *store, const char *name, struct byte_view *ret_value)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(store_sqlite_self(store)->db, "SELECT value FROM state WHERE name = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, name);
    return store_sqlite_blob(store_sqlite_self(store), statement, ret_value);
}

enum status store_people_put_state(struct store *store, const char *name, struct byte_view value)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(store_sqlite_self(store)->db,
                                      "INSERT OR REPLACE INTO state(name, value) VALUES(?, ?)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, name);
    db_bind_blob(statement, 2, value);
    return db_run(statement);
}
