#include "agent/store.h"

#include "agent/proofs.h"
#include "agent/witnessed.h"

/* Append only: what was given out once stays as it is. Each is run in one transaction of its own. How to add
 * one: docs/decisions.md, "A database changes its layout in steps". The first of them makes layout 2. */
static const struct db_change changes[] = {
    {.sql = "ALTER TABLE inbox ADD COLUMN receipted INTEGER NOT NULL DEFAULT 0;"},
    {.sql = proofs_schema},
    {.sql = witnessed_schema},
};

_Static_assert(sizeof changes / sizeof changes[0] == STORE_VERSION - 1, "a change for each layout");

#define CHANGE_COUNT (STORE_VERSION - 1)

enum status store_open(const char *path, const char *const *schemas, size_t count, struct db **ret_db)
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

    for (size_t i = 0; i < count; i++)
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
