#pragma once

/* What feed_store.c, feed_settle.c and feed_told.c share of the tables; for them only. */

#include "agent/feed_store.h"

#define FEED_SQL_RECORD_MAX ((size_t)1 << 20)

/* feed_sql_row_id - of a line in a run; lines beyond 2^32 - 1 count as the last. */
int64_t feed_sql_row_id(int64_t run, uint64_t line);

/* feed_sql_bind_run - the first and the last id of a run, as two parameters. */
void feed_sql_bind_run(struct db_statement *statement, int parameter, int64_t run);

/* feed_sql_seal_row, feed_sql_open_row - a row at rest, bound to its id. Opening clears storage first. */
enum status feed_sql_seal_row(const struct feed_store *store, int64_t id, const struct feed_row *row,
                              struct byte_buffer *ret);
enum status feed_sql_open_row(const struct feed_store *store, int64_t id, struct byte_view sealed,
                              struct byte_buffer *storage, struct feed_row *ret_row);

/* feed_sql_has_key - has the run a row with that look-up? */
enum status feed_sql_has_key(const struct feed_store *store, int64_t run, struct byte_view key,
                             bool *ret_has);
