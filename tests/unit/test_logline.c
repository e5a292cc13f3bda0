#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/logline.h"

#define NOW INT64_C(1796116486218)

static void a_line_says_priority_time_and_component(void **state)
{
    (void)state;
    char out[LOGLINE_SIZE], value[LOGLINE_VALUE_SIZE];
    static const char expected[] =
        "<4>2026-12-01T09:14:46.218Z broker: batch refused sender=prison.dovegate n=3\n";

    size_t size = logline_format(out, NOW, LOGLINE_WARNING, "broker", "batch refused sender=%s n=%d",
                                 logline_value(value, "prison.dovegate"), 3);
    assert_string_equal(out, expected);
    assert_int_equal(size, sizeof expected - 1);
}

static const char *message(const char *text)
{
    static char out[LOGLINE_SIZE];
    size_t size = logline_format(out, NOW, LOGLINE_INFO, "c", "%s", text);

    assert_int_equal(size, strlen(out));
    assert_int_equal(out[size - 1], '\n');
    out[size - 1] = '\0';
    assert_null(strchr(out, '\n'));
    return out + strlen("<6>2026-12-01T09:14:46.218Z c: ");
}

static void nothing_breaks_the_line(void **state)
{
    (void)state;
    assert_string_equal(message("a\n<3>b\r\tc\x1b[2J\x7f"), "a\\n<3>b\\r\\tc\\x1b[2J\\x7f");
    assert_string_equal(message("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x91"),
                        "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x91");
    assert_string_equal(message("\xc2\x85"), "\\xc2\\x85");
    assert_string_equal(message("\xc3"), "\\xc3");
    assert_string_equal(message("\xe2\x82"), "\\xe2\\x82");
    assert_string_equal(message("\xc0\x8a"), "\\xc0\\x8a");
    assert_string_equal(message("\xe0\x80\x8a"), "\\xe0\\x80\\x8a");
    assert_string_equal(message("\xf0\x80\x80\x8a"), "\\xf0\\x80\\x80\\x8a");
    assert_string_equal(message("\xe0\x9f\xbf"), "\\xe0\\x9f\\xbf");
    assert_string_equal(message("\xf0\x8f\xbf\xbd"), "\\xf0\\x8f\\xbf\\xbd");
    assert_string_equal(message("\xed\xa0\x80"), "\\xed\\xa0\\x80");
    assert_string_equal(message("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
    assert_string_equal(message("\xe2\x80\xa8\xe2\x80\xae"), "\\xe2\\x80\\xa8\\xe2\\x80\\xae");
    assert_string_equal(message("\xe2\x81\xa6"), "\\xe2\\x81\\xa6");
}

static void a_long_line_is_cut(void **state)
{
    (void)state;
    static char text[3 * LOGLINE_SIZE];
    char out[LOGLINE_SIZE];

    for (size_t pad = 0; pad < 4; pad++) {
        memset(text, 'x', pad);
        memset(text + pad, '\x01', sizeof text - 1 - pad);
        size_t size = logline_format(out, NOW, LOGLINE_INFO, "c", "%s", text);
        assert_int_equal(size, strlen(out));
        assert_true(size > LOGLINE_SIZE - 8 && size < LOGLINE_SIZE);
        assert_string_equal(out + size - 8, "\\x01...\n");
    }
}

static void a_value_cannot_pass_for_another(void **state)
{
    (void)state;
    char out[LOGLINE_VALUE_SIZE];
    static char text[2 * LOGLINE_VALUE_SIZE];

    assert_string_equal(logline_value(out, "tcp://127.0.0.1:5570"), "tcp://127.0.0.1:5570");
    assert_string_equal(logline_value(out, ""), "\"\"");
    assert_string_equal(logline_value(out, "a b"), "\"a b\"");
    assert_string_equal(logline_value(out, "x outcome=stored"), "\"x outcome=stored\"");
    assert_string_equal(logline_value(out, "a\" b=\"c"), "\"a\\\" b=\\\"c\"");
    assert_string_equal(logline_value(out, "a\\nb"), "\"a\\\\nb\"");
    assert_string_equal(logline_value(out, "a\nb"), "\"a\\nb\"");
    assert_string_equal(logline_value(out, "\xc3\xa9\xff"), "\"\xc3\xa9\\xff\"");
    for (int c = 'x'; c != 0; c = c == 'x' ? '"' : c == '"' ? '\n' : 0) {
        memset(text, c, sizeof text - 1);
        size_t size = strlen(logline_value(out, text));
        assert_true(size >= LOGLINE_VALUE_SIZE - 5 && size < LOGLINE_VALUE_SIZE);
        assert_string_equal(out + size - 4, "...\"");
    }
}

static void a_line_goes_to_stderr_whole(void **state)
{
    (void)state;
    int ends[2];
    char got[LOGLINE_SIZE] = "";
    int saved = dup(STDERR_FILENO);

    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    errno = ERANGE;
    logline_write(NOW, LOGLINE_ERROR, "agent", "disk full path=%s", "/x");
    assert_int_equal(errno, ERANGE);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    assert_true(read(ends[0], got, sizeof got - 1) > 0);
    assert_string_equal(got, "<3>2026-12-01T09:14:46.218Z agent: disk full path=/x\n");
    close(ends[0]);
}

static void what_repeats_is_held_back_and_counted(void **state)
{
    (void)state;
    struct logline_limit limit = logline_limit(2);
    unsigned held = 9;

    assert_true(logline_allow(&limit, NOW, "a", &held));
    assert_int_equal(held, 0);
    assert_true(logline_allow(&limit, NOW + 1, "a", &held));
    held = 9;
    assert_false(logline_allow(&limit, NOW + 2, "a", &held));
    assert_false(logline_allow(&limit, NOW + 59999, "a", &held));
    assert_int_equal(held, 9);
    assert_true(logline_allow(&limit, NOW + 59999, "b", &held));
    assert_int_equal(held, 0);
    assert_true(logline_allow(&limit, NOW + 60000, "a", &held));
    assert_int_equal(held, 2);
    assert_true(logline_allow(&limit, NOW + 60001, "a", &held));
    assert_int_equal(held, 0);
    assert_false(logline_allow(&limit, NOW + 60002, "a", &held));
    assert_true(logline_allow(&limit, NOW, "a", &held)); /* the clock was set back */
    assert_int_equal(held, 1);
}

static void many_keys_share_one_slot(void **state)
{
    (void)state;
    struct logline_limit limit = logline_limit(3);
    unsigned passed = 0, held = 0;
    char key[200];

    for (unsigned i = 0; i < 10000; i++) {
        snprintf(key, sizeof key, "key %u", i / 4);
        passed += logline_allow(&limit, NOW + i, key, &held);
    }
    assert_int_equal(passed, (LOGLINE_LIMIT_SLOTS + 1) * 3);
    assert_true(logline_allow(&limit, NOW + 100000, "key 0", &held));
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    for (char last = 'a'; last <= 'c'; last++) {
        key[sizeof key - 2] = last;
        assert_true(logline_allow(&limit, NOW + 100000, key, &held));
    }
    key[sizeof key - 2] = 'd';
    assert_false(logline_allow(&limit, NOW + 100000, key, &held));
}

static void a_reused_slot_forgets_no_count(void **state)
{
    (void)state;
    struct logline_limit limit = logline_limit(1);
    unsigned held = 0;
    char key[32];

    for (unsigned i = 0; i < 2 * LOGLINE_LIMIT_SLOTS; i++) { /* each key once written, once held back */
        snprintf(key, sizeof key, "old %u", i / 2);
        logline_allow(&limit, NOW, key, &held);
    }
    unsigned total = 0;
    for (unsigned i = 0; i <= LOGLINE_LIMIT_SLOTS; i++) { /* the last finds no slot and shares */
        snprintf(key, sizeof key, "new %u", i);
        assert_true(logline_allow(&limit, NOW + 60000, key, &held));
        total += held;
    }
    assert_int_equal(total, LOGLINE_LIMIT_SLOTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_priority_time_and_component),
        cmocka_unit_test(nothing_breaks_the_line),
        cmocka_unit_test(a_long_line_is_cut),
        cmocka_unit_test(a_value_cannot_pass_for_another),
        cmocka_unit_test(a_line_goes_to_stderr_whole),
        cmocka_unit_test(what_repeats_is_held_back_and_counted),
        cmocka_unit_test(many_keys_share_one_slot),
        cmocka_unit_test(a_reused_slot_forgets_no_count),
    };
    return cmocka_run_group_tests_name("logline", tests, NULL, NULL);
}
