#pragma once

#include "base/db.h"
#include "broker/store/store.h"

/*
 * The store in SQLite. It shares its database with the log, so that both are written in one transaction:
 * store_begin, store_commit and store_rollback are the database's own.
 */

/* For the database's db_options, beside the log's own tables. */
extern const char store_sqlite_schema[];

/* store_sqlite_new - over an open database with that schema; borrowed until store_close, which leaves it
 * open. Returns STATUS_NO_MEMORY. */
enum status store_sqlite_new(struct db *db, struct store **ret_store);
