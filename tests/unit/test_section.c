#include "tests/support/support.h"

#include "tests/support/sample.h"

#include <string.h>

#include "proto/canonical.h"
#include "proto/hpke.h"

static struct sample sample;
static struct section_opener *opener;

static int make(void **state)
{
    (void)state;
    sample_make(&sample, 3);
    assert_int_equal(section_opener_new(sample.keys[SAMPLE_TO_POLICE], &opener), STATUS_OK);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    section_opener_free(&opener);
    sample_free(&sample);
    return 0;
}

static struct byte_view section_of(size_t i)
{
    return bytes_buffer_view(&sample.events[i].sections[SAMPLE_TO_POLICE]);
}

static enum status open_bytes(struct byte_view bytes, size_t event)
{
    uint8_t core[SECTION_DIGEST_SIZE];
    struct section section;
    struct items *items = NULL;

    core_digest(bytes_buffer_view(&sample.events[event].core_bytes), core);
    enum status status = section_decode(bytes, &section);
    if (status == STATUS_OK)
        status = section_open(opener, &section, core, &items);
    items_free(&items);
    return status;
}

static void test_opens_in_any_order(void **state)
{
    (void)state;
    struct section section;
    uint8_t core[SECTION_DIGEST_SIZE];
    struct items *items = NULL;

    assert_int_equal(section_decode(section_of(2), &section), STATUS_OK);
    assert_true(bytes_equal(section.to, bytes_of_string(SAMPLE_POLICE)));
    assert_true(bytes_equal(section.rule, bytes_of_string("release-notice")));
    assert_int_equal(section.label_count, 2);
    assert_true(section.sequence == 2);
    assert_int_equal(section.sealed.size, 256 + 16);
    core_digest(bytes_buffer_view(&sample.events[2].core_bytes), core);
    assert_int_equal(section_open(opener, &section, core, &items), STATUS_OK);
    assert_true(bytes_equal(*items_find(items, "prison_no"), bytes_of_string("A1234BC")));
    items_free(&items);
    assert_int_equal(open_bytes(section_of(0), 0), STATUS_OK);
    assert_int_equal(open_bytes(section_of(2), 2), STATUS_OK);
}

static void test_agrees_with_the_schema(void **state)
{
    (void)state;
    struct wire_arena arena = wire_arena(WIRE_ARENA_FRAME);
    struct byte_buffer again = bytes_buffer(SECTION_SIZE_MAX);
    const ProtobufCMessage *message;
    struct section section;

    assert_int_equal(
        wire_unpack(&wire__section__descriptor, section_of(1), SECTION_SIZE_MAX, &arena, &message),
        STATUS_OK);
    const Wire__Section *wire = (const Wire__Section *)message;
    assert_string_equal(wire->labels[1], "prison_no");
    assert_true(wire->sequence == 1);
    assert_int_equal(section_decode(section_of(1), &section), STATUS_OK);
    assert_int_equal(section_encode(&section, &again), STATUS_OK);
    assert_true(bytes_equal(bytes_buffer_view(&again), section_of(1)));
    bytes_buffer_free(&again);
    wire_arena_free(&arena);
}

static void test_any_flipped_bit_fails(void **state)
{
    (void)state;
    uint8_t work[2048];
    struct byte_view bytes = section_of(0);

    assert_true(bytes.size <= sizeof work);
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        memcpy(work, bytes.data, bytes.size);
        work[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (open_bytes(bytes_view(work, bytes.size), 0) == STATUS_OK)
            fail_msg("bit %zu of the section can be changed unseen", bit);
    }
}

static void test_bound_to_its_event(void **state)
{
    (void)state;
    assert_int_equal(open_bytes(section_of(0), 1), STATUS_BAD_SEAL);
    assert_int_equal(open_bytes(bytes_buffer_view(&sample.events[0].sections[SAMPLE_TO_PROBATION]), 0),
                     STATUS_UNKNOWN_KEY);
}

static void test_bound_to_recipient_rule_and_labels(void **state)
{
    (void)state;
    struct byte_buffer work = bytes_buffer(SECTION_SIZE_MAX);
    struct byte_buffer labels = bytes_buffer(1024);
    struct section section;
    struct section good;

    assert_int_equal(section_decode(section_of(0), &good), STATUS_OK);
    section = good;
    section.to = bytes_of_string("police.cheshire");
    assert_int_equal(section_encode(&section, &work), STATUS_OK);
    assert_int_equal(open_bytes(bytes_buffer_view(&work), 0), STATUS_BAD_SEAL);
    section = good;
    section.rule = bytes_of_string("arrest");
    bytes_buffer_clear(&work);
    assert_int_equal(section_encode(&section, &work), STATUS_OK);
    assert_int_equal(open_bytes(bytes_buffer_view(&work), 0), STATUS_BAD_SEAL);
    section = good;
    section_append_label(&labels, bytes_of_string("name"));
    section.labels = bytes_buffer_view(&labels);
    section.label_count = 1;
    bytes_buffer_clear(&work);
    assert_int_equal(section_encode(&section, &work), STATUS_OK);
    assert_int_equal(open_bytes(bytes_buffer_view(&work), 0), STATUS_BAD_SEAL);
    bytes_buffer_free(&labels);
    bytes_buffer_free(&work);
}

/* What a sender with a patched agent could do: seal other things than the labels say. */
static void seal_unlike_labels(const struct item *items, size_t count, const char *const *names,
                               size_t name_count, struct byte_buffer *ret)
{
    uint8_t next;
    struct random_source random = sample_random(&next);
    struct x25519_public *public = NULL;
    struct hpke_sender *sender = NULL;
    uint8_t enc[HPKE_ENC_SIZE];
    uint8_t core[SECTION_DIGEST_SIZE];
    struct byte_buffer labels = bytes_buffer(4096);
    struct byte_buffer aad = bytes_buffer(4096);
    struct byte_buffer plaintext = bytes_buffer(ITEMS_SIZE_MAX);
    struct byte_buffer sealed = bytes_buffer(SECTION_SIZE_MAX);
    struct section section = {.to = bytes_of_string(SAMPLE_POLICE),
                              .rule = bytes_of_string("release-notice"),
                              .key = section_opener_key_id(opener),
                              .enc = enc};

    assert_int_equal(x25519_public(x25519_public_of(sample.keys[SAMPLE_TO_POLICE]), &public), STATUS_OK);
    assert_int_equal(hpke_sender_start(public, bytes_of_string(SECTION_INFO), &random, &sender, enc),
                     STATUS_OK);
    core_digest(bytes_buffer_view(&sample.events[0].core_bytes), core);
    for (size_t i = 0; i < name_count; i++)
        section_append_label(&labels, bytes_of_string(names[i]));
    section.labels = bytes_buffer_view(&labels);
    section.label_count = name_count;
    section_aad(&section, core, &aad);
    assert_int_equal(items_encode(items, count, &plaintext), STATUS_OK);
    assert_int_equal(
        hpke_seal(sender, bytes_buffer_view(&aad), bytes_buffer_view(&plaintext), &sealed, &section.sequence),
        STATUS_OK);
    section.sealed = bytes_buffer_view(&sealed);
    assert_int_equal(section_encode(&section, ret), STATUS_OK);
    hpke_sender_free(&sender);
    x25519_public_free(&public);
    bytes_buffer_free(&labels);
    bytes_buffer_free(&aad);
    bytes_buffer_free(&plaintext);
    bytes_buffer_free(&sealed);
}

static void test_content_must_be_what_labels_say(void **state)
{
    (void)state;
    const struct item items[] = {{bytes_of_string("name"), bytes_of_string("a")},
                                 {bytes_of_string("dob"), bytes_of_string("b")}};
    const char *const same[] = {"name", "dob"};
    const char *const turned[] = {"dob", "name"};
    const char *const more[] = {"name", "dob", "crn"};
    const struct {
        const char *const *names;
        size_t count;
        enum status expected;
    } cases[] = {{same, 2, STATUS_OK},
                 {same, 1, STATUS_MISMATCH},
                 {turned, 2, STATUS_MISMATCH},
                 {more, 3, STATUS_MISMATCH},
                 {same, 0, STATUS_MISMATCH}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct byte_buffer bytes = bytes_buffer(SECTION_SIZE_MAX);
        seal_unlike_labels(items, 2, cases[i].names, cases[i].count, &bytes);
        assert_int_equal(open_bytes(bytes_buffer_view(&bytes), 0), cases[i].expected);
        bytes_buffer_free(&bytes);
    }
}

static void test_decode_refuses(void **state)
{
    (void)state;
    struct byte_buffer work = bytes_buffer(SECTION_SIZE_MAX);
    struct byte_buffer labels = bytes_buffer(8192);
    struct section good;
    struct section section;

    assert_int_equal(section_decode(section_of(0), &good), STATUS_OK);
    section = good;
    section.sealed.size--; /* not a step */
    assert_int_equal(section_encode(&section, &work), STATUS_OK);
    assert_int_equal(section_decode(bytes_buffer_view(&work), &section), STATUS_BAD_FORMAT);
    section = good;
    section_append_label(&labels, bytes_of_string("name"));
    section_append_label(&labels, bytes_of_string("name"));
    section.labels = bytes_buffer_view(&labels);
    bytes_buffer_clear(&work);
    assert_int_equal(section_encode(&section, &work), STATUS_OK);
    assert_int_equal(section_decode(bytes_buffer_view(&work), &section), STATUS_BAD_FORMAT);
    bytes_buffer_clear(&labels);
    for (char i = 0; i < 65; i++) {
        char name[3] = {(char)('a' + i / 26), (char)('a' + i % 26), 0};
        section_append_label(&labels, bytes_of_string(name));
    }
    section = good;
    section.labels = bytes_buffer_view(&labels);
    bytes_buffer_clear(&work);
    assert_int_equal(section_encode(&section, &work), STATUS_OK);
    assert_int_equal(section_decode(bytes_buffer_view(&work), &section), STATUS_TOO_LARGE);
    for (size_t cut = 0; cut < section_of(0).size; cut++)
        assert_int_not_equal(section_decode(bytes_view(section_of(0).data, cut), &section), STATUS_OK);
    bytes_buffer_free(&labels);
    bytes_buffer_free(&work);
}

/* More sealing runs than an opener remembers: it forgets the oldest and goes on. */
static void test_opener_forgets_and_goes_on(void **state)
{
    (void)state;
    struct byte_buffer sections[40];
    uint8_t next;
    struct random_source random = sample_random(&next);
    struct x25519_public *public = NULL;
    const struct item item = {bytes_of_string("name"), bytes_of_string("a")};
    struct section_target target = {.to = bytes_of_string(SAMPLE_POLICE), .rule = bytes_of_string("arrest")};

    assert_int_equal(x25519_public(x25519_public_of(sample.keys[SAMPLE_TO_POLICE]), &public), STATUS_OK);
    memcpy(target.key, section_opener_key_id(opener), SECTION_KEY_ID_SIZE);
    core_digest(bytes_buffer_view(&sample.events[0].core_bytes), target.core);
    for (size_t i = 0; i < 40; i++) {
        struct hpke_sender *sender = NULL;
        uint8_t enc[HPKE_ENC_SIZE];
        sections[i] = bytes_buffer(SECTION_SIZE_MAX);
        assert_int_equal(hpke_sender_start(public, bytes_of_string(SECTION_INFO), &random, &sender, enc),
                         STATUS_OK);
        assert_int_equal(section_seal(sender, enc, &target, &item, 1, &sections[i]), STATUS_OK);
        hpke_sender_free(&sender);
    }
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < 40; i++)
            assert_int_equal(open_bytes(bytes_buffer_view(&sections[i * 7 % 40]), 0), STATUS_OK);
    }
    for (size_t i = 0; i < 40; i++)
        bytes_buffer_free(&sections[i]);
    x25519_public_free(&public);
}

static void test_seal_refuses(void **state)
{
    (void)state;
    uint8_t next;
    struct random_source random = sample_random(&next);
    struct x25519_public *public = NULL;
    struct hpke_sender *sender = NULL;
    uint8_t enc[HPKE_ENC_SIZE];
    const struct item bad = {bytes_of_string("Name"), bytes_of_string("a")};
    const struct item good = {bytes_of_string("name"), bytes_of_string("a")};
    struct section_target target = {.to = bytes_of_string("police"), .rule = bytes_of_string("arrest")};
    struct byte_buffer out = bytes_buffer(SECTION_SIZE_MAX);

    assert_int_equal(x25519_public(x25519_public_of(sample.keys[SAMPLE_TO_POLICE]), &public), STATUS_OK);
    assert_int_equal(hpke_sender_start(public, bytes_of_string(SECTION_INFO), &random, &sender, enc),
                     STATUS_OK);
    assert_int_equal(section_seal(sender, enc, &target, &good, 1, &out), STATUS_BAD_ARGUMENT);
    target.to = bytes_of_string(SAMPLE_POLICE);
    assert_int_equal(section_seal(sender, enc, &target, &bad, 1, &out), STATUS_BAD_ARGUMENT);
    assert_int_equal(out.size, 0);
    assert_int_equal(section_seal(sender, enc, &target, &good, 1, &out), STATUS_OK);
    hpke_sender_free(&sender);
    x25519_public_free(&public);
    bytes_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens_in_any_order),
        cmocka_unit_test(test_agrees_with_the_schema),
        cmocka_unit_test(test_any_flipped_bit_fails),
        cmocka_unit_test(test_bound_to_its_event),
        cmocka_unit_test(test_bound_to_recipient_rule_and_labels),
        cmocka_unit_test(test_content_must_be_what_labels_say),
        cmocka_unit_test(test_decode_refuses),
        cmocka_unit_test(test_opener_forgets_and_goes_on),
        cmocka_unit_test(test_seal_refuses),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
