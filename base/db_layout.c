#include "base/db_layout.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/crash.h"

/* Pragmas take no parameters, so their numbers go into the text. */
enum status db_layout_pragma(struct db *db, const char *name, long value)
{
    char sql[96];

    snprintf(sql, sizeof sql, "PRAGMA %s = %ld", name, value);
    return db_exec(db, sql);
}

static enum status read_number(struct db *db, const char *sql, int64_t *ret_number)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(db, sql, &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    if (row)
        *ret_number = db_column_int64(statement, 0);
    db_reset(statement);
    return row ? STATUS_OK : STATUS_DATABASE;
}

/* Also for a file that exists: a restored copy (VACUUM INTO) is in another mode. */
static enum status use_wal(struct db *db, const struct db_options *options)
{
    struct db_statement *statement = NULL;
    bool row = false;

    if (options->read_only || options->memory)
        return STATUS_OK;
    enum status status = db_statement(db, "PRAGMA journal_mode = WAL", &statement);
    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    bool wal = row && strcmp(db_column_text(statement, 0), "wal") == 0;
    db_reset(statement);
    return wal ? STATUS_OK : STATUS_DATABASE;
}

/* ---- changes of the layout ---- */

static enum status apply(struct db *db, const struct db_change *change)
{
    enum status status = change->sql == NULL ? STATUS_OK : db_exec(db, change->sql);

    return status == STATUS_OK && change->run != NULL ? change->run(db) : status;
}

/* The step from layout `version` to the next, wholly or not at all. */
static enum status step(struct db *db, const struct db_options *options, int64_t version)
{
    enum status status = db_begin(db);

    if (status != STATUS_OK)
        return status;
    status = apply(db, &options->changes[version - 1]);
    if (status == STATUS_OK && options->changed_sql != NULL)
        status = db_exec(db, options->changed_sql);
    if (status == STATUS_OK)
        status = db_layout_pragma(db, "user_version", (long)version + 1);
    CRASH_POINT("db.layout.step");
    if (status == STATUS_OK)
        return db_commit(db);
    db_rollback(db);
    return status;
}

static enum status bring_up(struct db *db, const struct db_options *options, int64_t version)
{
    enum status status = use_wal(db, options);

    for (; status == STATUS_OK && version < options->user_version; version++) {
        status = step(db, options, version);
        CRASH_POINT("db.layout.stepped");
    }
    return status;
}

static enum status judge(struct db *db, const struct db_options *options, int64_t version)
{
    if (version == options->user_version)
        return use_wal(db, options);
    if (version > options->user_version)
        return STATUS_NEWER;
    if (options->read_only)
        return options->oldest > 0 && version >= options->oldest ? STATUS_OK : STATUS_UNSUPPORTED;
    return options->changes != NULL && version >= 1 ? bring_up(db, options, version) : STATUS_UNSUPPORTED;
}

/* ---- a new file ---- */

/* The first layout, then every change since: so that a new file is what an old one becomes. */
static enum status create(struct db *db, const struct db_options *options)
{
    enum status status = use_wal(db, options);

    if (status == STATUS_OK)
        status = db_begin(db);
    if (status != STATUS_OK)
        return status;
    status = db_exec(db, options->schema_sql);
    for (size_t i = 0; status == STATUS_OK && options->changes != NULL && i < options->change_count; i++)
        status = apply(db, &options->changes[i]);
    if (status == STATUS_OK)
        status = db_layout_pragma(db, "application_id", options->application_id);
    if (status == STATUS_OK)
        status = db_layout_pragma(db, "user_version", options->user_version);
    if (status == STATUS_OK)
        return db_commit(db);
    db_rollback(db);
    return status;
}

enum status db_layout_claim(struct db *db, const struct db_options *options)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t objects = 0;
    enum status status = read_number(db, "PRAGMA application_id", &application);

    if (status == STATUS_OK)
        status = read_number(db, "PRAGMA user_version", &version);
    if (status == STATUS_OK)
        status = read_number(db, "SELECT count(*) FROM sqlite_schema", &objects);
    if (status != STATUS_OK)
        return status;
    if (application == options->application_id)
        return judge(db, options, version);
    if (application != 0 || version != 0 || objects != 0 || options->read_only)
        return STATUS_MISMATCH;
    return create(db, options);
}
