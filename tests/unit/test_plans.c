#include "tests/support/support.h"

#include <string.h>

#include "broker/plans.h"
#include "proto/keyed_hash.h"

static struct plan_entry entry_of(uint32_t number, const char *from, int64_t due)
{
    struct plan_entry entry = {.due = due};

    memset(entry.event, 0x77, sizeof entry.event); /* the last bytes, which are random as a rule, all alike */
    bytes_put_u32(entry.event + 2, number);
    strcpy(entry.from, from);
    return entry;
}

/* The event that this plan was for. */
static struct core core_of(const struct plan_entry *entry)
{
    struct core core = {.type = bytes_of_string(entry->type),
                        .protocol = bytes_of_string(entry->protocol_id),
                        .from = bytes_of_string(entry->from),
                        .officer = bytes_of_string(entry->officer)};

    memcpy(core.event, entry->event, sizeof core.event);
    memcpy(core.subject, entry->subject, sizeof core.subject);
    return core;
}

/* SipHash-2-4 of 0, 1 … 14 under the key 0, 1 … 15, as its authors print it. */
static void test_the_hash_is_siphash(void **state)
{
    struct keyed_hash hash;
    uint8_t message[15];

    (void)state;
    for (uint8_t i = 0; i < 16; i++)
        hash.key[i] = i;
    for (uint8_t i = 0; i < 15; i++)
        message[i] = i;
    /* Printed as a number, least significant byte first in the output: a129ca6149be45e5. */
    assert_true(keyed_hash_of(&hash, bytes_view(message, 15)) == UINT64_C(0xe545be4961ca29a1));
    assert_true(keyed_hash_of(&hash, bytes_view(NULL, 0)) == UINT64_C(0x310e0edd47db6f72));
}

static void test_nobody_can_choose_a_bucket(void **state)
{
    enum { BUCKETS = 64, IDS = 6400 };
    struct keyed_hash first;
    struct keyed_hash second;
    size_t counts[BUCKETS] = {0};
    size_t alike = 0;

    (void)state;
    assert_int_equal(keyed_hash_new(&first), STATUS_OK);
    assert_int_equal(keyed_hash_new(&second), STATUS_OK);
    for (uint32_t i = 0; i < IDS; i++) {
        struct plan_entry entry = entry_of(i, "prison.dovegate", 0);
        struct byte_view id = bytes_view(entry.event, sizeof entry.event);
        counts[keyed_hash_of(&first, id) % BUCKETS]++;
        alike += keyed_hash_of(&first, id) % BUCKETS == keyed_hash_of(&second, id) % BUCKETS;
    }
    for (size_t i = 0; i < BUCKETS; i++)
        assert_in_range(counts[i], 40,
                        200);            /* 100 on average, 10 standard deviations to either side and more */
    assert_in_range(alike, 0, IDS / 10); /* another process has other buckets */
}

static void test_plans_are_found_followed_and_due(void **state)
{
    struct plans *plans = NULL;

    (void)state;
    assert_int_equal(plans_new(&plans), STATUS_OK);
    for (uint32_t i = 0; i < 2000; i++) {
        struct plan_entry entry =
            entry_of(i, i % 2 == 0 ? "prison.dovegate" : "police.staffordshire", 1000 + i);
        assert_int_equal(plans_put(plans, &entry), STATUS_OK);
    }
    struct plan_entry third = entry_of(3, "police.staffordshire", 0);
    struct plan_entry others = entry_of(3, "prison.dovegate", 0);
    struct core core = core_of(&third);
    struct core another = core_of(&others);
    assert_non_null(plans_find(plans, &core));
    assert_int_equal(plans_find(plans, &core)->due, 1003);
    assert_null(plans_find(plans, &another));
    plans_follow(plans, &core);
    assert_null(plans_find(plans, &core));

    assert_null(plans_due(plans, 999));
    for (uint32_t i = 0; i < 5; i++) {
        const struct plan_entry *due = plans_due(plans, 1005);
        struct plan_entry want = entry_of(i < 3 ? i : i + 1, "", 0);
        assert_non_null(due);
        assert_memory_equal(due->event, want.event, sizeof want.event);
        plans_drop(plans);
    }
    assert_null(plans_due(plans, 1005));
    plans_free(&plans);
    assert_null(plans);
}

/* Somebody else looked up under the same id is another look, which the publish about the first does not hide;
 * and asking again does not put off when it is told. */
static void test_one_id_hides_no_other_look(void **state)
{
    struct plans *plans = NULL;
    struct plan_entry looks[5];

    (void)state;
    assert_int_equal(plans_new(&plans), STATUS_OK);
    for (size_t i = 0; i < 5; i++) {
        looks[i] = entry_of(1, "prison.dovegate", 1000);
        strcpy(looks[i].type, "release.planned");
        strcpy(looks[i].protocol_id, "ppo");
        strcpy(looks[i].officer, "unix:7");
    }
    looks[1].subject[35] = 1;
    strcpy(looks[2].type, "release.confirmed");
    strcpy(looks[3].protocol_id, "other");
    strcpy(looks[4].officer, "unix:8");
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(plans_put(plans, &looks[i]), STATUS_OK);
    looks[1].due = 2000;
    looks[1].version = 9;
    assert_int_equal(plans_put(plans, &looks[1]), STATUS_OK);
    struct core core = core_of(&looks[1]);
    assert_int_equal(plans_find(plans, &core)->version, 9);
    core = core_of(&looks[0]);
    plans_follow(plans, &core);
    assert_null(plans_find(plans, &core));
    assert_null(plans_due(plans, 999));
    for (size_t i = 1; i < 5; i++) {
        const struct plan_entry *due = plans_due(plans, 1000);
        assert_non_null(due);
        assert_int_equal(due->subject[35], looks[i].subject[35]);
        assert_string_equal(due->type, looks[i].type);
        assert_string_equal(due->protocol_id, looks[i].protocol_id);
        assert_string_equal(due->officer, looks[i].officer);
        plans_drop(plans);
    }
    assert_null(plans_due(plans, INT64_MAX));
    plans_free(&plans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_hash_is_siphash),
        cmocka_unit_test(test_nobody_can_choose_a_bucket),
        cmocka_unit_test(test_plans_are_found_followed_and_due),
        cmocka_unit_test(test_one_id_hides_no_other_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
