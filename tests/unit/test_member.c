#include "tests/support/support.h"

#include "proto/member.h"

static void assert_view(struct byte_view view, const char *expected)
{
    assert_true(bytes_equal(view, bytes_of_string(expected)));
}

static void accepts_class_and_place(void **state)
{
    static const char *const valid[] = {"police.staffordshire", "prison.dovegate", "drugs.stoke", "a.b",
                                        "victim_support.n-1",   "court.1",         "x1.2-"};

    (void)state;
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++)
        assert_int_equal(member_check(bytes_of_string(valid[i])), STATUS_OK);
}

static void refuses_anything_else(void **state)
{
    static const char *const invalid[] = {
        "",          ".",    "police",    "police.",  ".stoke",     "Police.stoke", "police.Stoke",
        "1police.x", "_p.x", "po-lice.x", "police.-", "police.x_y", "a.b.c",        "a..b",
        " a.b",      "a.b ", "a.b\n",     "a.b/c",    "p\xc3.x",    "p.\xc3\xa9x",  "police x"};

    (void)state;
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        if (member_check(bytes_of_string(invalid[i])) != STATUS_BAD_FORMAT)
            fail_msg("accepted '%s'", invalid[i]);
    }
    assert_int_equal(member_check(bytes_view("a.b\0", 4)), STATUS_BAD_FORMAT);
    assert_int_equal(member_check(bytes_view(NULL, 0)), STATUS_BAD_FORMAT);
}

static void length_is_limited(void **state)
{
    char id[MEMBER_ID_LENGTH + 2];

    (void)state;
    for (size_t i = 0; i < sizeof id; i++)
        id[i] = 'x';
    id[6] = '.';
    assert_int_equal(member_check(bytes_view(id, MEMBER_ID_LENGTH)), STATUS_OK);
    assert_int_equal(member_check(bytes_view(id, MEMBER_ID_LENGTH + 1)), STATUS_TOO_LARGE);
}

static void splits_at_the_dot(void **state)
{
    struct byte_view id = bytes_of_string("victim_support.north-east");

    (void)state;
    assert_view(member_class(id), "victim_support");
    assert_view(member_place(id), "north-east");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_class_and_place),
        cmocka_unit_test(refuses_anything_else),
        cmocka_unit_test(length_is_limited),
        cmocka_unit_test(splits_at_the_dot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
