#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "agent/facts.h"
#include "tests/support/exchange.h"
#include "tests/support/policy.h"
#include "tests/support/postroom.h"

/* What a plan shows of the events that it rests on: all that is decided by, and nothing else. */

#define NOTICE "release_date=2026-12-20;home_force=21;date_type=CRD"

static void expect_shown(const Wire__Ground *ground, const char *expected)
{
    char text[512] = "";

    for (size_t i = 0; i < ground->opening->n_attributes; i++) {
        strcat(text, i == 0 ? "" : " ");
        strcat(text, ground->opening->attributes[i]->id);
    }
    assert_string_equal(text, expected);
}

/* A prison that plans a notice is not told why the person is on the list, nor how he does. */
static void test_plan_shows_what_decides(void **state)
{
    struct exchange *exchange = exchange_new();
    struct exchange_event event;

    (void)state;
    exchange_start(exchange);
    for (size_t i = 0; i < EXCHANGE_AGENTS; i++)
        exchange_connect(exchange, i);
    exchange_list(exchange, 1);
    exchange_make(exchange, &event, EXCHANGE_POLICE, "ppo.reviewed", 1,
                  "outcome=retain next_review=2026-12-16 status=at_risk action=refer matrix_band=high", NULL);
    assert_int_equal(exchange_publish(exchange, &event)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_drop(&event);
    exchange_make(exchange, &event, EXCHANGE_DOVEGATE, "release.planned", 1,
                  "release_date=2026-12-29 home_force=21", "name");
    const Wire__Plan *plan = exchange_plan(exchange, &event);
    assert_int_equal(plan->verdict, WIRE__VERDICT__ACCEPTED);
    assert_int_equal(plan->n_grounds, 2);
    expect_shown(plan->grounds[0], "juvenile strand area authority review_due home_force");
    expect_shown(plan->grounds[1], "juvenile outcome next_review");
    exchange_drop(&event);
    exchange_free(&exchange);
}

/* A broker that leaves out an age shows no ground. */
static void test_part_that_decides_left_out(void **state)
{
    struct postroom *room = postroom_open();
    uint8_t event[UUID_SIZE];

    (void)state;
    postroom_list(room);
    room->faults.hide_ages = true;
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
    assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, event), OUTBOX_REFUSED);
    assert_string_equal(postroom_inbox(room, POSTROOM_POLICE), "");
    assert_int_equal(postroom_incidents(room, POSTROOM_DOVEGATE, "do not verify"), 1);
    postroom_close(&room);
}

/* How many of the grounds shown are bad for an event about that person under that protocol. */
static size_t bad_under(const struct membership *membership, const struct exchange_event *event,
                        const Wire__Plan *answer, const char *protocol, int64_t now)
{
    struct register_state known;
    struct plan *plan = test_calloc(1, sizeof *plan);
    size_t bad = 0;

    memcpy(plan->prepared.subject, event->core.subject, CORE_SUBJECT_SIZE);
    plan->prepared.protocol = bytes_of_string(protocol);
    assert_int_equal(facts_fold(membership, plan, answer, now, &known, &bad), STATUS_OK);
    assert_true((known.grounds == 0) == (bad > 0));
    test_free(plan);
    return bad;
}

/* What entitles under one protocol entitles nobody under another: a broker cannot carry it over. */
static void test_ground_of_another_protocol(void **state)
{
    struct exchange *exchange = exchange_new();
    struct membership *membership = NULL;
    struct exchange_event event;

    (void)state;
    exchange_start(exchange);
    for (size_t i = 0; i < EXCHANGE_AGENTS; i++)
        exchange_connect(exchange, i);
    exchange_list(exchange, 1);
    exchange_make(exchange, &event, EXCHANGE_DOVEGATE, "release.planned", 1,
                  "release_date=2026-12-29 home_force=21", "name");
    const Wire__Plan *plan = exchange_plan(exchange, &event);
    assert_int_equal(plan->n_grounds, 1);
    assert_int_equal(membership_load(bundle_share(exchange->bundle), NULL, &membership, NULL), STATUS_OK);
    assert_int_equal(bad_under(membership, &event, plan, "staffordshire-ppo", event.core.created), 0);
    assert_int_equal(bad_under(membership, &event, plan, "another", event.core.created), 1);
    membership_free(&membership);
    exchange_drop(&event);
    exchange_free(&exchange);
}

static void merge(struct exchange *exchange, size_t from, const char *attributes)
{
    struct exchange_event event;

    exchange_make(exchange, &event, from, "subject.merged", 1, attributes, NULL);
    const Wire__Outcome *outcome = exchange_publish(exchange, &event);
    if (outcome->verdict != WIRE__VERDICT__ACCEPTED)
        fail_msg("%s", outcome->reason);
    exchange_drop(&event);
}

static struct register_state folded(const struct membership *membership, const struct exchange_event *event,
                                    const Wire__Plan *answer, size_t *ret_bad)
{
    struct register_state known;
    struct plan *plan = test_calloc(1, sizeof *plan);

    memcpy(plan->prepared.subject, event->core.subject, CORE_SUBJECT_SIZE);
    plan->prepared.protocol = event->core.protocol;
    assert_int_equal(facts_fold(membership, plan, answer, event->core.created, &known, ret_bad), STATUS_OK);
    test_free(plan);
    return known;
}

/* After a merge whoever plans is shown what both records rested on, and comes to the facts that the broker
 * has. */
static void test_merged_records(void **state)
{
    struct exchange *exchange = exchange_new();
    struct membership *membership = NULL;
    struct register_state known;
    struct exchange_event event;
    char hex[2][2 * CORE_SUBJECT_SIZE + 1];
    char attributes[256];
    size_t bad = 0;

    (void)state;
    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    exchange_make(exchange, &event, EXCHANGE_POLICE, "ppo.added", 2,
                  "strand=catch_convict area=stafford authority=bcu_commander selector=core_nominal "
                  "review_due=2026-12-15 home_force=21",
                  "name");
    assert_int_equal(exchange_publish(exchange, &event)->verdict, WIRE__VERDICT__ACCEPTED);
    bytes_to_hex(event.core.subject, CORE_SUBJECT_SIZE, hex[1]);
    exchange_drop(&event);
    exchange_make(exchange, &event, EXCHANGE_POLICE, "ppo.reviewed", 2,
                  "outcome=retain next_review=2026-12-10 juvenile=yes", NULL);
    assert_int_equal(exchange_publish(exchange, &event)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_drop(&event);
    exchange_make(exchange, &event, EXCHANGE_DOVEGATE, "release.planned", 1,
                  "release_date=2026-12-29 home_force=21", "name");
    bytes_to_hex(event.core.subject, CORE_SUBJECT_SIZE, hex[0]);
    assert_int_equal(membership_load(bundle_share(exchange->bundle), NULL, &membership, NULL), STATUS_OK);
    snprintf(attributes, sizeof attributes, "merged_from=%s merged_to=%s", hex[1], hex[0]);
    merge(exchange, EXCHANGE_POLICE, attributes);
    known = folded(membership, &event, exchange_plan(exchange, &event), &bad);
    assert_int_equal(known.entry.juvenile, JUVENILE_NO); /* nobody has confirmed it */
    merge(exchange, EXCHANGE_PROBATION, attributes);
    for (int restarted = 0; restarted < 2; restarted++) {
        const Wire__Plan *plan = exchange_plan(exchange, &event);
        assert_int_equal(plan->n_grounds, 5); /* two listings, a review, asked for, confirmed */
        known = folded(membership, &event, plan, &bad);
        assert_int_equal(bad, 0);
        assert_true(known.entry.listed);
        assert_int_equal(known.entry.juvenile, JUVENILE_YES);
        assert_string_equal(known.entry.area, "");
        assert_int_equal(known.entry.review_due, civil_date(2026, 12, 10));
        /* Without the confirmation the other record counts for nothing, and that is seen. */
        ((Wire__Plan *)(uintptr_t)plan)->n_grounds = 4;
        known = folded(membership, &event, plan, &bad);
        assert_int_equal(bad, 2);
        assert_int_equal(known.entry.juvenile, JUVENILE_NO);
        exchange_stop(exchange);
        exchange_connect_all(exchange);
    }
    membership_free(&membership);
    exchange_drop(&event);
    exchange_free(&exchange);
}

#define LISTING "strand=catch_convict area=stoke authority=bcu_commander review_due=2026-12-15 home_force=21"

/* Folded as a ground a listing needs no selector; to be accepted it does. */
static void test_listing_without_its_selector(void **state)
{
    static struct policy_world world;

    (void)state;
    policy_open(&world, NULL);
    policy_ask(&world, "police.staffordshire", "ppo.added", LISTING " juvenile=no", "name");
    assert_string_equal(policy_answer(&world), "! register-refuses: a listing says why: give 'selector'\n");
    policy_apply(&world);
    assert_true(register_listed(world.protocol, &world.person.entry, world.now));
    policy_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan_shows_what_decides),
        cmocka_unit_test(test_part_that_decides_left_out),
        cmocka_unit_test(test_ground_of_another_protocol),
        cmocka_unit_test(test_merged_records),
        cmocka_unit_test(test_listing_without_its_selector),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
