#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/rulebook.h"
#include "tests/support/exchange.h"
#include "tests/support/faultvfs.h"

#define WAL    "broker.db-wal"
#define NOTICE "release_date=2026-12-29 home_force=21"

/* A disk that fails below the pipeline's databases: what a group cannot write it takes back and answers busy,
 * and the pipeline goes on when there is room. */

static void make_notice(struct exchange *exchange, struct exchange_event *event)
{
    exchange_make(exchange, event, EXCHANGE_DOVEGATE, "release.planned", 1, NOTICE, "name,dob");
    exchange_seal(exchange, event, exchange_plan(exchange, event));
    exchange_close(event);
}

static void send_event(struct exchange *exchange, struct exchange_event *event)
{
    struct byte_buffer frame;

    exchange_frame(exchange, &event, 1, &frame);
    exchange_send(exchange, event->from, bytes_buffer_view(&frame));
    bytes_buffer_free(&frame);
}

/* How long the log is, after the groups before; that can be asked on a full disk as well. */
static uint64_t entries(struct exchange *exchange)
{
    const char *at = strstr(exchange_control(exchange, "{\"do\":\"status\"}"), "\"entries\":");

    assert_non_null(at);
    return strtoull(at + strlen("\"entries\":"), NULL, 10);
}

static void expect_not_now(struct exchange *exchange, size_t agent)
{
    const Wire__Frame *frame = exchange_wait(exchange, agent, WIRE__FRAME__VERB_ERROR);

    assert_int_equal(frame->error->code, WIRE__ERROR_CODE__NOT_NOW);
    assert_non_null(strstr(frame->error->text, "no room"));
    assert_true(frame->error->has_retry_after);
}

/* Publishes while writes fail after `before` of them. Whether any failed; if so nothing may be left of the
 * try, and the same bytes are accepted once there is room. */
static bool publish_on_full_disk(struct exchange *exchange, enum faultvfs_kind kind, unsigned before)
{
    struct exchange_event event;
    bool failed;

    make_notice(exchange, &event);
    uint64_t size = entries(exchange);
    faultvfs_fail_file(WAL, kind, before);
    send_event(exchange, &event);
    (void)entries(exchange); /* answered after the group */
    failed = faultvfs_failed() > 0;
    if (failed) {
        expect_not_now(exchange, EXCHANGE_DOVEGATE);
        assert_int_equal(entries(exchange), size);
        send_event(exchange, &event);
        expect_not_now(exchange, EXCHANGE_DOVEGATE); /* as often as it is tried */
    } else {
        (void)exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_PUBLISH_ANSWER);
    }
    (void)faultvfs_heal();
    if (failed)
        assert_int_equal(exchange_submit(exchange, &event)->verdict, WIRE__VERDICT__ACCEPTED);
    assert_true(entries(exchange) > size);
    exchange_drop(&event);
    return failed;
}

static void test_publish_is_taken_back(void **state)
{
    struct exchange *exchange = *state;
    unsigned failures = 0;
    unsigned notices = 0;

    exchange->limits.count_every = 0; /* nothing else is written meanwhile */
    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    for (unsigned kind = 0; kind < 2; kind++) {
        unsigned before = 0;
        while (publish_on_full_disk(exchange, kind == 0 ? FAULTVFS_FULL : FAULTVFS_SHORT, before)) {
            failures++;
            notices++;
            before++;
        }
        notices++;
    }
    assert_true(failures >= 6); /* a group is several writes, and each of them was the first to fail */
    exchange_fetch(exchange, EXCHANGE_POLICE, 1000, 0);
    for (unsigned arrived = 0; arrived < notices;)
        arrived +=
            (unsigned)exchange_wait(exchange, EXCHANGE_POLICE, WIRE__FRAME__VERB_DELIVER)->deliver->n_events;
    exchange_none(exchange, EXCHANGE_POLICE, WIRE__FRAME__VERB_DELIVER);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_ACCEPTED), 1 + notices);
    exchange_assert_log(exchange);
}

/* Receipts that cannot be written are not confirmed; they are taken when they come again. */
static void test_receipts_are_not_confirmed(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;
    struct byte_buffer receipts;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &event);
    assert_int_equal(exchange_submit(exchange, &event)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_fetch(exchange, EXCHANGE_DOVEGATE, 1, 0); /* the sender waits for its receipts */
    exchange_fetch(exchange, EXCHANGE_POLICE, 10, 0);
    const Wire__Deliver *deliver =
        exchange_wait(exchange, EXCHANGE_POLICE, WIRE__FRAME__VERB_DELIVER)->deliver;
    exchange_receipts(exchange, EXCHANGE_POLICE, deliver, RECEIPT_STORED, &receipts);
    faultvfs_fail_file(WAL, FAULTVFS_FULL, 0);
    exchange_send(exchange, EXCHANGE_POLICE, bytes_buffer_view(&receipts));
    expect_not_now(exchange, EXCHANGE_POLICE);
    assert_true(faultvfs_heal() > 0);
    exchange_none(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_FORWARDED_RECEIPTS);
    exchange_send(exchange, EXCHANGE_POLICE, bytes_buffer_view(&receipts));
    const Wire__Frame *stored = exchange_wait(exchange, EXCHANGE_POLICE, WIRE__FRAME__VERB_RECEIPTS_STORED);
    assert_int_equal(stored->receipts_stored->count, 1);
    const Wire__Frame *back =
        exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_FORWARDED_RECEIPTS);
    assert_int_equal(back->forwarded_receipts->n_receipts, 1);
    bytes_buffer_free(&receipts);
    exchange_drop(&event);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_DELIVERED), 1);
    exchange_assert_log(exchange);
}

/* A bundle comes into force all the same; its entry is written when there is room. */
static void test_bundle_is_logged_later(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    faultvfs_fail_file(WAL, FAULTVFS_FULL, 0);
    exchange_load(exchange, exchange_bundle(exchange, NULL));
    assert_non_null(strstr(exchange_control(exchange, "{\"do\":\"status\"}"), "\"serial\":2"));
    assert_true(faultvfs_heal() > 0);
    make_notice(exchange, &event);
    assert_int_equal(exchange_submit(exchange, &event)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_drop(&event);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_BUNDLE_LOADED), 2);
    exchange_assert_log(exchange);
}

/* Checkpoints that cannot be kept are not signed; what was accepted meanwhile is signed later. */
static void test_checkpoints_wait(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;

    exchange->limits.sign_every = 0;
    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &event);
    faultvfs_fail_file("checkpoint.db-wal", FAULTVFS_FULL, 0);
    assert_int_equal(exchange_submit(exchange, &event)->verdict, WIRE__VERDICT__ACCEPTED);
    for (int i = 0; i < 500 && faultvfs_failed() < 2; i++)
        (void)usleep(10000); /* it signs by the clock */
    assert_true(faultvfs_heal() > 0);
    exchange_drop(&event);
    exchange_stop(exchange);
    exchange_assert_log(exchange);
}

/* What was not synced may not be there: nothing goes on, and the start finds out what is. */
static void test_a_broken_disk_ends_it(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &event);
    faultvfs_fail_file(WAL, FAULTVFS_SYNC, 0);
    send_event(exchange, &event);
    for (int i = 0; i < 100 && exchange->fatal[0] == '\0'; i++)
        (void)exchange_control(exchange, "{\"do\":\"status\"}");
    assert_non_null(strstr(exchange->fatal, "the store cannot go on"));
    assert_int_equal(exchange->agents[EXCHANGE_DOVEGATE].frame_count, 0);
    (void)faultvfs_heal();
    exchange_stop(exchange);
    exchange->fatal[0] = '\0';
    exchange_connect_all(exchange);
    assert_int_equal(exchange_submit(exchange, &event)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_drop(&event);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_ACCEPTED), 2);
    exchange_assert_log(exchange);
}

static int teardown(void **state)
{
    (void)faultvfs_heal();
    return exchange_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, exchange_setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_publish_is_taken_back),  TEST(test_receipts_are_not_confirmed),
        TEST(test_bundle_is_logged_later), TEST(test_checkpoints_wait),
        TEST(test_a_broken_disk_ends_it),
    };

    faultvfs_everywhere();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
