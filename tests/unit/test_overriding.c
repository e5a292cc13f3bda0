#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "broker/glass.h"
#include "broker/store/store_memory.h"
#include "proto/uuid.h"
#include "tests/support/exchange.h"
#include "tests/support/policy.h"

/* Break-glass at the broker: counted, logged, confirmed by another member, suspended when nobody does. */

#define DANGER "rule=danger-to-anyone reason=imminent_harm duty_role=duty_officer"
#define HOUR   INT64_C(3600000)
#define MAKER  7

/* ---- the count ---- */

static struct glass_use use_of(uint8_t number, int64_t made)
{
    struct glass_use use = {.sender = MAKER, .made = made, .due = made + 24 * HOUR};

    memset(use.event, number, sizeof use.event);
    strcpy(use.protocol, "p");
    strcpy(use.rule, "r");
    strcpy(use.reason, "why");
    return use;
}

static struct policy_glass facts(const struct glass *glass, uint32_t sender, const char *rule, int64_t now)
{
    return glass_facts(glass, "p", sender, bytes_of_string(rule), now);
}

static void test_count(void **state)
{
    struct store *store = NULL;
    struct glass *glass = NULL;
    struct glass_use use = use_of(1, 100 * HOUR);

    (void)state;
    assert_int_equal(store_memory_new(&store), STATUS_OK);
    assert_int_equal(glass_new(store, &glass), STATUS_OK);
    assert_int_equal(glass_made(glass, &use), STATUS_OK);
    use = use_of(2, 101 * HOUR);
    assert_int_equal(glass_made(glass, &use), STATUS_OK);
    assert_int_equal(facts(glass, MAKER, "r", 102 * HOUR).used, 2);
    assert_int_equal(facts(glass, MAKER, "other", 102 * HOUR).used, 0);
    assert_int_equal(facts(glass, MAKER + 1, "r", 102 * HOUR).used, 0);
    assert_int_equal(glass_facts(glass, "q", MAKER, bytes_of_string("r"), 102 * HOUR).used, 0);
    assert_int_equal(facts(glass, MAKER, "r", 124 * HOUR).used, 1); /* within 24 hours */
    assert_false(facts(glass, MAKER, "r", 124 * HOUR).suspended);
    assert_true(facts(glass, MAKER, "other", 124 * HOUR + 1).suspended);
    assert_false(facts(glass, MAKER + 1, "r", 200 * HOUR).suspended);
    assert_null(glass_overdue(glass, 124 * HOUR));
    assert_int_equal(glass_overdue(glass, 124 * HOUR + 1)->event[0], 1);
    glass_tell(glass, glass_at(glass, 0));
    assert_null(glass_overdue(glass, 124 * HOUR + 1));
    glass_confirm(glass, glass_at(glass, 0), 3);
    assert_false(facts(glass, MAKER, "r", 124 * HOUR + 1).suspended);
    glass_lift(glass, glass_at(glass, 1));
    assert_false(facts(glass, MAKER, "r", 900 * HOUR).suspended);
    glass_free(&glass);
    store_close(&store);
}

/* Ids are each sender's own: what happens to one member's use leaves another's of that id alone. */
static void test_two_of_one_id(void **state)
{
    struct store *store = NULL;
    struct glass *glass = NULL;
    struct glass_use use = use_of(1, 100 * HOUR);

    (void)state;
    assert_int_equal(store_memory_new(&store), STATUS_OK);
    assert_int_equal(glass_new(store, &glass), STATUS_OK);
    assert_int_equal(glass_made(glass, &use), STATUS_OK);
    use.sender = MAKER + 1;
    assert_int_equal(glass_made(glass, &use), STATUS_OK);
    assert_ptr_equal(glass_find(glass, MAKER, use.event), glass_at(glass, 0));
    assert_ptr_equal(glass_find(glass, MAKER + 1, use.event), glass_at(glass, 1));
    assert_null(glass_find(glass, MAKER + 2, use.event));
    glass_confirm(glass, glass_find(glass, MAKER, use.event), 3);
    assert_true(glass_waits(glass_at(glass, 1)));
    assert_ptr_equal(glass_overdue(glass, 124 * HOUR + 1), glass_at(glass, 1));
    glass_tell(glass, glass_overdue(glass, 124 * HOUR + 1));
    assert_null(glass_overdue(glass, 124 * HOUR + 1));
    glass_lift(glass, glass_find(glass, MAKER + 1, use.event));
    assert_int_equal(glass_at(glass, 1)->confirmed_by, 0);
    assert_false(glass_at(glass, 0)->told || glass_at(glass, 0)->lifted);
    glass_free(&glass);
    store_close(&store);
}

/* There is an end to it, which is no shortage of memory. */
static void test_most(void **state)
{
    struct store *store = NULL;
    struct glass *glass = NULL;
    struct glass_use use = use_of(1, 100 * HOUR);

    (void)state;
    assert_int_equal(store_memory_new(&store), STATUS_OK);
    assert_int_equal(glass_new(store, &glass), STATUS_OK);
    for (uint32_t i = 0; i < GLASS_USES_MAX; i++) {
        bytes_put_u32(use.event, i);
        assert_int_equal(glass_made(glass, &use), STATUS_OK);
    }
    assert_int_equal(glass_made(glass, &use), STATUS_TOO_LARGE);
    assert_int_equal(glass_count(glass), GLASS_USES_MAX);
    glass_free(&glass);
    store_close(&store);
}

/* What was not saved is taken back; what was, is there for the next process; what is settled and old goes. */
static void test_saved(void **state)
{
    struct store *store = NULL;
    struct glass *glass = NULL;
    struct glass_use use = use_of(1, 100 * HOUR);

    (void)state;
    assert_int_equal(store_memory_new(&store), STATUS_OK);
    assert_int_equal(glass_new(store, &glass), STATUS_OK);
    assert_int_equal(glass_made(glass, &use), STATUS_OK);
    assert_int_equal(glass_reload(glass, store), STATUS_OK);
    assert_int_equal(glass_count(glass), 0);
    for (uint8_t i = 1; i <= 3; i++) {
        use = use_of(i, 100 * HOUR);
        assert_int_equal(glass_made(glass, &use), STATUS_OK);
    }
    glass_confirm(glass, glass_at(glass, 1), 9);
    assert_int_equal(store_begin(store), STATUS_OK);
    assert_int_equal(glass_save(glass, store, 101 * HOUR), STATUS_OK);
    assert_int_equal(store_commit(store), STATUS_OK);
    glass_free(&glass);
    assert_int_equal(glass_new(store, &glass), STATUS_OK);
    assert_int_equal(glass_count(glass), 3);
    assert_int_equal(glass_at(glass, 1)->confirmed_by, 9);
    assert_string_equal(glass_at(glass, 2)->reason, "why");
    assert_int_equal(glass_at(glass, 2)->due, 124 * HOUR);
    glass_tell(glass, glass_at(glass, 0));
    assert_int_equal(store_begin(store), STATUS_OK);
    assert_int_equal(glass_save(glass, store, 148 * HOUR), STATUS_OK);
    assert_int_equal(store_commit(store), STATUS_OK);
    assert_int_equal(glass_count(glass), 2);
    glass_free(&glass);
    assert_int_equal(store_begin(store), STATUS_OK);
    assert_int_equal(store_put_state(store, "break-glass", bytes_of_string("\1\0\0\0\1")), STATUS_OK);
    assert_int_equal(store_commit(store), STATUS_OK);
    assert_int_equal(glass_new(store, &glass), STATUS_CORRUPT);
    store_close(&store);
}

/* ---- the broker ---- */

/* What the plan says, or if it says yes what the broker says at the commit. */
static Wire__Verdict publish(struct exchange *exchange, struct exchange_event *event)
{
    const Wire__Plan *plan = exchange_plan(exchange, event);

    if (plan->verdict != WIRE__VERDICT__ACCEPTED)
        return plan->verdict;
    exchange_seal(exchange, event, plan);
    return exchange_submit(exchange, event)->verdict;
}

static Wire__Verdict make(struct exchange *exchange, uint8_t ret_event[static UUID_SIZE])
{
    struct exchange_event event;
    Wire__Verdict verdict;

    exchange_make(exchange, &event, EXCHANGE_DRUGS, "override.made", 1, DANGER, "name,address");
    memcpy(ret_event, event.core.event, UUID_SIZE);
    verdict = publish(exchange, &event);
    exchange_drop(&event);
    return verdict;
}

static Wire__Verdict confirm(struct exchange *exchange, size_t from, const uint8_t *target)
{
    struct exchange_event event;
    char attributes[256];
    char id[UUID_TEXT_SIZE];
    Wire__Verdict verdict;

    uuid_format(target, id);
    (void)snprintf(attributes, sizeof attributes, "rule=danger-to-anyone reason=imminent_harm target=%s", id);
    exchange_make(exchange, &event, from, "override.confirmed", 1, attributes, NULL);
    exchange_refer(&event, target, NULL, NULL);
    verdict = publish(exchange, &event);
    exchange_drop(&event);
    return verdict;
}

static void later(struct exchange *exchange, int64_t by)
{
    exchange_stop(exchange);
    exchange->clock = clock_at(clock_now(&exchange->clock) + by);
    exchange_connect_all(exchange);
}

static void test_quota_and_suspension(void **state)
{
    struct exchange *exchange = *state;
    uint8_t events[4][UUID_SIZE];

    exchange_connect_all(exchange);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(make(exchange, events[i]), WIRE__VERDICT__ACCEPTED);
    assert_int_equal(make(exchange, events[3]), WIRE__VERDICT__REFUSED);
    assert_non_null(strstr(exchange_control(exchange, "{\"do\":\"status\"}"), "\"state\":\"waiting\""));
    /* Nobody confirms: the day after the quota is free again, and the right is suspended. */
    later(exchange, 25 * HOUR);
    assert_int_equal(make(exchange, events[3]), WIRE__VERDICT__REFUSED);
    assert_non_null(strstr(exchange_control(exchange, "{\"do\":\"status\"}"), "\"state\":\"suspended\""));
    /* Not by whoever was not told, nor by the one who did it. */
    assert_int_equal(confirm(exchange, EXCHANGE_DOVEGATE, events[0]), WIRE__VERDICT__REFUSED);
    assert_int_equal(confirm(exchange, EXCHANGE_DRUGS, events[0]), WIRE__VERDICT__REFUSED);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(confirm(exchange, EXCHANGE_POLICE, events[i]), WIRE__VERDICT__ACCEPTED);
    assert_int_equal(confirm(exchange, EXCHANGE_POLICE, events[0]), WIRE__VERDICT__REFUSED);
    assert_int_equal(make(exchange, events[3]), WIRE__VERDICT__ACCEPTED);
    exchange_stop(exchange);
    /* made 4, suspended 3, confirmed late 3 */
    assert_int_equal(exchange_entries(exchange, RECORD_OVERRIDE), 10);
}

/* Planned while there was room, published when there is none: the commit has the last word. */
static void test_quota_at_the_commit(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event events[4];

    exchange_connect_all(exchange);
    for (size_t i = 0; i < 4; i++) {
        exchange_make(exchange, &events[i], EXCHANGE_DRUGS, "override.made", 1, DANGER, "name");
        exchange_seal(exchange, &events[i], exchange_plan(exchange, &events[i]));
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(exchange_submit(exchange, &events[i])->verdict,
                         i < 3 ? WIRE__VERDICT__ACCEPTED : WIRE__VERDICT__REFUSED);
        exchange_drop(&events[i]);
    }
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_OVERRIDE), 3);
}

static void test_lifted(void **state)
{
    struct exchange *exchange = *state;
    uint8_t event[UUID_SIZE];
    char request[160];
    char id[UUID_TEXT_SIZE];

    exchange_connect_all(exchange);
    assert_int_equal(make(exchange, event), WIRE__VERDICT__ACCEPTED);
    later(exchange, 25 * HOUR);
    uuid_format(event, id);
    (void)snprintf(request, sizeof request, "{\"do\":\"lift\",\"officer\":\"unix:7\",\"event\":\"%s\"}", id);
    assert_non_null(strstr(exchange_control(exchange, request), "\"lifted\":true"));
    assert_non_null(strstr(exchange_control(exchange, request), "error"));
    assert_int_equal(make(exchange, event), WIRE__VERDICT__ACCEPTED);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_OVERRIDE), 4);
}

/* An answer tells what was asked, whatever the answerer would seal. */
static void test_answer(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event question, answer;
    const Wire__Plan *plan;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    exchange_make(exchange, &question, EXCHANGE_POLICE, "case.queried", 1, "asked_items=band,status", "name");
    assert_int_equal(publish(exchange, &question), WIRE__VERDICT__ACCEPTED);
    exchange_make(exchange, &answer, EXCHANGE_PROBATION, "case.answered", 1, "", "band,next_date");
    exchange_refer(&answer, question.core.event, NULL, NULL);
    plan = exchange_plan(exchange, &answer);
    assert_int_equal(plan->verdict, WIRE__VERDICT__ACCEPTED);
    assert_int_equal(plan->grants[0]->n_labels, 1);
    assert_string_equal(plan->grants[0]->labels[0], "band");
    exchange_add(exchange, &answer, plan->grants[0]->to, plan->grants[0]->rule, "next_date band");
    exchange_close(&answer);
    assert_int_equal(exchange_submit(exchange, &answer)->verdict, WIRE__VERDICT__REFUSED);
    exchange_drop(&question);
    exchange_drop(&answer);
    exchange_stop(exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_two_of_one_id),
        cmocka_unit_test(test_most),
        cmocka_unit_test(test_saved),
        cmocka_unit_test_setup_teardown(test_quota_and_suspension, exchange_setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(test_quota_at_the_commit, exchange_setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(test_answer, exchange_setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(test_lifted, exchange_setup, exchange_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
