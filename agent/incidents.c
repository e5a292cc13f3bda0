#include "agent/incidents.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/civil.h"

const char incidents_schema[] = "CREATE TABLE incident ("
                                " id INTEGER PRIMARY KEY,"
                                " at INTEGER NOT NULL,"
                                " times INTEGER NOT NULL,"
                                " text TEXT NOT NULL UNIQUE) STRICT;";

static enum status put(struct db *db, int64_t now, const char *text)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(db,
                                      "INSERT INTO incident (at, times, text) VALUES (?, 1, ?)"
                                      " ON CONFLICT (text) DO UPDATE SET at = excluded.at, times = times + 1",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, now);
    db_bind_text(statement, 2, text);
    return db_run(statement);
}

static enum status prune(struct db *db)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(db,
                                      "DELETE FROM incident WHERE id NOT IN"
                                      " (SELECT id FROM incident ORDER BY at DESC, id DESC LIMIT ?)",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, INCIDENTS_KEPT);
    return db_run(statement);
}

enum status incidents_add(struct db *db, int64_t now, const char *format, ...)
{
    char text[INCIDENTS_TEXT];
    va_list arguments;
    enum status status = STATUS_OK;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    status = put(db, now, text);
    return status == STATUS_OK ? prune(db) : status;
}

enum status incidents_next(struct db *db, int64_t *cursor, char ret_text[static INCIDENTS_TEXT])
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(db, "SELECT id, text FROM incident WHERE id > ? ORDER BY id LIMIT 1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, *cursor);
    status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    *cursor = db_column_int64(statement, 0);
    (void)snprintf(ret_text, INCIDENTS_TEXT, "%s", db_column_text(statement, 1));
    db_reset(statement);
    return STATUS_OK;
}

enum status incidents_last(struct db *db, int64_t *ret_cursor)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(db, "SELECT coalesce(max(id), 0) FROM incident", &statement);

    if (status != STATUS_OK)
        return status;
    status = db_step(statement, &row);
    if (status == STATUS_OK && row)
        *ret_cursor = db_column_int64(statement, 0);
    db_reset(statement);
    return status;
}

enum status incidents_list(struct db *db, json_t **ret)
{
    struct db_statement *statement = NULL;
    json_t *list = json_array();
    bool row = false;
    enum status status =
        db_statement(db, "SELECT at, times, text FROM incident ORDER BY at DESC, id DESC", &statement);

    if (list == NULL)
        return STATUS_NO_MEMORY;
    while (status == STATUS_OK && (status = db_step(statement, &row)) == STATUS_OK && row) {
        char at[CIVIL_TIME_SIZE];

        civil_format_time(db_column_int64(statement, 0), at);
        if (json_array_append_new(list,
                                  json_pack("{s:s, s:s, s:I}", "at", at, "text", db_column_text(statement, 2),
                                            "times", (json_int_t)db_column_int64(statement, 1))) != 0) {
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
