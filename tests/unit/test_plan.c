#include "tests/support/support.h"

#include "agent/plan.h"
#include "base/civil.h"

static enum juvenile on(const char *dob, const char *now)
{
    int64_t time = 0;

    assert_int_equal(civil_parse_time(now, &time), STATUS_OK);
    return plan_juvenile(bytes_of_string(dob), (struct duration){.months = 18 * 12}, time);
}

static void counts_years_to_the_birthday(void **state)
{
    (void)state;
    assert_int_equal(on("2008-12-01", "2026-12-01T00:00:00Z"), JUVENILE_NO);
    assert_int_equal(on("2008-12-02", "2026-12-01T23:59:59Z"), JUVENILE_YES);
    assert_int_equal(on("1971-09-16", "2026-12-01T00:00:00Z"), JUVENILE_NO);
    assert_int_equal(on("2008-02-29", "2026-02-28T12:00:00Z"), JUVENILE_YES);
    assert_int_equal(on("2008-02-29", "2026-03-01T00:00:00Z"), JUVENILE_NO);
    assert_int_equal(on("2008-02-28", "2026-02-28T00:00:00Z"), JUVENILE_NO);
}

static void does_not_guess(void **state)
{
    (void)state;
    assert_int_equal(on("", "2026-12-01T00:00:00Z"), JUVENILE_UNKNOWN);
    assert_int_equal(on("01/12/1971", "2026-12-01T00:00:00Z"), JUVENILE_UNKNOWN);
    assert_int_equal(on("2027-01-01", "2026-12-01T00:00:00Z"), JUVENILE_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_years_to_the_birthday),
        cmocka_unit_test(does_not_guess),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
