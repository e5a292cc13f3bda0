#include "tests/support/support.h"

#include <string.h>

#include "proto/commitment.h"

/* Computed with Python's hashlib over the bytes that the format states. */
static void known_answers_come_out(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        const char *value;
        const char *commitment;
    } answers[] = {
        {"home_force", "staffordshire", "6e88a1eb5a923f8da47fd53a3612d61ab5e1ed68731c5d34710c53c805877e70"},
        {"area", "", "98734ee1bbde55ab173e89e59a3b70dcd2a860f12fa85c410622e54ea9fb7554"},
    };
    uint8_t salt[COMMITMENT_SALT_SIZE];
    uint8_t commitment[COMMITMENT_SIZE];
    char text[2 * COMMITMENT_SIZE + 1];

    for (size_t i = 0; i < sizeof salt; i++)
        salt[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct byte_view id = bytes_of_string(answers[i].id);
        struct byte_view value = bytes_of_string(answers[i].value);
        commitment_compute(salt, id, value, commitment);
        bytes_to_hex(commitment, sizeof commitment, text);
        assert_string_equal(text, answers[i].commitment);
        assert_int_equal(commitment_verify(commitment, salt, id, value), STATUS_OK);
    }
}

static void salts_are_fresh(void **state)
{
    (void)state;
    const struct byte_view id = bytes_of_string("juvenile");
    const struct byte_view value = bytes_of_string("yes");
    uint8_t salts[2][COMMITMENT_SALT_SIZE] = {{0}};
    uint8_t commitments[2][COMMITMENT_SIZE] = {{0}};

    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(commitment_make(random_system(), id, value, salts[i], commitments[i]), STATUS_OK);
        assert_int_equal(commitment_verify(commitments[i], salts[i], id, value), STATUS_OK);
    }
    assert_memory_not_equal(salts[0], salts[1], COMMITMENT_SALT_SIZE);
    assert_memory_not_equal(commitments[0], commitments[1], COMMITMENT_SIZE);
}

static void every_changed_bit_is_refused(void **state)
{
    (void)state;
    /* One stretch of bytes, so that one loop reaches commitment, salt, id and value alike. */
    struct {
        uint8_t commitment[COMMITMENT_SIZE];
        uint8_t salt[COMMITMENT_SALT_SIZE];
        uint8_t id[8];
        uint8_t value[3];
    } opening = {.id = {'j', 'u', 'v', 'e', 'n', 'i', 'l', 'e'}, .value = {'y', 'e', 's'}};
    const struct byte_view id = bytes_view(opening.id, sizeof opening.id);
    const struct byte_view value = bytes_view(opening.value, sizeof opening.value);
    uint8_t *bytes = (uint8_t *)&opening;

    assert_int_equal(commitment_make(random_system(), id, value, opening.salt, opening.commitment),
                     STATUS_OK);
    for (size_t bit = 0; bit < 8 * sizeof opening; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(commitment_verify(opening.commitment, opening.salt, id, value),
                         STATUS_BAD_COMMITMENT);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(commitment_verify(opening.commitment, opening.salt, id, value), STATUS_OK);
    /* The same bytes, cut elsewhere. */
    assert_int_equal(commitment_verify(opening.commitment, opening.salt, bytes_of_string("juveniley"),
                                       bytes_of_string("es")),
                     STATUS_BAD_COMMITMENT);
}

static enum status no_random(void *context, void *out, size_t size)
{
    (void)context;
    (void)out;
    (void)size;
    return STATUS_CRYPTO;
}

static void nothing_is_committed_without_randomness(void **state)
{
    (void)state;
    static const struct random_source broken = {.fill = no_random};
    uint8_t salt[COMMITMENT_SALT_SIZE] = {0xee};
    uint8_t commitment[COMMITMENT_SIZE] = {0xee};

    assert_int_equal(commitment_make(&broken, bytes_of_string("a"), bytes_of_string("b"), salt, commitment),
                     STATUS_CRYPTO);
    assert_int_equal(salt[0], 0xee);
    assert_int_equal(commitment[0], 0xee);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_come_out),
        cmocka_unit_test(salts_are_fresh),
        cmocka_unit_test(every_changed_bit_is_refused),
        cmocka_unit_test(nothing_is_committed_without_randomness),
    };
    return cmocka_run_group_tests_name("commitment", tests, NULL, NULL);
}
