#include "tests/support/support.h"

#include <time.h>

#include "base/clock.h"

static void the_real_clock_shows_the_machines_time(void **state)
{
    (void)state;
    struct clock clock = clock_real();
    int64_t before = (int64_t)time(NULL) * 1000;
    int64_t now = clock_now(&clock);

    assert_true(now >= before - 1000 && now <= before + 60000);
}

static void a_given_time_runs_on(void **state)
{
    (void)state;
    const int64_t start = INT64_C(1796116486218);
    struct clock clock = clock_at(start);
    struct timespec pause = {.tv_nsec = 20000000};
    int64_t elapsed_before = clock_elapsed();
    int64_t first = clock_now(&clock);

    assert_true(first >= start && first <= start + 60000);
    nanosleep(&pause, NULL);
    int64_t second = clock_now(&clock);
    assert_true(second >= first + 19);
    assert_true(second - first <= clock_elapsed() - elapsed_before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_real_clock_shows_the_machines_time),
        cmocka_unit_test(a_given_time_runs_on),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
