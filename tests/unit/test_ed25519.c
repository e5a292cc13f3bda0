#include "tests/support/support.h"

#include <sodium.h>
#include <string.h>

#include "proto/ed25519.h"

#define LARGEST_FIELD 4096

/* Bytes of a hexadecimal field; "-" is the empty one. Returns their number. */
static size_t field_bytes(const char *text, uint8_t out[static LARGEST_FIELD])
{
    size_t size = strcmp(text, "-") == 0 ? 0 : strlen(text) / 2;

    assert_true(size <= LARGEST_FIELD);
    assert_int_equal(bytes_from_hex(size == 0 ? "" : text, out, size), STATUS_OK);
    return size;
}

/* Whether a case's signature is accepted. One of another length never reaches ed25519_verify. */
static bool accepted(const char *public_text, const char *message_text, const char *signature_text)
{
    static uint8_t public[LARGEST_FIELD];
    static uint8_t message[LARGEST_FIELD];
    static uint8_t signature[LARGEST_FIELD];
    struct ed25519_key *key = NULL;
    bool fits = false;

    assert_int_equal(field_bytes(public_text, public), ED25519_PUBLIC_SIZE);
    size_t message_size = field_bytes(message_text, message);
    if (field_bytes(signature_text, signature) != ED25519_SIGNATURE_SIZE)
        return false;
    if (ed25519_public(public, &key) == STATUS_OK)
        fits = ed25519_verify(key, bytes_view(message, message_size), signature) == STATUS_OK;
    ed25519_free(&key);
    return fits;
}

static void wycheproof_cases(void **state)
{
    (void)state;
    struct byte_buffer file = support_read_file(TEST_VECTORS "/ed25519/cases.tsv");
    size_t run = 0;
    char *save_line = NULL;

    bytes_append_u8(&file, 0);
    for (char *line = strtok_r((char *)file.data, "\n", &save_line); line != NULL;
         line = strtok_r(NULL, "\n", &save_line)) {
        char *save = NULL;
        if (line[0] == '#')
            continue;
        const char *id = strtok_r(line, "\t", &save);
        const char *public = strtok_r(NULL, "\t", &save);
        const char *message = strtok_r(NULL, "\t", &save);
        const char *signature = strtok_r(NULL, "\t", &save);
        const char *result = strtok_r(NULL, "\t", &save);
        assert_non_null(result);
        if (accepted(public, message, signature) != (strcmp(result, "valid") == 0))
            fail_msg("case %s is not %s", id, result);
        run++;
    }
    assert_int_equal(run, 151);
    bytes_buffer_free(&file);
}

/* RFC 8032 §7.1, test 2. */
static void signs_as_the_rfc_does(void **state)
{
    (void)state;
    uint8_t seed[ED25519_SEED_SIZE];
    uint8_t public[ED25519_PUBLIC_SIZE];
    uint8_t expected[ED25519_SIGNATURE_SIZE];
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    struct ed25519_key *key = NULL;
    char text[2 * ED25519_PUBLIC_SIZE + 1];

    bytes_from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", seed, sizeof seed);
    bytes_from_hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                   "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
                   expected, sizeof expected);
    assert_int_equal(ed25519_private(seed, &key), STATUS_OK);
    ed25519_public_bytes(key, public);
    bytes_to_hex(public, sizeof public, text);
    assert_string_equal(text, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    memset(public, 0, sizeof public);
    assert_int_equal(ed25519_public_from_seed(seed, public), STATUS_OK);
    bytes_to_hex(public, sizeof public, text);
    assert_string_equal(text, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");

    assert_int_equal(ed25519_sign(key, bytes_of_string("r"), signature), STATUS_OK);
    assert_memory_equal(signature, expected, sizeof signature);
    assert_int_equal(ed25519_verify(key, bytes_of_string("r"), signature), STATUS_OK);
    assert_int_equal(ed25519_verify(key, bytes_of_string("s"), signature), STATUS_BAD_SIGNATURE);
    signature[63] ^= 0x10;
    assert_int_equal(ed25519_verify(key, bytes_of_string("r"), signature), STATUS_BAD_SIGNATURE);
    ed25519_free(&key);
    assert_null(key);
    ed25519_free(&key);
}

static void weak_public_keys_are_refused(void **state)
{
    (void)state;
    static const char *const weak[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    uint8_t public[ED25519_PUBLIC_SIZE];
    struct ed25519_key *key = NULL;

    for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++) {
        assert_int_equal(bytes_from_hex(weak[i], public, sizeof public), STATUS_OK);
        assert_int_equal(ed25519_public(public, &key), STATUS_BAD_FORMAT);
        assert_null(key);
    }
    public[1] = 0xfe; /* below the prime */
    assert_int_equal(ed25519_public(public, &key), STATUS_OK);
    ed25519_free(&key);
}

/*
 * With the identity for R and S = SHA-512(R, A, message) * a the equation of RFC 8032 holds, yet no signer
 * makes this.
 */
static void a_nonce_of_small_order_is_refused(void **state)
{
    (void)state;
    const uint8_t seed[ED25519_SEED_SIZE] = {7};
    uint8_t signature[ED25519_SIGNATURE_SIZE] = {1};
    uint8_t hashed[crypto_hash_sha512_BYTES];
    uint8_t secret[crypto_core_ed25519_SCALARBYTES];
    uint8_t challenge[crypto_core_ed25519_SCALARBYTES];
    uint8_t public[ED25519_PUBLIC_SIZE];
    crypto_hash_sha512_state hash;
    struct ed25519_key *key = NULL;

    assert_int_equal(ed25519_private(seed, &key), STATUS_OK);
    ed25519_public_bytes(key, public);
    crypto_hash_sha512(hashed, seed, sizeof seed);
    hashed[0] &= 248;
    hashed[31] = (uint8_t)((hashed[31] & 127) | 64);
    memset(hashed + 32, 0, 32);
    crypto_core_ed25519_scalar_reduce(secret, hashed);
    crypto_hash_sha512_init(&hash);
    crypto_hash_sha512_update(&hash, signature, 32);
    crypto_hash_sha512_update(&hash, public, sizeof public);
    crypto_hash_sha512_update(&hash, (const uint8_t *)"r", 1);
    crypto_hash_sha512_final(&hash, hashed);
    crypto_core_ed25519_scalar_reduce(challenge, hashed);
    crypto_core_ed25519_scalar_mul(signature + 32, challenge, secret);
    assert_int_equal(ed25519_verify(key, bytes_of_string("r"), signature), STATUS_BAD_SIGNATURE);
    ed25519_free(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wycheproof_cases),
        cmocka_unit_test(signs_as_the_rfc_does),
        cmocka_unit_test(weak_public_keys_are_refused),
        cmocka_unit_test(a_nonce_of_small_order_is_refused),
    };
    return cmocka_run_group_tests_name("ed25519", tests, NULL, NULL);
}
