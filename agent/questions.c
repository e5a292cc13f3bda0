#include "agent/questions.h"

#include <string.h>

/* answer: the outbox's event that answers it. tried: a hook was given it. */
const char questions_schema[] = "CREATE TABLE question ("
                                " event BLOB PRIMARY KEY,"
                                " received INTEGER NOT NULL,"
                                " until INTEGER NOT NULL,"
                                " tried INTEGER NOT NULL,"
                                " answer BLOB) STRICT, WITHOUT ROWID;";

#define WAITING                                                                                              \
    " FROM question AS q LEFT JOIN outbox AS o ON o.event = q.answer"                                        \
    " JOIN inbox AS i ON i.event = q.event AND i.state = 0"                                                  \
    " WHERE (q.answer IS NULL OR o.state = 4)"

static enum status run_with(struct agent *agent, const char *sql, const uint8_t event[static UUID_SIZE])
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(agent->db, sql, &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    return db_run(statement);
}

enum status questions_note(struct agent *agent, const struct core *core, int64_t until, int64_t now)
{
    const struct catalogue *catalogue = agent->membership->catalogue;
    const uint16_t type = catalogue_find_event(catalogue, core->type);
    struct db_statement *statement = NULL;
    enum status status = STATUS_OK;

    if (type == CATALOGUE_NONE || catalogue->events[type].asked == CATALOGUE_NONE)
        return STATUS_OK;
    status = db_statement(
        agent->db, "INSERT OR IGNORE INTO question (event, received, until, tried) VALUES (?, ?, ?, 0)",
        &statement);
    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(core->event, UUID_SIZE));
    db_bind_int64(statement, 2, now);
    db_bind_int64(statement, 3, until);
    return db_run(statement);
}

enum status questions_answered(struct agent *agent, const uint8_t question[static UUID_SIZE],
                               const uint8_t answer[static UUID_SIZE])
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(agent->db, "UPDATE question SET answer = ?2 WHERE event = ?1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(question, UUID_SIZE));
    db_bind_blob(statement, 2, bytes_view(answer, UUID_SIZE));
    return db_run(statement);
}

enum status questions_waits(struct agent *agent, const uint8_t event[static UUID_SIZE], bool *ret_waits)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(agent->db, "SELECT 1" WAITING " AND q.event = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    status = db_step(statement, &row);
    if (row)
        db_reset(statement);
    if (status == STATUS_OK)
        *ret_waits = row;
    return status;
}

enum status questions_count(struct agent *agent, int64_t *ret_count, int64_t *ret_oldest)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(agent->db, "SELECT count(*), min(q.received)" WAITING, &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    if (row) {
        *ret_count = db_column_int64(statement, 0);
        *ret_oldest = db_column_is_null(statement, 1) ? INT64_MAX : db_column_int64(statement, 1);
        db_reset(statement);
    }
    return STATUS_OK;
}

enum status questions_untried(struct agent *agent, uint8_t ret_event[static UUID_SIZE])
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(
        agent->db, "SELECT q.event" WAITING " AND q.tried = 0 ORDER BY q.received LIMIT 1", &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    if (db_column_blob(statement, 0).size == UUID_SIZE)
        memcpy(ret_event, db_column_blob(statement, 0).data, UUID_SIZE);
    else
        status = STATUS_CORRUPT;
    db_reset(statement);
    return status;
}

enum status questions_tried(struct agent *agent, const uint8_t event[static UUID_SIZE])
{
    return run_with(agent, "UPDATE question SET tried = 1 WHERE event = ?", event);
}

enum status questions_forget(struct agent *agent, int64_t now)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(agent->db, "DELETE FROM question WHERE until <= ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, now);
    return db_run(statement);
}
