#include <stdio.h>

#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

#include "broker/rulebook.h"
#include "tests/support/exchange.h"

#define HELD   "name,dob,pnc_id,prison_no,date_type,home_district,licence_conditions,address"
#define NOTICE "release_date=2026-12-29 home_force=21"

/* count notices about person 1 in one batch; the caller drops them. */
static struct exchange_event *publish_batch(struct exchange *exchange, size_t count)
{
    struct exchange_event *events = calloc(count, sizeof *events);
    struct exchange_event **list = calloc(count, sizeof(struct exchange_event *));
    struct byte_buffer frame;

    assert_true(events != NULL && list != NULL);
    for (size_t i = 0; i < count; i++) {
        exchange_make(exchange, &events[i], EXCHANGE_DOVEGATE, "release.planned", 1, NOTICE, HELD);
        exchange_seal(exchange, &events[i], exchange_plan(exchange, &events[i]));
        list[i] = &events[i];
    }
    exchange_frame(exchange, list, count, &frame);
    exchange_send(exchange, EXCHANGE_DOVEGATE, bytes_buffer_view(&frame));
    bytes_buffer_free(&frame);
    const Wire__Frame *answer = exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_PUBLISH_ANSWER);
    assert_int_equal(answer->publish_answer->n_outcomes, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(answer->publish_answer->outcomes[i]->verdict, WIRE__VERDICT__ACCEPTED);
    free(list);
    return events;
}

static void drop_batch(struct exchange_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++)
        exchange_drop(&events[i]);
    free(events);
}

static const Wire__Deliver *next(struct exchange *exchange, size_t agent)
{
    return exchange_wait(exchange, agent, WIRE__FRAME__VERB_DELIVER)->deliver;
}

static void give_receipts(struct exchange *exchange, size_t agent, const Wire__Deliver *deliver)
{
    struct byte_buffer receipts;

    exchange_receipts(exchange, agent, deliver, RECEIPT_STORED, &receipts);
    exchange_send(exchange, agent, bytes_buffer_view(&receipts));
    bytes_buffer_free(&receipts);
    const Wire__Frame *stored = exchange_wait(exchange, agent, WIRE__FRAME__VERB_RECEIPTS_STORED);
    assert_int_equal(stored->receipts_stored->count, deliver->n_events);
}

/* As a recipient verifies it: signature, paths, sections. */
static void check_delivery(struct exchange *exchange, size_t agent, const Wire__Deliver *deliver)
{
    const struct directory_entry *entry =
        directory_by_certificate(bundle_directory(exchange->bundle), deliver->certificate.data);
    struct batch_signer signer;
    struct envelope_delivery delivery;
    struct envelope_delivered delivered;

    assert_non_null(entry);
    assert_string_equal(entry->member, deliver->from);
    memcpy(signer.root.bytes, bundle_root_digest(exchange->bundle), DIGEST_SIZE);
    memcpy(signer.certificate.bytes, entry->digest, DIGEST_SIZE);
    assert_int_equal(envelope_delivery_verify(deliver, &signer, entry->signing, &delivery), STATUS_OK);
    for (size_t i = 0; i < deliver->n_events; i++)
        assert_int_equal(
            envelope_delivered_verify(&delivery, i, bytes_of_string(exchange->agents[agent].id), &delivered),
            STATUS_OK);
}

/* Credit bounds what is on its way; with more of it the rest follows in order, each exactly once. */
static void test_credit(void **state)
{
    struct exchange *exchange = *state;
    size_t arrived = 0;
    uint64_t counter = 0;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    struct exchange_event *events = publish_batch(exchange, 10);
    exchange_none(exchange, EXCHANGE_POLICE, WIRE__FRAME__VERB_DELIVER);
    for (size_t credit = 1; arrived < 10; credit++) {
        exchange_fetch(exchange, EXCHANGE_POLICE, (uint32_t)credit, 0);
        const Wire__Deliver *deliver = next(exchange, EXCHANGE_POLICE);
        check_delivery(exchange, EXCHANGE_POLICE, deliver);
        assert_true(deliver->n_events <= credit);
        for (size_t i = 0; i < deliver->n_events; i++) {
            assert_int_equal(deliver->events[i]->counter, ++counter);
            assert_int_equal(deliver->events[i]->index, arrived++);
        }
        exchange_none(exchange, EXCHANGE_POLICE, WIRE__FRAME__VERB_DELIVER);
    }
    drop_batch(events, 10);
}

/* A batch larger than a frame comes in several, all of which verify. */
static void test_large_batch_is_split(void **state)
{
    struct exchange *exchange = *state;
    size_t arrived = 0;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    exchange_fetch(exchange, EXCHANGE_PROBATION, 1000, 0);
    (void)next(exchange, EXCHANGE_PROBATION); /* the listing */
    struct exchange_event *events = publish_batch(exchange, 120);
    while (arrived < 120) {
        const Wire__Deliver *deliver = next(exchange, EXCHANGE_PROBATION);
        check_delivery(exchange, EXCHANGE_PROBATION, deliver);
        give_receipts(exchange, EXCHANGE_PROBATION, deliver);
        arrived += deliver->n_events;
    }
    exchange_disconnect(exchange, EXCHANGE_PROBATION);
    exchange_connect(exchange, EXCHANGE_PROBATION);
    exchange_fetch(exchange, EXCHANGE_PROBATION, 1000, 0);
    assert_int_equal(next(exchange, EXCHANGE_PROBATION)->n_events, 1); /* the listing, without a receipt */
    exchange_none(exchange, EXCHANGE_PROBATION, WIRE__FRAME__VERB_DELIVER);
    drop_batch(events, 120);
}

/* Without a receipt everything comes again: after a reconnect, after a restart; with one, never. */
static void test_delivered_until_receipted(void **state)
{
    struct exchange *exchange = *state;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    struct exchange_event *events = publish_batch(exchange, 6);
    exchange_fetch(exchange, EXCHANGE_POLICE, 2, 0);
    const Wire__Deliver *two = next(exchange, EXCHANGE_POLICE);
    assert_int_equal(two->n_events, 2);
    exchange_disconnect(exchange, EXCHANGE_POLICE);
    exchange_connect(exchange, EXCHANGE_POLICE);
    /* Receipts for what an earlier connection brought are as good. */
    give_receipts(exchange, EXCHANGE_POLICE, two);
    exchange_fetch(exchange, EXCHANGE_POLICE, 100, 0);
    const Wire__Deliver *four = next(exchange, EXCHANGE_POLICE);
    assert_int_equal(four->n_events, 4);
    assert_int_equal(four->events[0]->index, 2);
    exchange_stop(exchange);
    exchange_connect_all(exchange);
    exchange_fetch(exchange, EXCHANGE_POLICE, 100, 0);
    four = next(exchange, EXCHANGE_POLICE);
    assert_int_equal(four->n_events, 4);
    give_receipts(exchange, EXCHANGE_POLICE, four);
    give_receipts(exchange, EXCHANGE_POLICE, four); /* once more changes nothing */
    exchange_stop(exchange);
    exchange_connect_all(exchange);
    exchange_fetch(exchange, EXCHANGE_POLICE, 100, 0);
    exchange_none(exchange, EXCHANGE_POLICE, WIRE__FRAME__VERB_DELIVER);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_DELIVERED), 2);
    exchange_assert_log(exchange);
    drop_batch(events, 6);
}

/* A new connection takes over from one that nobody saw end: credit starts again at 0, and what is on its way.
 */
static void test_connection_taken_over(void **state)
{
    struct exchange *exchange = *state;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    struct exchange_event *events = publish_batch(exchange, 3);
    exchange_fetch(exchange, EXCHANGE_POLICE, 100, 0);
    assert_int_equal(next(exchange, EXCHANGE_POLICE)->n_events, 3);
    exchange_connect(exchange, EXCHANGE_POLICE);
    exchange_none(exchange, EXCHANGE_POLICE, WIRE__FRAME__VERB_DELIVER);
    exchange_fetch(exchange, EXCHANGE_POLICE, 100, 0);
    assert_int_equal(next(exchange, EXCHANGE_POLICE)->n_events, 3);
    drop_batch(events, 3);
}

/* A recall or breach overtakes what has waited longer. */
static void test_urgent_first(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event breach;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    struct exchange_event *events = publish_batch(exchange, 2);
    exchange_make(exchange, &breach, EXCHANGE_PROBATION, "breach.recorded", 1, "action=court",
                  "name,dob,pnc_id,order_type,kind,last_address,officer_risk");
    assert_int_equal(exchange_publish(exchange, &breach)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_fetch(exchange, EXCHANGE_POLICE, 100, 0);
    const Wire__Deliver *first = next(exchange, EXCHANGE_POLICE);
    assert_string_equal(first->from, "probation.staffordshire");
    assert_int_equal(first->n_events, 1);
    assert_int_equal(next(exchange, EXCHANGE_POLICE)->n_events, 2);
    exchange_drop(&breach);
    drop_batch(events, 2);
}

/* A receipt for other content than what was sent: the whole batch of receipts is refused, and logged. */
static void test_receipts_that_do_not_match(void **state)
{
    struct exchange *exchange = *state;
    struct byte_buffer receipts;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    struct exchange_event *events = publish_batch(exchange, 2);
    exchange_fetch(exchange, EXCHANGE_POLICE, 100, 0);
    exchange_fetch(exchange, EXCHANGE_PROBATION, 100, 0);
    const Wire__Deliver *deliver = next(exchange, EXCHANGE_POLICE);
    deliver->events[1]->counter++;
    exchange_receipts(exchange, EXCHANGE_POLICE, deliver, RECEIPT_STORED, &receipts);
    deliver->events[1]->counter--;
    exchange_send(exchange, EXCHANGE_POLICE, bytes_buffer_view(&receipts));
    const Wire__Frame *error = exchange_wait(exchange, EXCHANGE_POLICE, WIRE__FRAME__VERB_ERROR);
    assert_non_null(strstr(error->error->text, "does not match"));
    /* And another member's, sent as one's own. */
    exchange_send(exchange, EXCHANGE_PROBATION, bytes_buffer_view(&receipts));
    (void)exchange_wait(exchange, EXCHANGE_PROBATION, WIRE__FRAME__VERB_ERROR);
    bytes_buffer_free(&receipts);
    give_receipts(exchange, EXCHANGE_POLICE, deliver);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_DELIVERED), 1);
    exchange_assert_log(exchange);
    drop_batch(events, 2);
}

static void check_forwarded(struct exchange *exchange, const Wire__ForwardedReceipts *forwarded, size_t count)
{
    const struct directory_entry *entry =
        directory_by_certificate(bundle_directory(exchange->bundle), forwarded->certificate.data);
    struct receipt receipts[ENVELOPE_BATCH_MAX];
    struct batch_signer signer;

    assert_int_equal(forwarded->n_receipts, count);
    memcpy(signer.root.bytes, bundle_root_digest(exchange->bundle), DIGEST_SIZE);
    memcpy(signer.certificate.bytes, entry->digest, DIGEST_SIZE);
    assert_int_equal(receipt_forwarded_verify(forwarded, bytes_of_string("prison.dovegate"),
                                              bytes_of_string("police.staffordshire"), &signer,
                                              entry->signing, receipts),
                     STATUS_OK);
}

/* Receipts reach the sender verbatim, whenever it comes, and again until it says that it has them. */
static void test_receipts_are_forwarded(void **state)
{
    struct exchange *exchange = *state;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    struct exchange_event *events = publish_batch(exchange, 3);
    exchange_disconnect(exchange, EXCHANGE_DOVEGATE);
    exchange_fetch(exchange, EXCHANGE_POLICE, 2, 0);
    give_receipts(exchange, EXCHANGE_POLICE, next(exchange, EXCHANGE_POLICE));
    exchange_fetch(exchange, EXCHANGE_POLICE, 2, 0);
    give_receipts(exchange, EXCHANGE_POLICE, next(exchange, EXCHANGE_POLICE));
    exchange_connect(exchange, EXCHANGE_DOVEGATE);
    exchange_fetch(exchange, EXCHANGE_DOVEGATE, 1, 0);
    const Wire__Frame *frame =
        exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_FORWARDED_RECEIPTS);
    assert_int_equal(frame->forwarded_receipts->id, 1);
    check_forwarded(exchange, frame->forwarded_receipts, 2);
    frame = exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_FORWARDED_RECEIPTS);
    assert_int_equal(frame->forwarded_receipts->id, 2);
    check_forwarded(exchange, frame->forwarded_receipts, 1);
    exchange_stop(exchange);
    exchange_connect_all(exchange);
    exchange_fetch(exchange, EXCHANGE_DOVEGATE, 1, 1);
    frame = exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_FORWARDED_RECEIPTS);
    assert_int_equal(frame->forwarded_receipts->id, 2);
    exchange_fetch(exchange, EXCHANGE_DOVEGATE, 1, 2);
    exchange_stop(exchange);
    exchange_connect_all(exchange);
    exchange_fetch(exchange, EXCHANGE_DOVEGATE, 1, 0);
    exchange_none(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_FORWARDED_RECEIPTS);
    drop_batch(events, 3);
}

/* What a recipient put aside is confirmed all the same, and stands in the log. */
static void test_quarantine_is_logged(void **state)
{
    struct exchange *exchange = *state;
    struct byte_buffer receipts;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    struct exchange_event *events = publish_batch(exchange, 2);
    exchange_fetch(exchange, EXCHANGE_POLICE, 100, 0);
    exchange_receipts(exchange, EXCHANGE_POLICE, next(exchange, EXCHANGE_POLICE), RECEIPT_QUARANTINED,
                      &receipts);
    exchange_send(exchange, EXCHANGE_POLICE, bytes_buffer_view(&receipts));
    bytes_buffer_free(&receipts);
    (void)exchange_wait(exchange, EXCHANGE_POLICE, WIRE__FRAME__VERB_RECEIPTS_STORED);
    exchange_report(exchange, EXCHANGE_POLICE, WIRE__REPORT_KIND__OPENED, &events[0]);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_QUARANTINED), 2);
    assert_int_equal(exchange_entries(exchange, RECORD_DELIVERED), 1);
    assert_int_equal(exchange_entries(exchange, RECORD_OPENED), 1);
    exchange_assert_log(exchange);
    drop_batch(events, 2);
}

/* A question of that many bytes, in which characters of two bytes lie across the pieces that it is kept in.
 */
static const char *long_question(size_t size)
{
    static char text[10000];
    int length = snprintf(text, sizeof text, "{\"do\":\"log-query\",\"officer\":\"uid 0\",\"question\":\"x");

    for (size_t i = 0; i < size / 2; i++)
        length += snprintf(text + length, sizeof text - (size_t)length, "\u00e9");
    (void)snprintf(text + length, sizeof text - (size_t)length, "\"}");
    return text;
}

/* A look at the log is an entry before it is answered; status counts. */
static void test_control(void **state)
{
    struct exchange *exchange = *state;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    const char *answer = exchange_control(
        exchange, "{\"do\":\"log-query\",\"officer\":\"uid 0\",\"question\":\"everything\"}");
    assert_non_null(strstr(answer, "\"index\":"));
    assert_non_null(strstr(exchange_control(exchange, long_question(4000)), "\"index\":"));
    assert_non_null(strstr(exchange_control(exchange, long_question(9000)), "error"));
    answer = exchange_control(exchange, "{\"do\":\"status\"}");
    assert_non_null(strstr(answer, "\"accepted\":1"));
    assert_non_null(strstr(answer, "\"undelivered\":4"));
    assert_non_null(strstr(exchange_control(exchange, "{\"do\":\"dance\"}"), "error"));
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_AUDIT_QUERY), 2);
    exchange_assert_log(exchange);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, exchange_setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_credit),
        TEST(test_large_batch_is_split),
        TEST(test_delivered_until_receipted),
        TEST(test_connection_taken_over),
        TEST(test_urgent_first),
        TEST(test_receipts_that_do_not_match),
        TEST(test_receipts_are_forwarded),
        TEST(test_quarantine_is_logged),
        TEST(test_control),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
