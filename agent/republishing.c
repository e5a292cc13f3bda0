#include "agent/republishing.h"

#include <string.h>

#include "agent/incidents.h"
#include "agent/outbox.h"
#include "agent/proofs.h"
#include "agent/reconcile.h"

/* again: the state that the event goes back to once the broker has answered; below 0: it was busy, later. */
const char republishing_schema[] = "ALTER TABLE outbox ADD COLUMN again INTEGER NOT NULL DEFAULT 0;"
                                   "CREATE INDEX outbox_again ON outbox (again) WHERE again <> 0;"
                                   "CREATE TABLE log_named (id INTEGER PRIMARY KEY CHECK (id = 1),"
                                   " vkey TEXT NOT NULL) STRICT;";

static enum status put_vkey(struct agent *agent, const char *vkey)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(agent->db, "INSERT OR REPLACE INTO log_named (id, vkey) VALUES (1, ?)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, vkey);
    return db_run(statement);
}

/* What was proved under the old log stays with it. Erased events have no envelope any more. */
static enum status begin(struct agent *agent, const char *vkey, int64_t now)
{
    enum status status = db_begin(agent->db);

    if (status != STATUS_OK)
        return status;
    status = db_exec(agent->db, "UPDATE outbox SET again = state, state = 1"
                                " WHERE state IN (2, 3) AND envelope IS NOT NULL");
    if (status == STATUS_OK)
        status = proofs_other_log(agent);
    if (status == STATUS_OK)
        status = put_vkey(agent, vkey);
    if (status == STATUS_OK)
        status =
            incidents_add(agent->db, now,
                          "the broker's log has ended and another begins (%.*s): what we sent is published "
                          "again, in case it was lost",
                          (int)strcspn(vkey, "+"), vkey);
    if (status == STATUS_OK)
        return db_commit(agent->db);
    db_rollback(agent->db);
    return status;
}

enum status republishing_look(struct agent *agent, int64_t now)
{
    const char *vkey = agent->membership == NULL ? NULL : bundle_log_vkey(agent->membership->bundle);
    struct db_statement *statement = NULL;
    bool known = false;
    bool same = false;
    enum status status;

    if (vkey == NULL || vkey[0] == '\0')
        return STATUS_OK;
    status = db_statement(agent->db, "SELECT vkey FROM log_named", &statement);
    if (status == STATUS_OK)
        status = db_step(statement, &known);
    if (status != STATUS_OK)
        return status;
    if (known) {
        same = strcmp(db_column_text(statement, 0), vkey) == 0;
        db_reset(statement);
    }
    if (same)
        return STATUS_OK;
    return known ? begin(agent, vkey, now) : put_vkey(agent, vkey);
}

/* Back to where it was, and `left` in column again. */
static enum status go_back(struct agent *agent, const uint8_t event[static UUID_SIZE], int64_t state,
                           int64_t left)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(agent->db, "UPDATE outbox SET state = ?, again = ? WHERE event = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, state);
    db_bind_int64(statement, 2, left);
    db_bind_blob(statement, 3, bytes_view(event, UUID_SIZE));
    return db_run(statement);
}

static enum status read_again(struct agent *agent, const uint8_t event[static UUID_SIZE], int64_t *ret)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(agent->db, "SELECT again FROM outbox WHERE event = ? AND state = 1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status;
    *ret = db_column_int64(statement, 0);
    db_reset(statement);
    return STATUS_OK;
}

enum status republishing_outcome(struct agent *agent, const Wire__Outcome *outcome, int64_t now,
                                 bool *ret_ours)
{
    char id[UUID_TEXT_SIZE];
    int64_t again = 0;
    enum status status = read_again(agent, outcome->event.data, &again);

    *ret_ours = again > 0;
    if (status != STATUS_OK || again <= 0)
        return status;
    if (outcome->verdict == WIRE__VERDICT__BUSY)
        return go_back(agent, outcome->event.data, again, -again);
    status = go_back(agent, outcome->event.data, again, 0);
    if (status == STATUS_OK && outcome->verdict == WIRE__VERDICT__ACCEPTED)
        return reconcile_accepted(agent, outcome->event.data,
                                  outcome->has_log_index ? &outcome->log_index : NULL, now);
    uuid_format(outcome->event.data, id);
    if (status == STATUS_OK)
        status = incidents_add(agent->db, now,
                               "the broker had accepted %s and has lost it, and does not take it now: %.160s",
                               id, outcome->reason == NULL ? "it does not say why" : outcome->reason);
    return status;
}

enum status republishing_retry(struct agent *agent)
{
    return db_exec(agent->db, "UPDATE outbox SET again = -again, state = 1 WHERE again < 0");
}
