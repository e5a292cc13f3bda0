#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

#include "certs/directory.h"
#include "certs/issuer.h"
#include "proto/random.h"

#define NOW INT64_C(1796115600000) /* 2026-12-01T09:00:00Z */
#define DAY INT64_C(86400000)

struct setting {
    struct issuer *issuer;
    struct certificate_root *root;
    struct certificate *certificates[16];
    uint8_t digests[16][DIGEST_SIZE];
    size_t n;
    struct directory *directory;
};

static int set_up(void **state)
{
    struct setting *setting = calloc(1, sizeof *setting);
    struct byte_buffer key = bytes_buffer(0);
    struct byte_buffer der = bytes_buffer(0);

    assert_int_equal(issuer_make_root("Test", NOW, 10, &key, &der), STATUS_OK);
    assert_int_equal(issuer_load(bytes_buffer_view(&key), bytes_buffer_view(&der), &setting->issuer),
                     STATUS_OK);
    assert_int_equal(certificate_root_parse(bytes_buffer_view(&der), &setting->root), STATUS_OK);
    bytes_buffer_wipe(&key);
    bytes_buffer_free(&der);
    *state = setting;
    return 0;
}

static int tear_down(void **state)
{
    struct setting *setting = *state;

    for (size_t i = 0; i < setting->n; i++)
        certificate_free(&setting->certificates[i]);
    directory_free(&setting->directory);
    certificate_root_free(&setting->root);
    issuer_free(&setting->issuer);
    free(setting);
    return 0;
}

static void fill_key(uint8_t key[static 32])
{
    uint8_t seed[32];

    assert_int_equal(random_bytes(seed, sizeof seed), STATUS_OK);
    assert_int_equal(ed25519_public_from_seed(seed, key), STATUS_OK);
}

static void add_claims(struct setting *setting, const struct certificate_claims *claims, int64_t from,
                       int64_t to)
{
    struct byte_buffer der = bytes_buffer(0);
    struct certificate **certificate = &setting->certificates[setting->n];

    assert_int_equal(issuer_issue(setting->issuer, claims, from, to, &der), STATUS_OK);
    assert_int_equal(certificate_parse(bytes_buffer_view(&der), setting->root, certificate), STATUS_OK);
    memcpy(setting->digests[setting->n], (*certificate)->digest, DIGEST_SIZE);
    setting->n++;
    bytes_buffer_free(&der);
}

/* A certificate with keys of its own; returns its claims. */
static struct certificate_claims add(struct setting *setting, const char *member, enum role role,
                                     int64_t from, int64_t to)
{
    struct certificate_claims claims = {.role = role};

    strcpy(claims.member, member);
    fill_key(claims.signing);
    if (role == ROLE_AGENT || role == ROLE_BROKER) {
        fill_key(claims.transport);
        fill_key(claims.sealing);
    }
    add_claims(setting, &claims, from, to);
    return claims;
}

static enum status build(struct setting *setting, const struct directory_revocation *revocations, size_t n)
{
    return directory_build(setting->certificates, setting->n, revocations, n, &setting->directory);
}

static struct directory_revocation revoke(const struct setting *setting, size_t index, int64_t at)
{
    struct directory_revocation revocation = {.at = at, .why = bytes_of_string("left")};

    memcpy(revocation.certificate, setting->digests[index], DIGEST_SIZE);
    return revocation;
}

static void members_are_found_by_all_their_names(void **state)
{
    struct setting *setting = *state;
    const struct certificate_claims police = add(setting, "police.staffordshire", ROLE_AGENT, NOW, NOW + DAY);
    const struct certificate_claims broker =
        add(setting, "broker.staffordshire", ROLE_BROKER, NOW, NOW + DAY);
    uint8_t id[CERTIFICATE_KEY_ID_SIZE];
    uint8_t signing[32];

    assert_int_equal(build(setting, NULL, 0), STATUS_OK);
    const struct directory_entry *entry =
        directory_by_member(setting->directory, "police.staffordshire", NOW);
    assert_non_null(entry);
    assert_string_equal(entry->member, "police.staffordshire");
    assert_string_equal(entry->member_class, "police");
    assert_int_equal(entry->role, ROLE_AGENT);
    ed25519_public_bytes(entry->signing, signing);
    assert_memory_equal(signing, police.signing, sizeof signing);
    assert_int_equal(entry->revoked_at, DIRECTORY_NEVER);
    assert_ptr_equal(directory_by_transport(setting->directory, police.transport, NOW), entry);
    assert_ptr_equal(directory_by_certificate(setting->directory, setting->digests[0]), entry);
    certificate_key_id(police.sealing, id);
    assert_ptr_equal(directory_by_sealing_id(setting->directory, "police.staffordshire", id), entry);
    assert_null(directory_by_sealing_id(setting->directory, "broker.staffordshire", id));
    assert_ptr_equal(directory_with_role(setting->directory, ROLE_BROKER, NOW),
                     directory_by_transport(setting->directory, broker.transport, NOW));
    assert_null(directory_with_role(setting->directory, ROLE_LOG, NOW));
    assert_ptr_equal(directory_at(setting->directory, 0), entry);
    assert_null(directory_at(setting->directory, 2));
}

static void strangers_are_not_found(void **state)
{
    struct setting *setting = *state;
    uint8_t key[32];

    add(setting, "police.staffordshire", ROLE_AGENT, NOW, NOW + DAY);
    assert_int_equal(build(setting, NULL, 0), STATUS_OK);
    fill_key(key);
    assert_null(directory_by_member(setting->directory, "police.staffordshir", NOW));
    assert_null(directory_by_member(setting->directory, "police.staffordshire2", NOW));
    assert_null(directory_known(setting->directory, "a.a"));
    assert_null(directory_by_transport(setting->directory, key, NOW));
    assert_null(directory_by_certificate(setting->directory, key));
}

static void an_empty_directory_finds_nobody(void **state)
{
    struct setting *setting = *state;
    static const uint8_t key[32];

    assert_int_equal(build(setting, NULL, 0), STATUS_OK);
    assert_null(directory_by_member(setting->directory, "police.staffordshire", NOW));
    assert_null(directory_by_transport(setting->directory, key, NOW));
    assert_null(directory_by_certificate(setting->directory, key));
    assert_null(directory_next(setting->directory, NULL, NOW));
}

static void an_authority_is_not_found_by_the_transport_key_that_it_has_not(void **state)
{
    struct setting *setting = *state;
    static const uint8_t nothing[32];

    add(setting, "authority.board", ROLE_AUTHORITY, NOW, NOW + DAY);
    add(setting, "authority.second", ROLE_AUTHORITY, NOW, NOW + DAY);
    assert_int_equal(build(setting, NULL, 0), STATUS_OK);
    assert_null(directory_by_transport(setting->directory, nothing, NOW));
}

static void validity_ends_to_the_millisecond(void **state)
{
    struct setting *setting = *state;
    const struct certificate_claims police = add(setting, "police.staffordshire", ROLE_AGENT, NOW, NOW + DAY);
    const int64_t last = NOW + DAY + 999;

    assert_int_equal(build(setting, NULL, 0), STATUS_OK);
    const struct directory_entry *entry = directory_at(setting->directory, 0);
    assert_int_equal(directory_state_at(entry, NOW - 1), DIRECTORY_NOT_YET);
    assert_int_equal(directory_state_at(entry, NOW), DIRECTORY_IN_FORCE);
    assert_int_equal(directory_state_at(entry, last), DIRECTORY_IN_FORCE);
    assert_int_equal(directory_state_at(entry, last + 1), DIRECTORY_EXPIRED);
    assert_null(directory_by_member(setting->directory, "police.staffordshire", last + 1));
    assert_null(directory_by_transport(setting->directory, police.transport, NOW - 1));
    assert_null(directory_next(setting->directory, NULL, last + 1));
    assert_ptr_equal(directory_known(setting->directory, "police.staffordshire"), entry);
    assert_ptr_equal(directory_by_certificate(setting->directory, setting->digests[0]), entry);
    assert_false(directory_usable(NULL, NOW));
    assert_string_equal(directory_state_text(DIRECTORY_EXPIRED), "expired");
}

static void the_newest_certificate_is_current_and_the_older_still_let_in(void **state)
{
    struct setting *setting = *state;
    const struct certificate_claims old =
        add(setting, "police.staffordshire", ROLE_AGENT, NOW, NOW + 10 * DAY);
    const struct certificate_claims new =
        add(setting, "police.staffordshire", ROLE_AGENT, NOW + DAY, NOW + 20 * DAY);

    assert_int_equal(build(setting, NULL, 0), STATUS_OK);
    const struct directory_entry *before = directory_at(setting->directory, 0);
    const struct directory_entry *after = directory_at(setting->directory, 1);
    assert_ptr_equal(directory_by_member(setting->directory, "police.staffordshire", NOW), before);
    assert_ptr_equal(directory_by_member(setting->directory, "police.staffordshire", NOW + DAY), after);
    assert_ptr_equal(directory_by_transport(setting->directory, old.transport, NOW + DAY), before);
    assert_ptr_equal(directory_by_transport(setting->directory, new.transport, NOW + DAY), after);
    assert_ptr_equal(directory_next(setting->directory, NULL, NOW + DAY), after);
    assert_null(directory_next(setting->directory, after, NOW + DAY));
}

static void of_two_certificates_of_one_second_the_later_enrolled_is_current(void **state)
{
    struct setting *setting = *state;

    add(setting, "police.staffordshire", ROLE_AGENT, NOW, NOW + DAY);
    add(setting, "police.staffordshire", ROLE_AGENT, NOW, NOW + DAY);
    assert_int_equal(build(setting, NULL, 0), STATUS_OK);
    assert_ptr_equal(directory_by_member(setting->directory, "police.staffordshire", NOW),
                     directory_at(setting->directory, 1));
}

static void revocation_counts_from_its_time(void **state)
{
    struct setting *setting = *state;
    const struct certificate_claims police = add(setting, "police.staffordshire", ROLE_AGENT, NOW, NOW + DAY);
    const struct directory_revocation revocation = revoke(setting, 0, NOW + 5000);

    assert_int_equal(build(setting, &revocation, 1), STATUS_OK);
    const struct directory_entry *entry = directory_at(setting->directory, 0);
    assert_true(directory_usable(entry, NOW + 4999));
    assert_false(directory_usable(entry, NOW + 5000));
    assert_int_equal(directory_state_at(entry, NOW + 5 * DAY), DIRECTORY_REVOKED);
    assert_null(directory_by_transport(setting->directory, police.transport, NOW + 5000));
    assert_string_equal(entry->why_revoked, "left");
}

static void members_are_listed_once_and_in_order(void **state)
{
    struct setting *setting = *state;
    static const char *const expected[] = {"drugs.stoke", "police.staffordshire", "prison.dovegate"};
    const struct directory_entry *entry = NULL;

    add(setting, "prison.dovegate", ROLE_AGENT, NOW, NOW + DAY);
    add(setting, "police.staffordshire", ROLE_AGENT, NOW, NOW + DAY);
    add(setting, "drugs.stoke", ROLE_AGENT, NOW, NOW + DAY);
    add(setting, "prison.dovegate", ROLE_AGENT, NOW + 1000, NOW + DAY);
    add(setting, "prison.stafford", ROLE_AGENT, NOW - 2 * DAY, NOW - DAY);
    assert_int_equal(build(setting, NULL, 0), STATUS_OK);
    for (size_t i = 0; i < 3; i++) {
        entry = directory_next(setting->directory, entry, NOW + 2000);
        assert_non_null(entry);
        assert_string_equal(entry->member, expected[i]);
    }
    assert_null(directory_next(setting->directory, entry, NOW + 2000));
}

static void a_key_stands_once_whatever_its_use(void **state)
{
    struct setting *setting = *state;
    const struct certificate_claims police = add(setting, "police.staffordshire", ROLE_AGENT, NOW, NOW + DAY);
    struct certificate_claims thief = {.member = "drugs.stoke", .role = ROLE_AGENT};
    const uint8_t *stolen[] = {police.signing, police.transport, police.sealing};

    fill_key(thief.signing);
    for (size_t i = 0; i < 6; i++) {
        struct certificate_claims claims = thief;
        fill_key(claims.transport);
        fill_key(claims.sealing);
        memcpy(i < 3 ? claims.transport : claims.sealing, stolen[i % 3], 32);
        add_claims(setting, &claims, NOW, NOW + DAY);
        assert_int_equal(build(setting, NULL, 0), STATUS_BAD_CERTIFICATE);
        assert_null(setting->directory);
        certificate_free(&setting->certificates[--setting->n]);
    }
    assert_int_equal(build(setting, NULL, 0), STATUS_OK);
}

static void what_does_not_fit_together_is_refused(void **state)
{
    struct setting *setting = *state;

    add(setting, "police.staffordshire", ROLE_AGENT, NOW, NOW + DAY);
    struct directory_revocation twice[] = {revoke(setting, 0, NOW), revoke(setting, 0, NOW)};
    assert_int_equal(build(setting, twice, 2), STATUS_BAD_CERTIFICATE);
    twice[0].certificate[0] ^= 1;
    assert_int_equal(build(setting, twice, 1), STATUS_BAD_CERTIFICATE);
    add(setting, "police.staffordshire", ROLE_BROKER, NOW, NOW + DAY);
    assert_int_equal(build(setting, NULL, 0), STATUS_BAD_CERTIFICATE);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(members_are_found_by_all_their_names),
        TEST(strangers_are_not_found),
        TEST(an_empty_directory_finds_nobody),
        TEST(an_authority_is_not_found_by_the_transport_key_that_it_has_not),
        TEST(validity_ends_to_the_millisecond),
        TEST(the_newest_certificate_is_current_and_the_older_still_let_in),
        TEST(of_two_certificates_of_one_second_the_later_enrolled_is_current),
        TEST(revocation_counts_from_its_time),
        TEST(members_are_listed_once_and_in_order),
        TEST(a_key_stands_once_whatever_its_use),
        TEST(what_does_not_fit_together_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
