#include "tests/support/support.h"

#include <string.h>
#include <unistd.h>

#include "broker/signing.h"
#include "proto/checkpoint.h"
#include "proto/note.h"
#include "tests/support/loghouse.h"

static struct loghouse house;
static struct signing *signing;

static int set_up(void **state)
{
    (void)state;
    loghouse_make(&house, 7);
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    assert_true(logbook_signs_apart(house.logbook));
    assert_int_equal(signing_start(house.logbook, &signing), STATUS_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    signing_stop(&signing);
    loghouse_remove(&house);
    return 0;
}

static void expect_signed(enum status expected)
{
    struct logbook_reason reason = {""};
    enum status status = STATUS_CLOSED;

    assert_true(signing_take(signing, true, &status, &reason));
    if (status != expected)
        fail_msg("%s: %s", status_text(status), reason.text);
}

/* The checkpoint is of a size that was committed, with the root of just those entries. */
static void check_last(size_t size)
{
    struct logbook_checkpoint last = logbook_checkpoint(house.logbook);
    struct digest root = loghouse_naive_root(&house, size);
    struct checkpoint inside;
    struct note_key *key = NULL;

    assert_int_equal(last.size, size);
    assert_memory_equal(&last.root, &root, sizeof root);
    assert_int_equal(note_key_new(bytes_of_string(LOGHOUSE_ORIGIN), NOTE_KEY_ED25519, house.key, &key),
                     STATUS_OK);
    assert_int_equal(checkpoint_open(last.note, key, NULL, &inside), STATUS_OK);
    assert_int_equal(inside.size, size);
    note_key_free(&key);
}

static void what_is_asked_for_is_signed_while_more_is_written(void **state)
{
    (void)state;
    size_t asked = 0;

    for (size_t round = 0; round < 40; round++) {
        assert_int_equal(loghouse_commit_row(&house, 13 + round), STATUS_OK);
        asked = house.size;
        signing_ask(signing, LOGHOUSE_NOW + (int64_t)round);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(loghouse_commit_row(&house, 7), STATUS_OK);
        assert_true(logbook_unsigned(house.logbook));
        expect_signed(STATUS_OK);
        check_last(asked);
    }
    signing_ask(signing, LOGHOUSE_NOW + 100);
    expect_signed(STATUS_OK);
    check_last(house.size);
    assert_false(logbook_unsigned(house.logbook));
}

static void only_one_signature_is_under_way(void **state)
{
    (void)state;
    struct logbook_reason reason;
    enum status status = STATUS_OK;

    assert_false(signing_take(signing, true, &status, &reason)); /* nobody asked: does not wait */
    assert_int_equal(loghouse_commit_row(&house, 5), STATUS_OK);
    signing_ask(signing, LOGHOUSE_NOW);
    assert_int_equal(loghouse_commit_row(&house, 5), STATUS_OK);
    signing_ask(signing, LOGHOUSE_NOW + 1);
    expect_signed(STATUS_OK);
    check_last(5);
    assert_false(signing_take(signing, false, &status, &reason));
}

static void a_clock_that_went_back_only_delays(void **state)
{
    (void)state;

    assert_int_equal(loghouse_commit_row(&house, 5), STATUS_OK);
    signing_ask(signing, LOGHOUSE_NOW - 1);
    expect_signed(STATUS_ROLLBACK);
    check_last(0);
    signing_ask(signing, LOGHOUSE_NOW);
    expect_signed(STATUS_OK);
    check_last(5);
}

/* What is read back through the other connection is what is judged. */
static void a_damaged_row_closes_the_log(void **state)
{
    (void)state;
    uint8_t byte = 0;
    uint8_t other;
    struct logbook_reason reason = {""};
    enum status status = STATUS_OK;

    assert_int_equal(loghouse_commit_row(&house, 300), STATUS_OK);
    assert_int_equal(db_blob_read(house.store, "log", "records", 0, 40, &byte, 1), STATUS_OK);
    other = byte ^ 4;
    assert_int_equal(db_blob_write(house.store, "log", "records", 0, 40, bytes_view(&other, 1)), STATUS_OK);
    signing_ask(signing, LOGHOUSE_NOW);
    assert_true(signing_take(signing, true, &status, &reason));
    assert_int_equal(status, STATUS_CORRUPT);
    assert_true(strlen(reason.text) > 10);
    assert_int_equal(loghouse_commit_row(&house, 1), STATUS_CLOSED);
}

static void stopping_waits_for_the_signature(void **state)
{
    (void)state;

    assert_int_equal(loghouse_commit_row(&house, 500), STATUS_OK);
    signing_ask(signing, LOGHOUSE_NOW);
    signing_stop(&signing);
    assert_null(signing);
    check_last(500);
    signing_stop(&signing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_asked_for_is_signed_while_more_is_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_one_signature_is_under_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_went_back_only_delays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_row_closes_the_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stopping_waits_for_the_signature, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
