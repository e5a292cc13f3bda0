#include "agent/outstanding.h"

#include "proto/uuid.h"

static json_t *line_of(struct db_statement *statement, const char *what, int64_t since)
{
    char id[UUID_TEXT_SIZE];
    char at[CIVIL_TIME_SIZE];

    uuid_format(db_column_blob(statement, 0).data, id);
    civil_format_time(since, at);
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "event", id, "type", db_column_text(statement, 1), "to",
                     db_column_text(statement, 2), "what", what, "since", at);
}

/* Columns: event, type, recipient, uncollected, unacknowledged, unconfirmed, the last three 0 when it is not.
 */
static int add(json_t *list, struct db_statement *statement)
{
    static const char *const words[] = {"uncollected", "unacknowledged", "unconfirmed"};
    int failed = 0;

    if (db_column_blob(statement, 0).size != UUID_SIZE)
        return 0;
    for (int i = 0; i < 3; i++) {
        const int64_t since = db_column_int64(statement, 3 + i);

        if (since != 0)
            failed |= json_array_append_new(list, line_of(statement, words[i], since));
    }
    return failed;
}

enum status outstanding_list(struct agent *agent, json_t **ret)
{
    struct db_statement *statement = NULL;
    json_t *list = json_array();
    bool row = false;
    enum status status = db_statement(
        agent->db,
        "SELECT o.event, o.type, s.recipient,"
        " CASE WHEN s.state = 0 THEN s.uncollected ELSE 0 END,"
        " CASE WHEN s.state < 2 AND s.acknowledged = 0 THEN s.escalated ELSE 0 END,"
        " CASE WHEN o.corrects <> 0 AND s.confirmed = 0 THEN o.created ELSE 0 END"
        " FROM outbox AS o JOIN outbox_section AS s ON s.outbox = o.id"
        " WHERE o.state IN (2, 3) AND (s.uncollected <> 0 OR s.escalated <> 0 OR o.corrects <> 0)"
        " ORDER BY o.id, s.recipient",
        &statement);

    while (status == STATUS_OK && (status = db_step(statement, &row)) == STATUS_OK && row) {
        if (add(list, statement) != 0) {
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
