#include "tests/support/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/db.h"
#include "base/safefile.h"
#include "tests/support/faultvfs.h"

#define SCHEMA                                                                                               \
    "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, content BLOB) STRICT;"                     \
    "CREATE TABLE part (item INTEGER NOT NULL REFERENCES item (id)) STRICT;"

static const struct db_options usual = {
    .application_id = 0x434f4e43, .user_version = 2, .schema_sql = SCHEMA};

static char folder[] = "/tmp/test-db-XXXXXX";
static char path[64];

static int new_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test-db-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/a.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static struct db *open_with(struct db_options options)
{
    struct db *db = NULL;

    assert_int_equal(db_open(path, &options, &db), STATUS_OK);
    return db;
}

static struct db *open_usual(void)
{
    return open_with(usual);
}

static enum status insert(struct db *db, int64_t id, struct byte_view content)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(db, "INSERT INTO item (id, content) VALUES (?1, ?2)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, id);
    db_bind_blob(statement, 2, content);
    return db_run(statement);
}

/* The one number that sql gives; sql is a literal. */
static int64_t number(struct db *db, const char *sql)
{
    struct db_statement *statement = NULL;
    bool row = false;

    assert_int_equal(db_statement(db, sql, &statement), STATUS_OK);
    assert_int_equal(db_step(statement, &row), STATUS_OK);
    assert_true(row);
    int64_t value = db_column_int64(statement, 0);
    db_reset(statement);
    return value;
}

static int64_t count_items(struct db *db)
{
    return number(db, "SELECT count(*) FROM item");
}

static off_t wal_size(void)
{
    char wal[80];
    struct stat found;

    snprintf(wal, sizeof wal, "%s-wal", path);
    return stat(wal, &found) == 0 ? found.st_size : -1;
}

static void a_new_file_is_private_and_has_the_schema(void **state)
{
    (void)state;
    struct stat found;
    mode_t before = umask(0);
    struct db *db = open_usual();

    assert_int_equal(insert(db, 1, bytes_of_string("x")), STATUS_OK);
    umask(before);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    assert_int_equal(number(db, "PRAGMA application_id"), usual.application_id);
    db_close(&db);
    assert_null(db);
    db = open_usual();
    assert_int_equal(count_items(db), 1);
    db_close(&db);
    db_close(&db);
}

static void what_is_not_ours_is_refused(void **state)
{
    (void)state;
    struct db_options options = usual;
    struct db *db = open_usual();

    db_close(&db);
    options.application_id++;
    assert_int_equal(db_open(path, &options, &db), STATUS_MISMATCH);
    options = usual;
    options.user_version = 1;
    assert_int_equal(db_open(path, &options, &db), STATUS_NEWER);
    options.user_version = 3;
    assert_int_equal(db_open(path, &options, &db), STATUS_UNSUPPORTED); /* and no way from there is known */
    options = usual;
    options.read_only = true;
    snprintf(path, sizeof path, "%s/none.db", folder);
    assert_int_equal(db_open(path, &options, &db), STATUS_NOT_FOUND);
    assert_int_equal(db_open(":memory:", &usual, &db), STATUS_BAD_ARGUMENT);
    assert_int_equal(db_open("file:a.db", &usual, &db), STATUS_BAD_ARGUMENT);
    assert_int_equal(db_open("", &usual, &db), STATUS_BAD_ARGUMENT);
    assert_int_equal(safefile_write(path, bytes_of_string("This is a text, and no database at all."), 0600),
                     STATUS_OK);
    assert_int_equal(db_open(path, &usual, &db), STATUS_CORRUPT);
    assert_null(db);
}

/* ---- layouts ---- */

/* Whatever write fails: the file is of one layout or the other, and the next start brings it up. */
#define EACH_WRITE 200

static enum status double_parts(struct db *db)
{
    return db_exec(db, "UPDATE part SET weight = 2 * weight;");
}

static const struct db_change good_changes[] = {
    {.sql = "ALTER TABLE part ADD COLUMN weight INTEGER NOT NULL DEFAULT 7;"},
    {.sql = "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT) STRICT;", .run = double_parts},
};

static const struct db_options first_layout = {
    .application_id = 0x434f4e43, .user_version = 1, .schema_sql = SCHEMA};

static const struct db_options third_layout = {.application_id = 0x434f4e43,
                                               .user_version = 3,
                                               .schema_sql = SCHEMA,
                                               .changes = good_changes,
                                               .change_count = 2,
                                               .changed_sql = "INSERT INTO item (name) VALUES (NULL);"};

static void make_first_layout(void)
{
    struct db *db = open_with(first_layout);

    assert_int_equal(db_exec(db, "INSERT INTO item (id) VALUES (1); INSERT INTO part VALUES (1);"),
                     STATUS_OK);
    db_close(&db);
}

static void an_older_layout_is_brought_up(void **state)
{
    (void)state;
    make_first_layout();
    struct db *db = open_with(third_layout);

    assert_int_equal(number(db, "PRAGMA user_version"), 3);
    assert_int_equal(number(db, "SELECT weight FROM part"), 14);
    assert_int_equal(number(db, "SELECT count(*) FROM note"), 0);
    assert_int_equal(count_items(db), 3); /* changed_sql ran with each change */
    db_close(&db);
    db = open_with(third_layout);
    assert_int_equal(count_items(db), 3); /* and nothing runs twice */
    db_close(&db);
}

static void a_new_file_is_what_an_old_one_becomes(void **state)
{
    (void)state;
    struct db *db = open_with(third_layout);

    assert_int_equal(number(db, "PRAGMA user_version"), 3);
    assert_int_equal(number(db, "SELECT count(*) FROM pragma_table_info('part') WHERE name = 'weight'"), 1);
    assert_int_equal(count_items(db), 0); /* changed_sql is for older files */
    db_close(&db);
}

static enum status no_way(struct db *db)
{
    (void)db;
    return STATUS_CORRUPT;
}

static void a_change_that_fails_leaves_nothing(void **state)
{
    (void)state;
    static const struct db_change bad[] = {
        {.sql = "ALTER TABLE part ADD COLUMN weight INTEGER NOT NULL DEFAULT 7;"},
        {.sql = "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT) STRICT;", .run = no_way},
    };
    struct db_options options = third_layout;
    struct db *db = NULL;

    options.changes = bad;
    make_first_layout();
    assert_int_equal(db_open(path, &options, &db), STATUS_CORRUPT);
    assert_null(db);
    options = first_layout;
    options.read_only = true;
    assert_int_equal(db_open(path, &options, &db), STATUS_NEWER); /* the first step stays */
    options.user_version = 2;
    db = open_with(options);
    assert_int_equal(number(db, "SELECT weight FROM part"), 7);
    assert_int_equal(number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'note'"), 0);
    db_close(&db);
    db = open_with(third_layout); /* the next start goes on from there */
    assert_int_equal(number(db, "SELECT weight FROM part"), 14);
    db_close(&db);
}

static void a_full_disk_during_changes_loses_nothing(void **state)
{
    (void)state;
    struct db_options options = third_layout;
    unsigned failures = 0;

    faultvfs_register();
    options.vfs = FAULTVFS_NAME;
    for (unsigned n = 0; n < EACH_WRITE; n++) {
        struct db *db = NULL;
        snprintf(path, sizeof path, "%s/%u.db", folder, n);
        make_first_layout();
        faultvfs_fail(FAULTVFS_SHORT, n);
        enum status status = db_open(path, &options, &db);
        if (faultvfs_heal() == 0) {
            assert_int_equal(status, STATUS_OK);
            db_close(&db);
            break;
        }
        failures++;
        assert_int_equal(status, STATUS_NO_SPACE);
        db = open_with(third_layout);
        assert_int_equal(number(db, "SELECT weight FROM part"), 14);
        assert_int_equal(count_items(db), 3);
        db_close(&db);
    }
    assert_true(failures > 3);
}

static void readers_change_nothing(void **state)
{
    (void)state;
    struct db_options options = third_layout;
    struct db *db = NULL;

    make_first_layout();
    options.read_only = true;
    assert_int_equal(db_open(path, &options, &db), STATUS_UNSUPPORTED);
    options.oldest = 2;
    assert_int_equal(db_open(path, &options, &db), STATUS_UNSUPPORTED);
    options.oldest = 1;
    db = open_with(options);
    assert_int_equal(number(db, "PRAGMA user_version"), 1);
    db_close(&db);
}

static void somebody_elses_database_is_not_touched(void **state)
{
    (void)state;
    struct db *db = open_usual();

    assert_int_equal(db_exec(db, "PRAGMA application_id = 0; PRAGMA user_version = 0"), STATUS_OK);
    db_close(&db);
    struct byte_buffer before = support_read_file(path);
    assert_int_equal(db_open(path, &usual, &db), STATUS_MISMATCH);
    struct byte_buffer after = support_read_file(path);
    assert_true(bytes_equal(bytes_buffer_view(&before), bytes_buffer_view(&after)));
    bytes_buffer_free(&before);
    bytes_buffer_free(&after);
}

static void the_settings_hold(void **state)
{
    (void)state;
    struct db *db = open_usual();

    assert_int_equal(number(db, "PRAGMA synchronous"), 2);
    assert_int_equal(number(db, "PRAGMA foreign_keys"), 1);
    assert_int_equal(number(db, "PRAGMA secure_delete"), 1);
    assert_int_equal(number(db, "PRAGMA trusted_schema"), 0);
    assert_int_equal(number(db, "PRAGMA mmap_size"), 0);
    assert_int_equal(number(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    assert_int_equal(db_exec(db, "SELECT \"no such column\""), STATUS_DATABASE);
    assert_non_null(strstr(db_error_text(db), "no such column"));
    assert_int_equal(db_exec(db, "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema"), STATUS_DATABASE);
    assert_int_equal(db_exec(db, "INSERT INTO part (item) VALUES (99)"), STATUS_DATABASE);
    /* No checkpoint of SQLite's own, however large the WAL. */
    static const uint8_t page[4096];
    for (int64_t id = 0; id < 1200; id++)
        assert_int_equal(insert(db, id, bytes_view(page, sizeof page)), STATUS_OK);
    assert_true(db_wal_pages(db) > 1200);
    db_close(&db);
    struct db_options options = usual;
    options.kind = DB_DERIVED;
    options.cache_kib = 300;
    db = open_with(options);
    assert_int_equal(number(db, "PRAGMA synchronous"), 1);
    assert_int_equal(number(db, "PRAGMA cache_size"), -300);
    db_close(&db);
}

static void a_restored_copy_goes_back_to_wal(void **state)
{
    (void)state;
    char copy[64];
    char sql[96];
    struct db *db = open_usual();

    snprintf(copy, sizeof copy, "%s/b.db", folder);
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", copy);
    assert_int_equal(db_exec(db, sql), STATUS_OK);
    db_close(&db);
    strcpy(path, copy);
    db = open_usual();
    assert_int_equal(number(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    db_close(&db);
}

static void values_come_back_as_they_were(void **state)
{
    (void)state;
    struct db_options options = usual;
    struct db_statement *statement = NULL;
    bool row = false;

    options.memory = true;
    struct db *db = open_with(options);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(db_statement(db, "SELECT ?1, ?2, ?3, ?4, ?5, ?6", &statement), STATUS_OK);
    db_bind_int64(statement, 1, INT64_MIN);
    db_bind_blob(statement, 2, bytes_view("a\0b", 3));
    db_bind_blob(statement, 3, bytes_view(NULL, 0));
    db_bind_text(statement, 4, "text");
    db_bind_text(statement, 5, NULL);
    db_bind_text_view(statement, 6, bytes_view("longer", 4));
    assert_int_equal(db_step(statement, &row), STATUS_OK);
    assert_true(row);
    assert_true(db_column_int64(statement, 0) == INT64_MIN);
    assert_true(bytes_equal(db_column_blob(statement, 1), bytes_view("a\0b", 3)));
    assert_false(db_column_is_null(statement, 2));
    assert_int_equal(db_column_blob(statement, 2).size, 0);
    assert_string_equal(db_column_text(statement, 3), "text");
    assert_true(db_column_is_null(statement, 4));
    assert_string_equal(db_column_text(statement, 4), "");
    assert_string_equal(db_column_text(statement, 5), "long");
    assert_int_equal(db_step(statement, &row), STATUS_OK);
    assert_false(row);
    /* Done: the parameters are gone. */
    assert_int_equal(db_step(statement, &row), STATUS_OK);
    assert_true(db_column_is_null(statement, 0));
    /* A parameter that does not exist is told by the step, and forgotten by a reset. */
    db_reset(statement);
    db_bind_null(statement, 7);
    assert_int_equal(db_step(statement, &row), STATUS_DATABASE);
    assert_int_equal(db_step(statement, &row), STATUS_OK);
    db_close(&db);
}

static void a_taken_key_spoils_nothing(void **state)
{
    (void)state;
    struct db *db = open_usual();

    assert_int_equal(db_begin(db), STATUS_OK);
    assert_int_equal(insert(db, 1, bytes_of_string("a")), STATUS_OK);
    assert_int_equal(insert(db, 1, bytes_of_string("b")), STATUS_EXISTS);
    assert_int_equal(db_exec(db, "INSERT INTO item (name) VALUES ('x')"), STATUS_OK);
    assert_int_equal(db_last_rowid(db), 2);
    assert_int_equal(db_exec(db, "INSERT INTO item (name) VALUES ('x')"), STATUS_EXISTS);
    assert_int_equal(db_exec(db, "UPDATE item SET name = 'y' WHERE id = 2"), STATUS_OK);
    assert_int_equal(db_changes(db), 1);
    assert_int_equal(db_commit(db), STATUS_OK);
    assert_false(db_in_transaction(db));
    assert_int_equal(count_items(db), 2);
    db_close(&db);
}

static void a_rollback_leaves_nothing(void **state)
{
    (void)state;
    struct db *db = open_usual();

    db_rollback(db);
    assert_int_equal(db_begin(db), STATUS_OK);
    assert_true(db_in_transaction(db));
    assert_int_equal(insert(db, 1, bytes_of_string("a")), STATUS_OK);
    db_rollback(db);
    assert_false(db_in_transaction(db));
    assert_int_equal(count_items(db), 0);
    assert_int_equal(db_begin(db), STATUS_OK);
    assert_int_equal(insert(db, 1, bytes_of_string("a")), STATUS_OK);
    db_close(&db); /* what was not committed is gone */
    db = open_usual();
    assert_int_equal(count_items(db), 0);
    db_close(&db);
}

static void a_second_writer_does_not_wait(void **state)
{
    (void)state;
    struct db *db = open_usual();
    struct db *other = open_usual();

    assert_int_equal(db_begin(db), STATUS_OK);
    assert_int_equal(db_begin(other), STATUS_IN_USE);
    assert_false(db_in_transaction(other));
    assert_int_equal(db_commit(db), STATUS_OK);
    assert_int_equal(db_begin(other), STATUS_OK);
    assert_int_equal(db_commit(other), STATUS_OK);
    db_close(&other);
    db_close(&db);
}

static void a_reader_reads_and_nothing_else(void **state)
{
    (void)state;
    struct db_options options = usual;
    struct db *db = open_usual();

    options.read_only = true;
    assert_int_equal(insert(db, 1, bytes_of_string("a")), STATUS_OK);
    struct db *reader = open_with(options);
    assert_int_equal(count_items(reader), 1);
    assert_int_equal(insert(db, 2, bytes_of_string("b")), STATUS_OK);
    assert_int_equal(count_items(reader), 2);
    assert_int_not_equal(insert(reader, 3, bytes_of_string("c")), STATUS_OK);
    off_t before = wal_size();
    db_close(&reader);
    assert_true(before > 0);
    assert_int_equal(wal_size(), before);
    db_close(&db);
    /* The writer's last act emptied the WAL; a reader opens the file all the same. */
    assert_int_equal(wal_size(), -1);
    reader = open_with(options);
    assert_int_equal(count_items(reader), 2);
    db_close(&reader);
}

static void copy_file(const char *from, const char *to)
{
    struct byte_buffer content = support_read_file(from);

    assert_int_equal(safefile_write(to, bytes_buffer_view(&content), 0600), STATUS_OK);
    bytes_buffer_free(&content);
}

static void a_reader_leaves_a_dead_writers_wal_alone(void **state)
{
    (void)state;
    char wal[80];
    char copy[80];
    char copy_wal[88];
    struct db_options options = usual;
    struct db *db = open_usual();

    assert_int_equal(insert(db, 1, bytes_of_string("a")), STATUS_OK);
    snprintf(wal, sizeof wal, "%s-wal", path);
    snprintf(copy, sizeof copy, "%s/b.db", folder);
    snprintf(copy_wal, sizeof copy_wal, "%s-wal", copy);
    copy_file(path, copy);
    copy_file(wal, copy_wal);
    db_close(&db);
    strcpy(path, copy);
    off_t before = wal_size();
    options.read_only = true;
    db = open_with(options);
    assert_int_equal(count_items(db), 1);
    db_close(&db);
    assert_true(before > 0);
    assert_int_equal(wal_size(), before);
}

static void blobs_are_changed_in_place(void **state)
{
    (void)state;
    uint8_t out[4] = {0};
    struct db *db = open_usual();

    assert_int_equal(insert(db, 7, bytes_of_string("abcdefgh")), STATUS_OK);
    assert_int_equal(db_blob_write(db, "item", "content", 7, 2, bytes_of_string("XY")), STATUS_OK);
    assert_int_equal(db_blob_read(db, "item", "content", 7, 1, out, 4), STATUS_OK);
    assert_memory_equal(out, "bXYe", 4);
    assert_int_equal(db_blob_write(db, "item", "content", 7, 7, bytes_of_string("XY")), STATUS_BAD_ARGUMENT);
    assert_int_equal(db_blob_read(db, "item", "content", 7, SIZE_MAX, out, 4), STATUS_BAD_ARGUMENT);
    assert_int_equal(db_blob_read(db, "item", "content", 8, 0, out, 1), STATUS_NOT_FOUND);
    assert_int_equal(db_blob_read(db, "item", "none", 7, 0, out, 1), STATUS_NOT_FOUND);
    assert_int_equal(db_begin(db), STATUS_OK);
    assert_int_equal(db_blob_write(db, "item", "content", 7, 0, bytes_of_string("--")), STATUS_OK);
    db_rollback(db);
    assert_int_equal(db_blob_read(db, "item", "content", 7, 0, out, 1), STATUS_OK);
    assert_int_equal(out[0], 'a');
    db_close(&db);
}

static bool file_holds(const char *file, const char *needle)
{
    struct byte_buffer content = support_read_file(file);
    bool found = content.size > 0 && memmem(content.data, content.size, needle, strlen(needle)) != NULL;

    bytes_buffer_free(&content);
    return found;
}

static void a_truncating_checkpoint_leaves_nothing_in_the_wal(void **state)
{
    (void)state;
    char wal[80];
    struct db *db = open_usual();

    snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(insert(db, 1, bytes_of_string("erase-me-please")), STATUS_OK);
    assert_true(db_wal_pages(db) > 0);
    assert_true(file_holds(wal, "erase-me"));
    assert_int_equal(db_checkpoint(db, false), STATUS_OK);
    assert_int_equal(db_wal_pages(db), 0);
    assert_true(file_holds(path, "erase-me"));
    assert_true(wal_size() > 0);
    assert_int_equal(db_exec(db, "DELETE FROM item"), STATUS_OK);
    assert_int_equal(db_checkpoint(db, true), STATUS_OK);
    assert_int_equal(wal_size(), 0);
    assert_false(file_holds(path, "erase-me"));
    db_close(&db);
}

static void a_checkpoint_tells_of_a_reader_in_its_way(void **state)
{
    (void)state;
    struct db_options options = usual;
    struct db_statement *statement = NULL;
    bool row = false;
    struct db *db = open_usual();

    assert_int_equal(insert(db, 1, bytes_of_string("a")), STATUS_OK);
    options.read_only = true;
    struct db *reader = open_with(options);
    assert_int_equal(db_statement(reader, "SELECT id FROM item", &statement), STATUS_OK);
    assert_int_equal(db_step(statement, &row), STATUS_OK);
    assert_int_equal(insert(db, 2, bytes_of_string("b")), STATUS_OK);
    assert_int_equal(db_checkpoint(db, false), STATUS_BUSY);
    assert_int_equal(db_checkpoint(db, true), STATUS_BUSY);
    db_reset(statement);
    assert_int_equal(db_checkpoint(db, true), STATUS_OK);
    db_close(&reader);
    db_close(&db);
}

#define ROWS 24

static enum status write_rows(struct db *db, int64_t first, bool *ret_refused_early)
{
    uint8_t content[6000];
    enum status status = db_begin(db);

    if (status != STATUS_OK)
        return status;
    memset(content, 'x', sizeof content);
    for (int64_t id = first; id < first + ROWS; id++) {
        status = insert(db, id, bytes_view(content, sizeof content));
        if (status == STATUS_OK)
            continue;
        /* Given up: even with the fault gone, nothing may be added as if the rows before were still there. */
        *ret_refused_early = true;
        (void)faultvfs_heal();
        assert_true(db_in_transaction(db));
        assert_int_equal(insert(db, id, bytes_view(content, 1)), status);
        assert_int_equal(db_exec(db, "DELETE FROM item"), status);
        assert_int_equal(db_blob_write(db, "item", "content", 0, 0, bytes_of_string("y")), status);
        assert_int_equal(db_commit(db), status);
        return status;
    }
    return db_commit(db);
}

/* Fails the n-th operation of a transaction, for every n until none is left to fail. */
static void fail_everywhere(enum faultvfs_kind kind, enum status expected)
{
    struct db_options options = usual;
    bool refused_early = false;
    unsigned failures = 0;
    int64_t whole = ROWS;

    faultvfs_register();
    options.vfs = FAULTVFS_NAME;
    options.cache_kib = 40; /* so small that pages are written before the commit */
    struct db *db = open_with(options);
    assert_int_equal(write_rows(db, 0, &refused_early), STATUS_OK);
    for (unsigned n = 0;; n++) {
        faultvfs_fail(kind, n);
        enum status status = write_rows(db, whole, &refused_early);
        if (faultvfs_heal() == 0) {
            assert_int_equal(status, STATUS_OK);
            whole += ROWS;
            break;
        }
        failures++;
        assert_int_equal(status, expected);
        assert_false(db_in_transaction(db));
        assert_string_not_equal(db_error_text(db), "");
        assert_int_equal(count_items(db), whole);
        /* Usable at once. */
        if (n % 2 == 0) {
            assert_int_equal(write_rows(db, whole, &refused_early), STATUS_OK);
            whole += ROWS;
        }
    }
    assert_true(failures >= (kind == FAULTVFS_SYNC ? 1 : 40));
    assert_true(refused_early == (kind != FAULTVFS_SYNC));
    db_close(&db);
    db = open_usual();
    assert_int_equal(count_items(db), whole);
    assert_int_equal(number(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    db_close(&db);
}

static void a_full_disk_leaves_all_or_nothing(void **state)
{
    (void)state;
    fail_everywhere(FAULTVFS_FULL, STATUS_NO_SPACE);
}

static void a_half_written_page_leaves_all_or_nothing(void **state)
{
    (void)state;
    fail_everywhere(FAULTVFS_SHORT, STATUS_NO_SPACE);
}

static void a_failing_write_leaves_all_or_nothing(void **state)
{
    (void)state;
    fail_everywhere(FAULTVFS_WRITE, STATUS_IO);
}

static void a_failing_sync_leaves_all_or_nothing(void **state)
{
    (void)state;
    fail_everywhere(FAULTVFS_SYNC, STATUS_IO);
}

static void a_checkpoint_on_a_full_disk_loses_nothing(void **state)
{
    (void)state;
    struct db_options options = usual;
    bool refused_early = false;
    unsigned n = 0;

    faultvfs_register();
    options.vfs = FAULTVFS_NAME;
    struct db *db = open_with(options);
    for (;; n++) {
        assert_int_equal(write_rows(db, (int64_t)n * ROWS, &refused_early), STATUS_OK);
        faultvfs_fail(FAULTVFS_FULL, n);
        enum status status = db_checkpoint(db, true);
        if (faultvfs_heal() == 0 || n == 100)
            break;
        assert_int_equal(status, STATUS_NO_SPACE);
        assert_int_equal(count_items(db), (int64_t)(n + 1) * ROWS);
    }
    assert_true(n > 10);
    db_close(&db);
    db = open_usual();
    assert_int_equal(count_items(db), (int64_t)(n + 1) * ROWS);
    assert_int_equal(number(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    db_close(&db);
}

static void a_schema_is_made_whole_or_made_later(void **state)
{
    (void)state;
    struct db_options options = usual;
    unsigned failures = 0;

    faultvfs_register();
    options.vfs = FAULTVFS_NAME;
    for (unsigned n = 0; n < 100; n++) {
        struct db *db = NULL;
        snprintf(path, sizeof path, "%s/%u.db", folder, n);
        faultvfs_fail(FAULTVFS_SHORT, n);
        enum status status = db_open(path, &options, &db);
        if (faultvfs_heal() == 0) {
            assert_int_equal(status, STATUS_OK);
            db_close(&db);
            break;
        }
        failures++;
        assert_int_equal(status, STATUS_NO_SPACE);
        assert_null(db);
        db = open_usual();
        assert_int_equal(count_items(db), 0);
        db_close(&db);
    }
    assert_true(failures > 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, new_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_file_is_private_and_has_the_schema),
        TEST(what_is_not_ours_is_refused),
        TEST(an_older_layout_is_brought_up),
        TEST(a_new_file_is_what_an_old_one_becomes),
        TEST(a_change_that_fails_leaves_nothing),
        TEST(a_full_disk_during_changes_loses_nothing),
        TEST(readers_change_nothing),
        TEST(somebody_elses_database_is_not_touched),
        TEST(the_settings_hold),
        TEST(a_restored_copy_goes_back_to_wal),
        TEST(values_come_back_as_they_were),
        TEST(a_taken_key_spoils_nothing),
        TEST(a_rollback_leaves_nothing),
        TEST(a_second_writer_does_not_wait),
        TEST(a_reader_reads_and_nothing_else),
        TEST(a_reader_leaves_a_dead_writers_wal_alone),
        TEST(blobs_are_changed_in_place),
        TEST(a_truncating_checkpoint_leaves_nothing_in_the_wal),
        TEST(a_checkpoint_tells_of_a_reader_in_its_way),
        TEST(a_full_disk_leaves_all_or_nothing),
        TEST(a_half_written_page_leaves_all_or_nothing),
        TEST(a_failing_write_leaves_all_or_nothing),
        TEST(a_failing_sync_leaves_all_or_nothing),
        TEST(a_checkpoint_on_a_full_disk_loses_nothing),
        TEST(a_schema_is_made_whole_or_made_later),
    };
    return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
