#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "proto/labels.h"

static enum status canonical(const char *in, char *out)
{
    return labels_canonical(bytes_of_string(in), out, NULL);
}

static void lists_are_sorted(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"name", "name"},
        {"name,dob", "dob,name"},
        {" name , dob ,a1_ ", "a1_,dob,name"},
        {"release_date,release,prison_no,prison", "prison,prison_no,release,release_date"},
    };
    char out[LABELS_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(canonical(cases[i][0], out), STATUS_OK);
        assert_string_equal(out, cases[i][1]);
    }
}

static void ill_formed_lists_are_refused(void **state)
{
    static const char *const cases[] = {
        ",",    "a,",  ",a",  "a,,b", "a, ,b", "Name",  "1a",
        "_a",   "a-b", "a b", "a;b",  "a,a",   "b,a,b", "abcdefghijklmnopqrstuvwxyz1234567",
        "a,\n",
    };
    char out[LABELS_SIZE] = "before";

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (canonical(cases[i], out) != STATUS_BAD_FORMAT)
            fail_msg("accepted '%s'", cases[i]);
    }
    assert_string_equal(out, "before");
}

static void the_largest_list_fits(void **state)
{
    char in[LABELS_SIZE + 64] = "", out[LABELS_SIZE];
    size_t used = 0;

    (void)state;
    for (int i = LABELS_MOST; i > 0; i--)
        used += (size_t)snprintf(in + used, sizeof in - used, "%s%s%02d", used > 0 ? "," : "",
                                 "abcdefghijklmnopqrstuvwxyzabcd", i);
    assert_int_equal(canonical(in, out), STATUS_OK);
    assert_int_equal(strlen(out), LABELS_SIZE - 1);
    assert_memory_equal(out + 30, "01,", 3);
    memcpy(in + used, ",z", 3);
    assert_int_equal(canonical(in, out), STATUS_TOO_LARGE);
}

static void walks_and_finds(void **state)
{
    struct byte_view list = bytes_of_string("dob,name,prison_no"), label;

    (void)state;
    assert_true(labels_contain(list, bytes_of_string("dob")));
    assert_true(labels_contain(list, bytes_of_string("prison_no")));
    assert_false(labels_contain(list, bytes_of_string("prison")));
    assert_false(labels_contain(list, bytes_of_string("")));
    assert_false(labels_contain(bytes_of_string(""), bytes_of_string("")));
    assert_true(labels_next(&list, &label));
    assert_true(bytes_equal(label, bytes_of_string("dob")));
    assert_true(labels_next(&list, &label));
    assert_true(bytes_equal(label, bytes_of_string("name")));
    assert_true(labels_next(&list, &label));
    assert_true(bytes_equal(label, bytes_of_string("prison_no")));
    assert_false(labels_next(&list, &label));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_sorted),
        cmocka_unit_test(ill_formed_lists_are_refused),
        cmocka_unit_test(the_largest_list_fits),
        cmocka_unit_test(walks_and_finds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
