#include "tests/support/support.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/claims.h"
#include "certs/issuer.h"
#include "proto/random.h"

#define NOW INT64_C(1796115600000) /* 2026-12-01T09:00:00Z */
#define DAY INT64_C(86400000)

/* A root with its key, as our code and as OpenSSL see it. */
struct setting {
    struct byte_buffer key_pem;
    struct byte_buffer der;
    struct issuer *issuer;
    struct certificate_root *root;
    EVP_PKEY *key;
    X509 *x509;
};

static int set_up(void **state)
{
    struct setting *setting = calloc(1, sizeof *setting);

    assert_int_equal(issuer_make_root("Test", NOW, 10, &setting->key_pem, &setting->der), STATUS_OK);
    struct byte_view key_pem = bytes_buffer_view(&setting->key_pem);
    struct byte_view der = bytes_buffer_view(&setting->der);
    assert_int_equal(issuer_load(key_pem, der, &setting->issuer), STATUS_OK);
    assert_int_equal(certificate_root_parse(der, &setting->root), STATUS_OK);
    BIO *bio = BIO_new_mem_buf(key_pem.data, (int)key_pem.size);
    setting->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    const uint8_t *at = der.data;
    setting->x509 = d2i_X509(NULL, &at, (long)der.size);
    assert_true(setting->key != NULL && setting->x509 != NULL);
    *state = setting;
    return 0;
}

static int tear_down(void **state)
{
    struct setting *setting = *state;

    X509_free(setting->x509);
    EVP_PKEY_free(setting->key);
    certificate_root_free(&setting->root);
    issuer_free(&setting->issuer);
    bytes_buffer_wipe(&setting->key_pem);
    bytes_buffer_free(&setting->der);
    free(setting);
    return 0;
}

static struct certificate_claims sample_claims(enum role role)
{
    struct certificate_claims claims = {.member = "prison.dovegate", .role = role};
    uint8_t seed[ED25519_SEED_SIZE];
    struct x25519_private *key = NULL;

    assert_int_equal(random_bytes(seed, sizeof seed), STATUS_OK);
    assert_int_equal(ed25519_public_from_seed(seed, claims.signing), STATUS_OK);
    uint8_t *exchange[] = {claims.transport, claims.sealing};
    for (size_t i = 0; claims_has_transport(role) && i < 2; i++) {
        assert_int_equal(x25519_generate(random_system(), &key), STATUS_OK);
        memcpy(exchange[i], x25519_public_of(key), X25519_KEY_SIZE);
        x25519_private_free(&key);
    }
    return claims;
}

static void give_log(struct certificate_claims *claims, const char *name)
{
    struct ed25519_key *key = NULL;
    uint8_t seed[ED25519_SEED_SIZE];

    assert_int_equal(random_bytes(seed, sizeof seed), STATUS_OK);
    assert_int_equal(ed25519_private(seed, &key), STATUS_OK);
    assert_int_equal(claims_format_vkey(name, key, claims->vkey), STATUS_OK);
    ed25519_free(&key);
}

static struct byte_buffer issue(const struct setting *setting, const struct certificate_claims *claims)
{
    struct byte_buffer der = bytes_buffer(0);

    assert_int_equal(issuer_issue(setting->issuer, claims, NOW, NOW + 730 * DAY, &der), STATUS_OK);
    return der;
}

static enum status parse(const struct setting *setting, const struct byte_buffer *der)
{
    struct certificate *certificate = NULL;
    enum status status = certificate_parse(bytes_buffer_view(der), setting->root, &certificate);

    certificate_free(&certificate);
    return status;
}

static void expect_back(const struct setting *setting, const struct certificate_claims *claims)
{
    struct byte_buffer der = issue(setting, claims);
    struct certificate *certificate = NULL;
    uint8_t digest[DIGEST_SIZE];

    assert_int_equal(certificate_parse(bytes_buffer_view(&der), setting->root, &certificate), STATUS_OK);
    assert_string_equal(certificate->claims.member, claims->member);
    assert_int_equal(certificate->claims.role, claims->role);
    assert_memory_equal(certificate->claims.signing, claims->signing, sizeof claims->signing);
    assert_memory_equal(certificate->claims.transport, claims->transport, sizeof claims->transport);
    assert_memory_equal(certificate->claims.sealing, claims->sealing, sizeof claims->sealing);
    assert_string_equal(certificate->claims.vkey, claims->vkey);
    assert_int_equal(certificate->not_before, NOW);
    assert_int_equal(certificate->not_after, NOW + 730 * DAY + 999);
    digest_sha256(bytes_buffer_view(&der), digest);
    assert_memory_equal(certificate->digest, digest, sizeof digest);
    digest_sha256(bytes_view(claims->sealing, sizeof claims->sealing), digest);
    assert_memory_equal(certificate->sealing_id, digest, sizeof certificate->sealing_id);
    certificate_free(&certificate);
    bytes_buffer_free(&der);
}

static void what_is_issued_is_read_back(void **state)
{
    const struct setting *setting = *state;
    struct certificate_claims agent = sample_claims(ROLE_AGENT);
    struct certificate_claims broker = sample_claims(ROLE_BROKER);
    struct certificate_claims authority = sample_claims(ROLE_AUTHORITY);
    struct certificate_claims log = sample_claims(ROLE_LOG);

    expect_back(setting, &agent);
    give_log(&broker, "log.example/a%20b#c?\"d\"");
    expect_back(setting, &broker);
    expect_back(setting, &authority);
    give_log(&log, "log.example");
    expect_back(setting, &log);
}

static void another_root_is_refused(void **state)
{
    const struct setting *setting = *state;
    void *other_state = NULL;

    set_up(&other_state);
    const struct certificate_claims claims = sample_claims(ROLE_AGENT);
    struct byte_buffer der = issue(other_state, &claims);
    assert_int_equal(parse(setting, &der), STATUS_BAD_CERTIFICATE);
    bytes_buffer_free(&der);
    tear_down(&other_state);
}

static void no_flipped_bit_passes(void **state)
{
    const struct setting *setting = *state;
    struct support_random random = support_seeded(7);
    const struct certificate_claims claims = sample_claims(ROLE_AGENT);
    struct byte_buffer der = issue(setting, &claims);

    for (size_t i = 0; i < support_count(1000); i++) {
        size_t at = (size_t)support_below(&random, der.size);
        uint8_t bit = (uint8_t)(1u << support_below(&random, 8));
        der.data[at] ^= bit;
        if (parse(setting, &der) != STATUS_BAD_CERTIFICATE)
            fail_msg("byte %zu, bit %u", at, bit);
        der.data[at] ^= bit;
    }
    assert_int_equal(parse(setting, &der), STATUS_OK);
    bytes_buffer_free(&der);
}

static void bytes_after_the_end_are_refused(void **state)
{
    const struct setting *setting = *state;
    const struct certificate_claims claims = sample_claims(ROLE_AGENT);
    struct byte_buffer der = issue(setting, &claims);
    struct byte_buffer longer = bytes_buffer(CERTIFICATE_LARGEST);

    bytes_append_view(&longer, bytes_buffer_view(&der));
    bytes_append_u8(&longer, 0);
    assert_int_equal(parse(setting, &longer), STATUS_BAD_CERTIFICATE);
    bytes_buffer_clear(&longer);
    assert_int_equal(parse(setting, &longer), STATUS_BAD_CERTIFICATE);
    bytes_buffer_free(&longer);
    bytes_buffer_free(&der);
}

/* One way in which a certificate, rightly signed by the root, leaves the profile. */
struct oddity {
    const char *what;
    const char *common_name;
    const char *constraints;
    const char *usage;
    const char *names; /* as OpenSSL's configuration writes them; %s are curve and sealing key */
    int more;          /* a further extension, or 0 */
    const char *more_value;
    long version;
};

#define CN       "prison.dovegate"
#define CA_FALSE "critical,CA:FALSE"
#define SIGNS    "critical,digitalSignature"
#define MEMBER   "URI:urn:concordat:member:prison.dovegate"
#define KEYS     ",URI:urn:concordat:curve:%s,URI:urn:concordat:sealing:%s"
#define NAMES    MEMBER ",URI:urn:concordat:role:agent" KEYS

static const struct oddity oddities[] = {
    {"nothing (it is accepted)", CN, CA_FALSE, SIGNS, NAMES, 0, NULL, X509_VERSION_3},
    {"a CA", CN, "critical,CA:TRUE", SIGNS, NAMES, 0, NULL, X509_VERSION_3},
    {"constraints not critical", CN, "CA:FALSE", SIGNS, NAMES, 0, NULL, X509_VERSION_3},
    {"usage not critical", CN, CA_FALSE, "digitalSignature", NAMES, 0, NULL, X509_VERSION_3},
    {"usage to sign certificates", CN, CA_FALSE, "critical,digitalSignature,keyCertSign", NAMES, 0, NULL,
     X509_VERSION_3},
    {"another extension", CN, CA_FALSE, SIGNS, NAMES, NID_ext_key_usage, "clientAuth", X509_VERSION_3},
    {"another common name", "prison.stafford", CA_FALSE, SIGNS, NAMES, 0, NULL, X509_VERSION_3},
    {"a DNS name", CN, CA_FALSE, SIGNS, NAMES ",DNS:example.org", 0, NULL, X509_VERSION_3},
    {"a URI of nobody's", CN, CA_FALSE, SIGNS, NAMES ",URI:urn:concordat:admin:yes", 0, NULL, X509_VERSION_3},
    {"a member twice", CN, CA_FALSE, SIGNS, NAMES "," MEMBER, 0, NULL, X509_VERSION_3},
    {"a role twice", CN, CA_FALSE, SIGNS, NAMES ",URI:urn:concordat:role:broker", 0, NULL, X509_VERSION_3},
    {"no role", CN, CA_FALSE, SIGNS, MEMBER KEYS, 0, NULL, X509_VERSION_3},
    {"an unknown role", CN, CA_FALSE, SIGNS, MEMBER ",URI:urn:concordat:role:root" KEYS, 0, NULL,
     X509_VERSION_3},
    {"an agent's log", CN, CA_FALSE, SIGNS,
     NAMES ",URI:urn:concordat:log:log.example+12345678+AXBBhVUKsYtgg5DiQi3nUy+uMcFjA8dJLmNRgQg6f8vR", 0,
     NULL, X509_VERSION_3},
    {"a renewal's signature", CN, CA_FALSE, SIGNS,
     NAMES ",URI:urn:concordat:renews:"
           "0000000000000000000000000000000000000000000000000000000000000000"
           "0000000000000000000000000000000000000000000000000000000000000000",
     0, NULL, X509_VERSION_3},
    {"an authority with a transport key", CN, CA_FALSE, SIGNS,
     MEMBER ",URI:urn:concordat:role:authority" KEYS, 0, NULL, X509_VERSION_3},
    {"a member id in capitals", "Prison.Dovegate", CA_FALSE, SIGNS,
     "URI:urn:concordat:member:Prison.Dovegate,URI:urn:concordat:role:agent" KEYS, 0, NULL, X509_VERSION_3},
    {"version 1's number", CN, CA_FALSE, SIGNS, NAMES, 0, NULL, X509_VERSION_1},
};

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (extension == NULL)
        fail_msg("%s", value);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static struct byte_buffer issue_odd(const struct setting *setting, const struct oddity *oddity)
{
    const struct certificate_claims claims = sample_claims(ROLE_AGENT);
    char curve[65];
    char sealing[65];
    char names[1024];
    X509 *x509 = X509_new();
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, claims.signing, sizeof claims.signing);
    struct byte_buffer out = bytes_buffer(CERTIFICATE_LARGEST);
    uint8_t *der = NULL;

    bytes_to_hex(claims.transport, 32, curve);
    bytes_to_hex(claims.sealing, 32, sealing);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(names, sizeof names, oddity->names, curve, sealing);
#pragma GCC diagnostic pop
    X509_set_version(x509, oddity->version);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 77);
    ASN1_TIME_set(X509_getm_notBefore(x509), NOW / 1000);
    ASN1_TIME_set(X509_getm_notAfter(x509), (NOW + DAY) / 1000);
    X509_set_pubkey(x509, key);
    X509_set_issuer_name(x509, X509_get_subject_name(setting->x509));
    X509_NAME_add_entry_by_NID(X509_get_subject_name(x509), NID_commonName, MBSTRING_UTF8,
                               (const unsigned char *)oddity->common_name, -1, -1, 0);
    add_extension(x509, setting->x509, NID_basic_constraints, oddity->constraints);
    add_extension(x509, setting->x509, NID_key_usage, oddity->usage);
    add_extension(x509, setting->x509, NID_subject_key_identifier, "hash");
    add_extension(x509, setting->x509, NID_authority_key_identifier, "keyid:always");
    add_extension(x509, setting->x509, NID_subject_alt_name, names);
    if (oddity->more != 0)
        add_extension(x509, setting->x509, oddity->more, oddity->more_value);
    assert_true(X509_sign(x509, setting->key, NULL) > 0);
    int size = i2d_X509(x509, &der);
    bytes_append(&out, der, (size_t)size);
    OPENSSL_free(der);
    X509_free(x509);
    EVP_PKEY_free(key);
    return out;
}

static void what_leaves_the_profile_is_refused(void **state)
{
    const struct setting *setting = *state;

    for (size_t i = 0; i < sizeof oddities / sizeof oddities[0]; i++) {
        struct byte_buffer der = issue_odd(setting, &oddities[i]);
        enum status expected = i == 0 ? STATUS_OK : STATUS_BAD_CERTIFICATE;
        if (parse(setting, &der) != expected)
            fail_msg("%s", oddities[i].what);
        bytes_buffer_free(&der);
    }
}

static void one_key_for_two_uses_is_refused(void **state)
{
    (void)state;
    const struct certificate_claims good = sample_claims(ROLE_AGENT);
    struct certificate_claims claims = good;
    const char *reason = NULL;

    assert_int_equal(claims_check(&claims, &reason), STATUS_OK);
    memcpy(claims.sealing, claims.transport, sizeof claims.sealing);
    assert_int_equal(claims_check(&claims, &reason), STATUS_BAD_CERTIFICATE);
    claims = good;
    memcpy(claims.transport, claims.signing, sizeof claims.transport);
    assert_int_equal(claims_check(&claims, &reason), STATUS_BAD_CERTIFICATE);
    claims = good;
    memcpy(claims.sealing, claims.signing, sizeof claims.sealing);
    assert_int_equal(claims_check(&claims, &reason), STATUS_BAD_CERTIFICATE);
    claims = good;
    memset(claims.sealing, 0, sizeof claims.sealing);
    assert_int_equal(claims_check(&claims, &reason), STATUS_BAD_CERTIFICATE);
}

static void a_log_key_must_be_one_and_be_another(void **state)
{
    (void)state;
    struct certificate_claims claims = sample_claims(ROLE_BROKER);
    struct ed25519_key *signing = NULL;
    const char *reason = NULL;

    assert_int_equal(claims_check(&claims, &reason), STATUS_OK);
    give_log(&claims, "log.example");
    assert_int_equal(claims_check(&claims, &reason), STATUS_OK);
    claims.vkey[strlen("log.example+")] ^= 1; /* the key id */
    assert_int_equal(claims_check(&claims, &reason), STATUS_BAD_CERTIFICATE);
    assert_int_equal(ed25519_public(claims.signing, &signing), STATUS_OK);
    assert_int_equal(claims_format_vkey("log.example", signing, claims.vkey), STATUS_OK);
    assert_int_equal(claims_check(&claims, &reason), STATUS_BAD_CERTIFICATE);
    ed25519_free(&signing);
    claims = sample_claims(ROLE_LOG);
    assert_int_equal(claims_check(&claims, &reason), STATUS_BAD_CERTIFICATE);
}

static void roots_are_told_from_other_certificates(void **state)
{
    const struct setting *setting = *state;
    struct certificate_root *root = NULL;
    struct byte_buffer key = bytes_buffer(0);
    struct byte_buffer web = bytes_buffer(0);
    const struct certificate_claims claims = sample_claims(ROLE_AGENT);
    struct byte_buffer member = issue(setting, &claims);

    assert_int_equal(issuer_make_web_root("Test", NOW, 10, &key, &web), STATUS_OK);
    assert_int_equal(certificate_root_parse(bytes_buffer_view(&web), &root), STATUS_BAD_CERTIFICATE);
    assert_int_equal(certificate_root_parse(bytes_buffer_view(&member), &root), STATUS_BAD_CERTIFICATE);
    setting->der.data[setting->der.size - 1] ^= 1;
    assert_int_equal(certificate_root_parse(bytes_buffer_view(&setting->der), &root), STATUS_BAD_CERTIFICATE);
    bytes_buffer_wipe(&key);
    bytes_buffer_free(&web);
    bytes_buffer_free(&member);
}

static void a_root_with_the_key_of_another_is_not_loaded(void **state)
{
    const struct setting *setting = *state;
    struct byte_buffer key = bytes_buffer(0);
    struct byte_buffer der = bytes_buffer(0);
    struct issuer *issuer = NULL;

    assert_int_equal(issuer_make_root("Test", NOW, 10, &key, &der), STATUS_OK);
    assert_int_equal(issuer_load(bytes_buffer_view(&key), bytes_buffer_view(&setting->der), &issuer),
                     STATUS_CORRUPT);
    bytes_buffer_wipe(&key);
    bytes_buffer_free(&der);
}

static void names_of_partnerships(void **state)
{
    (void)state;
    char longest[ISSUER_NAME_LONGEST * 2 + 3] = "";

    for (size_t i = 0; i < ISSUER_NAME_LONGEST; i++)
        strcat(longest, "\xc3\xa9");
    assert_true(issuer_name_good("Staffordshire PPO partnership"));
    assert_true(issuer_name_good(longest));
    strcat(longest, "e");
    assert_false(issuer_name_good(longest));
    assert_false(issuer_name_good(""));
    assert_false(issuer_name_good("two\nlines"));
    assert_false(issuer_name_good("\xff"));
}

static void fingerprints_as_people_type_them(void **state)
{
    (void)state;
    static const char *const good[] = {
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff",
        "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF",
    };
    static const char *const bad[] = {
        "",
        "00",
        "00:11",
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeef",
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0",
        "0g112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE FF",
        "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:F:",
    };
    uint8_t digest[DIGEST_SIZE];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(certificate_fingerprint(good[i], digest), STATUS_OK);
        assert_int_equal(digest[1], 0x11);
        assert_int_equal(digest[31], 0xff);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(certificate_fingerprint(bad[i], digest), STATUS_BAD_FORMAT);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_issued_is_read_back),
        TEST(another_root_is_refused),
        TEST(no_flipped_bit_passes),
        TEST(bytes_after_the_end_are_refused),
        TEST(what_leaves_the_profile_is_refused),
        cmocka_unit_test(one_key_for_two_uses_is_refused),
        cmocka_unit_test(a_log_key_must_be_one_and_be_another),
        TEST(roots_are_told_from_other_certificates),
        TEST(a_root_with_the_key_of_another_is_not_loaded),
        cmocka_unit_test(names_of_partnerships),
        cmocka_unit_test(fingerprints_as_people_type_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
