#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "broker/rulebook.h"
#include "tests/support/exchange.h"

/* Two records of one person at the broker become one, once two members have asked for it. */

#define HELD   "name,dob,pnc_id,prison_no,date_type,home_district"
#define NOTICE "release_date=2026-12-29 home_force=21"

static void make_notice(struct exchange *exchange, struct exchange_event *event, unsigned person)
{
    exchange_make(exchange, event, EXCHANGE_DOVEGATE, "release.planned", person, NOTICE, HELD);
}

#define PSEUDONYM_HEX (2 * CORE_SUBJECT_SIZE + 1)

static void write_pseudonym(struct exchange *exchange, unsigned person, char ret_text[static PSEUDONYM_HEX])
{
    struct exchange_event event;

    make_notice(exchange, &event, person);
    bytes_to_hex(event.core.subject, CORE_SUBJECT_SIZE, ret_text);
    exchange_drop(&event);
}

/* One member asks that the record of person `from` is joined with that of `to`. */
static void ask(struct exchange *exchange, size_t member, unsigned from, unsigned to)
{
    struct exchange_event event;
    char one[PSEUDONYM_HEX];
    char other[PSEUDONYM_HEX];
    char attributes[2 * PSEUDONYM_HEX + 64];

    write_pseudonym(exchange, from, one);
    write_pseudonym(exchange, to, other);
    snprintf(attributes, sizeof attributes, "merged_from=%s merged_to=%s", one, other);
    exchange_make(exchange, &event, member, "subject.merged", from, attributes, NULL);
    const Wire__Outcome *outcome = exchange_publish(exchange, &event);
    if (outcome->verdict != WIRE__VERDICT__ACCEPTED)
        fail_msg("not accepted: %s", outcome->reason);
    exchange_drop(&event);
}

static bool drug_team_gets(struct exchange *exchange, unsigned person)
{
    struct exchange_event event;
    bool found = false;

    make_notice(exchange, &event, person);
    const Wire__Plan *plan = exchange_plan(exchange, &event);
    assert_int_equal(plan->verdict, WIRE__VERDICT__ACCEPTED);
    for (size_t i = 0; i < plan->n_grants; i++)
        found = found || strcmp(plan->grants[i]->to, "drugs.stoke") == 0;
    exchange_drop(&event);
    return found;
}

/* What only one of the two records holds, the joined one does not: here a consent. */
static void test_two_members_join_two_records(void **state)
{
    struct exchange *exchange = *state;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    exchange_list(exchange, 2);
    exchange_consent(exchange, 1, "throughcare");
    assert_true(drug_team_gets(exchange, 1));
    assert_false(drug_team_gets(exchange, 2));
    ask(exchange, EXCHANGE_POLICE, 1, 2);
    assert_true(drug_team_gets(exchange, 1)); /* one member is not two, however often it asks */
    ask(exchange, EXCHANGE_POLICE, 1, 2);
    assert_true(drug_team_gets(exchange, 1));
    ask(exchange, EXCHANGE_PROBATION, 1, 2);
    assert_false(drug_team_gets(exchange, 1));
    assert_false(drug_team_gets(exchange, 2));
    exchange_stop(exchange);
    exchange_connect_all(exchange);
    assert_false(drug_team_gets(exchange, 1)); /* also in what is stored */
    exchange_stop(exchange);
    assert_true(exchange_entries(exchange, RECORD_MERGED) > 0);
    exchange_assert_log(exchange);
}

/* What both hold stays: a consent that each record had. */
static void test_what_both_hold_stays(void **state)
{
    struct exchange *exchange = *state;

    exchange_connect_all(exchange);
    for (unsigned person = 1; person <= 2; person++) {
        exchange_list(exchange, person);
        exchange_consent(exchange, person, "throughcare");
    }
    ask(exchange, EXCHANGE_POLICE, 1, 2);
    ask(exchange, EXCHANGE_PROBATION, 1, 2);
    assert_true(drug_team_gets(exchange, 1));
    assert_true(drug_team_gets(exchange, 2));
    exchange_stop(exchange);
    exchange_assert_log(exchange);
}

/* What waits for somebody who is no longer entitled is taken back, as with a withdrawal. */
static void test_a_merge_takes_back(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event notice;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    exchange_list(exchange, 2);
    exchange_consent(exchange, 1, "throughcare");
    make_notice(exchange, &notice, 1);
    assert_int_equal(exchange_publish(exchange, &notice)->verdict, WIRE__VERDICT__ACCEPTED);
    ask(exchange, EXCHANGE_POLICE, 1, 2);
    ask(exchange, EXCHANGE_PROBATION, 1, 2);
    exchange_fetch(exchange, EXCHANGE_DRUGS, 100, 0);
    for (unsigned arrived = 0; arrived < 2;) { /* the two listings, which rest on no consent */
        const Wire__Deliver *deliver =
            exchange_wait(exchange, EXCHANGE_DRUGS, WIRE__FRAME__VERB_DELIVER)->deliver;
        for (size_t i = 0; i < deliver->n_events; i++)
            assert_string_equal(deliver->from, "police.staffordshire");
        arrived += (unsigned)deliver->n_events;
    }
    exchange_none(exchange, EXCHANGE_DRUGS, WIRE__FRAME__VERB_DELIVER);
    exchange_drop(&notice);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_RECALLED), 1);
    exchange_assert_log(exchange);
}

/* Only a list authority begins one. */
static void test_who_may_begin(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;
    char one[PSEUDONYM_HEX];
    char other[PSEUDONYM_HEX];
    char attributes[2 * PSEUDONYM_HEX + 64];

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    exchange_list(exchange, 2);
    write_pseudonym(exchange, 1, one);
    write_pseudonym(exchange, 2, other);
    snprintf(attributes, sizeof attributes, "merged_from=%s merged_to=%s", one, other);
    exchange_make(exchange, &event, EXCHANGE_PROBATION, "subject.merged", 1, attributes, NULL);
    const Wire__Plan *plan = exchange_plan(exchange, &event);
    assert_int_equal(plan->verdict, WIRE__VERDICT__REFUSED);
    assert_non_null(strstr(plan->reason, "begun by a list authority"));
    exchange_drop(&event);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_MERGED), 0);
    exchange_assert_log(exchange);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, exchange_setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_two_members_join_two_records),
        TEST(test_what_both_hold_stays),
        TEST(test_a_merge_takes_back),
        TEST(test_who_may_begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
