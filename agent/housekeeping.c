#include "agent/housekeeping.h"

#include "agent/inbox.h"
#include "agent/proofs.h"
#include "agent/republishing.h"

#define HOUSEKEEPING_EVERY_MS ((int64_t)60 * 60 * 1000)
#define HOUSEKEEPING_LEFT_MS  (366 * CIVIL_DAY_MS) /* how long those who left the list are remembered */
#define HOUSEKEEPING_WAL      256                  /* pages after which the database is checkpointed */

/* Standing events stay until they are superseded: they may have to be repeated. Others as long as the broker
 * owes a final proof of them: after a restore they may have to be published again. */
static enum status purge_outbox(struct agent *agent, int64_t now)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        agent->db,
        "DELETE FROM outbox WHERE state IN (3, 4) AND (standing = 0 OR state = 4) AND changed < ?"
        " AND NOT EXISTS (SELECT 1 FROM proof_due WHERE role = 1 AND proof_due.event = outbox.event)",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, now - (int64_t)agent->settings.outbox_days * CIVIL_DAY_MS);
    return db_run(statement);
}

static enum status purge(struct agent *agent, int64_t now)
{
    enum status status = db_begin(agent->db);

    if (status == STATUS_OK)
        status = inbox_forget(agent, now);
    if (status == STATUS_OK)
        status = purge_outbox(agent, now);
    if (status == STATUS_OK)
        status = proofs_purge(agent, now);
    if (status == STATUS_OK)
        status = people_forget(agent->people, now - HOUSEKEEPING_LEFT_MS);
    if (status == STATUS_OK)
        return db_commit(agent->db);
    db_rollback(agent->db);
    return status;
}

enum status housekeeping_step(struct agent *agent, int64_t now, int64_t *ret_wait)
{
    enum status status = STATUS_OK;

    if (now >= agent->purge_at || now < agent->purge_at - HOUSEKEEPING_EVERY_MS) {
        status = purge(agent, now);
        if (status == STATUS_OK)
            status = republishing_retry(agent);
        if (status == STATUS_OK)
            agent->purge_at = now + HOUSEKEEPING_EVERY_MS;
    }
    if (status == STATUS_OK && db_wal_pages(agent->db) > HOUSEKEEPING_WAL)
        status = db_checkpoint(agent->db, false);
    *ret_wait = agent->purge_at > now ? agent->purge_at - now : HOUSEKEEPING_EVERY_MS;
    return status == STATUS_BUSY ? STATUS_OK : status;
}
