#include "agent/store.h"

#include "agent/alerts.h"
#include "agent/consents.h"
#include "agent/feeds.h"
#include "agent/inbox.h"
#include "agent/incidents.h"
#include "agent/looks.h"
#include "agent/outbox.h"
#include "agent/people.h"
#include "agent/proofs.h"
#include "agent/questions.h"
#include "agent/receipts.h"
#include "agent/reports.h"
#include "agent/republishing.h"
#include "agent/witnessed.h"

/* Layout 1: each module's own tables. */
static const char *const schemas[] = {people_schema,  outbox_schema,   inbox_schema,     receipts_schema,
                                      reports_schema, consents_schema, incidents_schema, feeds_schema,
                                      alerts_schema,  questions_schema};

/* Append only: what was given out once stays as it is. Each is run in one transaction of its own. How to add
 * one: docs/decisions.md, "A database changes its layout in steps". The first of them makes layout 2. */
static const struct db_change changes[] = {
    {.sql = "ALTER TABLE inbox ADD COLUMN receipted INTEGER NOT NULL DEFAULT 0;"},
    {.sql = proofs_schema},
    {.sql = witnessed_schema},
    {.sql = looks_schema},
    {.sql = republishing_schema},
};

_Static_assert(sizeof changes / sizeof changes[0] == STORE_VERSION - 1, "a change for each layout");

#define CHANGE_COUNT (STORE_VERSION - 1)

enum status store_open(const char *path, struct db **ret_db)
{
    struct byte_buffer sql = bytes_buffer((size_t)1 << 20);
    struct db_options options = {.application_id = STORE_APPLICATION,
                                 .user_version = STORE_VERSION,
                                 .changes = changes,
                                 .change_count = CHANGE_COUNT,
                                 .kind = DB_DURABLE,
                                 .memory = path == NULL,
                                 .cache_kib = STORE_CACHE_KIB};
    enum status status = STATUS_OK;

    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++)
        bytes_append_string(&sql, schemas[i]);
    bytes_append_u8(&sql, 0);
    status = sql.status;
    if (status == STATUS_OK) {
        options.schema_sql = (const char *)sql.data;
        status = db_open(path, &options, ret_db);
    }
    bytes_buffer_free(&sql);
    return status;
}
