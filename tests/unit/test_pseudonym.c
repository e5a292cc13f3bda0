#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "proto/pseudonym.h"

/* Computed with Python's hmac module over the bytes that the format states. */
#define PNC_DIGITS   "9cf1d7b26718a03ade0c5dafbcc45c31eb63c5765b883d00dd45c603cd8a9e3f"
#define LOCAL_DIGITS "ef03d0b2c47ac8e6ff1a4efe2625b695423e2eb4706c395ac2e52eef80c0a547"

static void fill_key(uint8_t key[static PSEUDONYM_KEY_SIZE])
{
    for (size_t i = 0; i < PSEUDONYM_KEY_SIZE; i++)
        key[i] = (uint8_t)i;
}

static struct pseudonym make(uint32_t epoch, enum pseudonym_kind kind, const char *member, const char *id)
{
    uint8_t key[PSEUDONYM_KEY_SIZE];
    struct pseudonym pseudonym;

    fill_key(key);
    assert_int_equal(
        pseudonym_make(epoch, key, kind, bytes_of_string(member), bytes_of_string(id), &pseudonym),
        STATUS_OK);
    return pseudonym;
}

static void known_answers_come_out(void **state)
{
    (void)state;
    char text[PSEUDONYM_TEXT];

    struct pseudonym pnc = make(1, PSEUDONYM_KIND_PNC, "", "2001/0123456X");
    pseudonym_format(&pnc, text);
    assert_string_equal(text, "1-" PNC_DIGITS);
    struct pseudonym local = make(UINT32_MAX, PSEUDONYM_KIND_LOCAL, "drugs.stoke", "D-17");
    pseudonym_format(&local, text);
    assert_string_equal(text, "4294967295-" LOCAL_DIGITS);
    assert_int_equal(strlen(text) + 1, PSEUDONYM_TEXT);
    assert_int_equal(pseudonym_epoch(&local), UINT32_MAX);
    assert_memory_equal(pnc.bytes, "\0\0\0\1\x9c\xf1", 6);
}

static void everything_that_goes_in_matters(void **state)
{
    (void)state;
    const struct pseudonym local = make(1, PSEUDONYM_KIND_LOCAL, "ab", "c");
    const struct pseudonym same = make(1, PSEUDONYM_KIND_LOCAL, "ab", "c");
    const struct pseudonym others[] = {
        make(2, PSEUDONYM_KIND_LOCAL, "ab", "c"),
        make(1, PSEUDONYM_KIND_LOCAL, "a", "bc"),
        make(1, PSEUDONYM_KIND_LOCAL, "ab", "d"),
        make(1, PSEUDONYM_KIND_PNC, "", "abc"),
    };

    assert_true(pseudonym_equal(&local, &same));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(pseudonym_equal(&local, &others[i]));
    for (size_t bit = 0; bit < 8 * PSEUDONYM_KEY_SIZE; bit++) {
        uint8_t key[PSEUDONYM_KEY_SIZE];
        struct pseudonym other;
        fill_key(key);
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(
            pseudonym_make(1, key, PSEUDONYM_KIND_LOCAL, bytes_of_string("ab"), bytes_of_string("c"), &other),
            STATUS_OK);
        assert_false(pseudonym_equal(&local, &other));
    }
}

static void what_names_nobody_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t epoch;
        enum pseudonym_kind kind;
        const char *member;
        const char *id;
    } wrong[] = {
        {0, PSEUDONYM_KIND_PNC, "", "2001/0123456X"},
        {1, PSEUDONYM_KIND_PNC, "", ""},
        {1, PSEUDONYM_KIND_PNC, "police.staffordshire", "2001/0123456X"},
        {1, PSEUDONYM_KIND_LOCAL, "", "D-17"},
        {1, PSEUDONYM_KIND_LOCAL, "drugs.stoke", ""},
    };
    uint8_t key[PSEUDONYM_KEY_SIZE];
    static uint8_t large[65536];
    struct pseudonym pseudonym = {{0xee}};

    fill_key(key);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(pseudonym_make(wrong[i].epoch, key, wrong[i].kind, bytes_of_string(wrong[i].member),
                                        bytes_of_string(wrong[i].id), &pseudonym),
                         STATUS_BAD_ARGUMENT);
    assert_int_equal(pseudonym_make(1, key, PSEUDONYM_KIND_PNC, bytes_view(NULL, 0),
                                    bytes_view(large, sizeof large), &pseudonym),
                     STATUS_TOO_LARGE);
    assert_int_equal(pseudonym.bytes[0], 0xee);
}

static void text_and_bytes_round_trip(void **state)
{
    (void)state;
    static const uint32_t epochs[] = {1, 9, 10, 65536, UINT32_MAX};

    for (size_t i = 0; i < sizeof epochs / sizeof epochs[0]; i++) {
        const struct pseudonym made = make(epochs[i], PSEUDONYM_KIND_PNC, "", "2001/0123456X");
        struct pseudonym parsed;
        struct pseudonym copied;
        char text[PSEUDONYM_TEXT];
        pseudonym_format(&made, text);
        assert_int_equal(pseudonym_parse(text, &parsed), STATUS_OK);
        assert_true(pseudonym_equal(&made, &parsed));
        assert_int_equal(pseudonym_from_bytes(bytes_view(made.bytes, PSEUDONYM_SIZE), &copied), STATUS_OK);
        assert_true(pseudonym_equal(&made, &copied));
    }
}

static void only_the_one_text_form_is_read(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "1",
        "1-",
        "-" PNC_DIGITS,
        PNC_DIGITS,
        "0-" PNC_DIGITS,
        "01-" PNC_DIGITS,
        "+1-" PNC_DIGITS,
        " 1-" PNC_DIGITS,
        "1 -" PNC_DIGITS,
        "1-" PNC_DIGITS " ",
        "1-" PNC_DIGITS "0",
        "1--" PNC_DIGITS,
        "4294967296-" PNC_DIGITS,
        "18446744073709551617-" PNC_DIGITS,
        "1-9Cf1d7b26718a03ade0c5dafbcc45c31eb63c5765b883d00dd45c603cd8a9e3f",
        "1-9cf1d7b26718a03ade0c5dafbcc45c31eb63c5765b883d00dd45c603cd8a9e3",
        "1-9cf1d7b26718a03ade0c5dafbcc45c31eb63c5765b883d00dd45c603cd8a9e3g",
    };
    struct pseudonym pseudonym = {{0xee}};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (pseudonym_parse(wrong[i], &pseudonym) != STATUS_BAD_FORMAT)
            fail_msg("taken: %s", wrong[i]);
    }
    assert_int_equal(pseudonym.bytes[0], 0xee);
}

static void only_whole_bytes_are_read(void **state)
{
    (void)state;
    struct pseudonym pseudonym = {{0xee}};
    uint8_t bytes[PSEUDONYM_SIZE + 1] = {0, 0, 0, 1};

    for (size_t size = 0; size <= sizeof bytes; size++) {
        if (size != PSEUDONYM_SIZE)
            assert_int_equal(pseudonym_from_bytes(bytes_view(bytes, size), &pseudonym), STATUS_BAD_FORMAT);
    }
    bytes[3] = 0;
    assert_int_equal(pseudonym_from_bytes(bytes_view(bytes, PSEUDONYM_SIZE), &pseudonym), STATUS_BAD_FORMAT);
    assert_int_equal(pseudonym.bytes[0], 0xee);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_come_out),         cmocka_unit_test(everything_that_goes_in_matters),
        cmocka_unit_test(what_names_nobody_is_refused),   cmocka_unit_test(text_and_bytes_round_trip),
        cmocka_unit_test(only_the_one_text_form_is_read), cmocka_unit_test(only_whole_bytes_are_read),
    };
    return cmocka_run_group_tests_name("pseudonym", tests, NULL, NULL);
}
