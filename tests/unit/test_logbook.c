#include "tests/support/loghouse.h"

#include <stdlib.h>
#include <string.h>

#include "broker/logtiles.h"
#include "proto/checkpoint.h"
#include "proto/note.h"
#include "tests/support/faultvfs.h"

static struct loghouse house;

static int set_up(void **state)
{
    (void)state;
    loghouse_make(&house, 20261201);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    loghouse_remove(&house);
    return 0;
}

static enum status sign_at(int64_t now)
{
    memset(&house.reason, 0, sizeof house.reason);
    return logbook_sign(house.logbook, now, &house.reason);
}

static enum status reopen(void)
{
    loghouse_close(&house);
    memset(&house.reason, 0, sizeof house.reason);
    return loghouse_open(&house);
}

static void assert_reason(const char *part)
{
    if (strstr(house.reason.text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", house.reason.text, part);
}

static void an_empty_log_is_signed_at_once(void **state)
{
    (void)state;
    struct note_key *key = NULL;
    struct checkpoint checkpoint;

    assert_int_equal(loghouse_open(&house), STATUS_OK);
    loghouse_check_signed(&house);
    assert_int_equal(note_key_new(bytes_of_string(LOGHOUSE_ORIGIN), NOTE_KEY_ED25519, house.key, &key),
                     STATUS_OK);
    assert_int_equal(checkpoint_open(logbook_checkpoint(house.logbook).note, key, NULL, &checkpoint),
                     STATUS_OK);
    assert_int_equal(checkpoint.size, 0);
    note_key_free(&key);
    assert_int_equal(reopen(), STATUS_OK);
    loghouse_check_signed(&house);
    assert_int_equal(sign_at(LOGHOUSE_NOW), STATUS_OK);
}

static void a_log_grows_as_the_naive_tree(void **state)
{
    (void)state;
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    for (size_t round = 0; round < support_count(150); round++) {
        size_t before = house.size;
        assert_int_equal(db_begin(house.store), STATUS_OK);
        for (size_t rows = support_below(&house.random, 4); rows > 0; rows--)
            assert_int_equal(loghouse_append(&house, 1 + support_below(&house.random, 90)), STATUS_OK);
        assert_int_equal(logbook_size(house.logbook), house.size);
        if (support_below(&house.random, 4) == 0) {
            db_rollback(house.store);
            loghouse_forget(&house, before);
            assert_int_equal(logbook_rollback(house.logbook), STATUS_OK);
        } else {
            assert_int_equal(logbook_save(house.logbook), STATUS_OK);
            assert_int_equal(db_commit(house.store), STATUS_OK);
            logbook_commit(house.logbook);
        }
        assert_int_equal(logbook_size(house.logbook), house.size);
        if (support_below(&house.random, 3) == 0) {
            assert_int_equal(sign_at(LOGHOUSE_NOW + (int64_t)round), STATUS_OK);
            loghouse_check_signed(&house);
        }
        if (support_below(&house.random, 8) == 0)
            assert_int_equal(reopen(), STATUS_OK);
    }
    assert_int_equal(sign_at(LOGHOUSE_NOW + INT64_C(1000000)), STATUS_OK);
    loghouse_check_signed(&house);
}

/* Up to exactly that size, in rows that do not respect tiles. */
static void grow_to(size_t size)
{
    while (house.size < size) {
        size_t rest = size - house.size;
        assert_int_equal(db_begin(house.store), STATUS_OK);
        for (size_t row = rest < 4000 ? rest : 4000; row > 0; row -= row > 1000 ? 1000 : row)
            assert_int_equal(loghouse_append(&house, row > 1000 ? 1000 : row), STATUS_OK);
        assert_int_equal(logbook_save(house.logbook), STATUS_OK);
        assert_int_equal(db_commit(house.store), STATUS_OK);
        logbook_commit(house.logbook);
    }
}

static void restarts_at_the_edges_of_tiles(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 255, 256, 257, 511, 512, 513, 65535, 65536, 65537, 65792, 65793};

    assert_int_equal(loghouse_open(&house), STATUS_OK);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        grow_to(sizes[i]);
        assert_int_equal(reopen(), STATUS_OK); /* not signed yet */
        assert_true(logbook_unsigned(house.logbook));
        assert_int_equal(sign_at(LOGHOUSE_NOW), STATUS_OK);
        loghouse_check_signed(&house);
        assert_int_equal(reopen(), STATUS_OK); /* signed */
        loghouse_check_signed(&house);
    }
}

static void records_without_salts_or_person_get_fresh_salts(void **state)
{
    (void)state;
    struct logbook_record records[3] = {
        {.kind = RECORD_BUNDLE_LOADED}, {.kind = RECORD_COUNT}, {.kind = RECORD_COUNT}};
    struct digest leaves[3];
    uint64_t first = 9;

    assert_int_equal(loghouse_open(&house), STATUS_OK);
    assert_int_equal(db_begin(house.store), STATUS_OK);
    assert_int_equal(logbook_append(house.logbook, records, 3, &first), STATUS_OK);
    assert_int_equal(first, 0);
    assert_int_equal(logbook_save(house.logbook), STATUS_OK);
    assert_int_equal(db_commit(house.store), STATUS_OK);
    logbook_commit(house.logbook);
    assert_int_equal(sign_at(LOGHOUSE_NOW), STATUS_OK);
    assert_int_equal(logtiles_leaves(house.store, 0, 3, leaves), STATUS_OK);
    assert_memory_not_equal(&leaves[1], &leaves[2], sizeof leaves[1]); /* alike but for their salts */
    assert_int_equal(reopen(), STATUS_OK);
}

/* ---- stored data that changed ---- */

static void flip(const char *path, const char *table, const char *column, int64_t row, size_t byte,
                 uint8_t mask)
{
    int32_t application =
        strstr(path, "checkpoint") == NULL ? LOGROW_STORE_APPLICATION : LOGROW_CHECKPOINT_APPLICATION;
    const struct db_options options = {.application_id = application,
                                       .user_version = application == LOGROW_STORE_APPLICATION
                                                           ? LOGROW_STORE_VERSION
                                                           : LOGROW_CHECKPOINT_VERSION,
                                       .schema_sql = "-",
                                       .kind = DB_DURABLE};
    struct db *db = NULL;
    uint8_t value = 0;

    assert_int_equal(db_open(path, &options, &db), STATUS_OK);
    assert_int_equal(db_blob_read(db, table, column, row, byte, &value, 1), STATUS_OK);
    value ^= mask;
    assert_int_equal(db_blob_write(db, table, column, row, byte, bytes_view(&value, 1)), STATUS_OK);
    db_close(&db);
}

/* A signed log of this size, closed. */
static void prepare(size_t size)
{
    if (house.logbook == NULL)
        assert_int_equal(loghouse_open(&house), STATUS_OK);
    grow_to(size);
    assert_int_equal(sign_at(LOGHOUSE_NOW), STATUS_OK);
    loghouse_close(&house);
}

static void the_start_finds_changed_data(void **state)
{
    (void)state;
    static const struct {
        const char *table;
        const char *column;
        int64_t row;
        size_t byte;
        const char *says;
        enum status status;
    } cases[] = {
        {"log", "records", 1000, 5, "entry 1000", STATUS_CORRUPT}, /* an entry under the last, partial tile */
        {"log", "records", 1000, 70, "entry 1000", STATUS_CORRUPT}, /* an account salt */
        {"log", "records", 1000, 140, "entry 1000", STATUS_CORRUPT},
        {"log", "personal", 1000, 0, "entry 1000", STATUS_CORRUPT},
        {"log", "personal", 1000, 32, "entry 1000", STATUS_CORRUPT}, /* claims to be erased */
        {"log", "personal", 1000, 60, "entry 1000", STATUS_CORRUPT},
        {"tile", "hashes", (INT64_C(1) << 48), 40, "root", STATUS_CORRUPT},
        {"head", "state", 1, 7, "rows end", STATUS_CORRUPT},
        {"head", "state", 1, 20, "signed", STATUS_FORKED},
        {"checkpoint", "root", 1, 3, "cannot be used", STATUS_CORRUPT},
        {"checkpoint", "note", 1, 80, "cannot be used", STATUS_CORRUPT},
    };

    prepare(1100);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *path =
            strcmp(cases[i].table, "checkpoint") == 0 ? house.checkpoint_path : house.store_path;
        flip(path, cases[i].table, cases[i].column, cases[i].row, cases[i].byte, 0x80);
        enum status status = reopen();
        if (status != cases[i].status)
            fail_msg("case %zu: %s (%s)", i, status_text(status), house.reason.text);
        assert_reason(cases[i].says);
        loghouse_close(&house);
        flip(path, cases[i].table, cases[i].column, cases[i].row, cases[i].byte, 0x80);
    }
    assert_int_equal(reopen(), STATUS_OK);
}

/* What no start looks at, but for one after a migration or a restore. */
static void a_replay_finds_what_changed_anywhere(void **state)
{
    (void)state;
    static const struct {
        const char *table;
        const char *column;
        int64_t row;
        size_t byte;
        const char *says;
    } cases[] = {
        {"log", "records", 0, 5, "entry 0 "},
        {"log", "records", 1000, 70, "entry 1000 "}, /* an account salt */
        {"log", "personal", 1000, 60, "entry 1000 "},
        {"tile", "hashes", 3, 40, "tile/0/003"},
        {"tile", "hashes", (INT64_C(1) << 48), 40, "root"},
    };

    prepare(9000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        house.replay = false;
        flip(house.store_path, cases[i].table, cases[i].column, cases[i].row, cases[i].byte, 0x10);
        if (i < 4) {
            assert_int_equal(loghouse_open(&house), STATUS_OK); /* O(log n) */
            loghouse_close(&house);
        }
        house.replay = true;
        assert_int_equal(loghouse_open(&house), STATUS_CORRUPT);
        if (strstr(house.reason.text, cases[i].says) == NULL)
            fail_msg("case %zu: %s", i, house.reason.text);
        loghouse_close(&house);
        flip(house.store_path, cases[i].table, cases[i].column, cases[i].row, cases[i].byte, 0x10);
        assert_int_equal(loghouse_open(&house), STATUS_OK);
        grow_to(house.size + 700); /* not signed when it is replayed next */
        assert_int_equal(reopen(), STATUS_OK);
        loghouse_close(&house);
    }
}

static void the_last_full_tile_is_hashed_again(void **state)
{
    (void)state;
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    for (size_t size = 100; size <= 1000; size += 100)
        grow_to(size);
    prepare(1024); /* the last row is of 24 entries, the last tile of 256 */
    flip(house.store_path, "log", "records", 900, 5, 1);
    assert_int_equal(reopen(), STATUS_CORRUPT);
    assert_reason("last tile");
    loghouse_close(&house);
    flip(house.store_path, "log", "records", 900, 5, 1);
    assert_int_equal(reopen(), STATUS_OK);
}

static void rows_that_are_gone_are_missed(void **state)
{
    (void)state;
    prepare(1100);
    loghouse_exec(house.store_path, "DELETE FROM log WHERE first = 1000");
    assert_int_equal(reopen(), STATUS_CORRUPT);
    assert_reason("rows end after 1000");
    loghouse_close(&house);
    loghouse_exec(house.store_path, "DELETE FROM head");
    assert_int_equal(reopen(), STATUS_ROLLBACK);
    assert_reason("older copy");
    loghouse_close(&house);
    loghouse_exec(house.store_path, "DELETE FROM tile WHERE id = 2");
    assert_int_equal(reopen(), STATUS_ROLLBACK);
}

static void checkpoints_that_are_gone_are_missed(void **state)
{
    (void)state;
    prepare(5);
    loghouse_exec(house.checkpoint_path, "DELETE FROM checkpoint");
    assert_int_equal(reopen(), STATUS_NOT_FOUND);
    assert_reason("checkpoints are gone");
}

static void another_key_or_origin_is_refused(void **state)
{
    (void)state;
    uint8_t seed[ED25519_SEED_SIZE] = {8};

    prepare(5);
    ed25519_free(&house.key);
    assert_int_equal(ed25519_private(seed, &house.key), STATUS_OK);
    assert_int_equal(reopen(), STATUS_BAD_SIGNATURE);
}

static void reading_back_finds_what_was_not_written(void **state)
{
    (void)state;
    static const struct {
        const char *table;
        const char *column;
        int64_t row;
        size_t byte;
    } cases[] = {
        {"log", "records", 600, 20}, {"log", "records", 600, 99},
        {"tile", "hashes", 3, 700},  {"tile", "hashes", (INT64_C(1) << 48), 70},
        {"head", "state", 1, 30},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t value = 0;
        assert_int_equal(loghouse_open(&house), STATUS_OK);
        grow_to(600);
        assert_int_equal(sign_at(LOGHOUSE_NOW), STATUS_OK);
        grow_to(1100);
        assert_int_equal(db_blob_read(house.store, cases[i].table, cases[i].column, cases[i].row,
                                      cases[i].byte, &value, 1),
                         STATUS_OK);
        value ^= 4;
        assert_int_equal(db_blob_write(house.store, cases[i].table, cases[i].column, cases[i].row,
                                       cases[i].byte, bytes_view(&value, 1)),
                         STATUS_OK);
        enum status status = sign_at(LOGHOUSE_NOW);
        if (status != STATUS_CORRUPT)
            fail_msg("case %zu: %s", i, status_text(status));
        assert_true(house.reason.text[0] != '\0');
        assert_int_equal(logbook_checkpoint(house.logbook).size, 600);
        assert_int_equal(sign_at(LOGHOUSE_NOW), STATUS_CLOSED);
        assert_int_equal(loghouse_commit_row(&house, 1), STATUS_CLOSED);
        loghouse_remove(&house);
        loghouse_make(&house, 20261201 + i);
    }
}

/* ---- forks ---- */

/* Runs a command in the house's folder. */
static void in_folder(const char *command)
{
    char line[512];

    snprintf(line, sizeof line, "cd %s && %s", house.folder, command);
    assert_int_equal(system(line), 0);
}

static void two_writers_cannot_both_sign(void **state)
{
    (void)state;
    struct loghouse other;

    prepare(300);
    in_folder("cp broker.db copy.db");
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    loghouse_make(&other, 77);
    assert_true((size_t)snprintf(other.store_path, sizeof other.store_path, "%.64s/copy.db", house.folder) <
                sizeof other.store_path);
    memcpy(other.checkpoint_path, house.checkpoint_path, sizeof other.checkpoint_path);
    assert_int_equal(loghouse_open(&other), STATUS_OK); /* takes the fence */
    other.size = 0;
    assert_int_equal(loghouse_commit_row(&house, 4), STATUS_OK);
    assert_int_equal(sign_at(LOGHOUSE_NOW), STATUS_FORKED);
    assert_reason("somebody else");
    assert_int_equal(sign_at(LOGHOUSE_NOW), STATUS_CLOSED);
    loghouse_remove(&other);
}

static void an_older_copy_is_refused(void **state)
{
    (void)state;

    prepare(300);
    in_folder("cp broker.db copy.db");
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    assert_int_equal(loghouse_commit_row(&house, 4), STATUS_OK);
    assert_int_equal(sign_at(LOGHOUSE_NOW), STATUS_OK);
    loghouse_close(&house);
    in_folder("rm -f broker.db-* && cp copy.db broker.db");
    assert_int_equal(loghouse_open(&house), STATUS_ROLLBACK);
    assert_reason("fewer than the 304");
    loghouse_close(&house);

    /* The old copy grows to the same size beside other checkpoints, and is then put beside these. */
    in_folder("mkdir kept && mv checkpoint.db* kept");
    loghouse_exec(house.store_path, "CREATE TABLE aside AS SELECT * FROM head; DELETE FROM head");
    assert_int_equal(loghouse_open(&house), STATUS_CORRUPT); /* rows without a head */
    loghouse_close(&house);
    in_folder("rm -f checkpoint.db* && cp kept/* .");
    loghouse_exec(house.store_path, "INSERT INTO head SELECT * FROM aside; DROP TABLE aside");
    loghouse_exec(house.checkpoint_path,
                  "CREATE TABLE aside AS SELECT * FROM checkpoint; DELETE FROM checkpoint");
    loghouse_exec(house.checkpoint_path, "INSERT INTO checkpoint SELECT 1, 300, root, time, note FROM aside");
    assert_int_equal(loghouse_open(&house), STATUS_CORRUPT); /* a note that says something else */
    loghouse_close(&house);
}

static void same_size_and_another_root_is_a_fork(void **state)
{
    (void)state;

    prepare(300);
    in_folder("mkdir old && cp broker.db checkpoint.db old");
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    assert_int_equal(loghouse_commit_row(&house, 4), STATUS_OK);
    assert_int_equal(sign_at(LOGHOUSE_NOW), STATUS_OK);
    loghouse_close(&house);
    in_folder("mkdir new && cp *.db new && cp old/* .");
    loghouse_forget(&house, 300);
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    assert_int_equal(loghouse_commit_row(&house, 4), STATUS_OK);
    assert_int_equal(sign_at(LOGHOUSE_NOW), STATUS_OK);
    loghouse_close(&house);
    in_folder("cp new/checkpoint.db .");
    assert_int_equal(loghouse_open(&house), STATUS_FORKED);
    assert_reason("another root");
}

static void nothing_is_signed_before_the_last_time(void **state)
{
    (void)state;
    prepare(5);
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    assert_int_equal(loghouse_commit_row(&house, 4), STATUS_OK);
    assert_int_equal(sign_at(LOGHOUSE_NOW - 1), STATUS_ROLLBACK);
    assert_reason("clock");
    assert_int_equal(logbook_checkpoint(house.logbook).size, 5);
    assert_int_equal(sign_at(LOGHOUSE_NOW), STATUS_OK);
    loghouse_check_signed(&house);
}

/* ---- full and broken disks ---- */

static void every_write_may_find_the_disk_full(void **state)
{
    (void)state;
    static const enum faultvfs_kind kinds[] = {FAULTVFS_FULL, FAULTVFS_SHORT};

    faultvfs_register();
    house.vfs = FAULTVFS_NAME;
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    grow_to(250);
    assert_int_equal(sign_at(LOGHOUSE_NOW), STATUS_OK);
    for (size_t k = 0; k < 2; k++) {
        unsigned failed = 1;
        for (unsigned before = 0; failed > 0; before++) {
            size_t size = house.size;
            faultvfs_fail(kinds[k], before);
            enum status status = loghouse_commit_row(&house, 9);
            enum status signed_as = status == STATUS_OK ? sign_at(LOGHOUSE_NOW) : STATUS_OK;
            failed = faultvfs_heal();
            assert_true(status == STATUS_OK || status == STATUS_NO_SPACE);
            assert_true(signed_as == STATUS_OK || signed_as == STATUS_NO_SPACE);
            assert_int_equal(house.size, status == STATUS_OK ? size + 9 : size);
            assert_int_equal(sign_at(LOGHOUSE_NOW), STATUS_OK); /* goes on where it stopped */
            loghouse_check_signed(&house);
        }
        assert_int_equal(reopen(), STATUS_OK);
        loghouse_check_signed(&house);
    }
}

static void a_failed_write_or_sync_closes_the_log(void **state)
{
    (void)state;
    static const enum faultvfs_kind kinds[] = {FAULTVFS_WRITE, FAULTVFS_SYNC};

    faultvfs_register();
    house.vfs = FAULTVFS_NAME;
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(reopen(), STATUS_OK);
        assert_int_equal(loghouse_commit_row(&house, 9), STATUS_OK);
        uint64_t last = logbook_checkpoint(house.logbook).size;
        faultvfs_fail(kinds[k], 0);
        assert_int_equal(sign_at(LOGHOUSE_NOW), STATUS_IO);
        assert_true(faultvfs_heal() > 0);
        assert_int_equal(logbook_checkpoint(house.logbook).size, last);
        assert_int_equal(sign_at(LOGHOUSE_NOW), STATUS_CLOSED);
        assert_int_equal(reopen(), STATUS_OK);
        assert_int_equal(sign_at(LOGHOUSE_NOW), STATUS_OK);
        loghouse_check_signed(&house);
    }
}

/* ---- erasing ---- */

static bool file_holds(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    struct byte_buffer content;

    if (file == NULL)
        return false;
    fclose(file);
    content = support_read_file(path);
    bool found = content.size > 0 && memmem(content.data, content.size, bytes, size) != NULL;
    bytes_buffer_free(&content);
    return found;
}

/* Of the second event: its block stands after the first one's 92 bytes. */
#define BLOCK_SIZE                                                                                           \
    (32 + 4 + 4 + 36 + 4 * 4) /* salt, length, subject with its length, three empty texts, no grounds */

static void erasing_leaves_the_tree_and_no_bytes(void **state)
{
    (void)state;
    uint8_t block[BLOCK_SIZE];
    uint8_t subject[36];
    char wal[128];

    snprintf(wal, sizeof wal, "%s-wal", house.store_path);
    prepare(12);
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    assert_int_equal(db_blob_read(house.store, "log", "personal", 0, BLOCK_SIZE + 40, subject, 36),
                     STATUS_OK);
    assert_true(file_holds(house.store_path, subject, 36) || file_holds(wal, subject, 36));
    assert_int_equal(db_begin(house.store), STATUS_OK);
    assert_int_equal(logbook_erase(house.logbook, 12), STATUS_NOT_FOUND);
    assert_int_equal(logbook_erase(house.logbook, 6), STATUS_OK);
    assert_int_equal(logbook_erase(house.logbook, 5), STATUS_OK); /* shares the block: erased already */
    assert_int_equal(db_commit(house.store), STATUS_OK);
    assert_int_equal(db_checkpoint(house.store, true), STATUS_OK);
    assert_false(file_holds(house.store_path, subject, 36) || file_holds(wal, subject, 36));
    assert_int_equal(reopen(), STATUS_OK); /* whose check accepts an erased record */
    loghouse_check_signed(&house);
    assert_int_equal(db_blob_read(house.store, "log", "personal", 0, BLOCK_SIZE, block, sizeof block),
                     STATUS_OK);
    assert_int_equal(bytes_get_u32(block + 32), 0x80000000 | (BLOCK_SIZE - 36));
    memset(block + 32, 0, 4);
    for (size_t i = 0; i < BLOCK_SIZE; i++)
        assert_int_equal(block[i], 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_log_is_signed_at_once),
        TEST(a_log_grows_as_the_naive_tree),
        TEST(restarts_at_the_edges_of_tiles),
        TEST(records_without_salts_or_person_get_fresh_salts),
        TEST(a_replay_finds_what_changed_anywhere),
        TEST(the_start_finds_changed_data),
        TEST(the_last_full_tile_is_hashed_again),
        TEST(rows_that_are_gone_are_missed),
        TEST(checkpoints_that_are_gone_are_missed),
        TEST(another_key_or_origin_is_refused),
        TEST(reading_back_finds_what_was_not_written),
        TEST(two_writers_cannot_both_sign),
        TEST(an_older_copy_is_refused),
        TEST(same_size_and_another_root_is_a_fork),
        TEST(nothing_is_signed_before_the_last_time),
        TEST(every_write_may_find_the_disk_full),
        TEST(a_failed_write_or_sync_closes_the_log),
        TEST(erasing_leaves_the_tree_and_no_bytes),
    };
    return cmocka_run_group_tests_name("logbook", tests, NULL, NULL);
}
