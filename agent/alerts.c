#include "agent/alerts.h"

#include <stdio.h>
#include <string.h>

const char alerts_schema[] = "CREATE TABLE alert ("
                             " id INTEGER PRIMARY KEY,"
                             " at INTEGER NOT NULL,"
                             " sender TEXT NOT NULL,"
                             " event BLOB NOT NULL,"
                             " UNIQUE (event, sender)) STRICT;";

enum status alerts_raise(struct agent *agent, struct byte_view from, const uint8_t event[static UUID_SIZE],
                         int64_t at)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        agent->db, "INSERT OR IGNORE INTO alert (at, sender, event) VALUES (?, ?, ?)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, at);
    db_bind_text_view(statement, 2, from);
    db_bind_blob(statement, 3, bytes_view(event, UUID_SIZE));
    return db_run(statement);
}

enum status alerts_clear(struct agent *agent, struct byte_view from, const uint8_t event[static UUID_SIZE])
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(agent->db, "DELETE FROM alert WHERE event = ? AND sender = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    db_bind_text_view(statement, 2, from);
    return db_run(statement);
}

enum status alerts_forget(struct agent *agent, int64_t now, int64_t raised)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(agent->db,
                                      "DELETE FROM alert WHERE at < ?2 OR EXISTS (SELECT 1 FROM inbox WHERE"
                                      " inbox.event = alert.event AND inbox.sender = alert.sender"
                                      " AND inbox.until <= ?1)",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, now);
    db_bind_int64(statement, 2, raised);
    return db_run(statement);
}

static const char *our_contact(const struct agent *agent)
{
    return agent->membership != NULL ? bundle_contact(agent->membership->bundle, agent->settings.member)
                                     : NULL;
}

enum status alerts_next(struct agent *agent, int64_t *cursor, char ret_from[static MEMBER_ID_LENGTH + 1],
                        struct alert *ret)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(
        agent->db, "SELECT id, at, sender, event FROM alert WHERE id > ? ORDER BY id LIMIT 1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, *cursor);
    status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    if (db_column_blob(statement, 3).size == UUID_SIZE) {
        *cursor = db_column_int64(statement, 0);
        (void)snprintf(ret_from, MEMBER_ID_LENGTH + 1, "%s", db_column_text(statement, 2));
        *ret = (struct alert){
            .at = db_column_int64(statement, 1), .from = ret_from, .contact = our_contact(agent)};
        memcpy(ret->event, db_column_blob(statement, 3).data, UUID_SIZE);
    } else {
        status = STATUS_CORRUPT;
    }
    db_reset(statement);
    return status;
}

static json_t *alert_json(const struct agent *agent, struct db_statement *statement)
{
    char at[CIVIL_TIME_SIZE];
    char id[UUID_TEXT_SIZE];

    if (db_column_blob(statement, 2).size != UUID_SIZE)
        return NULL;
    civil_format_time(db_column_int64(statement, 0), at);
    uuid_format(db_column_blob(statement, 2).data, id);
    return json_pack("{s:s, s:s, s:s, s:s*, s:s}", "at", at, "event", id, "from",
                     db_column_text(statement, 1), "contact", our_contact(agent), "text",
                     "nobody has acknowledged this urgent event in time: tell the duty contact");
}

enum status alerts_list(struct agent *agent, json_t **ret)
{
    struct db_statement *statement = NULL;
    json_t *list = json_array();
    bool row = false;
    enum status status =
        db_statement(agent->db, "SELECT at, sender, event FROM alert ORDER BY at DESC, id DESC", &statement);

    while (status == STATUS_OK && (status = db_step(statement, &row)) == STATUS_OK && row) {
        if (json_array_append_new(list, alert_json(agent, statement)) != 0) {
            db_reset(statement);
            status = STATUS_NO_MEMORY;
        }
    }
    if (status == STATUS_OK)
        *ret = list;
    else
        json_decref(list);
    return status;
}
