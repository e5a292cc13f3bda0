#include "tests/support/support.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/safefile.h"
#include "certs/request.h"
#include "proto/random.h"
#include "tests/support/partnership.h"

#define PRISON "prison.dovegate"

static int set_up(void **state)
{
    *state = partnership_new();
    return 0;
}

static int tear_down(void **state)
{
    struct partnership *partnership = *state;

    partnership_free(&partnership);
    return 0;
}

static struct certificate_claims claims_of(struct partnership *partnership, struct keystore *keystore)
{
    struct byte_buffer csr = partnership_request(partnership, keystore, false);
    struct request request;
    const char *reason = NULL;

    assert_int_equal(request_parse(bytes_buffer_view(&csr), &request, &reason), STATUS_OK);
    bytes_buffer_free(&csr);
    return request.claims;
}

static size_t enrolled(const struct partnership *partnership)
{
    return authority_state(partnership->authority)->n_certificates;
}

/* A request for claims with a signing key of its own, as a program that is not ours could make it. */
static struct byte_buffer forge(struct certificate_claims claims)
{
    uint8_t seed[ED25519_SEED_SIZE];
    struct byte_buffer csr = bytes_buffer(0);

    assert_int_equal(random_bytes(seed, sizeof seed), STATUS_OK);
    assert_int_equal(ed25519_public_from_seed(seed, claims.signing), STATUS_OK);
    assert_int_equal(request_make(&claims, seed, NULL, &csr), STATUS_OK);
    return csr;
}

static void fresh_exchange_key(uint8_t key[static X25519_KEY_SIZE])
{
    struct x25519_private *private = NULL;

    assert_int_equal(x25519_generate(random_system(), &private), STATUS_OK);
    memcpy(key, x25519_public_of(private), X25519_KEY_SIZE);
    x25519_private_free(&private);
}

static void a_member_is_enrolled_and_remembered(void **state)
{
    struct partnership *partnership = *state;
    struct keystore *prison = partnership_member(partnership, PRISON, ROLE_AGENT);

    partnership_reopen(partnership);
    const struct authority_state *kept = authority_state(partnership->authority);
    assert_int_equal(kept->n_certificates, 2);
    const struct certificate *certificate = kept->certificates[1].certificate;
    assert_int_equal(keystore_matches(prison, &certificate->claims), KEYSTORE_CURRENT);
    assert_int_equal(certificate->not_after,
                     partnership->now + AUTHORITY_MEMBER_DAYS * PARTNERSHIP_DAY + 999);
    assert_true(authority_state_usable(&kept->certificates[1], partnership->now));
    assert_int_equal(kept->certificates[1].enrolled, partnership->now);
    keystore_free(&prison);
}

static void an_id_that_is_taken_is_refused(void **state)
{
    struct partnership *partnership = *state;
    struct partnership *elsewhere = partnership_new();
    struct keystore *prison = partnership_member(partnership, PRISON, ROLE_AGENT);
    struct keystore *impostor = partnership_keys(elsewhere, PRISON, ROLE_AGENT);
    struct byte_buffer csr = partnership_request(elsewhere, impostor, false);
    struct bundle_reason reason;

    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_FIRST, NULL, &reason), STATUS_EXISTS);
    assert_non_null(strstr(reason.text, "prison.dovegate is enrolled already"));
    csr = partnership_request(elsewhere, impostor, false);
    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_RENEW, NULL, &reason), STATUS_REFUSED);
    assert_int_equal(enrolled(partnership), 2);
    keystore_free(&prison);
    keystore_free(&impostor);
    partnership_free(&elsewhere);
}

static void a_key_of_another_is_refused_in_every_use(void **state)
{
    struct partnership *partnership = *state;
    struct keystore *prison = partnership_member(partnership, PRISON, ROLE_AGENT);
    const struct certificate_claims theirs = claims_of(partnership, prison);
    const uint8_t *stolen[] = {theirs.transport, theirs.sealing, theirs.signing};
    struct bundle_reason reason;

    for (size_t i = 0; i < 6; i++) {
        struct certificate_claims claims = {.member = "drugs.stoke", .role = ROLE_AGENT};
        fresh_exchange_key(claims.transport);
        fresh_exchange_key(claims.sealing);
        memcpy(i < 3 ? claims.transport : claims.sealing, stolen[i % 3], X25519_KEY_SIZE);
        struct byte_buffer csr = forge(claims);
        assert_int_equal(partnership_enrol(partnership, &csr, ENROL_FIRST, NULL, &reason), STATUS_EXISTS);
        assert_non_null(strstr(reason.text, "a key that prison.dovegate has or had"));
    }
    assert_int_equal(enrolled(partnership), 2);
    keystore_free(&prison);
}

static void a_key_is_refused_for_ever(void **state)
{
    struct partnership *partnership = *state;
    struct keystore *prison = partnership_member(partnership, PRISON, ROLE_AGENT);
    struct certificate_claims claims = claims_of(partnership, prison);
    size_t n = 0;

    assert_int_equal(enrol_revoke(partnership->authority, PRISON, "left", partnership->now, &n, NULL),
                     STATUS_OK);
    partnership->now += 900 * PARTNERSHIP_DAY;
    partnership_reopen(partnership);
    strcpy(claims.member, "prison.stafford");
    struct byte_buffer csr = forge(claims);
    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_FIRST, NULL, NULL), STATUS_EXISTS);
    keystore_free(&prison);
}

static void roles_must_be_meant(void **state)
{
    struct partnership *partnership = *state;
    struct keystore *broker = partnership_keys(partnership, PARTNERSHIP_BROKER, ROLE_BROKER);
    struct keystore *second = partnership_keys(partnership, "broker.second", ROLE_BROKER);
    struct keystore *log = partnership_keys(partnership, "log.second", ROLE_LOG);
    struct keystore *authority = partnership_keys(partnership, "authority.second", ROLE_AUTHORITY);
    struct keystore *others[] = {second, log, authority};
    struct bundle_reason reason;
    const enum role agent = ROLE_AGENT;

    struct byte_buffer csr = partnership_request(partnership, broker, false);
    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_FIRST, &agent, &reason), STATUS_REFUSED);
    assert_string_equal(reason.text, "it asks for the role broker, and --role says agent");
    csr = partnership_request(partnership, broker, false);
    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_FIRST, NULL, &reason), STATUS_OK);
    for (size_t i = 0; i < 3; i++) {
        const enum role role = keystore_role(others[i]);
        csr = partnership_request(partnership, others[i], false);
        assert_int_equal(partnership_enrol(partnership, &csr, ENROL_FIRST, NULL, &reason), STATUS_REFUSED);
        assert_non_null(strstr(reason.text, i == 2 ? "it asks to sign bundles" : "there is a"));
        csr = partnership_request(partnership, others[i], false);
        assert_int_equal(partnership_enrol(partnership, &csr, ENROL_FIRST, &role, &reason), STATUS_OK);
        keystore_free(&others[i]);
    }
    keystore_free(&broker);
}

static void a_renewal_needs_the_key_before(void **state)
{
    struct partnership *partnership = *state;
    struct keystore *prison = partnership_member(partnership, PRISON, ROLE_AGENT);
    struct bundle_reason reason;
    char path[PATH_MAX];

    assert_int_equal(keystore_renew(prison, path), STATUS_OK);
    struct byte_buffer csr = partnership_request(partnership, prison, true);
    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_FIRST, NULL, &reason), STATUS_EXISTS);
    csr = partnership_request(partnership, prison, true);
    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_RENEW, NULL, &reason), STATUS_OK);
    assert_int_equal(enrolled(partnership), 3);
    /* Nothing is revoked: what is on its way to the old key arrives. */
    assert_true(
        authority_state_usable(&authority_state(partnership->authority)->certificates[1], partnership->now));
    keystore_free(&prison);
}

static void a_renewal_vouched_for_by_a_stranger_or_a_revoked_key_is_refused(void **state)
{
    struct partnership *partnership = *state;
    struct partnership *elsewhere = partnership_new();
    struct keystore *prison = partnership_member(partnership, PRISON, ROLE_AGENT);
    struct keystore *impostor = partnership_keys(elsewhere, PRISON, ROLE_AGENT);
    struct bundle_reason reason;
    size_t n = 0;

    assert_int_equal(keystore_renew(impostor, NULL), STATUS_OK);
    struct byte_buffer csr = partnership_request(elsewhere, impostor, true);
    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_RENEW, NULL, &reason), STATUS_BAD_SIGNATURE);
    assert_int_equal(keystore_renew(prison, NULL), STATUS_OK);
    assert_int_equal(enrol_revoke(partnership->authority, PRISON, "stolen", partnership->now, &n, NULL),
                     STATUS_OK);
    csr = partnership_request(partnership, prison, true);
    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_RENEW, NULL, &reason), STATUS_BAD_SIGNATURE);
    keystore_free(&prison);
    keystore_free(&impostor);
    partnership_free(&elsewhere);
}

static void a_renewal_of_nobody_is_refused(void **state)
{
    struct partnership *partnership = *state;
    struct keystore *prison = partnership_keys(partnership, PRISON, ROLE_AGENT);

    assert_int_equal(keystore_renew(prison, NULL), STATUS_OK);
    struct byte_buffer csr = partnership_request(partnership, prison, true);
    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_RENEW, NULL, NULL), STATUS_REFUSED);
    csr = partnership_request(partnership, prison, true);
    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_FIRST, NULL, NULL), STATUS_REFUSED);
    csr = partnership_request(partnership, prison, true);
    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_REPLACE, NULL, NULL), STATUS_REFUSED);
    keystore_free(&prison);
}

static void a_broker_keeps_its_log_through_a_renewal_and_nobody_else_gets_it(void **state)
{
    struct partnership *partnership = *state;
    struct keystore *broker = partnership_member(partnership, PARTNERSHIP_BROKER, ROLE_BROKER);
    struct certificate_claims claims = claims_of(partnership, broker);
    const enum role role = ROLE_BROKER;

    assert_int_equal(keystore_renew(broker, NULL), STATUS_OK);
    struct byte_buffer csr = partnership_request(partnership, broker, true);
    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_RENEW, NULL, NULL), STATUS_OK);
    /* Keys that are replaced may be stolen, the log's with them. */
    fresh_exchange_key(claims.transport);
    fresh_exchange_key(claims.sealing);
    csr = forge(claims);
    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_REPLACE, NULL, NULL), STATUS_EXISTS);
    strcpy(claims.member, "broker.second");
    fresh_exchange_key(claims.transport);
    fresh_exchange_key(claims.sealing);
    csr = forge(claims);
    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_FIRST, &role, NULL), STATUS_EXISTS);
    keystore_free(&broker);
}

static void replacing_revokes_what_was(void **state)
{
    struct partnership *partnership = *state;
    struct partnership *elsewhere = partnership_new();
    struct keystore *prison = partnership_member(partnership, PRISON, ROLE_AGENT);
    struct keystore *again = partnership_keys(elsewhere, PRISON, ROLE_AGENT);
    struct byte_buffer csr = partnership_request(elsewhere, again, false);

    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_REPLACE, NULL, NULL), STATUS_OK);
    partnership_reopen(partnership);
    const struct authority_state *kept = authority_state(partnership->authority);
    assert_true(kept->certificates[1].revoked);
    assert_int_equal(kept->certificates[1].revoked_at, partnership->now);
    assert_string_equal(kept->certificates[1].why, "replaced");
    assert_false(kept->certificates[2].revoked);
    assert_true(kept->epoch_due);
    keystore_free(&prison);
    keystore_free(&again);
    partnership_free(&elsewhere);
}

static void a_role_does_not_change(void **state)
{
    struct partnership *partnership = *state;
    struct partnership *elsewhere = partnership_new();
    struct keystore *prison = partnership_member(partnership, PRISON, ROLE_AGENT);
    struct keystore *broker = partnership_keys(elsewhere, PRISON, ROLE_BROKER);
    struct byte_buffer csr = partnership_request(elsewhere, broker, false);

    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_REPLACE, NULL, NULL), STATUS_REFUSED);
    assert_false(authority_state(partnership->authority)->certificates[1].revoked);
    keystore_free(&prison);
    keystore_free(&broker);
    partnership_free(&elsewhere);
}

static void revoking(void **state)
{
    struct partnership *partnership = *state;
    struct keystore *prison = partnership_member(partnership, PRISON, ROLE_AGENT);
    size_t n = 0;

    assert_int_equal(enrol_revoke(partnership->authority, "prison.stafford", "x", partnership->now, &n, NULL),
                     STATUS_NOT_FOUND);
    assert_int_equal(enrol_revoke(partnership->authority, "authority.board", "x", partnership->now, &n, NULL),
                     STATUS_REFUSED);
    assert_int_equal(enrol_revoke(partnership->authority, PRISON, "two\nlines", partnership->now, &n, NULL),
                     STATUS_REFUSED);
    assert_int_equal(enrol_revoke(partnership->authority, PRISON, "left", partnership->now, &n, NULL),
                     STATUS_OK);
    assert_int_equal(n, 1);
    partnership_reopen(partnership);
    assert_int_equal(enrol_revoke(partnership->authority, PRISON, "left", partnership->now, &n, NULL),
                     STATUS_REVOKED);
    assert_true(authority_state(partnership->authority)->epoch_due);
    keystore_free(&prison);
}

static void there_is_one_authority_in_a_folder_and_one_process_on_it(void **state)
{
    struct partnership *partnership = *state;
    const struct authority_options options = {
        .name = "Another", .member = "authority.board", .member_days = AUTHORITY_MEMBER_DAYS};
    struct authority *second = NULL;

    assert_int_equal(authority_create(partnership->authority_folder, &options, partnership->now, NULL),
                     STATUS_EXISTS);
    assert_int_equal(authority_open(partnership->authority_folder, &second, NULL), STATUS_IN_USE);
    assert_int_equal(authority_open(partnership->folder, &second, NULL), STATUS_NOT_FOUND);
}

static void bad_options_make_no_authority(void **state)
{
    struct partnership *partnership = *state;
    char folder[128];
    const struct authority_options bad[] = {
        {.name = "", .member = "authority.board", .member_days = 1},
        {.name = "Name", .member = "board", .member_days = 1},
        {.name = "Name", .member = "authority.board", .member_days = 0},
        {.name = "Name", .member = "authority.board", .member_days = AUTHORITY_LONGEST_DAYS + 1},
    };
    struct stat info;

    snprintf(folder, sizeof folder, "%s/new", partnership->folder);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(authority_create(folder, &bad[i], partnership->now, NULL), STATUS_BAD_ARGUMENT);
        assert_int_equal(stat(folder, &info), -1);
    }
}

static void keys_that_others_can_read_are_not_used(void **state)
{
    struct partnership *partnership = *state;
    static const char *const names[] = {"root.key", "pseudonym.key", "keys/current.key"};
    char path[160];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        authority_close(&partnership->authority);
        snprintf(path, sizeof path, "%s/%s", partnership->authority_folder, names[i]);
        assert_int_equal(chmod(path, 0604), 0);
        assert_int_equal(authority_open(partnership->authority_folder, &partnership->authority, NULL),
                         STATUS_PERMISSION);
        assert_int_equal(chmod(path, 0600), 0);
        partnership_reopen(partnership);
    }
}

static void a_damaged_state_is_found(void **state)
{
    struct partnership *partnership = *state;
    static const char *const names[] = {"state.json", "pseudonym.key", "root.pem"};
    struct support_random random = support_seeded(5);
    char path[160];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct byte_buffer text = bytes_buffer(0);
        authority_close(&partnership->authority);
        snprintf(path, sizeof path, "%s/%s", partnership->authority_folder, names[i]);
        assert_int_equal(safefile_read(path, 1 << 20, &text), STATUS_OK);
        for (size_t k = 0; k < 20; k++) {
            size_t size = (size_t)support_below(&random, text.size - 1);
            assert_int_equal(safefile_write(path, bytes_view(text.data, size), 0600), STATUS_OK);
            assert_int_equal(authority_open(partnership->authority_folder, &partnership->authority, NULL),
                             STATUS_CORRUPT);
        }
        assert_int_equal(safefile_write(path, bytes_buffer_view(&text), 0600), STATUS_OK);
        bytes_buffer_free(&text);
        partnership_reopen(partnership);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_member_is_enrolled_and_remembered),
        TEST(an_id_that_is_taken_is_refused),
        TEST(a_key_of_another_is_refused_in_every_use),
        TEST(a_key_is_refused_for_ever),
        TEST(roles_must_be_meant),
        TEST(a_renewal_needs_the_key_before),
        TEST(a_renewal_vouched_for_by_a_stranger_or_a_revoked_key_is_refused),
        TEST(a_renewal_of_nobody_is_refused),
        TEST(a_broker_keeps_its_log_through_a_renewal_and_nobody_else_gets_it),
        TEST(replacing_revokes_what_was),
        TEST(a_role_does_not_change),
        TEST(revoking),
        TEST(there_is_one_authority_in_a_folder_and_one_process_on_it),
        TEST(bad_options_make_no_authority),
        TEST(keys_that_others_can_read_are_not_used),
        TEST(a_damaged_state_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
