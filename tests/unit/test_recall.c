#include "tests/support/support.h"

#include <string.h>

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
        {"  throughcare: {longest: P12M}\n  share_with_probation: {longest: P12M}\n",
         "  share_with_probation: {longest: P12M}\n  throughcare: {longest: P12M}\n"},
        {NULL, NULL}};

    (void)state;
    assert_int_equal(recalled(edits), TAKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_withdrawal_recalls),
        cmocka_unit_test(test_withdrawal_recalls_when_consents_moved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
