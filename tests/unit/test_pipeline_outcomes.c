#include "tests/support/support.h"

#include <string.h>

#include "broker/rulebook.h"
#include "tests/support/exchange.h"

#define HELD   "name,dob,pnc_id,prison_no,date_type,home_district,licence_conditions,address"
#define NOTICE "release_date=2026-12-29 home_force=21"

static void make_notice(struct exchange *exchange, struct exchange_event *event, unsigned person)
{
    exchange_make(exchange, event, EXCHANGE_DOVEGATE, "release.planned", person, NOTICE, HELD);
}

static void assert_same(const Wire__Outcome *a, const Wire__Outcome *b)
{
    assert_int_equal(a->verdict, b->verdict);
    assert_int_equal(a->has_log_index, b->has_log_index);
    assert_int_equal(a->log_index, b->log_index);
    assert_int_equal(a->n_refusals, b->n_refusals);
    if (a->reason != NULL)
        assert_string_equal(a->reason, b->reason);
}

/* The same bytes again, at once and later and after a restart: one outcome for ever, one entry. */
static void test_repeats_get_the_first_outcome(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;
    struct exchange_event *events = &event;
    struct byte_buffer frame;
    const Wire__Outcome *first = NULL;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &event, 1);
    exchange_seal(exchange, &event, exchange_plan(exchange, &event));
    exchange_frame(exchange, &events, 1, &frame);
    for (int i = 0; i < 5; i++)
        exchange_send(exchange, EXCHANGE_DOVEGATE, bytes_buffer_view(&frame));
    for (int i = 0; i < 5; i++) {
        const Wire__Frame *answer =
            exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_PUBLISH_ANSWER);
        const Wire__Outcome *outcome = answer->publish_answer->outcomes[0];
        if (first == NULL)
            first = outcome;
        assert_int_equal(outcome->verdict, WIRE__VERDICT__ACCEPTED);
        assert_same(first, outcome);
    }
    exchange_stop(exchange);
    exchange_connect_all(exchange);
    assert_same(first, exchange_submit(exchange, &event));
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_ACCEPTED), 2);
    exchange_assert_log(exchange);
    bytes_buffer_free(&frame);
    exchange_drop(&event);
}

/* Another header under a used id is refused, and does not disturb the outcome. */
static void test_used_id_with_other_content(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;
    struct exchange_event other;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &event, 1);
    const Wire__Outcome *first = exchange_publish(exchange, &event);
    assert_int_equal(first->verdict, WIRE__VERDICT__ACCEPTED);
    make_notice(exchange, &other, 1);
    memcpy(other.core.event, event.core.event, CORE_EVENT_SIZE);
    exchange_refer(&other, NULL, NULL, NULL);
    exchange_close(&other);
    const Wire__Outcome *outcome = exchange_submit(exchange, &other);
    assert_int_equal(outcome->verdict, WIRE__VERDICT__REFUSED);
    assert_non_null(strstr(outcome->reason, "used before"));
    assert_same(first, exchange_submit(exchange, &event));
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_ACCEPTED), 2);
    assert_int_equal(exchange_entries(exchange, RECORD_DISCLOSED), 4 + 2);
    exchange_assert_log(exchange);
    exchange_drop(&event);
    exchange_drop(&other);
}

/* Ways in which a patched agent's sections differ from what was granted. */
enum tamper { ITEM_MORE, ITEM_FEWER, OTHER_RULE, ONE_MORE, ONE_FEWER, OTHER_KEY };

static void seal_wrongly(struct exchange *exchange, struct exchange_event *event, const Wire__Plan *plan,
                         enum tamper tamper)
{
    assert_int_equal(plan->n_grants, 2);
    assert_string_equal(plan->grants[0]->to, "police.staffordshire");
    if (tamper == ONE_MORE)
        exchange_add(exchange, event, "drugs.stoke", "release-notice", "name dob release_date");
    if (tamper == ITEM_MORE)
        exchange_add(exchange, event, plan->grants[0]->to, plan->grants[0]->rule,
                     "name dob pnc_id prison_no release_date date_type home_district licence_conditions");
    else if (tamper == ITEM_FEWER)
        exchange_add(exchange, event, plan->grants[0]->to, plan->grants[0]->rule,
                     "name dob pnc_id release_date date_type home_district");
    else if (tamper == OTHER_RULE)
        exchange_add(exchange, event, plan->grants[0]->to, "arrest",
                     "name dob pnc_id release_date date_type home_district licence_conditions");
    else
        exchange_grant(exchange, event, plan->grants[0]);
    if (tamper != ONE_FEWER)
        exchange_grant(exchange, event, plan->grants[1]);
    if (tamper == OTHER_KEY) {
        /* The section is another's, with this one's name on it. */
        struct section section;
        struct byte_buffer changed = bytes_buffer(SECTION_SIZE_MAX);
        uint8_t key[SECTION_KEY_ID_SIZE] = {1};
        assert_int_equal(section_decode(bytes_buffer_view(&event->sections[1]), &section), STATUS_OK);
        section.key = key;
        assert_int_equal(section_encode(&section, &changed), STATUS_OK);
        bytes_buffer_free(&event->sections[1]);
        event->sections[1] = changed;
    }
    exchange_close(event);
}

static const struct {
    enum tamper tamper;
    const char *code; /* of the refusal told, or NULL */
    const char *says;
} tampers[] = {
    {ITEM_MORE, "item-not-granted", "prison_no"},   {ITEM_FEWER, "item-left-out", "licence_conditions"},
    {OTHER_RULE, "other-rule", "police"},           {ONE_MORE, "no-consent", "throughcare"},
    {ONE_FEWER, "recipient-left-out", "probation"}, {OTHER_KEY, NULL, "not its own"},
};

/* Sections that are not exactly what was decided: refused in a sentence, logged, and for ever. */
static void test_sections_must_equal_the_decision(void **state)
{
    struct exchange *exchange = *state;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    for (size_t i = 0; i < sizeof tampers / sizeof tampers[0]; i++) {
        struct exchange_event event;
        make_notice(exchange, &event, 1);
        seal_wrongly(exchange, &event, exchange_plan(exchange, &event), tampers[i].tamper);
        const Wire__Outcome *outcome = exchange_submit(exchange, &event);
        assert_int_equal(outcome->verdict, WIRE__VERDICT__REFUSED);
        if (outcome->reason == NULL || strstr(outcome->reason, tampers[i].says) == NULL)
            fail_msg("case %zu: %s", i, outcome->reason);
        if (tampers[i].code != NULL) {
            assert_int_equal(outcome->n_refusals, 1);
            assert_string_equal(outcome->refusals[0]->code, tampers[i].code);
        }
        assert_true(outcome->has_log_index);
        assert_same(outcome, exchange_submit(exchange, &event));
        exchange_drop(&event);
    }
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_DISCLOSED), 4);
    assert_int_equal(exchange_entries(exchange, RECORD_REFUSED), 7);
    exchange_assert_log(exchange);
}

/* A stranger's signature, another's certificate, another sender's core, a flipped bit: the frame has no
 * effect. */
static void test_bad_batches_have_no_effect(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;
    struct exchange_event *events = &event;
    struct byte_buffer frame;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &event, 1);
    exchange_seal(exchange, &event, exchange_plan(exchange, &event));
    exchange_frame(exchange, &events, 1, &frame);
    /* Another member sends it. */
    exchange_send(exchange, EXCHANGE_STAFFORD, bytes_buffer_view(&frame));
    const Wire__Frame *error = exchange_wait(exchange, EXCHANGE_STAFFORD, WIRE__FRAME__VERB_ERROR);
    assert_int_equal(error->error->code, WIRE__ERROR_CODE__NOT_ALLOWED);
    assert_int_equal(error->request, exchange->requests);
    for (size_t i = 10; i < frame.size; i += 97) {
        frame.data[i] ^= 1;
        exchange_send(exchange, EXCHANGE_DOVEGATE, bytes_buffer_view(&frame));
        error = exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_ERROR);
        assert_int_equal(error->request, exchange->requests); /* whether the rest could be read or not */
        frame.data[i] ^= 1;
    }
    exchange_send(exchange, EXCHANGE_DOVEGATE, bytes_view("nonsense", 8));
    error = exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_ERROR);
    assert_int_equal(error->error->code, WIRE__ERROR_CODE__MALFORMED);
    assert_int_equal(exchange_submit(exchange, &event)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_ACCEPTED), 2);
    assert_int_equal(exchange_entries(exchange, RECORD_REFUSED), 2); /* no consent; J-Track is not enrolled */
    bytes_buffer_free(&frame);
    exchange_drop(&event);
}

/* A batch may mix outcomes; an id below the highest one is new when it never had an outcome. */
static void test_mixed_batch_and_late_ids(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event events[4];
    struct exchange_event *list[4];
    struct byte_buffer frame;
    const Wire__Frame *answer;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    for (size_t i = 0; i < 4; i++) {
        /* The third is about somebody who is not on the list. */
        make_notice(exchange, &events[i], i == 2 ? 9 : 1);
        list[i] = &events[i];
        if (i != 2)
            exchange_seal(exchange, &events[i], exchange_plan(exchange, &events[i]));
        else
            exchange_close(&events[i]);
    }
    /* The first is left out and comes afterwards: its id is below the others'. */
    exchange_frame(exchange, list + 1, 3, &frame);
    exchange_send(exchange, EXCHANGE_DOVEGATE, bytes_buffer_view(&frame));
    bytes_buffer_free(&frame);
    answer = exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_PUBLISH_ANSWER);
    assert_int_equal(answer->publish_answer->n_outcomes, 3);
    assert_int_equal(answer->publish_answer->outcomes[0]->verdict, WIRE__VERDICT__ACCEPTED);
    assert_int_equal(answer->publish_answer->outcomes[1]->verdict, WIRE__VERDICT__REFUSED);
    assert_int_equal(answer->publish_answer->outcomes[2]->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_frame(exchange, list, 4, &frame);
    exchange_send(exchange, EXCHANGE_DOVEGATE, bytes_buffer_view(&frame));
    bytes_buffer_free(&frame);
    const Wire__PublishAnswer *again =
        exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_PUBLISH_ANSWER)->publish_answer;
    assert_int_equal(again->n_outcomes, 4);
    assert_int_equal(again->outcomes[0]->verdict, WIRE__VERDICT__ACCEPTED);
    for (size_t i = 0; i < 3; i++)
        assert_same(again->outcomes[i + 1], answer->publish_answer->outcomes[i]);
    assert_same(again->outcomes[0], exchange_submit(exchange, &events[0]));
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_ACCEPTED), 1 + 3);
    exchange_assert_log(exchange);
    for (size_t i = 0; i < 4; i++)
        exchange_drop(&events[i]);
}

/* No room on the disk: busy, which is no outcome; with room again it is accepted under the same id. */
static void test_full_disk_is_busy(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &event, 1);
    exchange_seal(exchange, &event, exchange_plan(exchange, &event));
    exchange_stop(exchange);
    exchange->limits.disk_floor = UINT64_MAX;
    exchange_connect_all(exchange);
    const Wire__Outcome *outcome = exchange_submit(exchange, &event);
    assert_int_equal(outcome->verdict, WIRE__VERDICT__BUSY);
    assert_non_null(strstr(outcome->reason, "disk is full"));
    exchange_stop(exchange);
    exchange->limits.disk_floor = 0;
    exchange_connect_all(exchange);
    assert_int_equal(exchange_submit(exchange, &event)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_stop(exchange);
    exchange_assert_log(exchange);
    exchange_drop(&event);
}

/* A bundle that comes between plan and publish: stale, then planned again under the same id. */
static void test_bundle_between_plan_and_publish(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &event, 1);
    exchange_seal(exchange, &event, exchange_plan(exchange, &event));
    exchange_load(exchange, exchange_bundle(exchange, NULL));
    const Wire__Outcome *outcome = exchange_submit(exchange, &event);
    assert_int_equal(outcome->verdict, WIRE__VERDICT__STALE);
    for (size_t i = 0; i < event.section_count; i++)
        bytes_buffer_free(&event.sections[i]);
    event.section_count = 0;
    memcpy(event.core.bundle, bundle_head_digest(exchange->bundle), CORE_DIGEST_SIZE);
    exchange_refer(&event, NULL, NULL, NULL);
    outcome = exchange_publish(exchange, &event);
    assert_int_equal(outcome->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_BUNDLE_LOADED), 2);
    exchange_assert_log(exchange);
    exchange_drop(&event);
}

/* The first of identical refusals is logged at once, the others as a count. */
static void test_identical_refusals_are_counted(void **state)
{
    struct exchange *exchange = *state;

    exchange_connect_all(exchange);
    for (int i = 0; i < 5; i++) {
        struct exchange_event event;
        make_notice(exchange, &event, 7);
        exchange_close(&event);
        const Wire__Outcome *outcome = exchange_submit(exchange, &event);
        assert_int_equal(outcome->verdict, WIRE__VERDICT__REFUSED);
        assert_int_equal(outcome->has_log_index, i == 0);
        exchange_drop(&event);
    }
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_REFUSED), 1);
    assert_int_equal(exchange_entries(exchange, RECORD_COUNT),
                     2); /* these, and the daily count of the prison */
    exchange_assert_log(exchange);
}

/* Who sends more than its share waits. */
static void test_quotas(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;

    exchange->limits.refusals_per_minute = 1;
    exchange->limits.undelivered_sections = 5;
    exchange_connect_all(exchange);
    exchange_list(exchange, 1); /* four sections, for which nobody has given a receipt */
    exchange_list(exchange, 2);
    make_notice(exchange, &event, 7);
    exchange_close(&event);
    assert_int_equal(exchange_submit(exchange, &event)->verdict, WIRE__VERDICT__REFUSED);
    exchange_drop(&event);
    make_notice(exchange, &event, 8);
    exchange_close(&event);
    assert_int_equal(exchange_submit(exchange, &event)->verdict, WIRE__VERDICT__BUSY);
    exchange_drop(&event);
    exchange_make(exchange, &event, EXCHANGE_POLICE, "ppo.removed", 1, "reason=moved authority=bcu_commander",
                  "name,dob,pnc_id,prison_no");
    exchange_close(&event);
    const Wire__Outcome *outcome = exchange_submit(exchange, &event);
    assert_int_equal(outcome->verdict, WIRE__VERDICT__BUSY);
    assert_non_null(strstr(outcome->reason, "wait for recipients"));
    exchange_drop(&event);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, exchange_setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_repeats_get_the_first_outcome),
        TEST(test_used_id_with_other_content),
        TEST(test_sections_must_equal_the_decision),
        TEST(test_bad_batches_have_no_effect),
        TEST(test_mixed_batch_and_late_ids),
        TEST(test_full_disk_is_busy),
        TEST(test_bundle_between_plan_and_publish),
        TEST(test_identical_refusals_are_counted),
        TEST(test_quotas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
