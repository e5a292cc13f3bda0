#include "tests/support/support.h"

#include "base/utf8.h"

static bool valid(const char *text, size_t size)
{
    return utf8_valid(bytes_view(text, size));
}

#define VALID(text) valid(text, sizeof(text) - 1)

static void test_accepts_well_formed(void **state)
{
    (void)state;
    assert_true(VALID(""));
    assert_true(VALID("Zoë £5 €5 𝄞"));
    assert_true(VALID("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"));
    assert_true(VALID("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
    assert_true(utf8_printable(bytes_of_string("Zoë O'Hara-Smith")));
}

static void test_refuses_malformed(void **state)
{
    (void)state;
    assert_false(VALID("a\0b"));
    assert_false(VALID("\x80"));             /* a continuation alone */
    assert_false(VALID("\xc3"));             /* cut short */
    assert_false(VALID("\xe2\x82"));         /* cut short */
    assert_false(VALID("\xc3z"));            /* not continued */
    assert_false(VALID("\xc0\xaf"));         /* overlong */
    assert_false(VALID("\xe0\x9f\xbf"));     /* overlong */
    assert_false(VALID("\xf0\x8f\xbf\xbf")); /* overlong */
    assert_false(VALID("\xed\xa0\x80"));     /* surrogate */
    assert_false(VALID("\xf4\x90\x80\x80")); /* above U+10FFFF */
    assert_false(VALID("\xf5\x80\x80\x80"));
    assert_false(VALID("\xff"));
}

static void test_printable_refuses_controls(void **state)
{
    (void)state;
    assert_false(utf8_printable(bytes_of_string("a\nb")));
    assert_false(utf8_printable(bytes_of_string("\x1b[31m")));
    assert_false(utf8_printable(bytes_of_string("\x7f")));
    assert_false(utf8_printable(bytes_of_string("\xc2\x85")));
    assert_false(utf8_printable(bytes_of_string("\xc3")));
}

static void test_a_cut_text_ends_with_a_whole_character(void **state)
{
    static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
    static const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};

    (void)state;
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        assert_int_equal(utf8_whole(bytes_view(text, i)), whole[i]);
    assert_int_equal(utf8_whole(bytes_view("\x80\x80", 2)), 2); /* never whole */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts_well_formed),
        cmocka_unit_test(test_refuses_malformed),
        cmocka_unit_test(test_printable_refuses_controls),
        cmocka_unit_test(test_a_cut_text_ends_with_a_whole_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
