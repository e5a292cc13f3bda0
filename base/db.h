#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * SQLite as Concordat uses it: one writing connection a file, WAL, explicit checkpoints, no surprises from
 * the schema. A struct db and its statements belong to one thread at a time.
 *
 * What every function may return: NO_SPACE (disk or quota full), IO (a read, write or sync failed), CORRUPT
 * (damaged, or not a database), NO_MEMORY, IN_USE (another connection holds it; nothing waits), TOO_LARGE,
 * EXISTS (a unique key is taken), otherwise DATABASE. db_error_text says more.
 *
 * A transaction is wholly there or wholly absent. When a statement inside one fails so that SQLite gave the
 * transaction up, or could not be trusted to go on (no space, reading, writing, memory, damage), the
 * transaction is rolled back at once and every further step returns that status until db_commit (which
 * returns it too) or db_rollback: nobody can go on in the belief that what was written before is still there.
 * After a failed sync (STATUS_IO from db_commit) the rows are not visible, but a crash might bring them back.
 */

struct db;
struct db_statement;

enum db_kind {
    DB_DURABLE, /* synced before db_commit returns */
    DB_DERIVED, /* can be rebuilt: consistent after a crash, but may have lost its last transactions */
};

/* What makes one layout into the next: SQL, then a function for what SQL cannot say; either may be NULL. Once
 * a change was given out it stays as it is for ever. */
struct db_change {
    const char *sql;
    enum status (*run)(struct db *db);
};

struct db_options {
    int32_t application_id; /* must not be 0 */
    int32_t user_version;   /* number of the layout, from 1 */
    const char *schema_sql; /* the tables: of layout 1 if there are changes, else of this one */
    const struct db_change
        *changes;            /* the first makes layout 1 into 2, and so on; NULL: others are of no use */
    size_t change_count;     /* user_version - 1 */
    const char *changed_sql; /* run in the transaction of every change of an older file; or NULL */
    int32_t oldest;          /* read_only: also layouts from this one on can be read; 0: none but ours */
    enum db_kind kind;
    bool read_only;     /* the file must exist; never writes, never checkpoints */
    bool memory;        /* no file: path is ignored. For tests and twins */
    unsigned cache_kib; /* page cache; 0 for SQLite's own 2,000 KiB */
    const char *vfs;    /* NULL but in fault tests */
};

/*
 * db_open - open or create the database at path.
 *
 * A new file gets mode 0600 and the layout. One of an older layout goes through the changes that it lacks,
 * each in a transaction of its own: whoever is killed between two goes on with the next. Returns
 * STATUS_MISMATCH for somebody else's database (another application id), STATUS_NEWER for one of a newer
 * version of the program, STATUS_UNSUPPORTED for an older layout without changes from there, STATUS_CORRUPT
 * for what is no database, STATUS_NOT_FOUND (read_only) or what safefile_status makes of failing to create
 * the file. Close with db_close.
 */
enum status db_open(const char *path, const struct db_options *options, struct db **ret_db);

/* db_close - end every statement, roll back what was not committed, checkpoint (not read_only) and close. */
void db_close(struct db **db);

/* db_error_text - the last failure in SQLite's words with its codes, for logs; "" if none. Valid until the
 * next. */
const char *db_error_text(const struct db *db);

/* db_begin - BEGIN IMMEDIATE. Must not be called inside a transaction. */
enum status db_begin(struct db *db);

/* db_commit - must be called inside one (given up or not). On failure nothing was kept and the transaction is
 * over. */
enum status db_commit(struct db *db);

/* db_rollback - give up the transaction, if there is one. */
void db_rollback(struct db *db);

/* db_in_transaction - between db_begin and its end, a transaction that was given up included. */
bool db_in_transaction(const struct db *db);

/* db_exec - run statements that return nothing and take no parameters, one after the other; stops at a
 * failure. */
enum status db_exec(struct db *db, const char *sql);

/*
 * db_statement - the prepared statement for sql, kept until db_close; asking again resets it and clears its
 * parameters.
 *
 * sql is a string literal (or lives and stays unchanged until db_close). It is recognised by its address: ask
 * from one place in the code with one literal.
 */
enum status db_statement(struct db *db, const char *sql, struct db_statement **ret_statement);

/*
 * Parameters count from 1. Views and texts are borrowed until the statement is done, reset or asked for
 * again. A failure to bind is returned by the next db_step. An empty view binds an empty blob, a NULL text
 * binds NULL.
 */
void db_bind_int64(struct db_statement *statement, int parameter, int64_t value);
void db_bind_blob(struct db_statement *statement, int parameter, struct byte_view value);
void db_bind_text(struct db_statement *statement, int parameter, const char *text);
void db_bind_text_view(struct db_statement *statement, int parameter, struct byte_view utf8);
void db_bind_null(struct db_statement *statement, int parameter);

/*
 * db_step - run to the next row. *ret_row false: done, and the statement is reset with its parameters
 * cleared. Whoever stops while there are rows left calls db_reset (an open statement holds old pages in the
 * WAL).
 */
enum status db_step(struct db_statement *statement, bool *ret_row);

/* db_run - step a statement that returns no row (a row is a bug) to its end. */
enum status db_run(struct db_statement *statement);

void db_reset(struct db_statement *statement); /* and clears the parameters */

/* Columns count from 0. Views and texts are borrowed until the next step or reset. NULL reads as 0, empty,
 * "". */
int64_t db_column_int64(struct db_statement *statement, int column);
struct byte_view db_column_blob(struct db_statement *statement, int column);
const char *db_column_text(struct db_statement *statement, int column);
bool db_column_is_null(struct db_statement *statement, int column);

int64_t db_last_rowid(const struct db *db); /* of the last successful INSERT */
int64_t db_changes(const struct db *db);    /* rows changed by the last INSERT, UPDATE or DELETE */

/*
 * db_blob_write - overwrite bytes inside a stored blob in place; its size does not change. Not for blobs that
 * are indexed or in a WITHOUT ROWID table.
 *
 * Returns STATUS_NOT_FOUND (no such row, table or column, or no blob there) or STATUS_BAD_ARGUMENT (outside
 * the blob).
 */
enum status db_blob_write(struct db *db, const char *table, const char *column, int64_t rowid, size_t offset,
                          struct byte_view content);

/* db_blob_read - size bytes from offset into ret_data. Errors as db_blob_write. */
enum status db_blob_read(struct db *db, const char *table, const char *column, int64_t rowid, size_t offset,
                         uint8_t *ret_data, size_t size);

/*
 * db_checkpoint - copy the WAL into the database file. truncate also empties the WAL file, so that nothing
 * erased remains in it. Not inside a transaction. STATUS_BUSY: a reader kept part (truncate: all) of it from
 * being done; try again.
 */
enum status db_checkpoint(struct db *db, bool truncate);

/* db_wal_pages - pages in the WAL after our last commit or checkpoint, to decide when to checkpoint. */
int64_t db_wal_pages(const struct db *db);
