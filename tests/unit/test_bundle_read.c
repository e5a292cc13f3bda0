#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/bundle.h"
#include "certs/head.h"
#include "proto/note_key.h"
#include "proto/wire_codec.h"
#include "tests/support/partnership.h"

/* Bodies that do not fit together, rightly signed: what an authority with a fault in it could hand out. */

struct setting {
    struct partnership *partnership;
    struct byte_buffer file;
    struct bundle *bundle;
    struct wire_arena arena;
};

static char vkeys[2][NOTE_KEY_VKEY_SIZE]; /* of the witnesses, prison first */

static int set_up(void **state)
{
    struct setting *setting = calloc(1, sizeof *setting);
    static const char *const members[] = {"prison.dovegate", "police.staffordshire"};
    struct partnership *partnership = partnership_new();
    struct keystore *keys = partnership_member(partnership, PARTNERSHIP_BROKER, ROLE_BROKER);
    struct authority_bundle_options options = partnership_options();
    const struct authority_bundle_setting settings[] = {{"prison.dovegate", "Duty governor"},
                                                        {"police.staffordshire", "Duty inspector"}};
    struct authority_bundle_setting witnesses[2];
    const uint32_t quorum = 2;
    size_t n = 0;

    keystore_free(&keys);
    for (size_t i = 0; i < 2; i++) {
        keys = partnership_member(partnership, members[i], ROLE_AGENT);
        snprintf(vkeys[i], sizeof vkeys[i], "%s", keystore_witness_vkey(keys));
        witnesses[i] = (struct authority_bundle_setting){members[i], vkeys[i]};
        keystore_free(&keys);
    }
    keys = partnership_member(partnership, "drugs.stoke", ROLE_AGENT);
    keystore_free(&keys);
    keys = partnership_member(partnership, "yot.stoke", ROLE_AGENT);
    keystore_free(&keys);
    assert_int_equal(enrol_revoke(partnership->authority, "drugs.stoke", "left", partnership->now, &n, NULL),
                     STATUS_OK);
    assert_int_equal(
        enrol_revoke(partnership->authority, "yot.stoke", "left", partnership->now + 1, &n, NULL), STATUS_OK);
    options.contacts = settings;
    options.n_contacts = 2;
    options.witnesses = witnesses;
    options.n_witnesses = 2;
    options.witness_quorum = &quorum;
    assert_int_equal(
        authority_bundle_make(partnership->authority, &options, partnership->now, &setting->file, NULL),
        STATUS_OK);
    setting->partnership = partnership;
    setting->bundle = partnership_first(partnership, &setting->file);
    setting->arena = wire_arena(WIRE_ARENA_BODY);
    *state = setting;
    return 0;
}

static int tear_down(void **state)
{
    struct setting *setting = *state;

    wire_arena_free(&setting->arena);
    bundle_free(&setting->bundle);
    bytes_buffer_free(&setting->file);
    partnership_free(&setting->partnership);
    free(setting);
    return 0;
}

/* A body of one's own to change. */
static Wire__BundleBody *copy_body(struct setting *setting)
{
    const ProtobufCMessage *message = NULL;
    Wire__BundleBody *body = NULL;

    wire_arena_reset(&setting->arena);
    assert_int_equal(wire_unpack(&wire__bundle_body__descriptor, bundle_body(setting->bundle), BUNDLE_LARGEST,
                                 &setting->arena, &message),
                     STATUS_OK);
    memcpy(&body, &message, sizeof body); /* out of an arena of ours */
    return body;
}

/* A bundle of this body, signed with the authority's key, as a first bundle. */
static enum status verify_body(const struct setting *setting, const Wire__BundleBody *body, struct head head)
{
    const struct authority_state *state = authority_state(setting->partnership->authority);
    const uint8_t *certificate = state->certificates[0].certificate->digest;
    const struct keystore *keystore = authority_parts(setting->partnership->authority).keystore;
    uint8_t bytes[ED25519_SIGNATURE_SIZE];
    struct byte_buffer encoded = bytes_buffer(BUNDLE_LARGEST);
    struct byte_buffer encoded_head = bytes_buffer(HEAD_LARGEST);
    struct byte_buffer file = bytes_buffer(0);
    Wire__HeadSignature signature = WIRE__HEAD_SIGNATURE__INIT;
    Wire__HeadSignature *signatures[] = {&signature};
    Wire__SignedHead signed_head = WIRE__SIGNED_HEAD__INIT;
    struct bundle *bundle = NULL;
    struct bundle_reason reason = {{0}};

    wire_pack(&body->base, &encoded);
    digest_sha256(bytes_buffer_view(&encoded), head.body);
    head_encode(&head, &encoded_head);
    assert_int_equal(head_sign(bytes_buffer_view(&encoded_head), head.root, certificate,
                               keystore_signing(keystore), bytes),
                     STATUS_OK);
    signature.certificate = wire_data(bytes_view(certificate, DIGEST_SIZE));
    signature.signature = wire_data(bytes_view(bytes, sizeof bytes));
    signed_head.head = wire_data(bytes_buffer_view(&encoded_head));
    signed_head.n_signatures = 1;
    signed_head.signatures = signatures;
    assert_int_equal(bundle_pack(&signed_head, bytes_buffer_view(&encoded), &file), STATUS_OK);
    enum status status = bundle_verify(bytes_buffer_view(&file), NULL, bundle_root_digest(setting->bundle),
                                       PARTNERSHIP_NOW, &bundle, &reason);
    assert_true(status == STATUS_OK || reason.text[0] != 0);
    bundle_free(&bundle);
    bytes_buffer_free(&file);
    bytes_buffer_free(&encoded_head);
    bytes_buffer_free(&encoded);
    return status;
}

static struct head sample_head(const struct setting *setting)
{
    struct head head = {
        .serial = 1, .not_before = PARTNERSHIP_NOW - 1000, .not_after = PARTNERSHIP_NOW + 1000};

    memcpy(head.root, bundle_root_digest(setting->bundle), sizeof head.root);
    return head;
}

static void swap(void *a, void *b)
{
    void *keep = NULL;

    memcpy(&keep, a, sizeof keep);
    memcpy(a, b, sizeof keep);
    memcpy(b, &keep, sizeof keep);
}

static ProtobufCBinaryData some_bytes(size_t size)
{
    static uint8_t zeros[64];

    return wire_data(bytes_view(zeros, size));
}

static char nobody[] = "prison.stafford";
static char broker[] = PARTNERSHIP_BROKER;
static char empty[] = "";
static char lines[] = "two\nlines";
static char capital[] = "Sample";
static uint8_t broker_key[CERTIFICATE_KEY_ID_SIZE]; /* under which the broker could be meant */
static char zvkey[] = "other+00000000+AAAA";

static void nothing(Wire__BundleBody *body)
{
    (void)body;
}
static void no_name(Wire__BundleBody *body)
{
    body->name = empty;
}
static void name_of_two_lines(Wire__BundleBody *body)
{
    body->name = lines;
}
static void no_version(Wire__BundleBody *body)
{
    body->lowest_version = 0;
}
static void no_quorum(Wire__BundleBody *body)
{
    body->authority_quorum = 0;
}
static void huge_quorum(Wire__BundleBody *body)
{
    body->authority_quorum = 65;
}
static void quorum_of_two(Wire__BundleBody *body)
{
    body->authority_quorum = 2;
}
static void no_web_root(Wire__BundleBody *body)
{
    body->web_root = some_bytes(0);
}
static void no_root(Wire__BundleBody *body)
{
    body->root = some_bytes(10);
}
static void web_root_as_root(Wire__BundleBody *body)
{
    body->root = body->web_root;
}
static void no_catalogue(Wire__BundleBody *body)
{
    body->catalogue = some_bytes(0);
}
static void protocol_in_capitals(Wire__BundleBody *body)
{
    body->protocols[0]->id = capital;
}
static void protocol_twice(Wire__BundleBody *body)
{
    static Wire__ProtocolFile *twice[2];

    twice[0] = twice[1] = body->protocols[0];
    body->protocols = twice;
    body->n_protocols = 2;
}
static void too_many_protocols(Wire__BundleBody *body)
{
    static Wire__ProtocolFile *list[BUNDLE_PROTOCOLS_MAX + 1];
    static Wire__ProtocolFile files[BUNDLE_PROTOCOLS_MAX + 1];
    static char ids[BUNDLE_PROTOCOLS_MAX + 1][4];

    for (size_t i = 0; i < BUNDLE_PROTOCOLS_MAX + 1; i++) {
        files[i] = *body->protocols[0];
        (void)snprintf(ids[i], sizeof ids[i], "p%02zu", i % 100);
        files[i].id = ids[i];
        list[i] = &files[i];
    }
    body->protocols = list;
    body->n_protocols = BUNDLE_PROTOCOLS_MAX + 1;
}
static void as_many_protocols_as_may_be(Wire__BundleBody *body)
{
    too_many_protocols(body);
    body->n_protocols = BUNDLE_PROTOCOLS_MAX;
}
static void certificate_twice(Wire__BundleBody *body)
{
    body->certificates[1] = body->certificates[2];
}
static void foreign_certificate(Wire__BundleBody *body)
{
    body->certificates[1] = body->root;
}
static void no_certificates(Wire__BundleBody *body)
{
    body->n_certificates = 0;
    body->n_revocations = 0;
}
static void revocations_out_of_order(Wire__BundleBody *body)
{
    swap(&body->revocations[0], &body->revocations[1]);
}
static void revocation_twice(Wire__BundleBody *body)
{
    body->revocations[1] = body->revocations[0];
}
static void revocation_of_nothing(Wire__BundleBody *body)
{
    body->revocations[0]->certificate = some_bytes(DIGEST_SIZE);
}
static void revocation_cut_short(Wire__BundleBody *body)
{
    body->revocations[0]->certificate.len--;
}
static void revocation_after_all_time(Wire__BundleBody *body)
{
    body->revocations[1]->at = UINT64_MAX;
}
static void revocation_without_reason(Wire__BundleBody *body)
{
    body->revocations[0]->reason = empty;
}
static void another_log(Wire__BundleBody *body)
{
    body->log_vkey = zvkey;
}
static void witness_of_nobody(Wire__BundleBody *body)
{
    body->witnesses[0]->member = nobody;
}
static void witness_without_key(Wire__BundleBody *body)
{
    body->witnesses[0]->vkey = empty;
}
static void witness_with_the_key_of_another(Wire__BundleBody *body)
{
    body->witnesses[0]->vkey = vkeys[0];
}
static void witness_that_is_the_broker(Wire__BundleBody *body)
{
    body->witnesses[0]->member = broker;
}
/* The prison's key under the name of the police. */
static void one_key_for_two_witnesses(Wire__BundleBody *body)
{
    static char vkey[NOTE_KEY_VKEY_SIZE];
    struct note_key *prison = NULL;
    struct note_key *renamed = NULL;

    assert_int_equal(note_key_parse(bytes_of_string(vkeys[0]), &prison), STATUS_OK);
    assert_int_equal(note_key_new(bytes_of_string("police.staffordshire"), NOTE_KEY_COSIGNATURE,
                                  note_key_ed25519(prison), &renamed),
                     STATUS_OK);
    note_key_vkey(renamed, vkey);
    body->witnesses[0]->vkey = vkey;
    note_key_free(&renamed);
    note_key_free(&prison);
}
static void witnesses_out_of_order(Wire__BundleBody *body)
{
    swap(&body->witnesses[0], &body->witnesses[1]);
}
static void too_many_witnesses(Wire__BundleBody *body)
{
    body->witness_quorum = 3;
}
static void too_small_a_quorum(Wire__BundleBody *body)
{
    body->witness_quorum = 1;
}
static void no_witness_quorum(Wire__BundleBody *body)
{
    body->witness_quorum = 0;
}
static void too_many_dishonest(Wire__BundleBody *body)
{
    body->has_witness_dishonest = 1;
    body->witness_dishonest = 2;
}
static void dishonest_without_witnesses(Wire__BundleBody *body)
{
    body->n_witnesses = 0;
    body->witness_quorum = 0;
    body->has_witness_dishonest = 1;
    body->witness_dishonest = 1;
}
static void no_epoch(Wire__BundleBody *body)
{
    body->n_epochs = 0;
}
static void epochs_out_of_order(Wire__BundleBody *body)
{
    swap(&body->epochs[0], &body->epochs[1]);
}
static void epoch_zero(Wire__BundleBody *body)
{
    body->epochs[0]->epoch = 0;
}
static void keys_out_of_order(Wire__BundleBody *body)
{
    swap(&body->epochs[0]->keys[0], &body->epochs[0]->keys[1]);
}
static void key_for_the_broker(Wire__BundleBody *body)
{
    body->epochs[0]->keys[0]->member = broker;
    body->epochs[0]->keys[0]->key = wire_data(bytes_view(broker_key, sizeof broker_key));
}
static void key_for_nobody(Wire__BundleBody *body)
{
    body->epochs[0]->keys[1]->member = nobody;
}
static void key_under_an_unknown_id(Wire__BundleBody *body)
{
    body->epochs[0]->keys[0]->key = some_bytes(CERTIFICATE_KEY_ID_SIZE);
}
static void key_without_enc(Wire__BundleBody *body)
{
    body->epochs[0]->keys[0]->enc = some_bytes(31);
}
static void key_cut_short(Wire__BundleBody *body)
{
    body->epochs[0]->keys[0]->sealed = some_bytes(47);
}
static void contacts_out_of_order(Wire__BundleBody *body)
{
    swap(&body->contacts[0], &body->contacts[1]);
}
static void contact_of_nobody(Wire__BundleBody *body)
{
    body->contacts[1]->member = nobody;
}
static void contact_of_two_lines(Wire__BundleBody *body)
{
    body->contacts[0]->contact = lines;
}

#define CASE(change, status)                                                                                 \
    {                                                                                                        \
#change, change, STATUS_##status                                                                     \
    }

static const struct {
    const char *what;
    void (*change)(Wire__BundleBody *body);
    enum status expected;
} cases[] = {
    CASE(nothing, OK),
    CASE(no_name, BAD_FORMAT),
    CASE(name_of_two_lines, BAD_FORMAT),
    CASE(no_version, BAD_FORMAT),
    CASE(no_quorum, BAD_FORMAT),
    CASE(huge_quorum, BAD_FORMAT),
    CASE(quorum_of_two, BAD_SIGNATURE),
    CASE(no_web_root, BAD_FORMAT),
    CASE(no_root, BAD_CERTIFICATE),
    CASE(web_root_as_root, BAD_CERTIFICATE),
    CASE(no_catalogue, BAD_FORMAT),
    CASE(protocol_in_capitals, BAD_FORMAT),
    CASE(protocol_twice, NOT_CANONICAL),
    CASE(too_many_protocols, BAD_FORMAT),
    CASE(as_many_protocols_as_may_be, OK),
    CASE(certificate_twice, BAD_CERTIFICATE),
    CASE(foreign_certificate, BAD_CERTIFICATE),
    CASE(no_certificates, BAD_FORMAT),
    CASE(revocations_out_of_order, NOT_CANONICAL),
    CASE(revocation_twice, BAD_CERTIFICATE),
    CASE(revocation_of_nothing, BAD_CERTIFICATE),
    CASE(revocation_cut_short, BAD_FORMAT),
    CASE(revocation_after_all_time, BAD_FORMAT),
    CASE(revocation_without_reason, BAD_FORMAT),
    CASE(another_log, BAD_FORMAT),
    CASE(witness_of_nobody, BAD_FORMAT),
    CASE(witness_without_key, BAD_FORMAT),
    CASE(witness_with_the_key_of_another, BAD_FORMAT),
    CASE(witness_that_is_the_broker, BAD_FORMAT),
    CASE(one_key_for_two_witnesses, BAD_FORMAT),
    CASE(witnesses_out_of_order, NOT_CANONICAL),
    CASE(too_many_witnesses, BAD_FORMAT),
    CASE(too_small_a_quorum, BAD_FORMAT),
    CASE(no_witness_quorum, BAD_FORMAT),
    CASE(too_many_dishonest, BAD_FORMAT),
    CASE(dishonest_without_witnesses, BAD_FORMAT),
    CASE(no_epoch, BAD_FORMAT),
    CASE(epochs_out_of_order, NOT_CANONICAL),
    CASE(epoch_zero, NOT_CANONICAL),
    CASE(keys_out_of_order, NOT_CANONICAL),
    CASE(key_for_the_broker, BAD_FORMAT),
    CASE(key_for_nobody, BAD_FORMAT),
    CASE(key_under_an_unknown_id, BAD_FORMAT),
    CASE(key_without_enc, BAD_FORMAT),
    CASE(key_cut_short, BAD_FORMAT),
    CASE(contacts_out_of_order, NOT_CANONICAL),
    CASE(contact_of_nobody, BAD_FORMAT),
    CASE(contact_of_two_lines, BAD_FORMAT),
};

static void bodies_that_do_not_fit_together_are_refused(void **state)
{
    struct setting *setting = *state;

    memcpy(broker_key, directory_known(bundle_directory(setting->bundle), broker)->sealing_id,
           sizeof broker_key);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Wire__BundleBody *body = copy_body(setting);
        cases[i].change(body);
        enum status status = verify_body(setting, body, sample_head(setting));
        if (status != cases[i].expected)
            fail_msg("%s: %s", cases[i].what, status_text(status));
    }
}

static void heads_that_cannot_be_are_refused(void **state)
{
    struct setting *setting = *state;
    const Wire__BundleBody *body = copy_body(setting);
    struct head head = sample_head(setting);

    head.serial = 0;
    assert_int_equal(verify_body(setting, body, head), STATUS_BAD_FORMAT);
    head.serial = 2; /* without a predecessor */
    assert_int_equal(verify_body(setting, body, head), STATUS_BAD_FORMAT);
    head = sample_head(setting);
    head.previous[0] = 1; /* the first with one */
    assert_int_equal(verify_body(setting, body, head), STATUS_BAD_FORMAT);
    head = sample_head(setting);
    head.not_after = head.not_before;
    assert_int_equal(verify_body(setting, body, head), STATUS_BAD_FORMAT);
    head.not_after = head.not_before + 90 * PARTNERSHIP_DAY;
    assert_int_equal(verify_body(setting, body, head), STATUS_OK);
    head.not_after++;
    assert_int_equal(verify_body(setting, body, head), STATUS_BAD_FORMAT);
    head.not_after = INT64_MIN;
    assert_int_equal(verify_body(setting, body, head), STATUS_BAD_FORMAT);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bodies_that_do_not_fit_together_are_refused),
        TEST(heads_that_cannot_be_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
