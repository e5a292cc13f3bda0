#include "tests/support/support.h"

#include <string.h>

#include "agent/vault.h"

static const uint8_t key[VAULT_KEY_SIZE] = {7, 1, 2, 3};

static struct vault *make(void)
{
    struct vault *vault = NULL;

    assert_int_equal(vault_new(key, random_system(), &vault), STATUS_OK);
    return vault;
}

static void seals_and_opens(void **state)
{
    struct vault *vault = make();
    const struct byte_view place = bytes_of_string("inbox:1");
    const char *texts[] = {"", "a", "Hughes-Parry, Liam"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct byte_buffer sealed = bytes_buffer(4096);
        struct byte_buffer opened = bytes_buffer(4096);

        assert_int_equal(vault_seal(vault, place, bytes_of_string(texts[i]), &sealed), STATUS_OK);
        assert_int_equal(sealed.size, strlen(texts[i]) + VAULT_OVERHEAD);
        assert_int_equal(vault_open(vault, place, bytes_buffer_view(&sealed), &opened), STATUS_OK);
        assert_true(bytes_equal(bytes_buffer_view(&opened), bytes_of_string(texts[i])));
        bytes_buffer_free(&sealed);
        bytes_buffer_wipe(&opened);
    }
    vault_free(&vault);
}

static void refuses_what_was_touched(void **state)
{
    struct vault *vault = make();
    const struct byte_view place = bytes_of_string("inbox:1");
    struct byte_buffer sealed = bytes_buffer(4096);
    struct byte_buffer opened = bytes_buffer(4096);

    (void)state;
    bytes_append_string(&opened, "kept");
    assert_int_equal(vault_seal(vault, place, bytes_of_string("Liam"), &sealed), STATUS_OK);
    for (size_t i = 0; i < sealed.size * 8; i++) {
        sealed.data[i / 8] ^= (uint8_t)(1u << (i % 8));
        assert_int_equal(vault_open(vault, place, bytes_buffer_view(&sealed), &opened), STATUS_BAD_SEAL);
        sealed.data[i / 8] ^= (uint8_t)(1u << (i % 8));
    }
    assert_int_equal(vault_open(vault, bytes_of_string("inbox:2"), bytes_buffer_view(&sealed), &opened),
                     STATUS_BAD_SEAL);
    for (size_t size = 0; size < sealed.size; size++)
        assert_int_equal(vault_open(vault, place, bytes_view(sealed.data, size), &opened), STATUS_BAD_SEAL);
    assert_true(bytes_equal(bytes_buffer_view(&opened), bytes_of_string("kept")));
    bytes_buffer_free(&sealed);
    bytes_buffer_free(&opened);
    vault_free(&vault);
}

static void never_seals_twice_alike(void **state)
{
    struct vault *vault = make();
    struct byte_buffer one = bytes_buffer(4096);
    struct byte_buffer two = bytes_buffer(4096);

    (void)state;
    assert_int_equal(vault_seal(vault, bytes_of_string("x"), bytes_of_string("Liam"), &one), STATUS_OK);
    assert_int_equal(vault_seal(vault, bytes_of_string("x"), bytes_of_string("Liam"), &two), STATUS_OK);
    assert_memory_not_equal(one.data, two.data, one.size);
    assert_null(memmem(one.data, one.size, "Liam", 4));
    bytes_buffer_free(&one);
    bytes_buffer_free(&two);
    vault_free(&vault);
}

static void fails_as_the_buffer_and_the_generator_do(void **state)
{
    struct vault *vault = make();
    struct byte_buffer small = bytes_buffer(8);

    (void)state;
    assert_int_equal(vault_seal(vault, bytes_of_string("x"), bytes_of_string("Liam"), &small),
                     STATUS_TOO_LARGE);
    assert_int_equal(small.size, 0);
    bytes_buffer_free(&small);
    vault_free(&vault);
}

static void looks_up_by_use_and_value(void **state)
{
    struct vault *vault = make();
    uint8_t a[VAULT_LOOKUP_SIZE];
    uint8_t b[VAULT_LOOKUP_SIZE];

    (void)state;
    vault_lookup(vault, "pnc_id", bytes_of_string("2003/9391423N"), a);
    vault_lookup(vault, "pnc_id", bytes_of_string("2003/9391423N"), b);
    assert_memory_equal(a, b, sizeof a);
    vault_lookup(vault, "prison_no", bytes_of_string("2003/9391423N"), b);
    assert_memory_not_equal(a, b, sizeof a);
    vault_lookup(vault, "pnc_i", bytes_of_string("d2003/9391423N"), b);
    assert_memory_not_equal(a, b, sizeof a);
    vault_free(&vault);
    vault_free(&vault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seals_and_opens),
        cmocka_unit_test(refuses_what_was_touched),
        cmocka_unit_test(never_seals_twice_alike),
        cmocka_unit_test(fails_as_the_buffer_and_the_generator_do),
        cmocka_unit_test(looks_up_by_use_and_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
