#include "agent/feed_sql.h"

#include <string.h>

int64_t feed_sql_row_id(int64_t run, uint64_t line)
{
    return (int64_t)((uint64_t)run << 32 | (line < UINT32_MAX ? line : UINT32_MAX));
}

void feed_sql_bind_run(struct db_statement *statement, int parameter, int64_t run)
{
    db_bind_int64(statement, parameter, feed_sql_row_id(run, 0));
    db_bind_int64(statement, parameter + 1, feed_sql_row_id(run, UINT32_MAX));
}

#define PLACE_SIZE (8 + 8)

static void row_place(int64_t id, uint8_t out[static PLACE_SIZE])
{
    memcpy(out, "feed_row", 8);
    bytes_put_u64(out + 8, (uint64_t)id);
}

enum status feed_sql_seal_row(const struct feed_store *store, int64_t id, const struct feed_row *row,
                              struct byte_buffer *ret)
{
    struct byte_buffer plain = bytes_buffer(FEED_SQL_RECORD_MAX);
    uint8_t place[PLACE_SIZE];
    enum status status = STATUS_OK;

    row_place(id, place);
    feed_row_encode(row, &plain);
    status = plain.status;
    if (status == STATUS_OK)
        status = vault_seal(store->vault, bytes_view(place, sizeof place), bytes_buffer_view(&plain), ret);
    bytes_buffer_wipe(&plain);
    return status;
}

enum status feed_sql_open_row(const struct feed_store *store, int64_t id, struct byte_view sealed,
                              struct byte_buffer *storage, struct feed_row *ret_row)
{
    uint8_t place[PLACE_SIZE];
    enum status status = STATUS_OK;

    row_place(id, place);
    bytes_buffer_clear(storage);
    status = vault_open(store->vault, bytes_view(place, sizeof place), sealed, storage);
    return status == STATUS_OK ? feed_row_decode(bytes_buffer_view(storage), ret_row) : status;
}

enum status feed_sql_has_key(const struct feed_store *store, int64_t run, struct byte_view key, bool *ret_has)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(store->db, "SELECT 1 FROM feed_key WHERE run = ? AND key = ? LIMIT 1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, run);
    db_bind_blob(statement, 2, key);
    status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    if (row)
        db_reset(statement);
    *ret_has = row;
    return STATUS_OK;
}
