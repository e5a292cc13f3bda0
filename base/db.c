#include "base/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/db_layout.h"
#include "base/safefile.h"

struct db_statement {
    struct db *db;
    const char *sql;
    sqlite3_stmt *prepared;
    enum status bound; /* the first failure to bind since the last reset */
};

struct db {
    sqlite3 *connection;
    struct db_statement **statements;
    size_t count;
    size_t room;
    bool transaction;     /* db_begin succeeded, neither commit nor rollback came yet */
    enum status given_up; /* why the transaction is no more, or STATUS_OK */
    int64_t wal_pages;
    char error[256];
};

static enum status status_of(int code, int system_error)
{
    if (code == SQLITE_CONSTRAINT_PRIMARYKEY || code == SQLITE_CONSTRAINT_ROWID ||
        code == SQLITE_CONSTRAINT_UNIQUE)
        return STATUS_EXISTS;
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return STATUS_OK;
    case SQLITE_FULL:
        return STATUS_NO_SPACE;
    case SQLITE_IOERR:
        /* SQLite itself recognises only ENOSPC. */
        return system_error == EDQUOT ? STATUS_NO_SPACE : STATUS_IO;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return STATUS_CORRUPT;
    case SQLITE_NOMEM:
        return STATUS_NO_MEMORY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return STATUS_IN_USE;
    case SQLITE_TOOBIG:
        return STATUS_TOO_LARGE;
    default:
        return STATUS_DATABASE;
    }
}

static bool ends_transaction(enum status status)
{
    return status == STATUS_NO_SPACE || status == STATUS_IO || status == STATUS_CORRUPT ||
           status == STATUS_NO_MEMORY;
}

static void roll_back(struct db *db)
{
    if (!sqlite3_get_autocommit(db->connection))
        (void)sqlite3_exec(db->connection, "ROLLBACK", NULL, NULL, NULL);
}

/* Notes a failure, and gives the transaction up if it cannot go on. */
static enum status fail(struct db *db, int code)
{
    int system_error = sqlite3_system_errno(db->connection);
    enum status status = status_of(code, system_error);

    snprintf(db->error, sizeof db->error, "%s (code %d, errno %d)", sqlite3_errmsg(db->connection), code,
             system_error);
    if (db->transaction && db->given_up == STATUS_OK &&
        (ends_transaction(status) || sqlite3_get_autocommit(db->connection))) {
        db->given_up = status;
        roll_back(db);
    }
    return status;
}

const char *db_error_text(const struct db *db)
{
    return db->error;
}

enum status db_exec(struct db *db, const char *sql)
{
    if (db->given_up != STATUS_OK)
        return db->given_up;
    int code = sqlite3_exec(db->connection, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? STATUS_OK : fail(db, code);
}

/* Also replaces SQLite's own automatic checkpoint, which is a hook of this kind. */
static int note_wal(void *context, sqlite3 *connection, const char *name, int pages)
{
    struct db *db = context;

    (void)connection;
    (void)name;
    db->wal_pages = pages;
    return SQLITE_OK;
}

static void configure_connection(struct db *db)
{
    static const struct {
        int option;
        int value;
    } switches[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},   {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},     {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1}, {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    };

    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        int set = -1;
        int code = sqlite3_db_config(db->connection, switches[i].option, switches[i].value, &set);
        assert(code == SQLITE_OK && set == switches[i].value);
    }
    sqlite3_busy_timeout(db->connection, 0);
    sqlite3_extended_result_codes(db->connection, 1);
    sqlite3_wal_hook(db->connection, note_wal, db);
}

static enum status configure_pragmas(struct db *db, const struct db_options *options)
{
    enum status status = db_exec(db, "PRAGMA locking_mode = NORMAL; PRAGMA secure_delete = ON;"
                                     "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
                                     "PRAGMA mmap_size = 0; PRAGMA recursive_triggers = ON;");

    if (status == STATUS_OK && options->cache_kib > 0)
        status = db_layout_pragma(db, "cache_size", -(long)options->cache_kib);
    if (status == STATUS_OK && options->read_only)
        return db_exec(db, "PRAGMA query_only = ON");
    if (status == STATUS_OK)
        status = db_exec(db, options->kind == DB_DURABLE ? "PRAGMA synchronous = FULL"
                                                         : "PRAGMA synchronous = NORMAL");
    return status;
}

/* SQLite would create the file with whatever the umask leaves. */
static enum status create_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return errno == EEXIST ? STATUS_OK : safefile_status(errno);
    close(fd);
    char *copy = strdup(path);
    if (copy == NULL)
        return STATUS_NO_MEMORY;
    enum status status = safefile_sync_folder(dirname(copy));
    free(copy);
    return status;
}

/* Names that SQLite does not take for file names: the empty one, ":memory:", "file:...". */
static bool is_file_name(const char *path)
{
    return path[0] != '\0' && path[0] != ':' && strncmp(path, "file:", 5) != 0;
}

static enum status connect_file(struct db *db, const char *path, const struct db_options *options)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    enum status status;

    if (options->memory) {
        path = ":memory:";
        flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY;
    } else if (!is_file_name(path)) {
        return STATUS_BAD_ARGUMENT;
    } else if (options->read_only) {
        /* Such a connection cannot checkpoint either, as only the writing one may (SQLite's WAL-reset bug).
         */
        flags |= SQLITE_OPEN_READONLY;
        if (access(path, F_OK) != 0)
            return safefile_status(errno);
    } else {
        flags |= SQLITE_OPEN_READWRITE;
        status = create_file(path);
        if (status != STATUS_OK)
            return status;
    }
    int code = sqlite3_open_v2(path, &db->connection, flags, options->vfs);
    if (code == SQLITE_OK)
        return STATUS_OK;
    return db->connection == NULL ? STATUS_NO_MEMORY : fail(db, code);
}

enum status db_open(const char *path, const struct db_options *options, struct db **ret_db)
{
    struct db *db = calloc(1, sizeof *db);
    enum status status;

    assert(options->application_id != 0 && options->user_version > 0 && options->schema_sql != NULL);
    assert(options->changes == NULL || options->read_only ||
           options->change_count + 1 == (size_t)options->user_version);
    if (db == NULL)
        return STATUS_NO_MEMORY;
    status = connect_file(db, path, options);
    if (status != STATUS_OK)
        goto out;
    configure_connection(db);
    status = configure_pragmas(db, options);
    if (status == STATUS_OK)
        status = db_layout_claim(db, options);
out:
    if (status == STATUS_OK)
        *ret_db = db;
    else
        db_close(&db);
    return status;
}

void db_close(struct db **db)
{
    if (*db == NULL)
        return;
    for (size_t i = 0; i < (*db)->count; i++) {
        sqlite3_finalize((*db)->statements[i]->prepared);
        free((*db)->statements[i]);
    }
    free((*db)->statements);
    int code = sqlite3_close((*db)->connection);
    assert(code == SQLITE_OK);
    free(*db);
    *db = NULL;
}

bool db_in_transaction(const struct db *db)
{
    return db->transaction;
}

enum status db_begin(struct db *db)
{
    assert(!db->transaction);
    struct db_statement *begin = NULL;
    enum status status = db_statement(db, "BEGIN IMMEDIATE", &begin);

    if (status == STATUS_OK)
        status = db_run(begin);
    db->transaction = status == STATUS_OK;
    return status;
}

enum status db_commit(struct db *db)
{
    assert(db->transaction);
    struct db_statement *commit = NULL;
    enum status status = db->given_up;

    if (status == STATUS_OK)
        status = db_statement(db, "COMMIT", &commit);
    if (status == STATUS_OK)
        status = db_run(commit);
    db_rollback(db);
    return status;
}

void db_rollback(struct db *db)
{
    if (db->transaction)
        roll_back(db);
    db->transaction = false;
    db->given_up = STATUS_OK;
}

static enum status keep(struct db *db, struct db_statement *statement)
{
    if (db->count == db->room) {
        size_t room = db->room == 0 ? 32 : db->room * 2;
        struct db_statement **grown = realloc(db->statements, room * sizeof *grown);
        if (grown == NULL)
            return STATUS_NO_MEMORY;
        db->statements = grown;
        db->room = room;
    }
    db->statements[db->count++] = statement;
    return STATUS_OK;
}

static enum status prepare(struct db *db, const char *sql, struct db_statement **ret_statement)
{
    struct db_statement *statement = calloc(1, sizeof *statement);
    const char *tail = "";

    if (statement == NULL)
        return STATUS_NO_MEMORY;
    *statement = (struct db_statement){.db = db, .sql = sql};
    int code =
        sqlite3_prepare_v3(db->connection, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement->prepared, &tail);
    enum status status = code == SQLITE_OK ? STATUS_OK : fail(db, code);
    assert(status != STATUS_OK || (statement->prepared != NULL && *tail == '\0'));
    if (status == STATUS_OK)
        status = keep(db, statement);
    if (status != STATUS_OK) {
        sqlite3_finalize(statement->prepared);
        free(statement);
        return status;
    }
    *ret_statement = statement;
    return STATUS_OK;
}

enum status db_statement(struct db *db, const char *sql, struct db_statement **ret_statement)
{
    for (size_t i = 0; i < db->count; i++) {
        if (db->statements[i]->sql == sql) {
            assert(strcmp(sqlite3_sql(db->statements[i]->prepared), sql) == 0);
            db_reset(db->statements[i]);
            *ret_statement = db->statements[i];
            return STATUS_OK;
        }
    }
    return prepare(db, sql, ret_statement);
}

static void note_bound(struct db_statement *statement, int code)
{
    if (code != SQLITE_OK && statement->bound == STATUS_OK)
        statement->bound = fail(statement->db, code);
}

void db_bind_int64(struct db_statement *statement, int parameter, int64_t value)
{
    note_bound(statement, sqlite3_bind_int64(statement->prepared, parameter, value));
}

void db_bind_blob(struct db_statement *statement, int parameter, struct byte_view value)
{
    const void *data = value.size == 0 ? "" : (const void *)value.data; /* a null pointer would bind NULL */

    note_bound(statement,
               sqlite3_bind_blob64(statement->prepared, parameter, data, value.size, SQLITE_STATIC));
}

void db_bind_text(struct db_statement *statement, int parameter, const char *text)
{
    if (text == NULL)
        db_bind_null(statement, parameter);
    else
        db_bind_text_view(statement, parameter, bytes_of_string(text));
}

void db_bind_text_view(struct db_statement *statement, int parameter, struct byte_view utf8)
{
    const char *text = utf8.size == 0 ? "" : (const char *)utf8.data;

    note_bound(statement, sqlite3_bind_text64(statement->prepared, parameter, text, utf8.size, SQLITE_STATIC,
                                              SQLITE_UTF8));
}

void db_bind_null(struct db_statement *statement, int parameter)
{
    note_bound(statement, sqlite3_bind_null(statement->prepared, parameter));
}

void db_reset(struct db_statement *statement)
{
    (void)sqlite3_reset(statement->prepared); /* repeats the step's failure, which was returned already */
    (void)sqlite3_clear_bindings(statement->prepared);
    statement->bound = STATUS_OK;
}

enum status db_step(struct db_statement *statement, bool *ret_row)
{
    enum status status = statement->db->given_up != STATUS_OK ? statement->db->given_up : statement->bound;

    if (status == STATUS_OK) {
        int code = sqlite3_step(statement->prepared);
        if (code == SQLITE_ROW) {
            *ret_row = true;
            return STATUS_OK;
        }
        if (code != SQLITE_DONE)
            status = fail(statement->db, code);
    }
    db_reset(statement);
    if (status == STATUS_OK)
        *ret_row = false;
    return status;
}

enum status db_run(struct db_statement *statement)
{
    bool row = false;
    enum status status = db_step(statement, &row);

    assert(!row);
    return status;
}

int64_t db_column_int64(struct db_statement *statement, int column)
{
    return sqlite3_column_int64(statement->prepared, column);
}

struct byte_view db_column_blob(struct db_statement *statement, int column)
{
    const void *data = sqlite3_column_blob(statement->prepared, column);

    return bytes_view(data, (size_t)sqlite3_column_bytes(statement->prepared, column));
}

const char *db_column_text(struct db_statement *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement->prepared, column);

    return text == NULL ? "" : (const char *)text;
}

bool db_column_is_null(struct db_statement *statement, int column)
{
    return sqlite3_column_type(statement->prepared, column) == SQLITE_NULL;
}

int64_t db_last_rowid(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->connection);
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->connection);
}

/* Opens a blob and checks that offset and size lie inside it. */
static enum status open_blob(struct db *db, const char *table, const char *column, int64_t rowid,
                             size_t offset, size_t size, bool write, sqlite3_blob **ret_blob)
{
    sqlite3_blob *blob = NULL;

    if (db->given_up != STATUS_OK)
        return db->given_up;
    int code = sqlite3_blob_open(db->connection, "main", table, column, rowid, write ? 1 : 0, &blob);
    if (code != SQLITE_OK) {
        enum status status = fail(db, code);
        return code == SQLITE_ERROR ? STATUS_NOT_FOUND : status;
    }
    size_t whole = (size_t)sqlite3_blob_bytes(blob);
    if (offset > whole || size > whole - offset) {
        (void)sqlite3_blob_close(blob);
        return STATUS_BAD_ARGUMENT;
    }
    *ret_blob = blob;
    return STATUS_OK;
}

/* Outside a transaction closing commits, so its result counts too. */
static enum status close_blob(struct db *db, sqlite3_blob *blob, int code)
{
    enum status status = code == SQLITE_OK ? STATUS_OK : fail(db, code);
    int closed = sqlite3_blob_close(blob);

    if (status == STATUS_OK && closed != SQLITE_OK)
        status = fail(db, closed);
    return status;
}

enum status db_blob_write(struct db *db, const char *table, const char *column, int64_t rowid, size_t offset,
                          struct byte_view content)
{
    sqlite3_blob *blob = NULL;
    enum status status = open_blob(db, table, column, rowid, offset, content.size, true, &blob);

    if (status != STATUS_OK)
        return status;
    return close_blob(db, blob, sqlite3_blob_write(blob, content.data, (int)content.size, (int)offset));
}

enum status db_blob_read(struct db *db, const char *table, const char *column, int64_t rowid, size_t offset,
                         uint8_t *ret_data, size_t size)
{
    sqlite3_blob *blob = NULL;
    enum status status = open_blob(db, table, column, rowid, offset, size, false, &blob);

    if (status != STATUS_OK)
        return status;
    return close_blob(db, blob, sqlite3_blob_read(blob, ret_data, (int)size, (int)offset));
}

enum status db_checkpoint(struct db *db, bool truncate)
{
    int pages = 0;
    int done = 0;

    assert(!db->transaction);
    int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    int code = sqlite3_wal_checkpoint_v2(db->connection, "main", mode, &pages, &done);
    if (code != SQLITE_OK) {
        enum status status = fail(db, code);
        return status == STATUS_IN_USE ? STATUS_BUSY : status;
    }
    if (pages != done)
        return STATUS_BUSY;
    if (pages >= 0)
        db->wal_pages = 0;
    return STATUS_OK;
}

int64_t db_wal_pages(const struct db *db)
{
    return db->wal_pages;
}
