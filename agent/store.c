#include "agent/store.h"

enum status store_open(const char *path, const char *const *schemas, size_t count, struct db **ret_db)
{
    struct byte_buffer sql = bytes_buffer((size_t)1 << 20);
    struct db_options options = {.application_id = STORE_APPLICATION,
                                 .user_version = STORE_VERSION,
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
