#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

#include "certs/authority.h"
#include "tests/support/exchange.h"
#include "tests/support/policy.h"

/* What waits for its recipient does not outlive the consent that it rests on. */

#define TAKEN 1 /* the notice's section for the drug team */

static void publish(struct exchange *exchange, size_t from, const char *type, const char *attributes,
                    const char *held)
{
    struct exchange_event event;
    const Wire__Outcome *outcome;

    exchange_make(exchange, &event, from, type, 1, attributes, held);
    outcome = exchange_publish(exchange, &event);
    if (outcome->verdict != WIRE__VERDICT__ACCEPTED)
        fail_msg("%s: %s", type, outcome->reason);
    exchange_drop(&event);
}

/* A notice that a drug team may have by consent, then the withdrawal; what was recalled. */
static size_t recalled(const struct policy_edit *edits)
{
    struct exchange *exchange = exchange_new();
    size_t count = 0;

    exchange_start(exchange);
    for (size_t i = 0; i < EXCHANGE_AGENTS; i++)
        exchange_connect(exchange, i);
    exchange_list(exchange, 1);
    exchange_consent(exchange, 1, "throughcare");
    if (edits != NULL)
        exchange_load(exchange, exchange_bundle(exchange, edits));
    publish(exchange, EXCHANGE_DOVEGATE, "release.planned", "release_date=2026-12-29 home_force=21", "name");
    publish(exchange, EXCHANGE_PROBATION, "consent.withdrawn", "scope=throughcare", NULL);
    exchange_stop(exchange);
    count = exchange_entries(exchange, RECORD_RECALLED);
    exchange_free(&exchange);
    return count;
}

static void test_withdrawal_recalls(void **state)
{
    (void)state;
    assert_int_equal(recalled(NULL), TAKEN);
}

/* A consent is known by its scope: another order in the next bundle's protocol does not make it another. */
static void test_withdrawal_recalls_when_consents_moved(void **state)
{
    static const struct policy_edit edits[] = {
        {"  throughcare: {longest: P12M, forms: [\"1\", \"2\", \"3\"], recorded_by: [probation, drugs]}\n  "
         "share_with_probation: {longest: P12M, forms: [\"1\", \"2\", \"3\"], recorded_by: [probation, "
         "drugs]}\n",
         "  share_with_probation: {longest: P12M, forms: [\"1\", \"2\", \"3\"], recorded_by: [probation, "
         "drugs]}\n  throughcare: {longest: P12M, forms: [\"1\", \"2\", \"3\"], recorded_by: [probation, "
         "drugs]}\n"},
        {NULL, NULL}};

    (void)state;
    assert_int_equal(recalled(edits), TAKEN);
}

static void expect_verdict(const Wire__Outcome *outcome, Wire__Verdict verdict)
{
    if (outcome->verdict != verdict)
        fail_msg("%s", outcome->reason);
}

/* A standing notice about person 1; the police, probation and (by consent) the drug team may have it. */
static void notice(struct exchange *exchange, struct exchange_event *event)
{
    exchange_make(exchange, event, EXCHANGE_DOVEGATE, "release.planned", 1,
                  "release_date=2026-12-29 home_force=21", "name,dob,pnc_id,prison_no");
    expect_verdict(exchange_publish(exchange, event), WIRE__VERDICT__ACCEPTED);
}

static void scheme(struct exchange *exchange)
{
    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    exchange_consent(exchange, 1, "throughcare");
}

/* ---- telling ---- */

#define MANY 260 /* more than one frame's recalls */

static void publish_many(struct exchange *exchange, struct exchange_event *events, size_t count)
{
    struct exchange_event *list[MANY];
    struct byte_buffer frame;

    for (size_t i = 0; i < count; i++) {
        list[i] = &events[i];
        exchange_make(exchange, &events[i], EXCHANGE_DOVEGATE, "release.confirmed", 1,
                      "released_on=2026-12-01 home_force=21", "name");
        exchange_seal(exchange, &events[i], exchange_plan(exchange, &events[i]));
    }
    exchange_frame(exchange, list, count, &frame);
    exchange_send(exchange, EXCHANGE_DOVEGATE, bytes_buffer_view(&frame));
    bytes_buffer_free(&frame);
    (void)exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_PUBLISH_ANSWER);
}

static size_t told(struct exchange *exchange, size_t most)
{
    size_t count = 0;

    exchange_disconnect(exchange, EXCHANGE_DRUGS);
    exchange_connect(exchange, EXCHANGE_DRUGS);
    exchange_fetch(exchange, EXCHANGE_DRUGS, 1, 0);
    while (count < most)
        count += exchange_wait(exchange, EXCHANGE_DRUGS, WIRE__FRAME__VERB_RECALL)->recall->n_items;
    exchange_none(exchange, EXCHANGE_DRUGS, WIRE__FRAME__VERB_RECALL);
    return count;
}

/* Recalls that nobody confirms keep no others from being told, and whoever never held the event confirms
 * that. */
static void test_all_recalls_are_told(void **state)
{
    static const uint8_t nothing[DIGEST_SIZE];
    struct exchange *exchange = *state;
    struct exchange_event *events = calloc(MANY, sizeof *events);

    assert_non_null(events);
    scheme(exchange);
    publish_many(exchange, events, 130);
    publish_many(exchange, events + 130, MANY - 130);
    exchange_stop(exchange); /* who was handed what is forgotten */
    exchange_connect_all(exchange);
    exchange_disconnect(exchange, EXCHANGE_DRUGS);
    publish(exchange, EXCHANGE_PROBATION, "consent.withdrawn", "scope=throughcare", NULL);
    assert_int_equal(told(exchange, MANY), MANY);
    for (size_t i = 0; i < 10; i++)
        (void)exchange_report_as(exchange, EXCHANGE_DRUGS, WIRE__REPORT_KIND__RECALLED, &events[i], nothing,
                                 WIRE__FRAME__VERB_REPORTS_STORED);
    assert_int_equal(told(exchange, MANY - 10), MANY - 10);
    /* Somebody else's word confirms nothing. */
    (void)exchange_report_as(exchange, EXCHANGE_STAFFORD, WIRE__REPORT_KIND__RECALLED, &events[20], nothing,
                             WIRE__FRAME__VERB_REPORTS_STORED);
    assert_int_equal(told(exchange, MANY - 10), MANY - 10);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_RECALLED), MANY + 10);
    for (size_t i = 0; i < MANY; i++)
        exchange_drop(&events[i]);
    free(events);
}

/* ---- changes that take no ground away ---- */

/* How many sections of a notice are taken back when this is said about the person. */
static size_t taken_by(struct exchange *exchange, size_t from, const char *type, const char *attributes)
{
    struct exchange_event event;
    size_t count;

    scheme(exchange);
    notice(exchange, &event);
    publish(exchange, from, type, attributes, NULL);
    exchange_stop(exchange);
    count = exchange_entries(exchange, RECORD_RECALLED);
    exchange_assert_log(exchange);
    exchange_drop(&event);
    return count;
}

static void test_move_takes_back(void **state)
{
    exchange_connect_all(*state);
    exchange_stop(*state);
    /* The listing and the notice for the drug team of the area that was left. */
    assert_int_equal(
        taken_by(*state, EXCHANGE_POLICE, "ppo.moved", "from_area=stoke to_area=stafford home_force=21"), 2);
}

static void test_juvenile_takes_back(void **state)
{
    /* Nothing for the drug team about juveniles, nor for probation, whose place is another's. */
    assert_int_equal(taken_by(*state, EXCHANGE_POLICE, "ppo.reviewed",
                              "outcome=retain next_review=2026-12-20 juvenile=yes"),
                     4);
}

static void test_review_takes_nothing_back(void **state)
{
    assert_int_equal(
        taken_by(*state, EXCHANGE_POLICE, "ppo.reviewed", "outcome=retain next_review=2026-12-20"), 0);
}

/* Whoever lost a standing event before it came is told of it again once entitled. */
static void test_taken_back_may_come_again(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;
    const Wire__Frame *frame;

    scheme(exchange);
    notice(exchange, &event);
    publish(exchange, EXCHANGE_PROBATION, "consent.withdrawn", "scope=throughcare", NULL);
    exchange->clock = clock_at(clock_now(&exchange->clock) + 600000);
    exchange_stop(exchange);
    exchange_connect_all(exchange);
    exchange_fetch(exchange, EXCHANGE_DOVEGATE, 10, 0);
    exchange_consent(exchange, 1, "throughcare");
    frame = exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_REPLAN);
    assert_memory_equal(frame->replan->events[0].data, event.core.event, CORE_EVENT_SIZE);
    exchange_drop(&event);
}

/* ---- another bundle ---- */

/* Between two certificates a recipient stays a member, but gets no more than the protocol grants. */
static void test_expired_recipient(void **state)
{
    static const struct policy_edit edits[] = {
        {"    late: send and flag\n    on_change: supersede\n    "
         "retention: P12M\n    to:\n      - class: police\n",
         "    late: send and flag\n    on_change: supersede\n    "
         "retention: P12M\n    to:\n      - class: electronic_monitoring\n"},
        {NULL, NULL}};
    struct exchange *exchange = exchange_new_aged(EXCHANGE_POLICE, AUTHORITY_MEMBER_DAYS - 1);
    struct exchange_event event;

    (void)state;
    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    notice(exchange, &event);
    exchange_stop(exchange);
    exchange->partnership->now += 2 * CIVIL_DAY_MS;
    exchange->clock = clock_at(exchange->partnership->now);
    exchange_start(exchange);
    exchange_load(exchange, exchange_bundle(exchange, NULL));
    exchange_load(exchange, exchange_bundle(exchange, edits));
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_RECALLED), 1);
    exchange_drop(&event);
    exchange_free(&exchange);
}

/* ---- reports ---- */

static void test_reports_count_once(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;
    uint8_t header[DIGEST_SIZE];

    exchange->limits.reports_per_minute = 4;
    scheme(exchange);
    notice(exchange, &event);
    header_digest(bytes_buffer_view(&event.header), header);
    for (size_t i = 0; i < 3; i++)
        exchange_report(exchange, EXCHANGE_POLICE, WIRE__REPORT_KIND__OPENED, &event);
    exchange_report(exchange, EXCHANGE_POLICE, WIRE__REPORT_KIND__CONFIRMED, &event);
    assert_int_equal(exchange_report_as(exchange, EXCHANGE_POLICE, WIRE__REPORT_KIND__REPORT_QUARANTINED,
                                        &event, header, WIRE__FRAME__VERB_ERROR)
                         ->error->code,
                     WIRE__ERROR_CODE__NOT_NOW);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_OPENED), 2); /* opened once, confirmed once */
    assert_int_equal(exchange_entries(exchange, RECORD_QUARANTINED), 0);
    exchange_drop(&event);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, exchange_setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_withdrawal_recalls),
        cmocka_unit_test(test_withdrawal_recalls_when_consents_moved),
        TEST(test_all_recalls_are_told),
        TEST(test_move_takes_back),
        TEST(test_juvenile_takes_back),
        TEST(test_review_takes_nothing_back),
        TEST(test_taken_back_may_come_again),
        cmocka_unit_test(test_expired_recipient),
        TEST(test_reports_count_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
