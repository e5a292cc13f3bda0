#include "agent/marks.h"

enum status marks_get(struct agent *agent, const char *name, int64_t *ret_value)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(agent->db, "SELECT value FROM mark WHERE name = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, name);
    status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    *ret_value = row ? db_column_int64(statement, 0) : 0;
    if (row)
        db_reset(statement);
    return STATUS_OK;
}

enum status marks_set(struct agent *agent, const char *name, int64_t value)
{
    struct db_statement *statement = NULL;
    const enum status status = db_statement(agent->db,
                                            "INSERT INTO mark (name, value) VALUES (?1, ?2)"
                                            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                                            &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, name);
    db_bind_int64(statement, 2, value);
    return db_run(statement);
}
