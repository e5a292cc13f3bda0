#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "proto/core.h"
#include "proto/digest.h"
#include "proto/record.h"

static struct byte_buffer account_bytes;
static struct byte_buffer personal_bytes;
static struct record_storage storage;

static const uint8_t filler[64] = {1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t subject[36] = {0, 0, 0, 1, 9, 9, 9};
static const uint64_t grounds[] = {3, 400, UINT64_MAX};

static int start(void **state)
{
    (void)state;
    account_bytes = bytes_buffer(RECORD_PART_MAX + 1024);
    personal_bytes = bytes_buffer(RECORD_PART_MAX + 1024);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    bytes_buffer_free(&account_bytes);
    bytes_buffer_free(&personal_bytes);
    return 0;
}

static struct byte_view labels[2];
static struct byte_view details[2];

static struct record_account full_account(void)
{
    labels[0] = bytes_of_string("name");
    labels[1] = bytes_of_string("dob");
    details[0] = bytes_view(filler, 32);
    details[1] = bytes_view(filler, 8);
    return (struct record_account){
        .time = 1796115286218,
        .from = bytes_of_string("prison.dovegate"),
        .to = bytes_of_string("police.staffordshire"),
        .type = bytes_of_string("release.planned"),
        .purpose = bytes_of_string("release-planning"),
        .gateway = bytes_of_string("cda1998-s115"),
        .rule = bytes_of_string("release-notice"),
        .labels = labels,
        .label_count = 2,
        .outcome = bytes_of_string("disclosed"),
        .reason = bytes_of_string("granted by release-notice"),
        .deadline = 1796201686218,
        .flags = RECORD_LATE | RECORD_BREAK_GLASS,
        .key = bytes_view(filler, 16),
        .protocol = bytes_view(filler, 32),
        .from_counter = 17,
        .to_counter = 4,
        .details = details,
        .detail_count = 2,
    };
}

static struct record_personal full_personal(void)
{
    return (struct record_personal){
        .subject = bytes_view(subject, sizeof subject),
        .officer = bytes_of_string("automatic:release-extract"),
        .event = bytes_view(filler, 16),
        .header = bytes_view(filler, 32),
        .grounds = grounds,
        .ground_count = 3,
    };
}

static void encode_both(void)
{
    struct record_account account = full_account();
    struct record_personal personal = full_personal();

    bytes_buffer_clear(&account_bytes);
    bytes_buffer_clear(&personal_bytes);
    assert_int_equal(record_encode_account(&account, &account_bytes), STATUS_OK);
    assert_int_equal(record_encode_personal(&personal, &personal_bytes), STATUS_OK);
}

static void test_account_round_trip(void **state)
{
    (void)state;
    struct record_account account = full_account();
    struct record_account decoded;
    struct byte_buffer again = bytes_buffer(RECORD_PART_MAX);

    encode_both();
    assert_int_equal(record_decode_account(bytes_buffer_view(&account_bytes), &storage, &decoded), STATUS_OK);
    assert_true(decoded.time == account.time && decoded.deadline == account.deadline);
    assert_true(bytes_equal(decoded.gateway, account.gateway) && bytes_equal(decoded.reason, account.reason));
    assert_int_equal(decoded.flags, account.flags);
    assert_true(decoded.from_counter == 17 && decoded.to_counter == 4);
    assert_int_equal(decoded.label_count, 2);
    assert_true(bytes_equal(decoded.labels[1], labels[1]));
    assert_int_equal(decoded.detail_count, 2);
    assert_int_equal(decoded.details[0].size, 32);
    assert_int_equal(record_encode_account(&decoded, &again), STATUS_OK);
    assert_true(bytes_equal(bytes_buffer_view(&again), bytes_buffer_view(&account_bytes)));
    bytes_buffer_free(&again);
}

static void test_personal_round_trip(void **state)
{
    (void)state;
    struct record_personal decoded;

    encode_both();
    assert_int_equal(record_decode_personal(bytes_buffer_view(&personal_bytes), &storage, &decoded),
                     STATUS_OK);
    assert_true(bytes_equal(decoded.subject, bytes_view(subject, sizeof subject)));
    assert_true(bytes_equal(decoded.officer, bytes_of_string("automatic:release-extract")));
    assert_int_equal(decoded.ground_count, 3);
    assert_true(decoded.grounds[1] == 400 && decoded.grounds[2] == UINT64_MAX);
}

static void test_exact_bytes(void **state)
{
    (void)state;
    const struct record_personal personal = {
        .officer = bytes_of_string("ab"), .grounds = grounds, .ground_count = 1};
    static const uint8_t expected[] = "\0\0\0\0"
                                      "\0\0\0\2ab"
                                      "\0\0\0\0"
                                      "\0\0\0\0"
                                      "\0\0\0\1\0\0\0\10\0\0\0\0\0\0\0\3";
    const struct record_account account = {.time = 1, .flags = RECORD_JUVENILE};
    static const uint8_t account_expected[] = "\0\0\0\10\0\0\0\0\0\0\0\1" /* time */
                                              "\0\0\0\0\0\0\0\0\0\0\0\0"  /* from, to, type */
                                              "\0\0\0\0\0\0\0\0\0\0\0\0"  /* purpose, gateway, rule */
                                              "\0\0\0\0"                  /* no labels */
                                              "\0\0\0\0\0\0\0\0"          /* outcome, reason */
                                              "\0\0\0\10\0\0\0\0\0\0\0\0" /* deadline */
                                              "\0\0\0\1\2"                /* flags */
                                              "\0\0\0\0\0\0\0\0"          /* key, protocol */
                                              "\0\0\0\10\0\0\0\0\0\0\0\0" /* from counter */
                                              "\0\0\0\10\0\0\0\0\0\0\0\0" /* to counter */
                                              "\0\0\0\0";                 /* no details */

    bytes_buffer_clear(&personal_bytes);
    assert_int_equal(record_encode_personal(&personal, &personal_bytes), STATUS_OK);
    assert_true(bytes_equal(bytes_buffer_view(&personal_bytes), bytes_view(expected, sizeof expected - 1)));
    bytes_buffer_clear(&account_bytes);
    assert_int_equal(record_encode_account(&account, &account_bytes), STATUS_OK);
    assert_true(bytes_equal(bytes_buffer_view(&account_bytes),
                            bytes_view(account_expected, sizeof account_expected - 1)));
}

static void test_decode_accepts_only_what_it_writes(void **state)
{
    (void)state;
    struct support_random random = support_seeded(6);
    struct byte_buffer work = bytes_buffer(RECORD_PART_MAX);
    struct byte_buffer again = bytes_buffer(RECORD_PART_MAX);
    struct record_account account;

    encode_both();
    for (size_t i = 0; i < support_count(10000); i++) {
        bytes_buffer_clear(&work);
        bytes_append_view(&work, bytes_buffer_view(&account_bytes));
        work.data[support_below(&random, work.size)] = (uint8_t)support_next(&random);
        if (record_decode_account(bytes_buffer_view(&work), &storage, &account) != STATUS_OK)
            continue;
        bytes_buffer_clear(&again);
        assert_int_equal(record_encode_account(&account, &again), STATUS_OK);
        assert_true(bytes_equal(bytes_buffer_view(&again), bytes_buffer_view(&work)));
    }
    for (size_t cut = 0; cut < account_bytes.size; cut++)
        assert_int_not_equal(record_decode_account(bytes_view(account_bytes.data, cut), &storage, &account),
                             STATUS_OK);
    bytes_append_zeros(&account_bytes, 1);
    assert_int_equal(record_decode_account(bytes_buffer_view(&account_bytes), &storage, &account),
                     STATUS_BAD_FORMAT);
    bytes_buffer_free(&work);
    bytes_buffer_free(&again);
}

static enum status encode_account(const struct record_account *account)
{
    bytes_buffer_clear(&account_bytes);
    return record_encode_account(account, &account_bytes);
}

static enum status encode_personal(const struct record_personal *personal)
{
    bytes_buffer_clear(&personal_bytes);
    return record_encode_personal(personal, &personal_bytes);
}

static void test_encode_refuses(void **state)
{
    (void)state;
    static char long_text[600];
    memset(long_text, 'x', sizeof long_text - 1);
    const uint64_t descending[] = {4, 4};

    struct record_account account = full_account();
    account.flags = 8;
    assert_int_equal(encode_account(&account), STATUS_BAD_ARGUMENT);
    account = full_account();
    account.reason = bytes_of_string(long_text);
    assert_int_equal(encode_account(&account), STATUS_BAD_ARGUMENT);
    account = full_account();
    account.reason = bytes_of_string("a\nb");
    assert_int_equal(encode_account(&account), STATUS_BAD_ARGUMENT);
    account = full_account();
    account.key = bytes_view(filler, 15);
    assert_int_equal(encode_account(&account), STATUS_BAD_ARGUMENT);
    account = full_account();
    account.time = -1;
    assert_int_equal(encode_account(&account), STATUS_BAD_ARGUMENT);
    account = full_account();
    account.label_count = RECORD_LABELS_MAX + 1;
    assert_int_equal(encode_account(&account), STATUS_BAD_ARGUMENT);
    struct record_personal personal = full_personal();
    personal.grounds = descending;
    personal.ground_count = 2;
    assert_int_equal(encode_personal(&personal), STATUS_BAD_ARGUMENT);
    personal = full_personal();
    personal.subject = bytes_view(filler, 32);
    assert_int_equal(encode_personal(&personal), STATUS_BAD_ARGUMENT);
    assert_int_equal(personal_bytes.size, 0);
}

static void test_delivered_holds_a_whole_batch(void **state)
{
    (void)state;
    static uint8_t indexes[256][8];
    struct byte_view many[257];
    struct record_account account = {.time = 1, .details = many, .detail_count = 257};

    many[0] = bytes_view(filler, 32);
    for (size_t i = 0; i < 256; i++)
        many[i + 1] = bytes_view(indexes[i], 8);
    assert_int_equal(encode_account(&account), STATUS_OK);
    assert_int_equal(record_decode_account(bytes_buffer_view(&account_bytes), &storage, &account), STATUS_OK);
    assert_int_equal(account.detail_count, 257);
}

static void test_entry_commits(void **state)
{
    (void)state;
    uint8_t entry[RECORD_ENTRY_SIZE];
    uint8_t expected[32];
    uint8_t salt[2][RECORD_SALT_SIZE];
    struct byte_view empty = {NULL, 0};

    memset(salt[0], 0x11, RECORD_SALT_SIZE);
    memset(salt[1], 0x22, RECORD_SALT_SIZE);
    encode_both();
    struct byte_view account = bytes_buffer_view(&account_bytes);
    struct byte_view personal = bytes_buffer_view(&personal_bytes);
    record_entry(RECORD_DISCLOSED, salt[0], account, salt[1], personal, entry);
    assert_int_equal(entry[0], 1);
    assert_int_equal(entry[1], 2);
    digest_hmac(bytes_view(salt[1], RECORD_SALT_SIZE), &personal, 1, expected);
    assert_memory_equal(entry + 34, expected, 32);
    assert_int_equal(record_verify(entry, salt[0], account, salt[1], personal), STATUS_OK);
    assert_int_equal(record_verify(entry, salt[0], account, NULL, empty), STATUS_OK);
    assert_int_equal(record_verify(entry, NULL, empty, salt[1], personal), STATUS_OK);
    assert_int_equal(record_verify(entry, salt[0], account, salt[1], empty), STATUS_BAD_COMMITMENT);
    assert_int_equal(record_verify(entry, salt[1], account, salt[1], personal), STATUS_BAD_COMMITMENT);
    for (size_t bit = 16; bit < sizeof entry * 8; bit++) {
        entry[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(record_verify(entry, salt[0], account, salt[1], personal), STATUS_BAD_COMMITMENT);
        entry[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    entry[0] = 2;
    assert_int_equal(record_verify(entry, salt[0], account, salt[1], personal), STATUS_BAD_FORMAT);
    entry[0] = 1;
    entry[1] = 25;
    assert_int_equal(record_verify(entry, salt[0], account, salt[1], personal), STATUS_BAD_FORMAT);
}

static void test_kinds_keep_their_numbers(void **state)
{
    (void)state;
    static const char *const words[] = {
        "accepted",     "disclosed",      "refused",       "delivered", "recalled", "retracted",
        "opened",       "expired",        "withdrawn",     "corrected", "erased",   "override",
        "member-added", "member-revoked", "bundle-loaded", "consent",   "register", "audit-query",
        "consulted",    "quarantined",    "merged",        "escalated", "count",    "incident",
    };
    enum record_kind kind;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_string_equal(record_kind_text((uint8_t)(i + 1)), words[i]);
        assert_int_equal(record_kind_parse(bytes_of_string(words[i]), &kind), STATUS_OK);
        assert_int_equal(kind, i + 1);
    }
    assert_null(record_kind_text(0));
    assert_null(record_kind_text(25));
    assert_int_equal(record_kind_parse(bytes_of_string("Accepted"), &kind), STATUS_NOT_FOUND);
}

static void test_outline_says_what_the_part_says(void **state)
{
    (void)state;
    const struct record_account account = full_account();
    const struct record_personal personal = {.subject = bytes_view(subject, sizeof subject),
                                             .officer = bytes_of_string("officer")};
    struct record_outline outline = {.time = -1};
    struct byte_view found = {NULL, 0};

    bytes_buffer_clear(&account_bytes);
    bytes_buffer_clear(&personal_bytes);
    assert_int_equal(record_encode_account(&account, &account_bytes), STATUS_OK);
    assert_int_equal(record_encode_personal(&personal, &personal_bytes), STATUS_OK);
    assert_int_equal(record_outline(bytes_buffer_view(&account_bytes), &outline), STATUS_OK);
    assert_true(outline.time == account.time);
    assert_true(bytes_equal(outline.from, account.from));
    assert_true(bytes_equal(outline.to, account.to));
    assert_true(bytes_equal(outline.type, account.type));
    assert_true(bytes_equal(outline.outcome, account.outcome));
    assert_int_equal(record_subject(bytes_buffer_view(&personal_bytes), &found), STATUS_OK);
    assert_true(bytes_equal(found, personal.subject));

    size_t end = (size_t)(outline.outcome.data + outline.outcome.size - account_bytes.data);
    for (size_t size = 0; size < end; size++)
        assert_int_equal(record_outline(bytes_view(account_bytes.data, size), &outline), STATUS_BAD_FORMAT);
    for (size_t size = 0; size < 4 + sizeof subject; size++)
        assert_int_equal(record_subject(bytes_view(personal_bytes.data, size), &found), STATUS_BAD_FORMAT);
    account_bytes.data[3] = 7; /* a time of seven bytes */
    assert_int_equal(record_outline(bytes_buffer_view(&account_bytes), &outline), STATUS_BAD_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_account_round_trip),
        cmocka_unit_test(test_personal_round_trip),
        cmocka_unit_test(test_exact_bytes),
        cmocka_unit_test(test_decode_accepts_only_what_it_writes),
        cmocka_unit_test(test_encode_refuses),
        cmocka_unit_test(test_delivered_holds_a_whole_batch),
        cmocka_unit_test(test_outline_says_what_the_part_says),
        cmocka_unit_test(test_entry_commits),
        cmocka_unit_test(test_kinds_keep_their_numbers),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
