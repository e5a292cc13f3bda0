#include "tests/support/support.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "certs/authority_officers.h"
#include "certs/officer_key.h"
#include "certs/x509_part.h"
#include "tests/support/partnership.h"

#define POLICE     "police.staffordshire"
#define PRISON     "prison.dovegate"
#define PASSPHRASE "correct horse battery"
#define NOW        PARTNERSHIP_NOW
#define DAY        PARTNERSHIP_DAY

/* A web root, an agency's intermediate under it, and the keys of both. */
struct house {
    struct byte_buffer root_key;
    struct byte_buffer root;
    struct byte_buffer agency_key;
    struct byte_buffer agency;
    struct officer_issuer *partnership;
    struct officer_issuer *police;
};

static struct house house;

static int set_up(void **state)
{
    (void)state;
    house = (struct house){.partnership = NULL};
    assert_int_equal(issuer_make_web_root("Sample", NOW, 10, &house.root_key, &house.root), STATUS_OK);
    assert_int_equal(officer_issuer_load(bytes_buffer_view(&house.root_key), bytes_buffer_view(&house.root),
                                         &house.partnership),
                     STATUS_OK);
    struct byte_buffer csr = bytes_buffer(0);
    struct officer_request request;
    const char *reason = NULL;
    assert_int_equal(officer_issue_key(&house.agency_key), STATUS_OK);
    assert_int_equal(officer_request_make(bytes_buffer_view(&house.agency_key), POLICE, &csr), STATUS_OK);
    assert_int_equal(officer_request_read(bytes_buffer_view(&csr), &request, &reason), STATUS_OK);
    assert_string_equal(request.agency, POLICE);
    assert_int_equal(officer_issue_intermediate(house.partnership, POLICE, request.point, NOW,
                                                NOW + 700 * DAY, &house.agency),
                     STATUS_OK);
    assert_int_equal(officer_issuer_load(bytes_buffer_view(&house.agency_key),
                                         bytes_buffer_view(&house.agency), &house.police),
                     STATUS_OK);
    bytes_buffer_free(&csr);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    officer_issuer_free(&house.partnership);
    officer_issuer_free(&house.police);
    bytes_buffer_wipe(&house.root_key);
    bytes_buffer_wipe(&house.agency_key);
    bytes_buffer_free(&house.root);
    bytes_buffer_free(&house.agency);
    return 0;
}

static struct officer_name named(enum officer_role role, const char *agency, const char *id)
{
    struct officer_name name = {.role = role};

    snprintf(name.agency, sizeof name.agency, "%s", agency);
    snprintf(name.id, sizeof name.id, "%s", id);
    return name;
}

/* A certificate for NOW and 30 days from it; its key is dropped. */
static struct byte_buffer issued(const struct officer_issuer *issuer, struct officer_name name)
{
    struct byte_buffer der = bytes_buffer(0);
    struct byte_buffer p12 = bytes_buffer(0);

    assert_int_equal(officer_issue(issuer, &name, NOW, NOW + 30 * DAY, PASSPHRASE, &der, &p12), STATUS_OK);
    bytes_buffer_wipe(&p12);
    return der;
}

static enum status verify(const struct byte_buffer *leaf, const struct byte_buffer *above, int64_t now,
                          struct officer *ret, const char **ret_reason)
{
    struct byte_view chain[OFFICER_CHAIN_MAX] = {bytes_buffer_view(leaf)};
    size_t n = 1;

    if (above != NULL)
        chain[n++] = bytes_buffer_view(above);
    return officer_chain_verify(chain, n, bytes_buffer_view(&house.root), now, ret, ret_reason);
}

static void names_have_one_spelling(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "concordat://",
        "concordat://scheme/dpo/",
        "concordat://scheme/boss/a",
        "concordat://scheme//a",
        "concordat://nodot/dpo/a",
        "concordat://police.staffordshire/dpo/A",
        "concordat://police.staffordshire/dpo/a/b",
        "concordat://police.staffordshire:80/dpo/a",
        "concordat://a@police.staffordshire/dpo/a",
        "urn:concordat:dpo:a",
        "concordat://police.staffordshire/dpo/-a",
        "concordat://scheme/dpo/a ",
        "concordat://police.staffordshire/dpo/abcdefghijklmnopqrstuvwxyz0123456",
    };
    struct officer_name name;
    char text[OFFICER_NAME_SIZE];

    assert_true(officer_name_parse(bytes_of_string("concordat://scheme/dpo/jane.doe"), &name));
    assert_string_equal(name.agency, "");
    assert_true(officer_name_parse(bytes_of_string("concordat://police.staffordshire/desk/j-2"), &name));
    assert_string_equal(name.agency, POLICE);
    assert_int_equal(name.role, OFFICER_DESK);
    officer_name_format(&name, text);
    assert_string_equal(text, "concordat://police.staffordshire/desk/j-2");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(officer_name_parse(bytes_of_string(bad[i]), &name));
}

static void chains_are_accepted(void **state)
{
    (void)state;
    struct byte_buffer dpo = issued(house.partnership, named(OFFICER_DPO, POLICE, "jane.doe"));
    struct byte_buffer wide = issued(house.partnership, named(OFFICER_DPO, "", "scheme.dpo"));
    struct byte_buffer desk = issued(house.police, named(OFFICER_DESK, POLICE, "pc.9"));
    struct officer officer;
    const char *reason = NULL;

    assert_int_equal(verify(&dpo, NULL, NOW, &officer, &reason), STATUS_OK);
    assert_string_equal(officer.text, "concordat://police.staffordshire/dpo/jane.doe");
    assert_string_equal(officer.name.agency, POLICE);
    assert_int_equal(verify(&wide, NULL, NOW, &officer, &reason), STATUS_OK);
    assert_string_equal(officer.name.agency, "");
    assert_int_equal(verify(&desk, &house.agency, NOW, &officer, &reason), STATUS_OK);
    assert_int_equal(officer.name.role, OFFICER_DESK);
    assert_int_equal(verify(&desk, NULL, NOW, &officer, &reason), STATUS_BAD_CERTIFICATE);
    assert_int_equal(verify(&dpo, &house.agency, NOW, &officer, &reason), STATUS_BAD_CERTIFICATE);
    assert_int_equal(verify(&house.agency, NULL, NOW, &officer, &reason), STATUS_BAD_CERTIFICATE);
    bytes_buffer_free(&dpo);
    bytes_buffer_free(&wide);
    bytes_buffer_free(&desk);
}

static void validity_is_kept(void **state)
{
    (void)state;
    struct byte_buffer dpo = issued(house.partnership, named(OFFICER_DPO, POLICE, "jane.doe"));
    struct byte_buffer desk = issued(house.police, named(OFFICER_DESK, POLICE, "pc.9"));
    struct byte_buffer late = bytes_buffer(0);
    struct byte_buffer p12 = bytes_buffer(0);
    struct officer_name name = named(OFFICER_DESK, POLICE, "pc.10");
    struct officer_certificate certificate;
    struct officer officer;
    const char *reason = NULL;

    assert_int_equal(verify(&dpo, NULL, NOW - DAY, &officer, &reason), STATUS_EXPIRED);
    assert_int_equal(verify(&dpo, NULL, NOW + 29 * DAY, &officer, &reason), STATUS_OK);
    assert_int_equal(verify(&dpo, NULL, NOW + 31 * DAY, &officer, &reason), STATUS_EXPIRED);
    assert_int_equal(verify(&desk, &house.agency, NOW + 31 * DAY, &officer, &reason), STATUS_EXPIRED);
    /* Nobody issues beyond its own end. */
    assert_int_equal(officer_issue(house.police, &name, NOW, NOW + 5000 * DAY, PASSPHRASE, &late, &p12),
                     STATUS_OK);
    assert_int_equal(officer_certificate_read(bytes_buffer_view(&late), &certificate, &reason), STATUS_OK);
    assert_true(certificate.not_after <= NOW + 700 * DAY + 999);
    bytes_buffer_free(&dpo);
    bytes_buffer_free(&desk);
    bytes_buffer_free(&late);
    bytes_buffer_wipe(&p12);
}

static void issuers_keep_to_their_names(void **state)
{
    (void)state;
    const struct officer_name names[] = {named(OFFICER_DESK, PRISON, "x"), named(OFFICER_DPO, POLICE, "x"),
                                         named(OFFICER_DESK, "", "x")};
    struct officer_name desk = named(OFFICER_DESK, POLICE, "x");
    struct byte_buffer der = bytes_buffer(0);
    struct byte_buffer p12 = bytes_buffer(0);
    uint8_t point[OFFICER_POINT_SIZE] = {4};

    for (size_t i = 0; i < 3; i++)
        assert_int_equal(officer_issue(house.police, &names[i], NOW, NOW + DAY, PASSPHRASE, &der, &p12),
                         STATUS_BAD_ARGUMENT);
    assert_int_equal(officer_issue(house.partnership, &desk, NOW, NOW + DAY, PASSPHRASE, &der, &p12),
                     STATUS_BAD_ARGUMENT);
    assert_int_equal(officer_issue_intermediate(house.police, POLICE, point, NOW, NOW + DAY, &der),
                     STATUS_BAD_ARGUMENT);
}

/* What an agency that bends its own software could sign with its intermediate. */
static struct byte_buffer forged(const char *uri, const char *usage)
{
    const uint8_t *at = house.agency.data;
    X509 *issuer = d2i_X509(NULL, &at, (long)house.agency.size);
    BIO *bio = BIO_new_mem_buf(house.agency_key.data, (int)house.agency_key.size);
    EVP_PKEY *issuer_key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    struct byte_buffer der = bytes_buffer(0);
    char name[256];

    snprintf(name, sizeof name, "URI:%s", uri);
    assert_true(x509_part_start(x509, key, NOW, NOW + DAY));
    assert_true(X509_set_issuer_name(x509, X509_get_subject_name(issuer)));
    assert_true(x509_part_name(X509_get_subject_name(x509), NID_organizationName, PRISON));
    assert_true(x509_part_name(X509_get_subject_name(x509), NID_commonName, "officer x"));
    assert_true(x509_part_extension(x509, issuer, NID_basic_constraints, "critical,CA:FALSE"));
    assert_true(x509_part_extension(x509, issuer, NID_key_usage, "critical,digitalSignature"));
    assert_true(x509_part_extension(x509, issuer, NID_ext_key_usage, usage));
    assert_true(x509_part_extension(x509, issuer, NID_subject_key_identifier, "hash"));
    assert_true(x509_part_extension(x509, issuer, NID_authority_key_identifier, "keyid:always"));
    assert_true(x509_part_extension(x509, issuer, NID_subject_alt_name, name));
    assert_true(X509_sign(x509, issuer_key, EVP_sha256()) > 0);
    assert_int_equal(x509_part_der(x509, &der), STATUS_OK);
    X509_free(x509);
    X509_free(issuer);
    EVP_PKEY_free(key);
    EVP_PKEY_free(issuer_key);
    BIO_free(bio);
    return der;
}

static void refuse_forged(const char *uri, const char *usage, const char *expected)
{
    struct byte_buffer der = forged(uri, usage);
    struct officer officer;
    const char *reason = "";

    assert_int_equal(verify(&der, &house.agency, NOW, &officer, &reason), STATUS_BAD_CERTIFICATE);
    if (strstr(reason, expected) == NULL)
        fail_msg("%s: %s", uri, reason);
    bytes_buffer_free(&der);
}

static void constraints_bite(void **state)
{
    (void)state;
    struct byte_buffer der = forged("concordat://police.staffordshire/desk/x", "clientAuth");
    struct officer officer;
    const char *reason = "";

    assert_int_equal(verify(&der, &house.agency, NOW, &officer, &reason), STATUS_OK);
    refuse_forged("concordat://prison.dovegate/desk/x", "clientAuth", "permitted subtree violation");
    refuse_forged("concordat://scheme/dpo/x", "clientAuth", "permitted subtree violation");
    refuse_forged("concordat://police.staffordshire/dpo/x", "clientAuth", "desk officers only");
    refuse_forged("concordat://police.staffordshire/desk/x", "clientAuth,serverAuth", "extensions");
    refuse_forged("urn:concordat:member:police.staffordshire", "clientAuth", "name an officer");
    bytes_buffer_free(&der);
}

static void another_root_is_nobodys(void **state)
{
    (void)state;
    struct byte_buffer key = bytes_buffer(0);
    struct byte_buffer other = bytes_buffer(0);
    struct byte_buffer dpo = issued(house.partnership, named(OFFICER_DPO, POLICE, "jane.doe"));
    struct byte_view chain[] = {bytes_buffer_view(&dpo)};
    struct officer officer;
    const char *reason = NULL;

    assert_int_equal(issuer_make_web_root("Sample", NOW, 10, &key, &other), STATUS_OK);
    assert_int_equal(officer_chain_verify(chain, 1, bytes_buffer_view(&other), NOW, &officer, &reason),
                     STATUS_BAD_CERTIFICATE);
    assert_int_equal(officer_chain_verify(chain, 0, bytes_buffer_view(&other), NOW, &officer, &reason),
                     STATUS_BAD_CERTIFICATE);
    for (size_t i = 0; i < dpo.size; i += 7) {
        dpo.data[i] ^= 1;
        assert_int_not_equal(
            officer_chain_verify(chain, 1, bytes_buffer_view(&house.root), NOW, &officer, &reason),
            STATUS_OK);
        dpo.data[i] ^= 1;
    }
    bytes_buffer_wipe(&key);
    bytes_buffer_free(&other);
    bytes_buffer_free(&dpo);
}

static void files_open_with_their_passphrase(void **state)
{
    (void)state;
    struct officer_name name = named(OFFICER_DESK, POLICE, "pc.9");
    struct byte_buffer der = bytes_buffer(0);
    struct byte_buffer p12 = bytes_buffer(0);
    struct officer_key *key = NULL;
    struct byte_view chain[OFFICER_CHAIN_MAX];
    struct officer officer;
    const char *reason = NULL;
    uint8_t signature[OFFICER_SIGNATURE];
    struct byte_view message = bytes_of_string("a question");

    assert_int_equal(officer_issue(house.police, &name, NOW, NOW + DAY, PASSPHRASE, &der, &p12), STATUS_OK);
    assert_int_equal(officer_key_open(bytes_buffer_view(&p12), "something else", &key, &reason),
                     STATUS_BAD_SEAL);
    assert_int_equal(officer_key_open(bytes_view(p12.data, p12.size - 1), PASSPHRASE, &key, &reason),
                     STATUS_BAD_FORMAT);
    assert_int_equal(officer_key_open(bytes_buffer_view(&p12), PASSPHRASE, &key, &reason), STATUS_OK);
    assert_string_equal(officer_key_name(key)->id, "pc.9");
    size_t n = officer_key_chain(key, chain);
    assert_int_equal(n, 2);
    assert_int_equal(officer_chain_verify(chain, n, bytes_buffer_view(&house.root), NOW, &officer, &reason),
                     STATUS_OK);
    assert_int_equal(officer_key_sign(key, message, signature), STATUS_OK);
    assert_int_equal(officer_signed(&officer, message, signature), STATUS_OK);
    assert_int_equal(officer_signed(&officer, bytes_of_string("a Question"), signature),
                     STATUS_BAD_SIGNATURE);
    signature[0] ^= 1;
    assert_int_equal(officer_signed(&officer, message, signature), STATUS_BAD_SIGNATURE);
    memset(signature, 0, sizeof signature);
    assert_int_equal(officer_signed(&officer, message, signature), STATUS_BAD_SIGNATURE);
    memset(signature, 0xff, sizeof signature);
    assert_int_equal(officer_signed(&officer, message, signature), STATUS_BAD_SIGNATURE);
    officer_key_free(&key);
    bytes_buffer_wipe(&p12);
    bytes_buffer_free(&der);
}

static void a_book_remembers(void **state)
{
    (void)state;
    struct officer_book book = {.n = 0};
    struct officer_book again = {.n = 0};
    struct byte_buffer first = issued(house.police, named(OFFICER_DESK, POLICE, "pc.9"));
    struct byte_buffer second = issued(house.police, named(OFFICER_DESK, POLICE, "pc.9"));
    struct byte_buffer crl = bytes_buffer(0);
    const char *name = "concordat://police.staffordshire/desk/pc.9";
    struct officer_certificate certificate;
    const char *reason = NULL;

    assert_int_equal(officer_certificate_read(bytes_buffer_view(&first), &certificate, &reason), STATUS_OK);
    assert_int_equal(officer_book_add(&book, bytes_buffer_view(&first), NOW), STATUS_OK);
    assert_int_equal(officer_book_add(&book, bytes_buffer_view(&second), NOW), STATUS_EXISTS);
    assert_false(officer_book_revoked(&book, certificate.digest));
    assert_int_equal(officer_book_revoke(&book, "concordat://police.staffordshire/desk/pc.8", "left", NOW),
                     0);
    assert_int_equal(officer_book_revoke(&book, name, "left", NOW), 1);
    assert_int_equal(officer_book_revoke(&book, name, "left", NOW), 0);
    assert_true(officer_book_revoked(&book, certificate.digest));
    assert_int_equal(officer_book_add(&book, bytes_buffer_view(&first), NOW), STATUS_EXISTS); /* its key */
    assert_int_equal(officer_book_add(&book, bytes_buffer_view(&second), NOW), STATUS_OK);
    json_t *json = officer_book_json(&book);
    assert_int_equal(officer_book_read(json, &again), STATUS_OK);
    assert_int_equal(again.n, 2);
    assert_true(officer_book_revoked(&again, certificate.digest));
    assert_string_equal(again.entries[0].why, "left");
    assert_non_null(officer_book_usable_name(&again, name, NOW));
    assert_null(officer_book_usable_name(&again, name, NOW + 40 * DAY));
    assert_int_equal(officer_book_crl(&again, house.police, NOW, NOW + 30 * DAY, &crl), STATUS_OK);
    BIO *bio = BIO_new_mem_buf(crl.data, (int)crl.size);
    X509_CRL *list = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
    assert_non_null(list);
    assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list)), 1);
    X509_CRL_free(list);
    BIO_free(bio);
    /* Not whose book it is. */
    bytes_buffer_free(&crl);
    assert_int_equal(officer_book_crl(&again, house.partnership, NOW, NOW + DAY, &crl), STATUS_BAD_ARGUMENT);
    (void)json_object_set_new(json_array_get(json, 0), "officer", json_string("concordat://scheme/dpo/x"));
    officer_book_clear(&again);
    assert_int_equal(officer_book_read(json, &again), STATUS_CORRUPT);
    json_decref(json);
    officer_book_clear(&book);
    bytes_buffer_free(&first);
    bytes_buffer_free(&second);
}

/* The authority's side: what the bundle says from the next one on. */
static void bundles_revoke(void **state)
{
    (void)state;
    struct partnership *partnership = partnership_new();
    struct keystore *police = partnership_member(partnership, POLICE, ROLE_AGENT);
    struct keystore *broker = partnership_member(partnership, PARTNERSHIP_BROKER, ROLE_BROKER);
    struct byte_buffer p12 = bytes_buffer(0);
    struct byte_buffer again = bytes_buffer(0);
    struct bundle_reason reason = {{0}};
    struct officer_key *key = NULL;
    struct byte_view chain[OFFICER_CHAIN_MAX];
    struct officer officer;
    char name[OFFICER_NAME_SIZE];
    const char *why = NULL;
    size_t n = 0;

    assert_int_equal(authority_officers_add(partnership->authority, "police.nowhere", "jane", 30, PASSPHRASE,
                                            NOW, &p12, name, &reason),
                     STATUS_REFUSED);
    assert_int_equal(
        authority_officers_add(partnership->authority, POLICE, "jane", 30, "short", NOW, &p12, name, &reason),
        STATUS_REFUSED);
    assert_int_equal(authority_officers_add(partnership->authority, POLICE, "jane", 30, PASSPHRASE, NOW, &p12,
                                            name, &reason),
                     STATUS_OK);
    assert_int_equal(authority_officers_add(partnership->authority, POLICE, "jane", 30, PASSPHRASE, NOW,
                                            &again, name, &reason),
                     STATUS_EXISTS);
    partnership_reopen(partnership);
    struct byte_buffer file = partnership_bundle(partnership);
    struct bundle *bundle = partnership_first(partnership, &file);
    assert_int_equal(officer_key_open(bytes_buffer_view(&p12), PASSPHRASE, &key, &why), STATUS_OK);
    n = officer_key_chain(key, chain);
    assert_int_equal(officer_verify(chain, n, bundle, NOW, &officer, &why), STATUS_OK);
    assert_string_equal(officer.text, name);
    bundle_free(&bundle);
    bytes_buffer_free(&file);

    assert_int_equal(authority_officers_revoke(partnership->authority, "concordat://scheme/dpo/jane", "left",
                                               NOW, &n, &reason),
                     STATUS_NOT_FOUND);
    assert_int_equal(authority_officers_revoke(partnership->authority, name, "left", NOW, &n, &reason),
                     STATUS_OK);
    assert_int_equal(authority_officers_revoke(partnership->authority, name, "left", NOW, &n, &reason),
                     STATUS_REVOKED);
    partnership_reopen(partnership);
    file = partnership_bundle(partnership);
    bundle = partnership_first(partnership, &file);
    n = officer_key_chain(key, chain);
    assert_int_equal(officer_verify(chain, n, bundle, NOW, &officer, &why), STATUS_REVOKED);
    assert_non_null(strstr(why, "officer's certificate is revoked"));

    bundle_free(&bundle);
    bytes_buffer_free(&file);
    officer_key_free(&key);
    bytes_buffer_wipe(&p12);
    keystore_free(&police);
    keystore_free(&broker);
    partnership_free(&partnership);
}

/* When the partnership takes an agency's intermediate back, all whom the agency issued are out. */
static void a_revoked_intermediate_takes_its_officers_along(void **state)
{
    (void)state;
    struct partnership *partnership = partnership_new();
    struct keystore *police = partnership_member(partnership, POLICE, ROLE_AGENT);
    struct keystore *broker = partnership_member(partnership, PARTNERSHIP_BROKER, ROLE_BROKER);
    struct byte_buffer key = bytes_buffer(0);
    struct byte_buffer csr = bytes_buffer(0);
    struct byte_buffer pem = bytes_buffer(0);
    struct byte_buffer der = bytes_buffer(0);
    struct byte_buffer desk = bytes_buffer(0);
    struct byte_buffer p12 = bytes_buffer(0);
    struct officer_name name = named(OFFICER_DESK, POLICE, "pc.9");
    struct officer_issuer *issuer = NULL;
    struct bundle_reason reason = {{0}};
    struct officer officer;
    const char *why = NULL;
    size_t n = 0;

    assert_int_equal(officer_issue_key(&key), STATUS_OK);
    assert_int_equal(officer_request_make(bytes_buffer_view(&key), POLICE, &csr), STATUS_OK);
    assert_int_equal(authority_officers_intermediate(partnership->authority, PRISON, bytes_buffer_view(&csr),
                                                     30, NOW, &pem, &reason),
                     STATUS_REFUSED);
    assert_int_equal(authority_officers_intermediate(partnership->authority, POLICE, bytes_buffer_view(&csr),
                                                     30, NOW, &pem, &reason),
                     STATUS_OK);
    assert_int_equal(issuer_from_pem(bytes_buffer_view(&pem), &der), STATUS_OK);
    assert_int_equal(officer_issuer_load(bytes_buffer_view(&key), bytes_buffer_view(&der), &issuer),
                     STATUS_OK);
    assert_int_equal(officer_issue(issuer, &name, NOW, NOW + DAY, PASSPHRASE, &desk, &p12), STATUS_OK);
    const struct byte_view chain[] = {bytes_buffer_view(&desk), bytes_buffer_view(&der)};
    for (int round = 0; round < 2; round++) {
        struct byte_buffer file = partnership_bundle(partnership);
        struct bundle *bundle = partnership_first(partnership, &file);
        assert_int_equal(officer_verify(chain, 2, bundle, NOW, &officer, &why),
                         round == 0 ? STATUS_OK : STATUS_REVOKED);
        bundle_free(&bundle);
        bytes_buffer_free(&file);
        if (round == 0)
            assert_int_equal(authority_officers_revoke(partnership->authority, "concordat://" POLICE,
                                                       "key lost", NOW, &n, &reason),
                             STATUS_OK);
    }
    /* The same key comes in no second time. */
    bytes_buffer_free(&pem);
    assert_int_equal(authority_officers_intermediate(partnership->authority, POLICE, bytes_buffer_view(&csr),
                                                     30, NOW, &pem, &reason),
                     STATUS_EXISTS);
    officer_issuer_free(&issuer);
    bytes_buffer_wipe(&key);
    bytes_buffer_free(&csr);
    bytes_buffer_free(&der);
    bytes_buffer_free(&desk);
    bytes_buffer_wipe(&p12);
    keystore_free(&police);
    keystore_free(&broker);
    partnership_free(&partnership);
}

static void requests_are_checked(void **state)
{
    (void)state;
    struct byte_buffer csr = bytes_buffer(0);
    struct officer_request request;
    const char *reason = NULL;

    assert_int_equal(officer_request_read(bytes_of_string("hello"), &request, &reason), STATUS_BAD_FORMAT);
    assert_int_equal(officer_request_make(bytes_buffer_view(&house.agency_key), "Not An Id", &csr),
                     STATUS_OK);
    assert_int_equal(officer_request_read(bytes_buffer_view(&csr), &request, &reason), STATUS_BAD_FORMAT);
    assert_non_null(strstr(reason, "common name"));
    bytes_buffer_free(&csr);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(names_have_one_spelling),
        TEST(chains_are_accepted),
        TEST(validity_is_kept),
        TEST(issuers_keep_to_their_names),
        TEST(constraints_bite),
        TEST(another_root_is_nobodys),
        TEST(files_open_with_their_passphrase),
        TEST(a_book_remembers),
        TEST(bundles_revoke),
        TEST(a_revoked_intermediate_takes_its_officers_along),
        TEST(requests_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
