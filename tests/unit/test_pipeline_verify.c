#include "tests/support/support.h"

#include <string.h>

#include "broker/rulebook.h"
#include "tests/support/exchange.h"

/* What a verify worker finds wrong, each seen by a test of its own. */

#define HELD   "name,dob,pnc_id,prison_no,date_type,home_district,licence_conditions,address"
#define NOTICE "release_date=2026-12-29 home_force=21"

static void make_notice(struct exchange *exchange, struct exchange_event *event, unsigned person)
{
    exchange_make(exchange, event, EXCHANGE_DOVEGATE, "release.planned", person, NOTICE, HELD);
}

static Wire__Verdict publish(struct exchange *exchange, struct exchange_event *event)
{
    const Wire__Plan *plan = exchange_plan(exchange, event);

    if (plan->verdict != WIRE__VERDICT__ACCEPTED)
        return plan->verdict;
    exchange_seal(exchange, event, plan);
    return exchange_submit(exchange, event)->verdict;
}

/* The section's sealed part in another size. */
static void resize(struct exchange_event *event, size_t place, size_t size)
{
    struct byte_buffer changed = bytes_buffer(SECTION_SIZE_MAX);
    struct byte_buffer sealed = bytes_buffer(SECTION_SIZE_MAX);
    struct section section;

    assert_int_equal(section_decode(bytes_buffer_view(&event->sections[place]), &section), STATUS_OK);
    bytes_append_view(&sealed, bytes_view(section.sealed.data, 16));
    while (sealed.size < size)
        bytes_append_u8(&sealed, 7);
    section.sealed = bytes_buffer_view(&sealed);
    assert_int_equal(section_encode(&section, &changed), STATUS_OK);
    bytes_buffer_free(&sealed);
    bytes_buffer_free(&event->sections[place]);
    event->sections[place] = changed;
}

/* A section is no envelope for more than its labels can hold. */
static void test_no_section_is_larger_than_its_items(void **state)
{
    static const struct {
        size_t size;
        bool good;
    } sizes[] = {{4 * 256 + 16, true}, {60 * 256 + 16, false}};
    struct exchange *exchange = *state;
    struct exchange_event event;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        make_notice(exchange, &event, 1);
        exchange_seal(exchange, &event, exchange_plan(exchange, &event));
        resize(&event, 0, sizes[i].size);
        exchange_close(&event);
        const Wire__Outcome *outcome = exchange_submit(exchange, &event);
        assert_int_equal(outcome->verdict, sizes[i].good ? WIRE__VERDICT__ACCEPTED : WIRE__VERDICT__REFUSED);
        if (!sizes[i].good)
            assert_non_null(strstr(outcome->reason, "a size that these items cannot have"));
        exchange_drop(&event);
    }
    exchange_stop(exchange);
    exchange_assert_log(exchange);
}

/* Nobody plans for somebody else, and so finds out what that one would be told. */
static void test_a_plan_is_the_members_own(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &event, 1);
    event.from = EXCHANGE_DRUGS;
    exchange_plan_only(exchange, &event);
    const Wire__Frame *answer = exchange_wait(exchange, EXCHANGE_DRUGS, WIRE__FRAME__VERB_ERROR);
    assert_non_null(strstr(answer->error->text, "of another member"));
    event.from = EXCHANGE_DOVEGATE;
    assert_int_equal(publish(exchange, &event), WIRE__VERDICT__ACCEPTED);
    exchange_drop(&event);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_CONSULTED), 0);
}

/* A report is the word of whoever sends it, signed. */
static void test_a_report_is_the_members_own(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &event, 1);
    assert_int_equal(publish(exchange, &event), WIRE__VERDICT__ACCEPTED);
    assert_non_null(strstr(exchange_report_wrong(exchange, EXCHANGE_DRUGS, "police.staffordshire", &event),
                           "of another member"));
    assert_non_null(
        strstr(exchange_report_wrong(exchange, EXCHANGE_POLICE, NULL, &event), "does not verify"));
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_OPENED), 0);
    exchange_connect_all(exchange);
    exchange_report(exchange, EXCHANGE_POLICE, WIRE__REPORT_KIND__OPENED, &event);
    exchange_drop(&event);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_OPENED), 1);
}

static void under(struct exchange_event *event, const char *protocol)
{
    event->core.protocol = bytes_of_string(protocol);
    exchange_refer(event, event->core.has_correlation ? event->core.correlation : NULL, NULL, NULL);
}

/* What was asked under one protocol is not answered under another. */
static void test_an_answer_stays_within_its_protocol(void **state)
{
    static const char *const protocols[] = {"staffordshire-ppo", EXCHANGE_SECOND};
    struct exchange *exchange = *state;
    struct exchange_event question;
    struct exchange_event answer;

    exchange_connect_all(exchange);
    exchange->second = true;
    exchange_load(exchange, exchange_bundle(exchange, NULL));
    for (size_t i = 0; i < 2; i++) {
        exchange_make(exchange, &question, EXCHANGE_POLICE, "ppo.added", 1,
                      "strand=catch_convict area=stoke authority=bcu_commander selector=core_nominal "
                      "review_due=2026-12-15 home_force=21",
                      "name,dob,pnc_id,prison_no");
        under(&question, protocols[i]);
        assert_int_equal(publish(exchange, &question), WIRE__VERDICT__ACCEPTED);
        exchange_drop(&question);
    }
    exchange_make(exchange, &question, EXCHANGE_PROBATION, "case.queried", 1, "asked_items=status", "name");
    under(&question, EXCHANGE_SECOND);
    assert_int_equal(publish(exchange, &question), WIRE__VERDICT__ACCEPTED);
    for (size_t i = 0; i < 2; i++) {
        exchange_make(exchange, &answer, EXCHANGE_POLICE, "case.answered", 1, "", "status");
        exchange_refer(&answer, question.core.event, NULL, NULL);
        under(&answer, protocols[i]);
        assert_int_equal(publish(exchange, &answer),
                         i == 0 ? WIRE__VERDICT__REFUSED : WIRE__VERDICT__ACCEPTED);
        exchange_drop(&answer);
    }
    exchange_drop(&question);
    exchange_stop(exchange);
    exchange_assert_log(exchange);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, exchange_setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_no_section_is_larger_than_its_items),
        TEST(test_a_plan_is_the_members_own),
        TEST(test_a_report_is_the_members_own),
        TEST(test_an_answer_stays_within_its_protocol),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
