#include "tests/support/support.h"

#include <string.h>

#include "proto/text.h"

static enum status canonical(const char *in, char *out, struct kind_reason *reason)
{
    return text_canonical(bytes_of_string(in), out, 64, reason);
}

static void every_character_has_one_encoding(void **state)
{
    (void)state;
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        uint8_t bytes[4];
        size_t size;
        uint32_t decoded = 0;
        bool surrogate = point >= 0xd800 && point <= 0xdfff;
        if (point < 0x80) {
            bytes[0] = (uint8_t)point;
            size = 1;
        } else {
            size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
            uint32_t left = point;
            for (size_t i = size - 1; i > 0; i--, left >>= 6)
                bytes[i] = (uint8_t)(0x80 | (left & 0x3f));
            bytes[0] = (uint8_t)(0xf00u >> size | left);
        }
        struct byte_view rest = bytes_view(bytes, size), cut = bytes_view(bytes, size - 1);
        assert_int_equal(text_next(&rest, &decoded), !surrogate);
        assert_int_equal(rest.size, surrogate ? size : 0);
        assert_int_equal(decoded, surrogate ? 0 : point);
        assert_false(text_next(&cut, &decoded));
    }
}

static void malformed_bytes_are_refused(void **state)
{
    static const char *const cases[] = {
        "\x80",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xed\xa0\x80",
        "a\xc3",
        "a\xc3(",
        "\xfe\xff",
    };
    char out[64] = "before";
    struct kind_reason reason;
    size_t length = 77;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(canonical(cases[i], out, &reason), STATUS_BAD_FORMAT);
        assert_non_null(strstr(reason.text, "UTF-8"));
        assert_int_equal(text_length(bytes_of_string(cases[i]), &length), STATUS_BAD_FORMAT);
    }
    assert_string_equal(out, "before");
    assert_int_equal(length, 77);
}

static void hidden_characters_are_named(void **state)
{
    static const char *const cases[][2] = {
        {"a\tb", "U+0009"},         {"a\x1b[31m", "U+001B"},    {"a\xc2\x85z", "U+0085"},
        {"a\u00adb", "U+00AD"},     {"a\u200bb", "U+200B"},     {"a\u200fb", "U+200F"},
        {"a\u2028b", "U+2028"},     {"a\u202eb", "U+202E"},     {"a\u2066b", "U+2066"},
        {"a\ufe0fb", "U+FE0F"},     {"\ufeffb", "U+FEFF"},      {"a\ue000", "U+E000"},
        {"a\U000e0041", "U+E0041"}, {"a\U0001fffe", "U+1FFFE"}, {"a\U0010ffff", "U+10FFFF"},
        {"a\u3164", "U+3164"},      {"a\u061c", "U+061C"},      {"\u00a0\tb", "U+0009"},
    };
    char out[64];
    struct kind_reason reason;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(canonical(cases[i][0], out, &reason), STATUS_BAD_FORMAT);
        if (strstr(reason.text, cases[i][1]) == NULL)
            fail_msg("reason was '%s', not %s", reason.text, cases[i][1]);
    }
}

static void spaces_become_plain_and_the_outer_ones_go(void **state)
{
    static const char *const cases[][2] = {
        {"  a  b ", "a  b"},
        {"\u00a0a\u3000b\u2003", "a b"},
        {"\t Łódź\t", "Łódź"},
        {" \u00a0 ", ""},
        {"", ""},
        {"José O'Neill-Ng", "José O'Neill-Ng"},
        {"e\u0301", "e\u0301"},
        {"李小龍 \U00020000", "李小龍 \U00020000"},
    };
    char out[64];
    struct kind_reason reason;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(canonical(cases[i][0], out, &reason), STATUS_OK);
        assert_string_equal(out, cases[i][1]);
    }
}

static void length_and_room(void **state)
{
    char out[4] = "xyz";
    size_t length = 0;

    (void)state;
    assert_int_equal(text_length(bytes_of_string("aé李\U00020000"), &length), STATUS_OK);
    assert_int_equal(length, 4);
    assert_int_equal(text_canonical(bytes_of_string("abcd"), out, sizeof out, NULL), STATUS_TOO_LARGE);
    assert_string_equal(out, "xyz");
    assert_int_equal(text_canonical(bytes_of_string("abc"), out, sizeof out, NULL), STATUS_OK);
    assert_string_equal(out, "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_has_one_encoding),
        cmocka_unit_test(malformed_bytes_are_refused),
        cmocka_unit_test(hidden_characters_are_named),
        cmocka_unit_test(spaces_become_plain_and_the_outer_ones_go),
        cmocka_unit_test(length_and_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
