#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>

#include "broker/pipeline_storage.h"
#include "tests/support/exchange.h"

/* When the WAL is copied into the database: the thresholds of pipeline_storage_rest. */

#define LITTLE 256
#define SOME   1500
#define MUCH   16000

static struct holding nobody; /* no backup is being made */

struct rest {
    struct exchange *exchange;
    struct pipeline_storage storage;
};

static struct rest *open_rest(void)
{
    struct rest *rest = calloc(1, sizeof *rest);
    struct pipeline_reason reason = {0};

    assert_non_null(rest);
    rest->exchange = exchange_new();
    struct pipeline_options options = {.folder = rest->exchange->folder,
                                       .keystore = rest->exchange->broker,
                                       .bundle = rest->exchange->bundle,
                                       .clock = &rest->exchange->clock,
                                       .limits = rest->exchange->limits};
    if (pipeline_storage_open(&options, rest->exchange->partnership->now, &rest->storage, &reason) !=
        STATUS_OK)
        fail_msg("%s", reason.text);
    assert_int_equal(db_exec(rest->storage.db, "CREATE TABLE ballast (bytes BLOB)"), STATUS_OK);
    assert_int_equal(db_checkpoint(rest->storage.db, false), STATUS_OK);
    return rest;
}

static void close_rest(struct rest **rest)
{
    pipeline_storage_close(&(*rest)->storage);
    exchange_free(&(*rest)->exchange);
    free(*rest);
    *rest = NULL;
}

/* At least `pages` more in the WAL, and hardly more than that. */
static void write_pages(struct rest *rest, int64_t pages)
{
    struct db *db = rest->storage.db;
    char sql[96];

    (void)snprintf(sql, sizeof sql, "INSERT INTO ballast VALUES (zeroblob(%lld))", (long long)(pages * 4096));
    assert_int_equal(db_checkpoint(db, false), STATUS_OK);
    assert_int_equal(db_exec(db, sql), STATUS_OK);
    assert_in_range(db_wal_pages(db), pages, pages + pages / 8 + 8);
}

/* Whether so many pages are copied at that load. */
static bool copies(struct rest *rest, int64_t pages, enum pipeline_load load)
{
    bool forgetting = false;

    write_pages(rest, pages);
    assert_int_equal(pipeline_storage_rest(&rest->storage, load, &forgetting, &nobody), STATUS_OK);
    int64_t left = db_wal_pages(rest->storage.db);
    if (left != 0)
        assert_true(left >= pages);
    return left == 0;
}

static void test_thresholds(void **state)
{
    struct rest *rest = open_rest();
    static const struct {
        int64_t pages;
        bool busy;
        bool pause;
        bool idle;
    } cases[] = {
        {LITTLE / 2, false, false, false},                             /* not worth it */
        {LITTLE, false, true, true},                                   /* quickly done */
        {SOME * 2 / 3, false, true, true}, {SOME, false, false, true}, /* would keep somebody waiting */
        {MUCH / 2, false, false, true},    {MUCH, true, true, true}, /* the file must not grow without end */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(copies(rest, cases[i].pages, PIPELINE_BUSY), cases[i].busy);
        assert_int_equal(copies(rest, cases[i].pages, PIPELINE_PAUSE), cases[i].pause);
        assert_int_equal(copies(rest, cases[i].pages, PIPELINE_IDLE), cases[i].idle);
    }
    close_rest(&rest);
}

/* A reader in the way is no failure: it is copied another time. */
static void test_a_reader_in_the_way(void **state)
{
    bool forgetting = false;
    struct rest *rest = open_rest();
    struct db *reader = rest->storage.reader;
    struct db_statement *statement = NULL;
    bool row = false;

    (void)state;
    assert_int_equal(db_statement(reader, "SELECT name FROM sqlite_schema", &statement), STATUS_OK);
    assert_int_equal(db_step(statement, &row), STATUS_OK);
    assert_true(row); /* it holds the database as it was */
    assert_int_equal(db_exec(rest->storage.db, "INSERT INTO ballast VALUES (zeroblob(4096 * 300))"),
                     STATUS_OK);
    int64_t pages = db_wal_pages(rest->storage.db);
    assert_int_equal(pipeline_storage_rest(&rest->storage, PIPELINE_IDLE, &forgetting, &nobody), STATUS_OK);
    assert_true(db_wal_pages(rest->storage.db) >= pages);
    db_reset(statement);
    assert_int_equal(pipeline_storage_rest(&rest->storage, PIPELINE_IDLE, &forgetting, &nobody), STATUS_OK);
    assert_int_equal(db_wal_pages(rest->storage.db), 0);
    close_rest(&rest);
}

/* While a backup is copied, the file's bytes are what they were, whatever is committed. */
static void test_the_file_stands_still_for_a_backup(void **state)
{
    struct rest *rest = open_rest();
    struct holding holding = {0};
    bool forgetting = true;
    char path[160];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/broker.db", rest->exchange->folder);
    write_pages(rest, LITTLE);
    uint64_t number = holding_begin(&holding, 1000);
    assert_int_equal(holding_begin(&holding, 1000), 0); /* one at a time */
    assert_int_equal(pipeline_storage_rest(&rest->storage, PIPELINE_BUSY, &forgetting, &holding), STATUS_OK);
    assert_true(holding.still && !forgetting);
    struct byte_buffer before = support_read_file(path);
    forgetting = true;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(db_exec(rest->storage.db, "INSERT INTO ballast VALUES (zeroblob(4096 * 300))"),
                         STATUS_OK);
        assert_int_equal(pipeline_storage_rest(&rest->storage, PIPELINE_IDLE, &forgetting, &holding),
                         STATUS_OK);
    }
    struct byte_buffer after = support_read_file(path);
    assert_true(bytes_equal(bytes_buffer_view(&before), bytes_buffer_view(&after)) && forgetting);
    assert_true(holding_end(&holding, number, 1000));
    assert_int_equal(pipeline_storage_rest(&rest->storage, PIPELINE_IDLE, &forgetting, &holding), STATUS_OK);
    assert_int_equal(db_wal_pages(rest->storage.db), 0);
    bytes_buffer_free(&before);
    bytes_buffer_free(&after);
    close_rest(&rest);
}

static void test_leases(void **state)
{
    struct holding holding = {0};

    (void)state;
    uint64_t first = holding_begin(&holding, 1000);
    assert_true(holding_renew(&holding, first, 1000 + HOLDING_LEASE_MS));
    assert_true(holding_renew(&holding, first, 1000 + 2 * HOLDING_LEASE_MS));
    assert_false(holding_renew(&holding, first + 1, 1000));
    assert_false(holding_renew(&holding, 0, 1000));
    holding_look(&holding, 1001 + 3 * HOLDING_LEASE_MS, false);
    assert_false(holding_renew(&holding, first, 1000)); /* whoever copied was away too long */
    uint64_t second = holding_begin(&holding, 1000);
    assert_int_not_equal(second, first);
    assert_false(holding_end(&holding, second, 1000)); /* it never stood still */
    uint64_t third = holding_begin(&holding, 1000);
    holding.still = true;
    holding_look(&holding, 1000, true); /* no room for a log that only grows */
    assert_false(holding_end(&holding, third, 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thresholds),
        cmocka_unit_test(test_a_reader_in_the_way),
        cmocka_unit_test(test_the_file_stands_still_for_a_backup),
        cmocka_unit_test(test_leases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
