#include "agent/looks.h"

#include <stdio.h>

#include "base/civil.h"

const char looks_schema[] =
    "CREATE TABLE look (event INTEGER NOT NULL REFERENCES inbox (id) ON DELETE CASCADE,"
    " officer TEXT NOT NULL, day INTEGER NOT NULL,"
    " PRIMARY KEY (event, officer)) STRICT, WITHOUT ROWID;";

static enum status last_day(struct agent *agent, int64_t event, const char *officer, bool *ret_known,
                            int64_t *ret_day)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(agent->db, "SELECT day FROM look WHERE event = ?1 AND officer = ?2", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, event);
    db_bind_text(statement, 2, officer);
    status = db_step(statement, &row);
    *ret_known = status == STATUS_OK && row;
    *ret_day = *ret_known ? db_column_int64(statement, 0) : 0;
    db_reset(statement);
    return status;
}

static enum status keep_day(struct agent *agent, int64_t event, const char *officer, int64_t day)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        agent->db, "INSERT OR REPLACE INTO look (event, officer, day) VALUES (?1, ?2, ?3)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, event);
    db_bind_text(statement, 2, officer);
    db_bind_int64(statement, 3, day);
    return db_run(statement);
}

enum status looks_note(struct agent *agent, int64_t event, const char *officer, int64_t now, bool *ret_new,
                       char ret_code[static LOOKS_CODE_SIZE])
{
    const int64_t day = now / CIVIL_DAY_MS;
    char time[CIVIL_TIME_SIZE];
    int64_t last = 0;
    bool known = false;
    enum status status = last_day(agent, event, officer, &known, &last);

    *ret_new = false;
    if (status != STATUS_OK || (known && last == day))
        return status;
    status = keep_day(agent, event, officer, day);
    if (status != STATUS_OK)
        return status;
    civil_format_time(now, time);
    ret_code[0] = '\0';
    if (known)
        (void)snprintf(ret_code, LOOKS_CODE_SIZE, "again-%.10s", time);
    *ret_new = true;
    return STATUS_OK;
}
