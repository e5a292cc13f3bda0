#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

#include "base/yaml_read.h"

static struct yaml_errors errors;
static struct yaml *yaml;

static const struct yaml_node *load(const char *text)
{
    struct yaml_error error;

    yaml_destroy(&yaml);
    memset(&errors, 0, sizeof errors);
    assert_int_equal(yaml_parse(bytes_of_string(text), &yaml, &error), STATUS_OK);
    return yaml_root(yaml);
}

static void expect_lines(const char *expected)
{
    struct byte_buffer out = bytes_buffer(1 << 20);

    yaml_errors_write(&errors, "f.yaml", &out);
    bytes_append_u8(&out, 0);
    assert_int_equal(out.status, STATUS_OK);
    assert_string_equal((char *)out.data, expected);
    bytes_buffer_free(&out);
}

static int release(void **state)
{
    (void)state;
    yaml_destroy(&yaml);
    return 0;
}

static void good_values_are_read(void **state)
{
    (void)state;
    static const char *const keys[] = {"name", "kind", "n", "urgent", "from", "keep", "list", NULL};
    static const char *const kinds[] = {"police", "prison", NULL};
    const struct yaml_node *root = load("name: Dovegate\nkind: prison\nn: 18446744073709551615\nurgent: yes\n"
                                        "from: 2026-12-01\nkeep: P12M\nlist: [a, b]\n");
    const char *name = NULL;
    size_t kind = 9;
    uint64_t n = 0;
    bool urgent = false;
    int32_t from = 0;
    struct duration keep = {0};

    assert_true(yaml_read_map(&errors, root));
    assert_true(yaml_read_known_keys(&errors, root, keys));
    assert_true(yaml_read_string(&errors, yaml_read_required(&errors, root, "name"), &name));
    assert_string_equal(name, "Dovegate");
    assert_true(yaml_read_enum(&errors, yaml_get(root, "kind"), kinds, &kind));
    assert_int_equal(kind, 1);
    assert_true(yaml_read_uint(&errors, yaml_get(root, "n"), 0, UINT64_MAX, &n));
    assert_true(n == UINT64_MAX);
    assert_true(yaml_read_bool(&errors, yaml_get(root, "urgent"), &urgent));
    assert_true(urgent);
    assert_true(yaml_read_date(&errors, yaml_get(root, "from"), &from));
    assert_int_equal(from, civil_date(2026, 12, 1));
    assert_true(yaml_read_duration(&errors, yaml_get(root, "keep"), &keep));
    assert_int_equal(keep.months, 12);
    assert_true(yaml_read_list(&errors, yaml_get(root, "list"), 2, 2));
    load("no");
    assert_true(yaml_read_bool(&errors, yaml_root(yaml), &urgent));
    assert_false(urgent);
    load("'0'");
    assert_true(yaml_read_uint(&errors, yaml_root(yaml), 0, 0, &n));
    assert_int_equal(errors.count, 0);
}

static void an_absent_value_is_silent(void **state)
{
    (void)state;
    const struct yaml_node *root = load("a: 1\n");
    const struct yaml_node *none = yaml_get(root, "b");
    const char *text = "before";
    bool flag = true;
    uint64_t n = 7;
    size_t index = 7;
    int32_t date = 7;
    struct duration duration = {7, 7};

    assert_false(yaml_read_string(&errors, none, &text));
    assert_false(yaml_read_bool(&errors, none, &flag));
    assert_false(yaml_read_uint(&errors, none, 0, 9, &n));
    assert_false(yaml_read_enum(&errors, none, (const char *const[]){NULL}, &index));
    assert_false(yaml_read_date(&errors, none, &date));
    assert_false(yaml_read_duration(&errors, none, &duration));
    assert_false(yaml_read_list(&errors, none, 0, 9));
    assert_false(yaml_read_map(&errors, none));
    assert_null(yaml_read_required(&errors, none, "x"));
    assert_int_equal(errors.count, 0);
    assert_string_equal(text, "before");
    assert_true(flag && n == 7 && index == 7 && date == 7 && duration.months == 7);
}

static void keys_are_known_and_complete(void **state)
{
    (void)state;
    static const char *const keys[] = {"from", "to", NULL};
    const struct yaml_node *root = load("from: x\nfrm: y\nrule:\n  to: z\n");

    assert_false(yaml_read_known_keys(&errors, root, keys));
    assert_null(yaml_read_required(&errors, yaml_get(root, "rule"), "from"));
    assert_null(yaml_read_required(&errors, root, "to"));
    expect_lines("f.yaml:1:1: key 'to' is missing; add it\n"
                 "f.yaml:2:1: unknown key 'frm'; the keys here are from, to\n"
                 "f.yaml:3:1: unknown key 'rule'; the keys here are from, to\n"
                 "f.yaml:4:3: key 'from' is missing under 'rule'; add it\n");
}

static void wrong_kinds_are_told(void **state)
{
    (void)state;
    const struct yaml_node *root = load("a: [x]\nb: {c: d}\ne: f\n");
    const char *text = NULL;

    assert_false(yaml_read_string(&errors, yaml_get(root, "a"), &text));
    assert_false(yaml_read_list(&errors, yaml_get(root, "b"), 0, 9));
    assert_false(yaml_read_map(&errors, yaml_get(root, "e")));
    assert_false(yaml_read_map(&errors, yaml_at(yaml_get(root, "a"), 0)));
    expect_lines("f.yaml:1:4: 'a' is a list; make it text\n"
                 "f.yaml:1:5: this is text; make it a mapping\n"
                 "f.yaml:2:4: 'b' is a mapping; make it a list\n"
                 "f.yaml:3:4: 'e' is text; make it a mapping\n");
    assert_null(text);
}

static void wrong_values_are_told(void **state)
{
    (void)state;
    static const char *const kinds[] = {"police", "prison", NULL};
    const struct yaml_node *root = load("a:\nb: court\nc: 65536\nd: true\ne: 1/12/2026\nf: 1y\ng: []\n");
    const char *text = NULL;
    size_t index = 7;
    uint64_t n = 7;
    bool flag = false;
    int32_t date = 7;
    struct duration duration = {7, 7};

    assert_false(yaml_read_string(&errors, yaml_get(root, "a"), &text));
    assert_false(yaml_read_enum(&errors, yaml_get(root, "b"), kinds, &index));
    assert_false(yaml_read_uint(&errors, yaml_get(root, "c"), 1, 65535, &n));
    assert_false(yaml_read_bool(&errors, yaml_get(root, "d"), &flag));
    assert_false(yaml_read_date(&errors, yaml_get(root, "e"), &date));
    assert_false(yaml_read_duration(&errors, yaml_get(root, "f"), &duration));
    assert_false(yaml_read_list(&errors, yaml_get(root, "g"), 1, 9));
    expect_lines("f.yaml:1:3: 'a' is empty; give it a value\n"
                 "f.yaml:2:4: 'b' is 'court'; write one of police, prison\n"
                 "f.yaml:3:4: 'c' is '65536'; write a whole number from 1 to 65535\n"
                 "f.yaml:4:4: 'd' is 'true'; write yes or no\n"
                 "f.yaml:5:4: 'e' is '1/12/2026'; write a date as 2026-12-01\n"
                 "f.yaml:6:4: 'f' is '1y'; write a duration as P12M, P14D or PT4H\n"
                 "f.yaml:7:4: 'g' has 0 entries; give it at least 1\n");
    assert_true(text == NULL && index == 7 && n == 7 && !flag && date == 7 && duration.ms == 7);
    load("'0'");
    assert_false(yaml_read_uint(&errors, yaml_root(yaml), 1, 65535, &n));
    load("[a, b]");
    assert_false(yaml_read_list(&errors, yaml_root(yaml), 0, 1));
    expect_lines("f.yaml:1:1: this has 2 entries; give it at most 1\n");
}

static void numbers_are_plain_digits(void **state)
{
    (void)state;
    static const char *const bad[] = {"''",
                                      "-1",
                                      "+1",
                                      "01",
                                      "1.0",
                                      "0x1",
                                      "1e3",
                                      "1 0",
                                      "18446744073709551616",
                                      "99999999999999999999999"};
    uint64_t n = 7;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        load(bad[i]);
        if (yaml_read_uint(&errors, yaml_root(yaml), 0, UINT64_MAX, &n) || errors.count != 1)
            fail_msg("accepted: %s", bad[i]);
    }
    assert_true(n == 7);
}

static void only_yes_and_no_are_truth(void **state)
{
    (void)state;
    static const char *const bad[] = {"Yes", "NO", "true", "false", "on", "off", "y", "1", "''"};
    bool flag = false;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        load(bad[i]);
        if (yaml_read_bool(&errors, yaml_root(yaml), &flag))
            fail_msg("accepted: %s", bad[i]);
    }
}

static void the_list_of_errors_is_bounded_and_in_order(void **state)
{
    (void)state;
    struct byte_buffer out = bytes_buffer(1 << 20);

    memset(&errors, 0, sizeof errors);
    for (uint32_t i = 0; i < YAML_ERRORS_MAX + 5; i++)
        yaml_errors_add_at(&errors, 1000 - i / 2, 2 - i % 2, "%u", i);
    assert_int_equal(errors.count, YAML_ERRORS_MAX);
    assert_int_equal(errors.dropped, 5);
    for (size_t i = 1; i < errors.count; i++) {
        const struct yaml_problem *a = &errors.list[i - 1], *b = &errors.list[i];
        assert_true(a->line < b->line || (a->line == b->line && a->column < b->column));
    }
    yaml_errors_write(&errors, "f", &out);
    bytes_append_u8(&out, 0);
    assert_non_null(strstr((char *)out.data, "f: and 5 more; mend these first\n"));
    bytes_buffer_free(&out);
}

static void a_message_is_cut_to_its_room(void **state)
{
    (void)state;
    static char key[400];
    static const char *keys[61];

    memset(key, 'k', sizeof key - 1);
    for (size_t i = 0; i < 60; i++)
        keys[i] = "a_long_key_name";
    const struct yaml_node *root = load("x: y\n");
    assert_false(yaml_read_known_keys(&errors, root, keys));
    assert_true(strlen(errors.list[0].text) < sizeof errors.list[0].text);
    assert_null(yaml_read_required(&errors, root, key));
    assert_int_equal(strlen(errors.list[1].text), sizeof errors.list[1].text - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_values_are_read),
        cmocka_unit_test(an_absent_value_is_silent),
        cmocka_unit_test(keys_are_known_and_complete),
        cmocka_unit_test(wrong_kinds_are_told),
        cmocka_unit_test(wrong_values_are_told),
        cmocka_unit_test(numbers_are_plain_digits),
        cmocka_unit_test(only_yes_and_no_are_truth),
        cmocka_unit_test(the_list_of_errors_is_bounded_and_in_order),
        cmocka_unit_test(a_message_is_cut_to_its_room),
    };
    return cmocka_run_group_tests_name("yaml_read", tests, NULL, release);
}
