#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/bundle.h"
#include "certs/head.h"
#include "proto/wire_codec.h"
#include "tests/support/partnership.h"

#define PRISON "prison.dovegate"
#define POLICE "police.staffordshire"

/* A partnership of a broker, a prison and a police force, and its first bundle. */
struct setting {
    struct partnership *partnership;
    struct keystore *broker;
    struct keystore *prison;
    struct keystore *police;
    struct byte_buffer file;
    struct bundle *first;
};

static int set_up(void **state)
{
    struct setting *setting = calloc(1, sizeof *setting);

    setting->partnership = partnership_new();
    setting->broker = partnership_member(setting->partnership, PARTNERSHIP_BROKER, ROLE_BROKER);
    setting->prison = partnership_member(setting->partnership, PRISON, ROLE_AGENT);
    setting->police = partnership_member(setting->partnership, POLICE, ROLE_AGENT);
    setting->file = partnership_bundle(setting->partnership);
    setting->first = partnership_first(setting->partnership, &setting->file);
    *state = setting;
    return 0;
}

static int tear_down(void **state)
{
    struct setting *setting = *state;

    bundle_free(&setting->first);
    bytes_buffer_free(&setting->file);
    keystore_free(&setting->broker);
    keystore_free(&setting->prison);
    keystore_free(&setting->police);
    partnership_free(&setting->partnership);
    free(setting);
    return 0;
}

/* What comes of verifying a file at a time; a bundle that is taken is given back in ret unless that is NULL.
 */
static enum status verify(const struct setting *setting, const struct byte_buffer *file,
                          const struct bundle *held, int64_t now, struct bundle **ret)
{
    struct bundle *bundle = NULL;
    struct bundle_reason reason = {{0}};
    enum status status =
        bundle_verify(bytes_buffer_view(file), held, authority_fingerprint(setting->partnership->authority),
                      now, &bundle, &reason);

    if (status == STATUS_OK)
        assert_non_null(bundle);
    else
        assert_true(bundle == NULL && reason.text[0] != 0);
    if (ret != NULL)
        *ret = bundle;
    else
        bundle_free(&bundle);
    return status;
}

static void what_the_first_bundle_says(void **state)
{
    const struct setting *setting = *state;
    const struct bundle *bundle = setting->first;
    uint8_t digest[DIGEST_SIZE];

    assert_int_equal(bundle_serial(bundle), 1);
    assert_string_equal(bundle_name(bundle), "Test partnership");
    assert_true(bundle_demo(bundle));
    assert_int_equal(bundle_quorum(bundle), 1);
    assert_int_equal(bundle_signers(bundle), 1);
    assert_int_equal(bundle_lowest_version(bundle), 1);
    assert_int_equal(bundle_not_after(bundle) - bundle_not_before(bundle), 90 * PARTNERSHIP_DAY);
    assert_int_equal(bundle_protocol_count(bundle), 1);
    assert_string_equal(bundle_protocol_id(bundle, 0), "sample");
    assert_true(bytes_equal(bundle_protocol(bundle, 0), bytes_of_string("protocol: sample\nversion: 1\n")));
    assert_true(bytes_equal(bundle_catalogue(bundle), bytes_of_string("catalogue: 1\n")));
    assert_string_equal(bundle_log_vkey(bundle), keystore_log_vkey(setting->broker));
    assert_true(bytes_equal(bundle_file(bundle), bytes_buffer_view(&setting->file)));
    digest_sha256(bundle_head(bundle), digest);
    assert_memory_equal(digest, bundle_head_digest(bundle), DIGEST_SIZE);
    digest_sha256(bundle_root(bundle), digest);
    assert_memory_equal(digest, bundle_root_digest(bundle), DIGEST_SIZE);
    assert_int_equal(directory_size(bundle_directory(bundle)), 4);
    assert_null(bundle_contact(bundle, PRISON));
}

static void pack_gives_the_file_again(void **state)
{
    const struct setting *setting = *state;
    struct byte_buffer again = bytes_buffer(0);

    assert_int_equal(bundle_pack(bundle_signed_head(setting->first), bundle_body(setting->first), &again),
                     STATUS_OK);
    assert_true(bytes_equal(bytes_buffer_view(&again), bytes_buffer_view(&setting->file)));
    bytes_buffer_free(&again);
}

static void the_first_needs_the_right_fingerprint(void **state)
{
    const struct setting *setting = *state;
    uint8_t fingerprint[DIGEST_SIZE];
    struct bundle *bundle = NULL;

    memcpy(fingerprint, authority_fingerprint(setting->partnership->authority), sizeof fingerprint);
    fingerprint[31] ^= 1;
    assert_int_equal(
        bundle_verify(bytes_buffer_view(&setting->file), NULL, fingerprint, PARTNERSHIP_NOW, &bundle, NULL),
        STATUS_BAD_CERTIFICATE);
    assert_int_equal(
        bundle_verify(bytes_buffer_view(&setting->file), NULL, NULL, PARTNERSHIP_NOW, &bundle, NULL),
        STATUS_BAD_ARGUMENT);
}

static void a_foreign_bundle_is_refused(void **state)
{
    const struct setting *setting = *state;
    struct partnership *foreign = partnership_new();
    struct keystore *broker = partnership_member(foreign, PARTNERSHIP_BROKER, ROLE_BROKER);
    struct byte_buffer first = partnership_bundle(foreign);
    struct byte_buffer second = partnership_bundle(foreign);

    assert_int_equal(verify(setting, &first, NULL, PARTNERSHIP_NOW, NULL), STATUS_BAD_CERTIFICATE);
    assert_int_equal(verify(setting, &second, setting->first, PARTNERSHIP_NOW, NULL), STATUS_BAD_CERTIFICATE);
    bytes_buffer_free(&first);
    bytes_buffer_free(&second);
    keystore_free(&broker);
    partnership_free(&foreign);
}

static void validity_is_exact(void **state)
{
    const struct setting *setting = *state;
    int64_t from = bundle_not_before(setting->first);
    int64_t to = bundle_not_after(setting->first);

    assert_int_equal(verify(setting, &setting->file, NULL, from - 1, NULL), STATUS_EXPIRED);
    assert_int_equal(verify(setting, &setting->file, NULL, to + 1, NULL), STATUS_EXPIRED);
    assert_int_equal(verify(setting, &setting->file, NULL, to, NULL), STATUS_OK);
    assert_int_equal(bundle_state(setting->first, from - 1, 0), BUNDLE_NOT_YET);
    assert_int_equal(bundle_state(setting->first, from, 0), BUNDLE_IN_FORCE);
    assert_int_equal(bundle_state(setting->first, to - 10, 20), BUNDLE_EXPIRING);
    assert_int_equal(bundle_state(setting->first, to + 1, 20), BUNDLE_EXPIRED);
}

static void one_is_taken_again_after_its_end_only_from_the_archive(void **state)
{
    const struct setting *setting = *state;
    struct bundle *bundle = NULL;

    assert_int_equal(bundle_reopen(bytes_buffer_view(&setting->file),
                                   authority_fingerprint(setting->partnership->authority), &bundle, NULL),
                     STATUS_OK);
    assert_int_equal(bundle_serial(bundle), 1);
    bundle_free(&bundle);
}

static void bundles_follow_one_another(void **state)
{
    const struct setting *setting = *state;
    struct byte_buffer second_file = partnership_bundle(setting->partnership);
    struct byte_buffer third_file = partnership_bundle(setting->partnership);
    struct bundle *second = NULL;
    struct bundle *third = NULL;

    assert_int_equal(verify(setting, &second_file, setting->first, PARTNERSHIP_NOW, &second), STATUS_OK);
    assert_int_equal(bundle_serial(second), 2);
    assert_int_equal(verify(setting, &third_file, second, PARTNERSHIP_NOW, &third), STATUS_OK);
    bundle_free(&third);
    assert_int_equal(verify(setting, &third_file, setting->first, PARTNERSHIP_NOW, &third), STATUS_OK);
    assert_int_equal(verify(setting, &third_file, third, PARTNERSHIP_NOW, NULL), STATUS_OK);
    assert_int_equal(verify(setting, &second_file, third, PARTNERSHIP_NOW, NULL), STATUS_ROLLBACK);

    assert_int_equal(bundle_compare_head(setting->first, bundle_signed_head(setting->first), PARTNERSHIP_NOW),
                     BUNDLE_SAME);
    assert_int_equal(bundle_compare_head(setting->first, bundle_signed_head(second), PARTNERSHIP_NOW),
                     BUNDLE_NEWER);
    assert_int_equal(bundle_compare_head(setting->first, bundle_signed_head(third), PARTNERSHIP_NOW),
                     BUNDLE_NEWER);
    assert_int_equal(bundle_compare_head(third, bundle_signed_head(second), PARTNERSHIP_NOW), BUNDLE_OLDER);
    bundle_free(&second);
    bundle_free(&third);
    bytes_buffer_free(&second_file);
    bytes_buffer_free(&third_file);
}

/* A second authority with the keys and the state of the first, as a restored backup is. */
static struct partnership *copy_of(struct partnership *original)
{
    char command[512];
    struct partnership *copy = partnership_new();

    authority_close(&original->authority);
    authority_close(&copy->authority);
    snprintf(command, sizeof command, "rm -rf %s && cp -a %s %s", copy->authority_folder,
             original->authority_folder, copy->authority_folder);
    assert_int_equal(system(command), 0);
    partnership_reopen(original);
    partnership_reopen(copy);
    return copy;
}

static void forks_are_told_from_noise(void **state)
{
    const struct setting *setting = *state;
    struct partnership *copy = copy_of(setting->partnership);
    struct byte_buffer ours = partnership_bundle(setting->partnership);
    struct byte_buffer theirs = partnership_bundle(copy);
    struct byte_buffer theirs_next = partnership_bundle(copy);
    struct bundle *second = NULL;
    struct bundle *fork = NULL;
    struct bundle *fork_next = NULL;

    assert_int_equal(verify(setting, &ours, setting->first, PARTNERSHIP_NOW, &second), STATUS_OK);
    assert_int_equal(verify(setting, &theirs, second, PARTNERSHIP_NOW, NULL), STATUS_FORKED);
    assert_int_equal(verify(setting, &theirs_next, second, PARTNERSHIP_NOW, NULL), STATUS_FORKED);

    assert_int_equal(verify(setting, &theirs, setting->first, PARTNERSHIP_NOW, &fork), STATUS_OK);
    assert_int_equal(verify(setting, &theirs_next, fork, PARTNERSHIP_NOW, &fork_next), STATUS_OK);
    assert_int_equal(bundle_compare_head(second, bundle_signed_head(fork), PARTNERSHIP_NOW), BUNDLE_FORK);
    assert_int_equal(bundle_compare_head(second, bundle_signed_head(fork_next), PARTNERSHIP_NOW),
                     BUNDLE_FORK);

    /* Somebody without the authority's key cannot raise the alarm. */
    Wire__SignedHead forged = *bundle_signed_head(fork);
    forged.n_signatures = 0;
    assert_int_equal(bundle_compare_head(second, &forged, PARTNERSHIP_NOW), BUNDLE_INVALID);
    bundle_free(&second);
    bundle_free(&fork);
    bundle_free(&fork_next);
    bytes_buffer_free(&ours);
    bytes_buffer_free(&theirs);
    bytes_buffer_free(&theirs_next);
    partnership_free(&copy);
}

static void a_head_of_a_foreign_root_is_invalid(void **state)
{
    const struct setting *setting = *state;
    struct partnership *foreign = partnership_new();
    struct keystore *broker = partnership_member(foreign, PARTNERSHIP_BROKER, ROLE_BROKER);
    struct byte_buffer file = partnership_bundle(foreign);
    struct bundle *bundle = partnership_first(foreign, &file);

    assert_int_equal(bundle_compare_head(setting->first, bundle_signed_head(bundle), PARTNERSHIP_NOW),
                     BUNDLE_INVALID);
    bundle_free(&bundle);
    bytes_buffer_free(&file);
    keystore_free(&broker);
    partnership_free(&foreign);
}

static void no_flipped_bit_passes(void **state)
{
    const struct setting *setting = *state;
    struct support_random random = support_seeded(20261201);
    struct byte_buffer second = partnership_bundle(setting->partnership);

    for (size_t i = 0; i < support_count(300); i++) {
        size_t at = (size_t)support_below(&random, second.size);
        uint8_t bit = (uint8_t)(1u << support_below(&random, 8));
        second.data[at] ^= bit;
        if (verify(setting, &second, i % 2 == 0 ? NULL : setting->first, PARTNERSHIP_NOW, NULL) == STATUS_OK)
            fail_msg("byte %zu, bit %u", at, bit);
        second.data[at] ^= bit;
    }
    assert_int_equal(verify(setting, &second, setting->first, PARTNERSHIP_NOW, NULL), STATUS_OK);
    bytes_buffer_free(&second);
}

static void neither_less_nor_more_passes(void **state)
{
    const struct setting *setting = *state;
    struct byte_buffer file = bytes_buffer(BUNDLE_LARGEST + 1);

    for (size_t size = 0; size < setting->file.size; size += 1 + size / 8) {
        bytes_buffer_clear(&file);
        bytes_append(&file, setting->file.data, size);
        assert_int_not_equal(verify(setting, &file, NULL, PARTNERSHIP_NOW, NULL), STATUS_OK);
    }
    bytes_buffer_clear(&file);
    bytes_append_view(&file, bytes_buffer_view(&setting->file));
    bytes_append_u8(&file, 0);
    assert_int_not_equal(verify(setting, &file, NULL, PARTNERSHIP_NOW, NULL), STATUS_OK);
    bytes_buffer_clear(&file);
    bytes_append_zeros(&file, BUNDLE_LARGEST + 1);
    assert_int_equal(verify(setting, &file, NULL, PARTNERSHIP_NOW, NULL), STATUS_TOO_LARGE);
    bytes_buffer_free(&file);
}

static void a_body_of_another_bundle_is_refused(void **state)
{
    const struct setting *setting = *state;
    struct byte_buffer second_file = partnership_bundle(setting->partnership);
    struct bundle *second = NULL;
    struct byte_buffer mixed = bytes_buffer(0);

    assert_int_equal(verify(setting, &second_file, setting->first, PARTNERSHIP_NOW, &second), STATUS_OK);
    assert_int_equal(bundle_pack(bundle_signed_head(second), bundle_body(setting->first), &mixed), STATUS_OK);
    assert_int_equal(verify(setting, &mixed, setting->first, PARTNERSHIP_NOW, NULL), STATUS_BAD_SIGNATURE);
    assert_int_equal(verify(setting, &mixed, NULL, PARTNERSHIP_NOW, NULL), STATUS_BAD_SIGNATURE);
    bytes_buffer_free(&mixed);
    bundle_free(&second);
    bytes_buffer_free(&second_file);
}

static void several_authorities_sign(void **state)
{
    struct setting *setting = *state;
    struct partnership *partnership = setting->partnership;
    struct keystore *second_key = partnership_member(partnership, "authority.second", ROLE_AUTHORITY);
    struct authority_bundle_options options = partnership_options();
    const uint32_t two = 2;
    struct byte_buffer one_file = bytes_buffer(0);
    struct byte_buffer alone_file = bytes_buffer(0);
    struct byte_buffer both_file = bytes_buffer(0);
    struct byte_buffer again = bytes_buffer(0);
    struct bundle *one = NULL;

    /* The bundle that asks for two from now on is itself signed by one, as the one before it asked. */
    options.quorum = &two;
    assert_int_equal(
        authority_bundle_make(partnership->authority, &options, partnership->now, &one_file, NULL),
        STATUS_OK);
    assert_int_equal(verify(setting, &one_file, setting->first, PARTNERSHIP_NOW, &one), STATUS_OK);
    alone_file = partnership_bundle(partnership);
    assert_int_equal(verify(setting, &alone_file, one, PARTNERSHIP_NOW, NULL), STATUS_BAD_SIGNATURE);
    assert_int_equal(verify(setting, &alone_file, NULL, PARTNERSHIP_NOW, NULL), STATUS_BAD_SIGNATURE);
    assert_int_equal(authority_bundle_countersign(bytes_buffer_view(&alone_file), second_key, PARTNERSHIP_NOW,
                                                  &both_file, NULL),
                     STATUS_OK);
    assert_int_equal(verify(setting, &both_file, one, PARTNERSHIP_NOW, NULL), STATUS_OK);
    assert_int_equal(verify(setting, &both_file, NULL, PARTNERSHIP_NOW, NULL), STATUS_OK);
    /* One authority does not count twice, and an agent not at all. */
    assert_int_equal(authority_bundle_countersign(bytes_buffer_view(&both_file), second_key, PARTNERSHIP_NOW,
                                                  &again, NULL),
                     STATUS_REFUSED);
    assert_int_equal(authority_bundle_countersign(bytes_buffer_view(&alone_file), setting->prison,
                                                  PARTNERSHIP_NOW, &again, NULL),
                     STATUS_REFUSED);
    bundle_free(&one);
    bytes_buffer_free(&one_file);
    bytes_buffer_free(&alone_file);
    bytes_buffer_free(&both_file);
    keystore_free(&second_key);
}

static void a_repeated_signature_counts_once(void **state)
{
    const struct setting *setting = *state;
    const Wire__SignedHead *head = bundle_signed_head(setting->first);
    Wire__HeadSignature *twice[] = {head->signatures[0], head->signatures[0]};
    Wire__SignedHead doubled = *head;
    struct byte_buffer file = bytes_buffer(0);
    struct bundle *bundle = NULL;

    doubled.n_signatures = 2;
    doubled.signatures = twice;
    assert_int_equal(bundle_pack(&doubled, bundle_body(setting->first), &file), STATUS_OK);
    assert_int_equal(bundle_inspect(bytes_buffer_view(&file), &bundle, NULL), STATUS_OK);
    assert_int_equal(bundle_signers(bundle), 1);
    bundle_free(&bundle);
    bytes_buffer_free(&file);
}

/* The bundle with one more signature, by whomever: what the tool itself would not make. */
static struct byte_buffer add_signature(const struct bundle *bundle, const struct keystore *keystore,
                                        bool alone)
{
    const struct directory_entry *entry =
        directory_known(bundle_directory(bundle), keystore_member(keystore));
    uint8_t bytes[ED25519_SIGNATURE_SIZE];
    Wire__SignedHead head = *bundle_signed_head(bundle);
    Wire__HeadSignature ours = WIRE__HEAD_SIGNATURE__INIT;
    Wire__HeadSignature *signatures[] = {&ours, head.signatures[0]};
    struct byte_buffer file = bytes_buffer(0);

    assert_int_equal(head_sign(bundle_head(bundle), bundle_root_digest(bundle), entry->digest,
                               keystore_signing(keystore), bytes),
                     STATUS_OK);
    ours.certificate = wire_data(bytes_view(entry->digest, DIGEST_SIZE));
    ours.signature = wire_data(bytes_view(bytes, sizeof bytes));
    head.signatures = signatures;
    head.n_signatures = alone ? 1 : 2;
    assert_int_equal(bundle_pack(&head, bundle_body(bundle), &file), STATUS_OK);
    return file;
}

static void a_signature_by_an_agent_does_not_count(void **state)
{
    const struct setting *setting = *state;
    struct byte_buffer file = add_signature(setting->first, setting->prison, true);

    assert_int_equal(verify(setting, &file, NULL, PARTNERSHIP_NOW, NULL), STATUS_BAD_SIGNATURE);
    bytes_buffer_free(&file);
}

static void a_revoked_authority_signs_no_more(void **state)
{
    struct setting *setting = *state;
    struct partnership *partnership = setting->partnership;
    struct keystore *second_key = partnership_member(partnership, "authority.second", ROLE_AUTHORITY);
    struct authority_bundle_options options = partnership_options();
    const uint32_t two = 2;
    const uint32_t one = 1;
    struct byte_buffer both_file = bytes_buffer(0);
    struct byte_buffer next_file = bytes_buffer(0);
    struct byte_buffer signed_file = bytes_buffer(0);
    struct bundle *both = NULL;
    size_t n = 0;

    options.quorum = &two;
    assert_int_equal(
        authority_bundle_make(partnership->authority, &options, partnership->now, &both_file, NULL),
        STATUS_OK);
    assert_int_equal(verify(setting, &both_file, setting->first, PARTNERSHIP_NOW, &both), STATUS_OK);
    /* The bundle that revokes it cannot be carried by its signature. */
    assert_int_equal(
        enrol_revoke(partnership->authority, "authority.second", "left", partnership->now, &n, NULL),
        STATUS_OK);
    options.quorum = &one;
    assert_int_equal(
        authority_bundle_make(partnership->authority, &options, partnership->now, &next_file, NULL),
        STATUS_OK);
    assert_int_equal(authority_bundle_countersign(bytes_buffer_view(&next_file), second_key, PARTNERSHIP_NOW,
                                                  &signed_file, NULL),
                     STATUS_REFUSED);
    struct bundle *next = partnership_first(partnership, &next_file);
    signed_file = add_signature(next, second_key, false);
    assert_int_equal(verify(setting, &signed_file, both, PARTNERSHIP_NOW, NULL), STATUS_BAD_SIGNATURE);
    bundle_free(&next);
    bytes_buffer_free(&signed_file);
    bundle_free(&both);
    bytes_buffer_free(&both_file);
    bytes_buffer_free(&next_file);
    keystore_free(&second_key);
}

static void members_find_their_own_keys(void **state)
{
    const struct setting *setting = *state;
    struct keystore *stranger = partnership_keys(setting->partnership, "drugs.stoke", ROLE_AGENT);
    enum keystore_match match = KEYSTORE_NONE;
    struct bundle_reason reason;

    assert_int_equal(bundle_own_keys(setting->first, setting->prison, PARTNERSHIP_NOW, &match, &reason),
                     STATUS_OK);
    assert_int_equal(match, KEYSTORE_CURRENT);
    assert_int_equal(bundle_own_keys(setting->first, stranger, PARTNERSHIP_NOW, &match, &reason),
                     STATUS_BAD_CERTIFICATE);
    assert_string_equal(reason.text, "it holds no certificate for drugs.stoke");
    keystore_free(&stranger);
}

static void a_bundle_with_other_keys_for_us_is_refused(void **state)
{
    const struct setting *setting = *state;
    struct partnership *partnership = setting->partnership;
    struct partnership *elsewhere = partnership_new();
    struct keystore *impostor = partnership_keys(elsewhere, PRISON, ROLE_AGENT);
    struct byte_buffer csr = partnership_request(elsewhere, impostor, false);
    enum keystore_match match = KEYSTORE_NONE;
    struct bundle_reason reason;

    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_REPLACE, NULL, NULL), STATUS_OK);
    struct byte_buffer file = partnership_bundle(partnership);
    struct bundle *bundle = partnership_first(partnership, &file);
    assert_int_equal(bundle_own_keys(bundle, setting->prison, PARTNERSHIP_NOW, &match, &reason),
                     STATUS_BAD_CERTIFICATE);
    assert_string_equal(reason.text, "the certificate in it for prison.dovegate is not for our keys");
    assert_int_equal(bundle_own_keys(bundle, impostor, PARTNERSHIP_NOW, &match, &reason), STATUS_OK);
    bundle_free(&bundle);
    bytes_buffer_free(&file);
    keystore_free(&impostor);
    partnership_free(&elsewhere);
}

static void a_renewal_goes_from_request_to_new_keys(void **state)
{
    const struct setting *setting = *state;
    struct partnership *partnership = setting->partnership;
    struct keystore *prison = setting->prison;
    enum keystore_match match = KEYSTORE_NONE;
    struct bundle_epoch *epochs = NULL;
    size_t n = 0;
    uint8_t old_transport[X25519_KEY_SIZE];

    memcpy(old_transport, keystore_transport_public(prison), sizeof old_transport);
    assert_int_equal(keystore_renew(prison, NULL), STATUS_OK);
    assert_int_equal(bundle_own_keys(setting->first, prison, PARTNERSHIP_NOW, &match, NULL), STATUS_OK);
    assert_int_equal(match, KEYSTORE_CURRENT);
    partnership->now += 1000;
    struct byte_buffer csr = partnership_request(partnership, prison, true);
    assert_int_equal(partnership_enrol(partnership, &csr, ENROL_RENEW, NULL, NULL), STATUS_OK);
    struct byte_buffer file = partnership_bundle(partnership);
    struct bundle *bundle = partnership_first(partnership, &file);
    assert_int_equal(bundle_own_keys(bundle, prison, partnership->now, &match, NULL), STATUS_OK);
    assert_int_equal(match, KEYSTORE_NEXT);
    assert_int_equal(bundle_open_epochs(bundle, prison, &epochs, &n), STATUS_OK);
    bundle_epochs_free(&epochs, n);
    assert_int_equal(keystore_promote(prison), STATUS_OK);
    assert_int_equal(bundle_own_keys(bundle, prison, partnership->now, &match, NULL), STATUS_OK);
    assert_int_equal(match, KEYSTORE_CURRENT);
    assert_int_equal(bundle_open_epochs(bundle, prison, &epochs, &n), STATUS_OK);
    bundle_epochs_free(&epochs, n);
    /* The connection that is open under the old key stays good. */
    assert_non_null(directory_by_transport(bundle_directory(bundle), old_transport, partnership->now));
    bundle_free(&bundle);
    bytes_buffer_free(&file);
}

static void contacts_and_witnesses_stay_until_they_are_taken_away(void **state)
{
    const struct setting *setting = *state;
    struct partnership *partnership = setting->partnership;
    struct authority_bundle_options options = partnership_options();
    struct authority_bundle_setting contact = {PRISON, "Duty governor"};
    const char *vkey = keystore_witness_vkey(setting->police);
    struct authority_bundle_setting witness = {POLICE, vkey};
    uint32_t quorum = 1;
    struct byte_buffer file = bytes_buffer(0);

    options.contacts = &contact;
    options.n_contacts = 1;
    options.witnesses = &witness;
    options.n_witnesses = 1;
    options.witness_quorum = &quorum;
    assert_int_equal(authority_bundle_make(partnership->authority, &options, partnership->now, &file, NULL),
                     STATUS_OK);
    bytes_buffer_free(&file);
    partnership_reopen(partnership);
    file = partnership_bundle(partnership);
    struct bundle *bundle = partnership_first(partnership, &file);
    assert_string_equal(bundle_contact(bundle, PRISON), "Duty governor");
    assert_null(bundle_contact(bundle, POLICE));
    assert_int_equal(bundle_witness_count(bundle), 1);
    assert_string_equal(bundle_witness_member(bundle, 0), POLICE);
    assert_string_equal(bundle_witness_vkey(bundle, 0), vkey);
    assert_int_equal(bundle_witness_quorum(bundle), 1);
    assert_int_equal(bundle_witness_dishonest(bundle), 0);
    bundle_free(&bundle);
    bytes_buffer_free(&file);

    contact.text = "";
    /* A quorum that no longer will do is not kept, one that was asked for is not replaced. */
    options.witness_quorum = NULL;
    witness.text = "";
    quorum = 0;
    assert_int_equal(authority_bundle_make(partnership->authority, &options, partnership->now, &file, NULL),
                     STATUS_OK);
    bundle = partnership_first(partnership, &file);
    assert_null(bundle_contact(bundle, PRISON));
    assert_int_equal(bundle_witness_count(bundle), 0);
    assert_int_equal(bundle_witness_quorum(bundle), 0);
    bundle_free(&bundle);
    bytes_buffer_free(&file);
}

static void witnesses_that_are_none_are_refused(void **state)
{
    const struct setting *setting = *state;
    struct partnership *partnership = setting->partnership;
    const char *police = keystore_witness_vkey(setting->police);
    const char *prison = keystore_witness_vkey(setting->prison);
    const uint32_t numbers[] = {0, 1, 2, 3};
    const struct {
        struct authority_bundle_setting witnesses[2];
        const uint32_t *quorum;
        const uint32_t *dishonest;
        enum status status;
    } cases[] = {
        {{{POLICE, police}, {PRISON, prison}}, &numbers[1], NULL, STATUS_REFUSED},
        {{{POLICE, police}, {PRISON, prison}}, &numbers[3], NULL, STATUS_REFUSED},
        {{{POLICE, police}, {PRISON, prison}}, NULL, &numbers[2], STATUS_REFUSED},
        {{{POLICE, prison}, {PRISON, prison}}, NULL, NULL, STATUS_REFUSED},
        {{{PARTNERSHIP_BROKER, police}, {PRISON, prison}}, NULL, NULL, STATUS_REFUSED},
        {{{POLICE, keystore_log_vkey(setting->broker)}, {PRISON, prison}}, NULL, NULL, STATUS_REFUSED},
        {{{POLICE, police}, {PRISON, prison}}, NULL, &numbers[1], STATUS_OK},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct authority_bundle_options options = partnership_options();
        struct byte_buffer file = bytes_buffer(0);
        options.witnesses = cases[i].witnesses;
        options.n_witnesses = 2;
        options.witness_quorum = cases[i].quorum;
        options.witness_dishonest = cases[i].dishonest;
        assert_int_equal(
            authority_bundle_make(partnership->authority, &options, partnership->now, &file, NULL),
            cases[i].status);
        bytes_buffer_free(&file);
        if (cases[i].status != STATUS_OK)
            partnership_reopen(partnership);
    }
    struct byte_buffer file = partnership_bundle(partnership);
    struct bundle *bundle = partnership_first(partnership, &file);
    assert_int_equal(bundle_witness_quorum(bundle), 2);
    assert_int_equal(bundle_witness_dishonest(bundle), 1);
    bundle_free(&bundle);
    bytes_buffer_free(&file);
}

static void agents_and_nobody_else_open_the_pseudonym_key(void **state)
{
    const struct setting *setting = *state;
    struct bundle_epoch *prison = NULL;
    struct bundle_epoch *police = NULL;
    struct bundle_epoch *none = NULL;
    size_t n_prison = 0;
    size_t n_police = 0;

    assert_int_equal(bundle_open_epochs(setting->first, setting->prison, &prison, &n_prison), STATUS_OK);
    assert_int_equal(bundle_open_epochs(setting->first, setting->police, &police, &n_police), STATUS_OK);
    assert_int_equal(n_prison, 1);
    assert_int_equal(n_police, 1);
    assert_int_equal(prison[0].epoch, 1);
    assert_memory_equal(prison[0].key, police[0].key, sizeof prison[0].key);
    assert_int_equal(bundle_open_epochs(setting->first, setting->broker, &none, &n_police), STATUS_NOT_FOUND);
    bundle_epochs_free(&prison, n_prison);
    bundle_epochs_free(&police, 1);
}

static void a_revocation_begins_an_epoch_that_the_revoked_cannot_open(void **state)
{
    const struct setting *setting = *state;
    struct partnership *partnership = setting->partnership;
    struct bundle_epoch *epochs = NULL;
    size_t n = 0;
    size_t revoked = 0;

    partnership->now += 1000;
    assert_int_equal(enrol_revoke(partnership->authority, POLICE, "left", partnership->now, &revoked, NULL),
                     STATUS_OK);
    struct byte_buffer file = partnership_bundle(partnership);
    struct bundle *bundle = partnership_first(partnership, &file);
    assert_int_equal(bundle_open_epochs(bundle, setting->prison, &epochs, &n), STATUS_OK);
    assert_int_equal(n, 2);
    assert_int_equal(epochs[1].epoch, 2);
    assert_memory_not_equal(epochs[0].key, epochs[1].key, sizeof epochs[0].key);
    bundle_epochs_free(&epochs, n);
    assert_int_equal(bundle_open_epochs(bundle, setting->police, &epochs, &n), STATUS_NOT_FOUND);

    const struct directory_entry *entry = directory_known(bundle_directory(bundle), POLICE);
    assert_false(directory_usable(entry, partnership->now));
    assert_int_equal(directory_state_at(entry, partnership->now - 1), DIRECTORY_IN_FORCE);
    assert_int_equal(directory_state_at(entry, partnership->now), DIRECTORY_REVOKED);
    assert_string_equal(entry->why_revoked, "left");
    bundle_free(&bundle);
    bytes_buffer_free(&file);
}

static void a_shared_bundle_outlives_the_other(void **state)
{
    const struct setting *setting = *state;
    struct bundle *bundle = partnership_first(setting->partnership, &setting->file);
    struct bundle *other = bundle_share(bundle);

    bundle_free(&bundle);
    assert_null(bundle);
    assert_int_equal(bundle_serial(other), 1);
    bundle_free(&other);
    bundle_free(&other);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_first_bundle_says),
        TEST(pack_gives_the_file_again),
        TEST(the_first_needs_the_right_fingerprint),
        TEST(a_foreign_bundle_is_refused),
        TEST(validity_is_exact),
        TEST(one_is_taken_again_after_its_end_only_from_the_archive),
        TEST(bundles_follow_one_another),
        TEST(forks_are_told_from_noise),
        TEST(a_head_of_a_foreign_root_is_invalid),
        TEST(no_flipped_bit_passes),
        TEST(neither_less_nor_more_passes),
        TEST(a_body_of_another_bundle_is_refused),
        TEST(several_authorities_sign),
        TEST(a_repeated_signature_counts_once),
        TEST(a_signature_by_an_agent_does_not_count),
        TEST(a_revoked_authority_signs_no_more),
        TEST(members_find_their_own_keys),
        TEST(a_bundle_with_other_keys_for_us_is_refused),
        TEST(a_renewal_goes_from_request_to_new_keys),
        TEST(contacts_and_witnesses_stay_until_they_are_taken_away),
        TEST(witnesses_that_are_none_are_refused),
        TEST(agents_and_nobody_else_open_the_pseudonym_key),
        TEST(a_revocation_begins_an_epoch_that_the_revoked_cannot_open),
        TEST(a_shared_bundle_outlives_the_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
