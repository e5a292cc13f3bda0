#include "tests/support/support.h"

#include <string.h>

#include "proto/date.h"

static enum status moment(const char *in, char *out, struct kind_reason *reason)
{
    return date_time_canonical(bytes_of_string(in), out, reason);
}

static void days_that_exist(void **state)
{
    static const char *const cases[][2] = {
        {"2026-12-01", "2026-12-01"}, {"31/12/2026", "2026-12-31"}, {"2024-02-29", "2024-02-29"},
        {"29/02/2000", "2000-02-29"}, {"1900-01-01", "1900-01-01"}, {"2199-12-31", "2199-12-31"},
    };
    char out[DATE_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(date_canonical(bytes_of_string(cases[i][0]), out, NULL), STATUS_OK);
        assert_string_equal(out, cases[i][1]);
    }
}

static void days_that_do_not(void **state)
{
    static const char *const cases[][2] = {
        {"2026-02-29", "does not exist"}, {"2100-02-29", "does not exist"}, {"31/06/2026", "does not exist"},
        {"2026-13-01", "does not exist"}, {"2026-00-10", "does not exist"}, {"2026-10-00", "does not exist"},
        {"12/31/2026", "does not exist"}, {"1899-12-31", "between 1900"},   {"2200-01-01", "between 1900"},
        {"26-12-01", "not a date"},       {"1/12/2026", "not a date"},      {"2026/12/01", "not a date"},
        {"2026-12-01T", "not a date"},    {"01-12-2026", "not a date"},     {"", "not a date"},
        {"2026-12-0a", "not a date"},
    };
    char out[DATE_SIZE] = "before";
    struct kind_reason reason;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(date_canonical(bytes_of_string(cases[i][0]), out, &reason), STATUS_BAD_FORMAT);
        if (strstr(reason.text, cases[i][1]) == NULL)
            fail_msg("'%s': reason was '%s'", cases[i][0], reason.text);
        assert_string_equal(out, "before");
    }
}

static void moments_become_utc(void **state)
{
    static const char *const cases[][2] = {
        {"2026-12-01T09:14:46Z", "2026-12-01T09:14:46Z"},
        {"2026-12-01T09:14:46+00:00", "2026-12-01T09:14:46Z"},
        {"2026-12-01T09:14:46.218216237+00:00", "2026-12-01T09:14:46Z"},
        {"2026-12-01 09:14Z", "2026-12-01T09:14:00Z"},
        {"2026-12-01T09:14+01:00", "2026-12-01T08:14:00Z"},
        {"2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z"},
        {"2024-02-28T23:30:59-01:00", "2024-02-29T00:30:59Z"},
        {"2025-12-31T23:59:59-00:30", "2026-01-01T00:29:59Z"},
    };
    char out[DATE_TIME_SIZE];
    struct kind_reason reason;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (moment(cases[i][0], out, &reason) != STATUS_OK)
            fail_msg("'%s': %s", cases[i][0], reason.text);
        assert_string_equal(out, cases[i][1]);
    }
}

static void moments_that_are_refused(void **state)
{
    static const char *const cases[][2] = {
        {"2026-12-01T09:14:46", "zone"},
        {"2026-12-01 09:14", "zone"},
        {"2026-12-01T09:14:46+01", "zone"},
        {"2026-12-01T09:14:46z", "zone"},
        {"2026-12-01T24:00:00Z", "time of day"},
        {"2026-12-01T23:60:00Z", "time of day"},
        {"2026-12-31T23:59:60Z", "time of day"},
        {"2026-12-01T09:14:46+24:00", "time of day"},
        {"2026-12-01T09:14:46+01:60", "time of day"},
        {"2026-12-01T09:14:46.Z", "time of day"},
        {"2026-12-01T09:14:46ZZ", "time of day"},
        {"2026-12-01T09:14:Z", "time of day"},
        {"2026-02-30T09:14:46Z", "does not exist"},
        {"1900-01-01T00:30:00+01:00", "between 1900"},
        {"2199-12-31T23:30:00-01:00", "between 1900"},
        {"2026-12-01", "not a date and time"},
        {"2026-12-01t09:14:46Z", "not a date and time"},
        {"01/12/2026 09:14Z", "not a date and time"},
        {"2026-12-01T9:14:46Z", "not a date and time"},
        {"2026-12-01T09:14:46.0000000000000000000000000000000Z", "not a date and time"},
        {"", "not a date and time"},
    };
    char out[DATE_TIME_SIZE] = "before";
    struct kind_reason reason;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(moment(cases[i][0], out, &reason), STATUS_BAD_FORMAT);
        if (strstr(reason.text, cases[i][1]) == NULL)
            fail_msg("'%s': reason was '%s'", cases[i][0], reason.text);
        assert_string_equal(out, "before");
    }
    assert_int_equal(date_time_canonical(bytes_view("2026-12-01T09:14:46Z\0+01:00", 27), out, NULL),
                     STATUS_BAD_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_that_exist),
        cmocka_unit_test(days_that_do_not),
        cmocka_unit_test(moments_become_utc),
        cmocka_unit_test(moments_that_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
