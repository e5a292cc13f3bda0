#include "broker/layout.h"

#include "broker/logbook.h"
#include "broker/store/store_sqlite.h"

/* Append only: what was given out once stays as it is. Each is run in one transaction of its own. */
static const struct db_change changes[] = {
    /* 2: an erased event's id goes from here too, and only its own sender's event. 0: not known. */
    {.sql = "ALTER TABLE report ADD COLUMN sender INTEGER NOT NULL DEFAULT 0;"},
};

_Static_assert(sizeof changes / sizeof changes[0] + 1 == LOGROW_STORE_VERSION,
               "LOGROW_STORE_VERSION is one more than there are changes");

struct db_options layout_options(struct byte_buffer *schema)
{
    bytes_append_string(schema, logbook_schema);
    bytes_append_string(schema, store_sqlite_schema);
    bytes_append_u8(schema, 0);
    return (struct db_options){
        .application_id = LOGBOOK_STORE_APPLICATION,
        .user_version = LOGBOOK_STORE_VERSION,
        .schema_sql = schema->status == STATUS_OK ? (const char *)schema->data : "",
        .changes = changes,
        .change_count = sizeof changes / sizeof changes[0],
        .changed_sql = "INSERT OR REPLACE INTO state(name, value) VALUES('" LAYOUT_REPLAY "', x'01');",
        .kind = DB_DURABLE};
}
