#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "broker/containing.h"
#include "tests/support/exchange.h"

/*
 * Well-signed events that no honest agent would send: whatever one of them is, the broker answers it, goes on
 * serving everybody, and its log verifies.
 */

#define HELD   "name,dob,pnc_id,prison_no,date_type,home_district,licence_conditions,address"
#define NOTICE "release_date=2026-12-29 home_force=21"
#define HOUR   INT64_C(3600000)

static void make_notice(struct exchange *exchange, struct exchange_event *event, unsigned person)
{
    exchange_make(exchange, event, EXCHANGE_DOVEGATE, "release.planned", person, NOTICE, HELD);
}

/* An event under an id of the sender's choice. */
static void take_id(struct exchange_event *event, const uint8_t id[static CORE_EVENT_SIZE])
{
    memcpy(event->core.event, id, CORE_EVENT_SIZE);
    exchange_refer(event, event->core.has_correlation ? event->core.correlation : NULL, NULL, NULL);
}

/* Planned and, if that grants it, published; the outcome. */
static Wire__Verdict publish(struct exchange *exchange, struct exchange_event *event)
{
    const Wire__Plan *plan = exchange_plan(exchange, event);

    if (plan->verdict != WIRE__VERDICT__ACCEPTED) {
        print_message("plan: %s\n", plan->reason);
        return plan->verdict;
    }
    exchange_seal(exchange, event, plan);
    const Wire__Outcome *outcome = exchange_submit(exchange, event);
    if (outcome->verdict != WIRE__VERDICT__ACCEPTED)
        print_message("outcome: %s\n", outcome->reason);
    return outcome->verdict;
}

static void assert_serves(struct exchange *exchange)
{
    struct exchange_event event;

    exchange_list(exchange, 77);
    make_notice(exchange, &event, 77);
    assert_int_equal(publish(exchange, &event), WIRE__VERDICT__ACCEPTED);
    exchange_drop(&event);
    exchange_stop(exchange);
    exchange_assert_log(exchange);
}

/* A deadline that was over before 1970 is over, and nothing else. */
static void test_dates_at_the_ends(void **state)
{
    static const char *const dates[] = {"1900-01-01", "1965-01-01", "1969-12-31", "1970-01-01", "2199-12-31"};
    struct exchange *exchange = *state;
    struct exchange_event event;
    char attributes[64];

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        snprintf(attributes, sizeof attributes, "release_date=%s home_force=21", dates[i]);
        exchange_make(exchange, &event, EXCHANGE_DOVEGATE, "release.planned", 1, attributes, HELD);
        assert_int_equal(publish(exchange, &event), WIRE__VERDICT__ACCEPTED);
        exchange_drop(&event);
    }
    assert_serves(exchange);
}

static Wire__Verdict confirm(struct exchange *exchange, size_t from, const char *rule, const uint8_t *target)
{
    struct exchange_event event;
    char attributes[256];
    char id[UUID_TEXT_SIZE];

    uuid_format(target, id);
    (void)snprintf(attributes, sizeof attributes, "rule=%s reason=imminent_harm target=%s", rule, id);
    exchange_make(exchange, &event, from, "override.confirmed", 1, attributes, NULL);
    exchange_refer(&event, target, NULL, NULL);
    Wire__Verdict verdict = publish(exchange, &event);
    exchange_drop(&event);
    return verdict;
}

static void later(struct exchange *exchange, int64_t by)
{
    exchange_stop(exchange);
    exchange->clock = clock_at(clock_now(&exchange->clock) + by);
    exchange_connect_all(exchange);
}

/* Ids are each sender's own: who takes that of another's override has one of its own, which nobody confirmed,
 * and cannot confirm itself. */
static void test_two_overrides_of_one_id(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event first;
    struct exchange_event second;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    exchange_make(exchange, &first, EXCHANGE_DRUGS, "override.made", 1,
                  "rule=danger-to-anyone reason=imminent_harm duty_role=duty_officer", "name");
    assert_int_equal(publish(exchange, &first), WIRE__VERDICT__ACCEPTED);
    assert_int_equal(confirm(exchange, EXCHANGE_POLICE, "danger-to-anyone", first.core.event),
                     WIRE__VERDICT__ACCEPTED);
    exchange_make(exchange, &second, EXCHANGE_POLICE, "override.made", 1,
                  "rule=danger-to-staff reason=imminent_harm duty_role=duty_officer", "name");
    take_id(&second, first.core.event);
    assert_int_equal(publish(exchange, &second), WIRE__VERDICT__ACCEPTED);
    assert_int_equal(confirm(exchange, EXCHANGE_POLICE, "danger-to-staff", first.core.event),
                     WIRE__VERDICT__REFUSED);
    later(exchange, 25 * HOUR);
    assert_int_equal(confirm(exchange, EXCHANGE_POLICE, "danger-to-staff", first.core.event),
                     WIRE__VERDICT__REFUSED);
    exchange_stop(exchange);
    /* made 2, confirmed 1, suspended 1 */
    assert_int_equal(exchange_entries(exchange, RECORD_OVERRIDE), 4);
    exchange_connect_all(exchange);
    assert_serves(exchange);
    exchange_drop(&first);
    exchange_drop(&second);
}

static void erase(struct exchange *exchange, size_t from, unsigned person, const uint8_t *event)
{
    struct exchange_event erasure;
    char attributes[128];
    char request[256];
    char id[UUID_TEXT_SIZE];

    uuid_format(event, id);
    (void)snprintf(attributes, sizeof attributes, "target=%s reason=request", id);
    exchange_make(exchange, &erasure, from, "event.erased", person, attributes, NULL);
    assert_int_equal(publish(exchange, &erasure), WIRE__VERDICT__ACCEPTED);
    exchange_drop(&erasure);
    (void)snprintf(request, sizeof request,
                   "{\"do\":\"confirm-erasure\",\"officer\":\"dpo.x\",\"how\":\"test\",\"event\":\"%s\"}",
                   id);
    const char *answer = exchange_control(exchange, request);
    if (strstr(answer, "error") != NULL)
        fail_msg("%s", answer);
}

/* Nothing that names an event of which only the leaf is left finds more than if it had never been; its id
 * stays used. late: whether its id was below its sender's highest. */
static void check_erased(struct exchange *exchange, bool late)
{
    struct exchange_event notice;
    struct exchange_event other;
    uint8_t low[CORE_EVENT_SIZE];

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &other, 2);
    memcpy(low, other.core.event, sizeof low);
    exchange_drop(&other);
    if (late) {
        make_notice(exchange, &notice, 1);
        assert_int_equal(publish(exchange, &notice), WIRE__VERDICT__ACCEPTED);
        exchange_drop(&notice);
    }
    make_notice(exchange, &notice, 1);
    take_id(&notice, low);
    assert_int_equal(publish(exchange, &notice), WIRE__VERDICT__ACCEPTED);
    erase(exchange, EXCHANGE_DOVEGATE, 1, low);
    for (int round = 0; round < 2; round++) {
        exchange_make(exchange, &other, EXCHANGE_POLICE, "arrest.made", 1, "", "name");
        exchange_refer(&other, low, NULL, NULL);
        assert_int_equal(publish(exchange, &other), WIRE__VERDICT__ACCEPTED);
        exchange_drop(&other);
        make_notice(exchange, &other, 1);
        exchange_refer(&other, NULL, low, NULL);
        assert_int_equal(publish(exchange, &other), WIRE__VERDICT__ACCEPTED);
        exchange_drop(&other);
        make_notice(exchange, &other, 1);
        exchange_refer(&other, NULL, NULL, low);
        assert_int_equal(publish(exchange, &other), WIRE__VERDICT__REFUSED);
        exchange_drop(&other);
        exchange_report(exchange, EXCHANGE_POLICE, WIRE__REPORT_KIND__OPENED, &notice);
        /* The same bytes, and other content under its id. */
        const Wire__Outcome *outcome = exchange_submit(exchange, &notice);
        assert_int_equal(outcome->verdict, WIRE__VERDICT__REFUSED);
        assert_non_null(strstr(outcome->reason, "erased"));
        make_notice(exchange, &other, 1);
        take_id(&other, low);
        const Wire__Plan *plan = exchange_plan(exchange, &other);
        assert_int_equal(plan->verdict, WIRE__VERDICT__ACCEPTED);
        exchange_seal(exchange, &other, plan);
        outcome = exchange_submit(exchange, &other);
        assert_int_equal(outcome->verdict, WIRE__VERDICT__REFUSED);
        exchange_drop(&other);
        exchange_stop(exchange);
        exchange_connect_all(exchange);
    }
    exchange_drop(&notice);
    assert_serves(exchange);
}

static void test_names_an_erased_event(void **state)
{
    check_erased(*state, false);
}

static void test_names_an_erased_late_event(void **state)
{
    check_erased(*state, true);
}

/* What a merged record rests on is not only what stands in its own places. */
static void test_erasing_what_a_merge_rests_on(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;
    struct exchange_event consent;
    char pseudonyms[2][2 * CORE_SUBJECT_SIZE + 1];
    char attributes[512];
    char id[UUID_TEXT_SIZE];

    exchange_connect_all(exchange);
    for (unsigned person = 1; person <= 2; person++) {
        exchange_list(exchange, person);
        make_notice(exchange, &event, person);
        bytes_to_hex(event.core.subject, CORE_SUBJECT_SIZE, pseudonyms[person - 1]);
        exchange_drop(&event);
    }
    exchange_make(exchange, &consent, EXCHANGE_PROBATION, "consent.given", 1,
                  "scope=throughcare form_version=3 expires=2027-03-31", NULL);
    assert_int_equal(publish(exchange, &consent), WIRE__VERDICT__ACCEPTED);
    snprintf(attributes, sizeof attributes, "merged_from=%s merged_to=%s", pseudonyms[0], pseudonyms[1]);
    for (int i = 0; i < 2; i++) {
        exchange_make(exchange, &event, i == 0 ? EXCHANGE_POLICE : EXCHANGE_PROBATION, "subject.merged", 1,
                      attributes, NULL);
        assert_int_equal(publish(exchange, &event), WIRE__VERDICT__ACCEPTED);
        exchange_drop(&event);
    }
    uuid_format(consent.core.event, id);
    snprintf(attributes, sizeof attributes, "target=%s reason=request", id);
    exchange_make(exchange, &event, EXCHANGE_PROBATION, "event.erased", 1, attributes, NULL);
    const Wire__Plan *plan = exchange_plan(exchange, &event);
    assert_int_equal(plan->verdict, WIRE__VERDICT__REFUSED);
    assert_non_null(strstr(plan->reason, "still rests on that event"));
    exchange_drop(&event);
    for (unsigned person = 1; person <= 2; person++) {
        make_notice(exchange, &event, person);
        assert_int_equal(publish(exchange, &event), WIRE__VERDICT__ACCEPTED);
        exchange_drop(&event);
    }
    exchange_drop(&consent);
    assert_serves(exchange);
}

/* Whoever was asked answers the question, whatever other event another member gave the question's id. */
static void test_a_copied_id_blocks_no_answer(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event question;
    struct exchange_event copy;
    struct exchange_event answer;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    exchange_make(exchange, &question, EXCHANGE_PROBATION, "case.queried", 1, "asked_items=status", "name");
    assert_int_equal(publish(exchange, &question), WIRE__VERDICT__ACCEPTED);
    make_notice(exchange, &copy, 1); /* by a member that the store has under a lower number */
    take_id(&copy, question.core.event);
    assert_int_equal(publish(exchange, &copy), WIRE__VERDICT__ACCEPTED);
    exchange_make(exchange, &answer, EXCHANGE_POLICE, "case.answered", 1, "", "status");
    exchange_refer(&answer, question.core.event, NULL, NULL);
    assert_int_equal(publish(exchange, &answer), WIRE__VERDICT__ACCEPTED);
    assert_string_equal((const char *)answer.slots[0].to.data, "probation.staffordshire");
    exchange_drop(&question);
    exchange_drop(&copy);
    exchange_drop(&answer);
    assert_serves(exchange);
}

/* Sends these as one batch; the answer. */
static const Wire__PublishAnswer *submit(struct exchange *exchange, struct exchange_event *const *events,
                                         size_t count)
{
    struct byte_buffer frame;

    exchange_frame(exchange, events, count, &frame);
    exchange_send(exchange, events[0]->from, bytes_buffer_view(&frame));
    bytes_buffer_free(&frame);
    const Wire__Frame *answer = exchange_wait(exchange, events[0]->from, WIRE__FRAME__VERB_PUBLISH_ANSWER);
    assert_int_equal(answer->publish_answer->n_outcomes, count);
    return answer->publish_answer;
}

/* An event that stands nowhere yet is named by others of its own batch. */
static void test_names_one_of_its_batch(void **state)
{
    enum { EVENTS = 6 };
    struct exchange *exchange = *state;
    struct exchange_event events[EVENTS];
    struct exchange_event *list[EVENTS];
    char attributes[128];
    char id[UUID_TEXT_SIZE];

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    for (size_t i = 0; i < EVENTS; i++) {
        list[i] = &events[i];
        if (i != 4)
            make_notice(exchange, &events[i], 1);
        uuid_format(events[0].core.event, id);
        (void)snprintf(attributes, sizeof attributes, "target=%s reason=request", id);
        if (i == 4)
            exchange_make(exchange, &events[i], EXCHANGE_DOVEGATE, "event.erased", 1, attributes, NULL);
    }
    const uint8_t *first = events[0].core.event;
    exchange_refer(&events[1], first, NULL, NULL);
    exchange_refer(&events[2], NULL, first, NULL);
    exchange_refer(&events[3], NULL, NULL, first);
    exchange_refer(&events[5], events[5].core.event, events[5].core.event, NULL); /* and itself */
    for (size_t i = 0; i < EVENTS; i++) {
        const Wire__Plan *plan = exchange_plan(exchange, &events[i]);
        if (plan->verdict == WIRE__VERDICT__ACCEPTED)
            exchange_seal(exchange, &events[i], plan);
        else
            exchange_close(&events[i]);
    }
    const Wire__PublishAnswer *answer = submit(exchange, list, EVENTS);
    for (size_t i = 0; i < EVENTS; i++) {
        assert_int_equal(answer->outcomes[i]->verdict,
                         i == 3 || i == 4 ? WIRE__VERDICT__REFUSED : WIRE__VERDICT__ACCEPTED);
        exchange_drop(&events[i]);
    }
    assert_serves(exchange);
}

/* So many refusals that a frame does not hold what there is to say about all of them: each has its outcome
 * and its reason, now and when it is sent again. */
static void test_more_refusals_than_a_frame_holds(void **state)
{
    enum { EVENTS = 256 };
    struct exchange *exchange = *state;
    struct exchange_event *events = calloc(EVENTS, sizeof *events);
    struct exchange_event *list[EVENTS];

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    for (size_t i = 0; i < EVENTS; i++) {
        list[i] = &events[i];
        exchange_make(exchange, &events[i], EXCHANGE_PROBATION, "plan.shared", 1, "", "name");
        exchange_close(&events[i]);
    }
    for (int round = 0; round < 2; round++) {
        const Wire__PublishAnswer *answer = submit(exchange, list, EVENTS);
        for (size_t i = 0; i < EVENTS; i++) {
            assert_int_equal(answer->outcomes[i]->verdict, WIRE__VERDICT__REFUSED);
            assert_true(strlen(answer->outcomes[i]->reason) > 20);
        }
    }
    /* Alone there is room for all of them. */
    exchange_drop(&events[0]);
    exchange_make(exchange, &events[0], EXCHANGE_PROBATION, "plan.shared", 1, "", "name");
    exchange_close(&events[0]);
    assert_true(exchange_submit(exchange, &events[0])->n_refusals > 3);
    for (size_t i = 0; i < EVENTS; i++)
        exchange_drop(&events[i]);
    free(events);
    assert_serves(exchange);
}

/* Whoever is looked up stands in the log, whatever is then published under the id of the plans. */
static void test_one_id_for_many_looks(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;
    uint8_t id[CORE_EVENT_SIZE];

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    for (unsigned person = 4; person > 0; person--) {
        make_notice(exchange, &event, person);
        if (person == 4)
            memcpy(id, event.core.event, sizeof id);
        take_id(&event, id);
        (void)exchange_plan(exchange, &event);
        if (person > 1)
            exchange_drop(&event);
    }
    assert_int_equal(publish(exchange, &event), WIRE__VERDICT__ACCEPTED);
    /* What was told once is not told again unseen. */
    (void)exchange_plan(exchange, &event);
    assert_int_equal(exchange_submit(exchange, &event)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_drop(&event);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_CONSULTED), 4);
    exchange_assert_log(exchange);
}

/* Refused recipients cost the sender something, and nobody else. */
static void test_gaps_are_counted(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;

    exchange->limits.gaps_per_minute = 1;
    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    for (size_t i = 0; i < 3; i++) {
        exchange_make(exchange, &event, EXCHANGE_POLICE, "charge.made", 1, "", "name,dob");
        const Wire__Plan *plan = exchange_plan(exchange, &event);
        if (i == 0)
            assert_int_equal(plan->n_refusals, 2); /* of which one is free */
        assert_int_equal(plan->verdict, i == 0 ? WIRE__VERDICT__ACCEPTED : WIRE__VERDICT__BUSY);
        if (i == 0) {
            exchange_seal(exchange, &event, plan);
            assert_int_equal(exchange_submit(exchange, &event)->verdict, WIRE__VERDICT__ACCEPTED);
        } else {
            assert_non_null(strstr(plan->reason, "too many recipients"));
        }
        exchange_drop(&event);
    }
    make_notice(exchange, &event, 1);
    assert_int_equal(publish(exchange, &event), WIRE__VERDICT__ACCEPTED); /* others are served */
    exchange_drop(&event);
    exchange_stop(exchange);
    exchange_assert_log(exchange);
}

/* ---- what nobody thought of ---- */

static void make_three(struct exchange *exchange, struct exchange_event *events, struct exchange_event **list)
{
    for (size_t i = 0; i < 3; i++) {
        list[i] = &events[i];
        make_notice(exchange, &events[i], 1);
        exchange_seal(exchange, &events[i], exchange_plan(exchange, &events[i]));
    }
}

/* An event whose handling fails is refused for good, the others of its batch are not, and the log tells. */
static void test_one_event_that_cannot_be_handled(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event events[3];
    struct exchange_event *list[3];

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_three(exchange, events, list);
    crash_fault_next("broker.accepting", 2); /* within its group, and by itself */
    for (int round = 0; round < 2; round++) {
        const Wire__PublishAnswer *answer = submit(exchange, list, 3);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(answer->outcomes[i]->verdict,
                             i == 0 ? WIRE__VERDICT__REFUSED : WIRE__VERDICT__ACCEPTED);
        assert_non_null(strstr(answer->outcomes[0]->reason, "cannot take this event"));
    }
    assert_non_null(strstr(exchange->alert, "could not be handled"));
    for (size_t i = 0; i < 3; i++)
        exchange_drop(&events[i]);
    assert_serves(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_INCIDENT), 1);
    assert_int_equal(exchange_entries(exchange, RECORD_ACCEPTED), 1 + 2 + 2);
}

static void wait_for_error(struct exchange *exchange, size_t agent, const char *words)
{
    const Wire__Frame *answer = exchange_wait(exchange, agent, WIRE__FRAME__VERB_ERROR);

    if (strstr(answer->error->text, words) == NULL)
        fail_msg("%s", answer->error->text);
}

/* A frame that fails however much of it is left out is answered, others are served meanwhile; and whoever
 * goes on with it waits. */
static void test_frames_that_cannot_be_handled(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event events[3];
    struct exchange_event *list[3];

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_three(exchange, events, list);
    crash_fault_next("broker.accepting", 100);
    const Wire__PublishAnswer *answer = submit(exchange, list, 3);
    for (size_t i = 0; i < 3; i++) { /* each was left out in turn */
        assert_int_equal(answer->outcomes[i]->verdict, WIRE__VERDICT__REFUSED);
        exchange_drop(&events[i]);
    }
    for (unsigned i = 1; i <= CONTAINING_PER_MINUTE; i++) {
        make_notice(exchange, &events[0], 1);
        crash_fault_next("broker.planning", 2);
        exchange_plan_only(exchange, &events[0]);
        wait_for_error(exchange, EXCHANGE_DOVEGATE,
                       i < CONTAINING_PER_MINUTE ? "cannot handle this" : "too many of your frames");
        crash_fault_next("broker.planning", 0);
        exchange_list(exchange, 1 + i);
        exchange_drop(&events[0]);
    }
    exchange_stop(exchange);
    exchange_assert_log(exchange);
    assert_true(exchange_entries(exchange, RECORD_INCIDENT) >= 1);
}

/* What somebody at the broker's own host says must be writable too. */
static void test_a_request_that_cannot_be_logged(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;
    struct exchange_event erasure;
    char attributes[128];
    char request[256];
    char id[UUID_TEXT_SIZE];

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &event, 1);
    assert_int_equal(publish(exchange, &event), WIRE__VERDICT__ACCEPTED);
    uuid_format(event.core.event, id);
    (void)snprintf(attributes, sizeof attributes, "target=%s reason=request", id);
    exchange_make(exchange, &erasure, EXCHANGE_DOVEGATE, "event.erased", 1, attributes, NULL);
    assert_int_equal(publish(exchange, &erasure), WIRE__VERDICT__ACCEPTED);
    (void)snprintf(request, sizeof request,
                   "{\"do\":\"confirm-erasure\",\"officer\":\"dpo.x\",\"how\":\"\\u0007\",\"event\":\"%s\"}",
                   id);
    assert_non_null(strstr(exchange_control(exchange, request), "cannot handle this"));
    exchange_drop(&event);
    exchange_drop(&erasure);
    assert_serves(exchange);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, exchange_setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_dates_at_the_ends),
        TEST(test_two_overrides_of_one_id),
        TEST(test_names_an_erased_event),
        TEST(test_names_an_erased_late_event),
        TEST(test_erasing_what_a_merge_rests_on),
        TEST(test_a_copied_id_blocks_no_answer),
        TEST(test_names_one_of_its_batch),
        TEST(test_more_refusals_than_a_frame_holds),
        TEST(test_one_id_for_many_looks),
        TEST(test_gaps_are_counted),
        TEST(test_one_event_that_cannot_be_handled),
        TEST(test_frames_that_cannot_be_handled),
        TEST(test_a_request_that_cannot_be_logged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
