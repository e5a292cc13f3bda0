#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

#include "certs/witnesses.h"
#include "tests/support/partnership.h"

static const char *const members[] = {"drugs.stoke", "police.staffordshire", "prison.dovegate"};

static void the_quorum_rule(void **state)
{
    (void)state;
    /* Whether k will do of n with f dishonest: any two quorums must share more than f. */
    for (uint32_t n = 1; n <= WITNESSES_MAX + 1; n++) {
        for (uint32_t f = 0; f <= n + 1; f++) {
            uint32_t least = witnesses_least_quorum(n, f);
            for (uint32_t k = 0; k <= n + 2; k++) {
                bool overlap = k <= n && 2 * (int64_t)k - n > (int64_t)f;
                assert_int_equal(witnesses_good_quorum(n, k, f), overlap && n <= WITNESSES_MAX);
                assert_true(!overlap || k >= least);
            }
        }
    }
    assert_int_equal(witnesses_least_quorum(5, 1), 4);
    assert_int_equal(witnesses_least_quorum(4, 1), 3);
    assert_int_equal(witnesses_least_quorum(0, 0), 0);
    assert_true(witnesses_good_quorum(0, 0, 0));
    assert_false(witnesses_good_quorum(0, 1, 0));
    assert_false(witnesses_good_quorum(0, 0, 1));
}

static void keys_that_a_member_can_be_named_with(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "police.staffordshire",
        "police.staffordshire+00000000+AAAA",
        /* a log's: of the type that signs */
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        /* good, of somebody else */
        "witness.example.org+b8a2cf20+BFLN3yikSfFkVAJtrnh/CiY3Zozkoy7clp+P7XB28qUN",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(witnesses_good_key("police.staffordshire", bad[i]));
    assert_false(witnesses_good_key("PeterNeumann", bad[3]));
    assert_true(witnesses_good_key("witness.example.org", bad[4]));
    /* key ids can be written in capitals, and are not */
    assert_false(witnesses_good_key(
        "witness.example.org", "witness.example.org+B8A2CF20+BFLN3yikSfFkVAJtrnh/CiY3Zozkoy7clp+P7XB28qUN"));
}

struct house {
    struct partnership *partnership;
    struct keystore *keys[3];
    struct keystore *broker;
    struct bundle *bundle;
    struct witnesses *witnesses;
};

static int set_up(void **state)
{
    struct house *house = calloc(1, sizeof *house);
    struct authority_bundle_options options = partnership_options();
    struct authority_bundle_setting settings[3];
    struct byte_buffer file = bytes_buffer(0);

    house->partnership = partnership_new();
    house->broker = partnership_member(house->partnership, PARTNERSHIP_BROKER, ROLE_BROKER);
    for (size_t i = 0; i < 3; i++) {
        house->keys[i] = partnership_member(house->partnership, members[i], ROLE_AGENT);
        settings[i] = (struct authority_bundle_setting){members[i], keystore_witness_vkey(house->keys[i])};
    }
    options.witnesses = settings;
    options.n_witnesses = 3;
    assert_int_equal(
        authority_bundle_make(house->partnership->authority, &options, house->partnership->now, &file, NULL),
        STATUS_OK);
    house->bundle = partnership_first(house->partnership, &file);
    bytes_buffer_free(&file);
    assert_int_equal(witnesses_new(house->bundle, &house->witnesses), STATUS_OK);
    *state = house;
    return 0;
}

static int tear_down(void **state)
{
    struct house *house = *state;

    witnesses_free(&house->witnesses);
    assert_null(house->witnesses);
    witnesses_free(&house->witnesses);
    bundle_free(&house->bundle);
    for (size_t i = 0; i < 3; i++)
        keystore_free(&house->keys[i]);
    keystore_free(&house->broker);
    partnership_free(&house->partnership);
    free(house);
    return 0;
}

static void they_are_those_of_the_bundle(void **state)
{
    const struct house *house = *state;
    const struct witnesses *witnesses = house->witnesses;

    assert_int_equal(witnesses_count(witnesses), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(witnesses_member(witnesses, i), members[i]);
        assert_int_equal(witnesses_find(witnesses, members[i]), i);
    }
    assert_int_equal(witnesses_find(witnesses, PARTNERSHIP_BROKER), 3);
    assert_int_equal(witnesses_quorum(witnesses), 2);
    assert_int_equal(witnesses_dishonest(witnesses), 0);
    assert_false(witnesses_final(witnesses, 1));
    assert_true(witnesses_final(witnesses, 2));
    /* more than n - k + f = 1 */
    assert_false(witnesses_heard(witnesses, 1));
    assert_true(witnesses_heard(witnesses, 2));
}

static void cosign(const struct keystore *keys, struct byte_view text, int64_t now, struct byte_buffer *note)
{
    struct note_key *key = NULL;

    assert_int_equal(note_key_new(bytes_of_string(keystore_member(keys)), NOTE_KEY_COSIGNATURE,
                                  keystore_witness(keys), &key),
                     STATUS_OK);
    assert_int_equal(checkpoint_cosign(text, key, now, note), STATUS_OK);
    note_key_free(&key);
}

static void a_bad_cosignature_takes_nothing_from_the_others(void **state)
{
    const struct house *house = *state;
    const struct byte_view text =
        bytes_of_string("log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
    struct byte_buffer bytes = bytes_buffer(NOTE_SIZE_MAX);
    struct note_signed by[3];
    struct note note;
    size_t count = 0;
    size_t bad = 9;

    assert_int_equal(note_start(text, &bytes), STATUS_OK);
    cosign(house->keys[0], text, 1000, &bytes);
    cosign(house->keys[1],
           bytes_of_string("log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nx\n"), 2000,
           &bytes);
    cosign(house->keys[2], text, 3000, &bytes);
    assert_int_equal(note_parse(bytes_buffer_view(&bytes), &note), STATUS_OK);
    assert_int_equal(witnesses_signed(house->witnesses, &note, by, &count, &bad), STATUS_OK);
    assert_int_equal(count, 2);
    assert_int_equal(bad, 1);
    assert_true(by[0].by && by[0].time == 1000);
    assert_true(!by[1].by);
    assert_true(by[2].by && by[2].time == 3000);
    bytes_buffer_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_quorum_rule),
        cmocka_unit_test(keys_that_a_member_can_be_named_with),
        cmocka_unit_test_setup_teardown(they_are_those_of_the_bundle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_cosignature_takes_nothing_from_the_others, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
