#include "tests/support/support.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "certs/claims.h"
#include "certs/request.h"
#include "proto/random.h"

static uint8_t seed[ED25519_SEED_SIZE];

static struct certificate_claims sample_claims(void)
{
    struct certificate_claims claims = {.member = "prison.dovegate", .role = ROLE_AGENT};
    struct x25519_private *key = NULL;

    assert_int_equal(random_bytes(seed, sizeof seed), STATUS_OK);
    assert_int_equal(ed25519_public_from_seed(seed, claims.signing), STATUS_OK);
    assert_int_equal(x25519_generate(random_system(), &key), STATUS_OK);
    memcpy(claims.transport, x25519_public_of(key), X25519_KEY_SIZE);
    x25519_private_free(&key);
    assert_int_equal(x25519_generate(random_system(), &key), STATUS_OK);
    memcpy(claims.sealing, x25519_public_of(key), X25519_KEY_SIZE);
    x25519_private_free(&key);
    return claims;
}

static enum status parse(const struct certificate_claims *claims, const uint8_t *renewal, struct request *ret)
{
    const char *reason = NULL;
    struct byte_buffer pem = bytes_buffer(0);

    assert_int_equal(request_make(claims, seed, renewal, &pem), STATUS_OK);
    enum status status = request_parse(bytes_buffer_view(&pem), ret, &reason);
    assert_true((status == STATUS_OK) == (reason == NULL));
    bytes_buffer_free(&pem);
    return status;
}

static void what_is_asked_for_is_read_back(void **state)
{
    (void)state;
    const struct certificate_claims claims = sample_claims();
    uint8_t renewal[ED25519_SIGNATURE_SIZE];
    struct request request;

    memset(renewal, 0xa5, sizeof renewal);
    assert_int_equal(parse(&claims, NULL, &request), STATUS_OK);
    assert_string_equal(request.claims.member, claims.member);
    assert_int_equal(request.claims.role, ROLE_AGENT);
    assert_true(request.role_given);
    assert_false(request.renews);
    assert_memory_equal(request.claims.signing, claims.signing, 32);
    assert_memory_equal(request.claims.transport, claims.transport, 32);
    assert_memory_equal(request.claims.sealing, claims.sealing, 32);
    assert_int_equal(parse(&claims, renewal, &request), STATUS_OK);
    assert_true(request.renews);
    assert_memory_equal(request.renewal, renewal, sizeof renewal);
}

static void a_request_that_another_signed_is_refused(void **state)
{
    (void)state;
    const struct certificate_claims claims = sample_claims();
    struct byte_buffer pem = bytes_buffer(0);
    const char *reason = NULL;
    struct request request;
    char *text = NULL;

    assert_int_equal(request_make(&claims, seed, NULL, &pem), STATUS_OK);
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.size);
    X509_REQ *csr = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    assert_true(X509_REQ_sign(csr, other, NULL) > 0);
    BIO *out = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509_REQ(out, csr), 1);
    long size = BIO_get_mem_data(out, &text);
    assert_int_equal(request_parse(bytes_view(text, (size_t)size), &request, &reason), STATUS_BAD_SIGNATURE);
    assert_string_equal(reason, "it is not signed with the key that it presents");
    BIO_free(out);
    EVP_PKEY_free(other);
    X509_REQ_free(csr);
    BIO_free(bio);
    bytes_buffer_free(&pem);
}

static void weak_keys_are_refused(void **state)
{
    (void)state;
    static const uint8_t small[][X25519_KEY_SIZE] = {
        {1},
        {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
         0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    };
    const struct certificate_claims good = sample_claims();
    struct request request;

    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++) {
        struct certificate_claims claims = good;
        memcpy(claims.transport, small[i], X25519_KEY_SIZE);
        assert_int_equal(parse(&claims, NULL, &request), STATUS_BAD_CERTIFICATE);
        claims = good;
        memcpy(claims.sealing, small[i], X25519_KEY_SIZE);
        assert_int_equal(parse(&claims, NULL, &request), STATUS_BAD_CERTIFICATE);
    }
}

static void no_flipped_bit_passes(void **state)
{
    (void)state;
    struct support_random random = support_seeded(11);
    const struct certificate_claims claims = sample_claims();
    struct byte_buffer pem = bytes_buffer(0);

    assert_int_equal(request_make(&claims, seed, NULL, &pem), STATUS_OK);
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.size);
    X509_REQ *csr = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    uint8_t *der = NULL;
    int size = i2d_X509_REQ(csr, &der);
    for (size_t i = 0; i < support_count(500); i++) {
        const uint8_t *at = der;
        char *text = NULL;
        const char *reason = NULL;
        struct request request;
        size_t place = (size_t)support_below(&random, (uint64_t)size);
        uint8_t bit = (uint8_t)(1u << support_below(&random, 8));
        der[place] ^= bit;
        BIO *out = BIO_new(BIO_s_mem());
        X509_REQ *odd = d2i_X509_REQ(NULL, &at, size);
        if (odd != NULL && PEM_write_bio_X509_REQ(out, odd) == 1) {
            long length = BIO_get_mem_data(out, &text);
            if (request_parse(bytes_view(text, (size_t)length), &request, &reason) == STATUS_OK)
                assert_memory_equal(&request.claims, &claims, sizeof claims); /* a bit that means nothing */
        }
        X509_REQ_free(odd);
        BIO_free(out);
        der[place] ^= bit;
    }
    OPENSSL_free(der);
    X509_REQ_free(csr);
    BIO_free(bio);
    bytes_buffer_free(&pem);
}

static void what_is_no_request_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "hello", "-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n",
        "-----BEGIN CERTIFICATE REQUEST-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: "
        "AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAA\n-----END CERTIFICATE REQUEST-----\n"};
    static uint8_t large[REQUEST_LARGEST + 1];
    struct request request;
    const char *reason = NULL;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(request_parse(bytes_of_string(texts[i]), &request, &reason), STATUS_BAD_FORMAT);
    assert_int_equal(request_parse(bytes_view(large, sizeof large), &request, &reason), STATUS_TOO_LARGE);
}

static void the_renewal_message_covers_every_claim(void **state)
{
    (void)state;
    const struct certificate_claims good = sample_claims();
    uint8_t message[REQUEST_RENEWAL_SIZE];
    uint8_t other[REQUEST_RENEWAL_SIZE];

    assert_int_equal(request_renewal_message(&good, message), STATUS_OK);
    assert_memory_equal(message, "concordat/renewal/v1", sizeof "concordat/renewal/v1");
    for (size_t i = 0; i < 6; i++) {
        struct certificate_claims claims = good;
        uint8_t *changed[] = {(uint8_t *)claims.member, claims.signing,         claims.transport,
                              claims.sealing,           (uint8_t *)claims.vkey, NULL};
        if (changed[i] != NULL)
            changed[i][0] ^= 1;
        else
            claims.role = ROLE_BROKER;
        assert_int_equal(request_renewal_message(&claims, other), STATUS_OK);
        assert_memory_not_equal(message, other, sizeof message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for_is_read_back),
        cmocka_unit_test(a_request_that_another_signed_is_refused),
        cmocka_unit_test(weak_keys_are_refused),
        cmocka_unit_test(no_flipped_bit_passes),
        cmocka_unit_test(what_is_no_request_is_refused),
        cmocka_unit_test(the_renewal_message_covers_every_claim),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
