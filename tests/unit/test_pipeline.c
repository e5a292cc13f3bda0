#include "tests/support/support.h"

#include "audit/verify.h"
#include "broker/rulebook.h"
#include "tests/support/exchange.h"

static int make(void **state)
{
    *state = exchange_new();
    return 0;
}

static int drop(void **state)
{
    struct exchange *exchange = *state;

    exchange_free(&exchange);
    return 0;
}

static void tell(void *context, const char *text)
{
    (void)context;
    print_message("log: %s\n", text);
}

/* The log of a stopped pipeline, as an auditor sees it. */
static void assert_log_verifies(struct exchange *exchange)
{
    struct problems problems = {.tell = tell};
    struct source_reason reason;
    struct source *source = NULL;
    struct note_key *key = NULL;
    struct verify_result result;
    struct verify_progress progress = {0};

    assert_int_equal(note_key_parse(bytes_of_string(keystore_log_vkey(exchange->broker)), &key), STATUS_OK);
    if (source_open(exchange->folder, &source, &reason) != STATUS_OK)
        fail_msg("%s", reason.text);
    assert_int_equal(verify_broker(source, key, &progress, &problems, &result), STATUS_OK);
    assert_int_equal(problems.count, 0);
    assert_true(result.entries > 0 && result.signed_entries == result.entries);
    source_close(&source);
    note_key_free(&key);
}

static void connect_all(struct exchange *exchange)
{
    exchange_start(exchange);
    for (size_t i = 0; i < EXCHANGE_AGENTS; i++)
        exchange_connect(exchange, i);
}

/* A listing reaches prisons, probation and the drug team; its receipts reach the police. */
static void test_one_event_end_to_end(void **state)
{
    struct exchange *exchange = *state;
    struct byte_buffer receipts;

    connect_all(exchange);
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
    assert_log_verifies(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_ACCEPTED), 1);
    assert_int_equal(exchange_entries(exchange, RECORD_DISCLOSED), 4);
    assert_int_equal(exchange_entries(exchange, RECORD_DELIVERED), 1);
    assert_int_equal(exchange_entries(exchange, RECORD_REGISTER), 1);
    assert_int_equal(exchange_entries(exchange, RECORD_BUNDLE_LOADED), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_event_end_to_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
