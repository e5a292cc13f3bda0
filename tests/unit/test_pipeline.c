#include "tests/support/support.h"

#include <string.h>
#include <time.h>

#include "broker/rulebook.h"
#include "tests/support/exchange.h"

/* A listing reaches prisons, probation and the drug team; its receipts reach the police. */
static void test_one_event_end_to_end(void **state)
{
    struct exchange *exchange = *state;
    struct byte_buffer receipts;

    exchange_connect_all(exchange);
    exchange_fetch(exchange, EXCHANGE_POLICE, 10, 0);
    exchange_fetch(exchange, EXCHANGE_DOVEGATE, 10, 0);
    exchange_list(exchange, 1);
    const Wire__Frame *frame = exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_DELIVER);
    assert_string_equal(frame->deliver->from, "police.staffordshire");
    assert_int_equal(frame->deliver->n_events, 1);
    assert_int_equal(frame->deliver->events[0]->counter, 1);
    exchange_receipts(exchange, EXCHANGE_DOVEGATE, frame->deliver, RECEIPT_STORED, &receipts);
    exchange_send(exchange, EXCHANGE_DOVEGATE, bytes_buffer_view(&receipts));
    bytes_buffer_free(&receipts);
    frame = exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_RECEIPTS_STORED);
    assert_int_equal(frame->receipts_stored->count, 1);
    frame = exchange_wait(exchange, EXCHANGE_POLICE, WIRE__FRAME__VERB_FORWARDED_RECEIPTS);
    assert_int_equal(frame->forwarded_receipts->id, 1);
    assert_int_equal(frame->forwarded_receipts->n_receipts, 1);
    exchange_stop(exchange);
    exchange_assert_log(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_ACCEPTED), 1);
    assert_int_equal(exchange_entries(exchange, RECORD_DISCLOSED), 4);
    assert_int_equal(exchange_entries(exchange, RECORD_DELIVERED), 1);
    assert_int_equal(exchange_entries(exchange, RECORD_REGISTER), 1);
    assert_int_equal(exchange_entries(exchange, RECORD_BUNDLE_LOADED), 1);
}

/* A clock that was set back stops the signing of the log, and whoever looks after the broker is told why. */
static void test_a_log_that_cannot_be_signed_is_told(void **state)
{
    struct exchange *exchange = *state;
    const char *query = "{\"do\":\"log-query\",\"officer\":\"unix:1\",\"question\":\"everything\"}";

    exchange->limits.sign_every = 10;
    exchange_start(exchange);
    assert_non_null(strstr(exchange_control(exchange, query), "index"));
    exchange_stop(exchange);
    exchange->clock = clock_at(clock_now(&exchange->clock) - PARTNERSHIP_DAY);
    exchange_start(exchange);
    assert_string_equal(exchange->alert, "");
    /* The store thread looks round every 50 ms. */
    for (int i = 0; i < 1000 && exchange->alert[0] == '\0'; i++) {
        assert_non_null(strstr(exchange_control(exchange, query), "index"));
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    assert_string_equal(exchange->alert, "the log is not signed: the clock shows a time before the last "
                                         "checkpoint's: nothing is signed until it is right");
    exchange->alert[0] = '\0';
    assert_non_null(strstr(exchange_control(exchange, query), "index"));
    assert_string_equal(exchange->alert, ""); /* once */
    exchange_stop(exchange);
    exchange->clock = clock_at(PARTNERSHIP_NOW + PARTNERSHIP_DAY);
    exchange_start(exchange);
    exchange_stop(exchange);
    exchange_assert_log(exchange);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, exchange_setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_event_end_to_end),
        TEST(test_a_log_that_cannot_be_signed_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
