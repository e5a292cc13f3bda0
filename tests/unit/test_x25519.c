#include "tests/support/support.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "proto/x25519.h"

static enum status shared(const uint8_t own_raw[static X25519_KEY_SIZE],
                          const uint8_t peer_raw[static X25519_KEY_SIZE],
                          uint8_t ret_secret[static X25519_SECRET_SIZE])
{
    struct x25519_private *own = NULL;
    struct x25519_public *peer = NULL;

    assert_int_equal(x25519_private(own_raw, &own), STATUS_OK);
    assert_int_equal(x25519_public(peer_raw, &peer), STATUS_OK);
    enum status status = x25519_shared(own, peer, ret_secret);
    x25519_private_free(&own);
    x25519_public_free(&peer);
    assert_null(own);
    assert_null(peer);
    return status;
}

static void wycheproof_cases_come_out(void **state)
{
    (void)state;
    struct byte_buffer file = support_read_file(TEST_VECTORS "/wycheproof/x25519.tsv");
    unsigned cases = 0;
    unsigned refused = 0;

    bytes_append_u8(&file, 0);
    assert_int_equal(file.status, STATUS_OK);
    char *rest = (char *)file.data;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (line[0] == '#' || line[0] == '\0')
            continue;
        char *fields[5];
        for (size_t i = 0; i < 5; i++) {
            fields[i] = strsep(&line, "\t");
            assert_non_null(fields[i]);
        }
        uint8_t own[32];
        uint8_t peer[32];
        uint8_t expected[32];
        uint8_t secret[32];
        memset(secret, 0xee, sizeof secret);
        assert_int_equal(bytes_from_hex(fields[2], own, sizeof own), STATUS_OK);
        assert_int_equal(bytes_from_hex(fields[3], peer, sizeof peer), STATUS_OK);
        assert_int_equal(bytes_from_hex(fields[4], expected, sizeof expected), STATUS_OK);
        bool refuse = strcmp(fields[1], "refuse") == 0;
        if (refuse)
            memset(expected, 0xee, sizeof expected); /* untouched */
        enum status status = shared(own, peer, secret);
        if (status != (refuse ? STATUS_BAD_ARGUMENT : STATUS_OK) || memcmp(secret, expected, 32) != 0)
            fail_msg("case %s: %s", fields[0], status_text(status));
        cases++;
        refused += refuse;
    }
    assert_int_equal(cases, 518);
    assert_int_equal(refused, 31);
    assert_int_equal(ERR_peek_error(), 0);
    bytes_buffer_free(&file);
}

static void a_pair_agrees_and_keeps_its_bytes(void **state)
{
    (void)state;
    struct x25519_private *pair[2] = {NULL, NULL};
    struct x25519_public *publics[2] = {NULL, NULL};
    uint8_t secrets[2][X25519_SECRET_SIZE];
    uint8_t raw[X25519_KEY_SIZE];

    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(x25519_generate(random_system(), &pair[i]), STATUS_OK);
        assert_int_equal(x25519_public(x25519_public_of(pair[i]), &publics[i]), STATUS_OK);
        assert_memory_equal(x25519_public_bytes(publics[i]), x25519_public_of(pair[i]), X25519_KEY_SIZE);
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(x25519_shared(pair[i], publics[1 - i], secrets[i]), STATUS_OK);
    assert_memory_equal(secrets[0], secrets[1], X25519_SECRET_SIZE);
    assert_memory_not_equal(x25519_public_of(pair[0]), x25519_public_of(pair[1]), X25519_KEY_SIZE);

    struct x25519_private *again = NULL;
    assert_int_equal(x25519_private_bytes(pair[0], raw), STATUS_OK);
    assert_int_equal(x25519_private(raw, &again), STATUS_OK);
    assert_memory_equal(x25519_public_of(again), x25519_public_of(pair[0]), X25519_KEY_SIZE);
    x25519_private_free(&again);
    for (size_t i = 0; i < 2; i++) {
        x25519_private_free(&pair[i]);
        x25519_public_free(&publics[i]);
        x25519_private_free(&pair[i]); /* nothing is left to free */
        x25519_public_free(&publics[i]);
    }
}

static enum status no_random(void *context, void *out, size_t size)
{
    (void)context;
    (void)out;
    (void)size;
    return STATUS_CRYPTO;
}

static void no_key_is_made_without_randomness(void **state)
{
    (void)state;
    static const struct random_source broken = {.fill = no_random};
    struct x25519_private *key = NULL;

    assert_int_equal(x25519_generate(&broken, &key), STATUS_CRYPTO);
    assert_null(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wycheproof_cases_come_out),
        cmocka_unit_test(a_pair_agrees_and_keeps_its_bytes),
        cmocka_unit_test(no_key_is_made_without_randomness),
    };
    return cmocka_run_group_tests_name("x25519", tests, NULL, NULL);
}
