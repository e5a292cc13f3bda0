#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/civil.h"

static int64_t time_of(const char *text)
{
    int64_t time = 0;

    assert_int_equal(civil_parse_time(text, &time), STATUS_OK);
    return time;
}

static int32_t date_of(const char *text)
{
    int32_t date = 0;

    assert_int_equal(civil_parse_date(text, &date), STATUS_OK);
    return date;
}

static struct duration duration_of(const char *text)
{
    struct duration duration = {-1, -1};

    assert_int_equal(civil_parse_duration(text, &duration), STATUS_OK);
    return duration;
}

static void times_are_read_and_written(void **state)
{
    (void)state;
    char out[CIVIL_TIME_SIZE];

    assert_true(time_of("1970-01-01T00:00:00Z") == 0);
    assert_true(time_of("2026-12-01T09:14:46.218Z") == INT64_C(1796116486218));
    assert_true(time_of("2026-12-01T09:14:46.218999999+00:00") == INT64_C(1796116486218));
    assert_true(time_of("2026-12-01T10:14:46.2+01:00") == INT64_C(1796116486200));
    assert_true(time_of("2026-11-30T20:44:46.02-12:30") == INT64_C(1796116486020));
    assert_true(time_of("1969-12-31T23:59:59.999Z") == -1);
    assert_true(time_of("1583-01-01T00:00:00Z") == CIVIL_TIME_MIN);
    assert_true(time_of("9999-12-31T23:59:59.999Z") == CIVIL_TIME_MAX);

    civil_format_time(INT64_C(1796116486218), out);
    assert_string_equal(out, "2026-12-01T09:14:46.218Z");
    civil_format_time(-1, out);
    assert_string_equal(out, "1969-12-31T23:59:59.999Z");
    civil_format_time(CIVIL_TIME_MAX + 1, out);
    assert_string_equal(out, "@253402300800000ms");
    civil_format_time(INT64_MIN, out);
    assert_string_equal(out, "@-9223372036854775808ms");
}

static void a_time_that_is_not_exact_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026-12-01",
        "2026-12-01T09:14:46",
        "2026-12-01T09:14Z",
        "2026-12-01 09:14:46Z",
        "2026-12-01t09:14:46z",
        "2026-12-01T09:14:46.Z",
        "2026-12-01T09:14:46,5Z",
        "2026-12-01T09:14:46.1234567890Z",
        "2026-12-01T09:14:60Z",
        "2026-12-01T09:60:46Z",
        "2026-12-01T24:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-12-01T9:14:46Z",
        "2026-12-01T09:14:46+0000",
        "2026-12-01T09:14:46+24:00",
        "2026-12-01T09:14:46+00:60",
        "2026-12-01T09:14:46+00",
        "2026-12-01T09:14:46Z ",
        " 2026-12-01T09:14:46Z",
        "+026-12-01T09:14:46Z",
        "12026-12-01T09:14:46Z",
        "1582-12-31T23:59:59Z",
        "1583-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    };
    int64_t time = 7;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (civil_parse_time(bad[i], &time) != STATUS_BAD_FORMAT)
            fail_msg("accepted: %s", bad[i]);
    }
    assert_true(time == 7);
}

/* Every day in bounds, against the calendar's own rule for the next day, and now and then against libc. */
static void every_day_round_trips(void **state)
{
    (void)state;
    int year = 1583, month = 1, day = 1;
    char text[CIVIL_DATE_SIZE], expected[32];

    for (int32_t date = CIVIL_DATE_MIN; date <= CIVIL_DATE_MAX; date++) {
        assert_int_equal(civil_date(year, month, day), date);
        if (date % 97 == 0) {
            time_t seconds = (time_t)date * 86400;
            struct tm tm;
            assert_non_null(gmtime_r(&seconds, &tm));
            strftime(expected, sizeof expected, "%Y-%m-%d", &tm);
            civil_format_date(date, text);
            assert_string_equal(text, expected);
            assert_int_equal(date_of(text), date);
            assert_int_equal(civil_day_of(civil_time_of_day_start(date)), date);
            assert_int_equal(civil_day_of(civil_time_of_day_start(date) + CIVIL_DAY_MS - 1), date);
        }
        day++;
        if (!civil_valid_ymd(year, month, day)) {
            day = 1;
            month = month % 12 + 1;
            year += month == 1;
        }
    }
    assert_int_equal(year, 10000);
}

static void a_date_is_exactly_ten_characters(void **state)
{
    (void)state;
    static const char *const bad[] = {"",           "2026-12-1",   "2026-12-01 ", "2026/12/01", "2026-13-01",
                                      "2026-00-01", "2026-04-31",  "2026-04-00",  "2100-02-29", "1582-10-15",
                                      "20261201",   "2026-12-01T", "0000-01-01",  "-026-12-01"};
    int32_t date = 7;
    char text[CIVIL_DATE_SIZE];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (civil_parse_date(bad[i], &date) != STATUS_BAD_FORMAT)
            fail_msg("accepted: %s", bad[i]);
    }
    assert_int_equal(date, 7);
    assert_int_equal(date_of("2000-02-29"), 11016);
    civil_format_date(CIVIL_DATE_MIN - 1, text);
    assert_string_equal(text, "@-141350d");
    civil_format_date(INT32_MIN, text);
    assert_string_equal(text, "@-2147483648d");
}

static void patterns_place_each_number(void **state)
{
    (void)state;
    static const char *const bad_patterns[] = {
        "",         "DD/MM",      "DD/MM/YY",      "DD/MM/YYYY/DD", "DD/MM/YYYYY",
        "D/M/YYYY", "dd/mm/yyyy", "DD/MM/YYYYT00", "DD\nMM\nYYYY",  "DD/MM/YYYY                      "};
    static const char *const bad[] = {"1/12/2026", "01-12-2026", "01/12/2026 ", "31/11/2026", "01/12/26", ""};
    int32_t date = 7;

    for (size_t i = 0; i < sizeof bad_patterns / sizeof bad_patterns[0]; i++) {
        if (civil_parse_pattern(bad_patterns[i], "01/12/2026", &date) != STATUS_BAD_ARGUMENT)
            fail_msg("accepted: %s", bad_patterns[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (civil_parse_pattern("DD/MM/YYYY", bad[i], &date) != STATUS_BAD_FORMAT)
            fail_msg("accepted: %s", bad[i]);
    }
    assert_int_equal(date, 7);
    assert_int_equal(civil_parse_pattern("DD/MM/YYYY", "01/12/2026", &date), STATUS_OK);
    assert_int_equal(date, date_of("2026-12-01"));
    assert_int_equal(civil_parse_pattern("YYYY-MM-DD", "2026-12-02", &date), STATUS_OK);
    assert_int_equal(date, date_of("2026-12-02"));
    assert_int_equal(civil_parse_pattern("YYYYMMDD", "20261203", &date), STATUS_OK);
    assert_int_equal(date, date_of("2026-12-03"));
    assert_int_equal(civil_parse_pattern("MM. DD. YYYY", "12. 04. 2026", &date), STATUS_OK);
    assert_int_equal(date, date_of("2026-12-04"));
}

static void months_end_where_the_month_ends(void **state)
{
    (void)state;
    assert_int_equal(civil_add_months(date_of("2026-01-31"), 1), date_of("2026-02-28"));
    assert_int_equal(civil_add_months(date_of("2024-01-31"), 1), date_of("2024-02-29"));
    assert_int_equal(civil_add_months(date_of("2024-02-29"), 12), date_of("2025-02-28"));
    assert_int_equal(civil_add_months(date_of("2026-01-15"), -1), date_of("2025-12-15"));
    assert_int_equal(civil_add_months(date_of("2026-03-31"), -13), date_of("2025-02-28"));
    assert_int_equal(civil_add_months(date_of("2026-12-01"), 0), date_of("2026-12-01"));
    assert_int_equal(civil_add_months(date_of("2008-12-02"), 18 * 12), date_of("2026-12-02"));
    assert_int_equal(civil_add_months(date_of("9999-12-01"), 1), CIVIL_DATE_MAX);
    assert_int_equal(civil_add_months(date_of("1583-01-31"), -1), CIVIL_DATE_MIN);
    assert_int_equal(civil_add_months(INT32_MAX, INT32_MAX), CIVIL_DATE_MAX);
    assert_int_equal(civil_add_months(INT32_MIN, INT32_MIN), CIVIL_DATE_MIN);
}

static void durations_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t months;
        int64_t ms;
        const char *canonical;
    } good[] = {
        {"P12M", 12, 0, "P12M"},
        {"P1Y", 12, 0, "P12M"},
        {"P1Y6M", 18, 0, "P18M"},
        {"P14D", 0, 14 * CIVIL_DAY_MS, "P14D"},
        {"P2W", 0, 14 * CIVIL_DAY_MS, "P14D"},
        {"PT4H", 0, 4 * 3600000, "PT4H"},
        {"PT15M", 0, 15 * 60000, "PT15M"},
        {"PT90M", 0, 90 * 60000, "PT1H30M"},
        {"PT24H", 0, CIVIL_DAY_MS, "P1D"},
        {"P1M1DT1M", 1, CIVIL_DAY_MS + 60000, "P1M1DT1M"},
        {"PT0S", 0, 0, "PT0S"},
        {"P0D", 0, 0, "PT0S"},
        {"PT1.5S", 0, 1500, "PT1.500S"},
        {"PT1H0.007S", 0, 3600007, "PT1H0.007S"},
        {"P120000M999998DT23H59M59.999S", 120000, 999999 * CIVIL_DAY_MS - 1, "P120000M999998DT23H59M59.999S"},
    };
    static const char *const bad[] = {
        "",     "P",     "PT",     "12M",   "P12",       "P1D5",     "PM",        "P1",          "P1H",
        "PT1D", "P1D1M", "PT1M1H", "P1M1M", "P1DT",      "P1W1D",    "P1D1W",     "P1WT1H",      "P1WT1W",
        "P-1D", "-P1D",  "P+1D",   "P1.5D", "PT1.5H",    "PT1.S",    "PT1.2345S", "PT.5S",       "p1d",
        "P1D ", " P1D",  "P 1D",   "P1d",   "P1000000D", "P999999Y", "P120001M",  "P999999DT1S", "PT1,5S"};
    struct duration duration = {7, 7};
    char text[CIVIL_DURATION_SIZE];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct duration read = duration_of(good[i].text);
        assert_int_equal(read.months, good[i].months);
        assert_true(read.ms == good[i].ms);
        civil_format_duration(read, text);
        assert_string_equal(text, good[i].canonical);
        read = duration_of(text);
        assert_true(read.months == good[i].months && read.ms == good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (civil_parse_duration(bad[i], &duration) != STATUS_BAD_FORMAT)
            fail_msg("accepted: %s", bad[i]);
    }
    assert_true(duration.months == 7 && duration.ms == 7);
    civil_format_duration((struct duration){INT32_MAX, INT64_MAX}, text);
    assert_string_equal(text, "P2147483647M106751991167DT7H12M55.807S");
}

static void durations_move_times(void **state)
{
    (void)state;
    int64_t start = time_of("2024-01-31T23:30:00Z");

    assert_true(civil_add_duration(start, duration_of("P1M"), 1) == time_of("2024-02-29T23:30:00Z"));
    assert_true(civil_add_duration(start, duration_of("P1MT1H"), 1) == time_of("2024-03-01T00:30:00Z"));
    assert_true(civil_add_duration(start, duration_of("P2M"), -1) == time_of("2023-11-30T23:30:00Z"));
    assert_true(civil_add_duration(start, duration_of("P1D"), -1) == time_of("2024-01-30T23:30:00Z"));
    assert_true(civil_add_duration(-1, duration_of("P1M"), 1) == time_of("1970-01-31T23:59:59.999Z"));
    assert_true(civil_add_duration(start, (struct duration){INT32_MAX, INT64_MAX}, 1) == CIVIL_TIME_MAX);
    assert_true(civil_add_duration(start, (struct duration){INT32_MAX, INT64_MAX}, -1) == CIVIL_TIME_MIN);
    assert_true(civil_add_duration(INT64_MAX, (struct duration){1, 1}, 1) == CIVIL_TIME_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_and_written),
        cmocka_unit_test(a_time_that_is_not_exact_is_refused),
        cmocka_unit_test(every_day_round_trips),
        cmocka_unit_test(a_date_is_exactly_ten_characters),
        cmocka_unit_test(patterns_place_each_number),
        cmocka_unit_test(months_end_where_the_month_ends),
        cmocka_unit_test(durations_are_read_and_written),
        cmocka_unit_test(durations_move_times),
    };
    return cmocka_run_group_tests_name("civil", tests, NULL, NULL);
}
