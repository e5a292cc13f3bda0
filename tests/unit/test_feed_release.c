/* The rule about one person, case by case. */
#include "tests/support/support.h"

#include "agent/feed_release.h"

#define TODAY 20788 /* 2026-12-01 */

static struct feed_release_case untold(int32_t ahead)
{
    return (struct feed_release_case){
        .today = TODAY, .window = 28, .row = true, .date = TODAY + ahead, .type = "CRD", .told_type = ""};
}

static struct feed_release_case told(int32_t ahead, int32_t told_ahead)
{
    struct feed_release_case facts = untold(ahead);

    facts.told = facts.stands = true;
    facts.told_date = TODAY + told_ahead;
    facts.told_type = "CRD";
    return facts;
}

static struct feed_release_case gone(int32_t told_ahead)
{
    struct feed_release_case facts = told(0, told_ahead);

    facts.row = false;
    facts.covered = true;
    return facts;
}

static void expect(struct feed_release_case facts, enum feed_release_act act)
{
    assert_int_equal(feed_release_decide(&facts), act);
}

static void the_window(void **state)
{
    (void)state;
    expect(untold(-1), FEED_RELEASE_NOTHING);
    expect(untold(0), FEED_RELEASE_PLAN);
    expect(untold(28), FEED_RELEASE_PLAN);
    expect(untold(29), FEED_RELEASE_AHEAD);
}

static void changes(void **state)
{
    struct feed_release_case facts = told(20, 20);

    (void)state;
    expect(facts, FEED_RELEASE_SAME);
    facts.type = "ARD";
    expect(facts, FEED_RELEASE_CHANGE);
    expect(told(21, 20), FEED_RELEASE_CHANGE);
    expect(told(300, 20), FEED_RELEASE_CHANGE); /* out of the window, but told of */
    expect(told(-1, 20), FEED_RELEASE_NOTHING); /* its day passed in the last extract */
    expect(told(20, -1), FEED_RELEASE_CHANGE);  /* did not go home after all */
    expect(told(20, -28), FEED_RELEASE_CHANGE);
    expect(told(20, -29), FEED_RELEASE_PLAN); /* another release */
}

static void refused_ones(void **state)
{
    struct feed_release_case facts = told(20, 20);

    (void)state;
    facts.stands = false;
    expect(facts, FEED_RELEASE_SAME);
    facts.date++;
    expect(facts, FEED_RELEASE_PLAN);
    facts.date = TODAY + 29;
    expect(facts, FEED_RELEASE_AHEAD);
    facts = gone(20);
    facts.stands = false;
    expect(facts, FEED_RELEASE_NOTHING);
}

static void rows_that_go(void **state)
{
    struct feed_release_case facts = gone(20);

    (void)state;
    expect(facts, FEED_RELEASE_CANCEL);
    facts.rejected = true;
    expect(facts, FEED_RELEASE_KEEP);
    facts.rejected = facts.covered = false;
    expect(facts, FEED_RELEASE_NOTHING);
    expect(gone(1), FEED_RELEASE_CANCEL);
    expect(gone(0), FEED_RELEASE_NOTHING);
    expect(gone(-28), FEED_RELEASE_NOTHING);
    expect(gone(-29), FEED_RELEASE_FORGET);
    facts = gone(20);
    facts.told = false;
    expect(facts, FEED_RELEASE_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_window),
        cmocka_unit_test(changes),
        cmocka_unit_test(refused_ones),
        cmocka_unit_test(rows_that_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
