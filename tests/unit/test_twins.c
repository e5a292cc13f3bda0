#include "tests/support/support.h"

#include "broker/twins.h"

/* Records of one person count once, however the merges hang together. */

struct counted {
    size_t count;
    int32_t reviews[8]; /* in the order of the calls */
};

static void count(void *context, const struct register_entry *entry)
{
    struct counted *counted = context;

    counted->reviews[counted->count++] = entry->review_due;
}

static void add(struct twins *twins, int32_t review, const uint64_t *batches, size_t n)
{
    struct store_place places[8];
    struct register_entry entry = {.listed = true, .review_due = review};

    for (size_t i = 0; i < n; i++)
        places[i] = (struct store_place){batches[i], 3};
    assert_int_equal(twins_add(twins, places, n, &entry), STATUS_OK);
}

#define ADD(twins, review, ...)                                                                              \
    add(twins, review, (const uint64_t[]){__VA_ARGS__},                                                      \
        sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static void test_two_records(void **state)
{
    struct twins *twins = NULL;
    struct counted counted = {0};

    (void)state;
    assert_int_equal(twins_new(&twins), STATUS_OK);
    ADD(twins, 5, 1, 2, 7);
    ADD(twins, 9, 1, 2, 7);
    ADD(twins, 4, 8, 9);
    twins_each(twins, count, &counted);
    assert_int_equal(counted.count, 2);
    assert_int_equal(counted.reviews[0], 9); /* as it was reviewed last */
    assert_int_equal(counted.reviews[1], 4);
    twins_free(&twins);
}

/* a with b, c with d, then b with c: a and d have nothing in common but through the others. */
static void test_a_chain(void **state)
{
    struct twins *twins = NULL;
    struct counted counted = {0};

    (void)state;
    assert_int_equal(twins_new(&twins), STATUS_OK);
    ADD(twins, 1, 10, 11);
    ADD(twins, 1, 20, 21);
    ADD(twins, 1, 10, 11, 20, 21, 30);
    ADD(twins, 1, 10, 11, 20, 21, 30);
    twins_each(twins, count, &counted);
    assert_int_equal(counted.count, 1);
    twins_free(&twins);
}

static void test_places_within_a_batch(void **state)
{
    struct twins *twins = NULL;
    struct counted counted = {0};
    const struct register_entry entry = {.listed = true};

    (void)state;
    assert_int_equal(twins_new(&twins), STATUS_OK);
    for (uint32_t i = 0; i < 200; i++)
        assert_int_equal(twins_add(twins, &(struct store_place){4, i / 50}, 1, &entry), STATUS_OK);
    twins_each(twins, count, &counted);
    assert_int_equal(counted.count, 4);
    twins_free(&twins);
    assert_int_equal(twins_new(&twins), STATUS_OK);
    twins_each(twins, count, &counted);
    assert_int_equal(counted.count, 4);
    twins_free(&twins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_records),
        cmocka_unit_test(test_a_chain),
        cmocka_unit_test(test_places_within_a_batch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
