#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

#include "broker/batches.h"
#include "broker/store/store_memory.h"
#include "proto/header.h"

#define HEADER_SIZE 200
#define EVENTS      5
#define BATCHES     40

static struct store *store;

static int open_store(void **state)
{
    (void)state;
    assert_int_equal(store_memory_new(&store), STATUS_OK);
    return 0;
}

static int close_store(void **state)
{
    (void)state;
    store_close(&store);
    return 0;
}

static struct byte_view header_of(uint64_t id, uint32_t index, uint8_t out[static HEADER_SIZE])
{
    memset(out, (int)(id * 7 + index), HEADER_SIZE);
    bytes_put_u32(out + 10, (uint32_t)id);
    bytes_put_u32(out + 14, index);
    return bytes_view(out, HEADER_SIZE);
}

/* Event 3 of each batch has no outcome: only its leaf is stored. */
static void make_batch(uint64_t id, struct byte_buffer *headers, struct merkle_batch *tree)
{
    struct digest leaves[EVENTS];
    uint8_t header[HEADER_SIZE];

    for (uint32_t i = 0; i < EVENTS; i++) {
        struct byte_view view = header_of(id, i, header);
        header_leaf(view, leaves[i].bytes);
        if (i == 3)
            batches_put_leaf(headers, leaves[i].bytes);
        else
            batches_put_header(headers, view);
    }
    merkle_batch_build(tree, leaves, EVENTS);
}

static struct store_batch append(uint64_t id, struct byte_buffer *headers, struct merkle_batch *tree)
{
    static const uint8_t certificate[DIGEST_SIZE] = {1};
    static const uint8_t signature[64] = {2};

    make_batch(id, headers, tree);
    struct store_batch batch = {.id = id,
                                .sender = 4,
                                .count = EVENTS,
                                .committed = 99,
                                .certificate = bytes_view(certificate, sizeof certificate),
                                .signature = bytes_view(signature, sizeof signature),
                                .headers = bytes_buffer_view(headers)};
    assert_int_equal(store_append_batch(store, &batch), STATUS_OK);
    return batch;
}

static void assert_is_batch(const struct batch_held *held, uint64_t id)
{
    struct byte_buffer headers = bytes_buffer(1 << 20);
    struct merkle_batch tree;
    uint8_t header[HEADER_SIZE];
    uint8_t digest[DIGEST_SIZE];

    make_batch(id, &headers, &tree);
    assert_int_equal(held->id, id);
    assert_int_equal(held->count, EVENTS);
    for (uint32_t i = 0; i < EVENTS; i++) {
        struct digest want[MERKLE_PATH_MAX];
        struct digest got[MERKLE_PATH_MAX];
        size_t want_length = 0;
        size_t got_length = 0;
        merkle_batch_path(&tree, i, want, &want_length);
        merkle_nodes_path(held->nodes, held->count, i, got, &got_length);
        assert_int_equal(got_length, want_length);
        assert_memory_equal(got, want, want_length * sizeof want[0]);
        if (i == 3) {
            assert_int_equal(held->headers[i].size, 0);
            continue;
        }
        assert_true(bytes_equal(held->headers[i], header_of(id, i, header)));
        header_digest(held->headers[i], digest);
        assert_memory_equal(held->digests[i], digest, DIGEST_SIZE);
    }
    bytes_buffer_free(&headers);
}

static void fill(struct batches *batches)
{
    for (uint64_t id = 1; id <= BATCHES; id++) {
        struct byte_buffer headers = bytes_buffer(1 << 20);
        struct merkle_batch tree;
        uint8_t header[HEADER_SIZE];
        struct digest digests[EVENTS];
        for (uint32_t i = 0; i < EVENTS; i++)
            header_digest(header_of(id, i, header), digests[i].bytes);
        assert_int_equal(store_begin(store), STATUS_OK);
        struct store_batch batch = append(id, &headers, &tree);
        assert_int_equal(store_commit(store), STATUS_OK);
        batches_keep(batches, &batch, &tree, digests);
        bytes_buffer_free(&headers);
    }
}

static void test_all_are_found_again(void **state)
{
    struct batches *batches = NULL;
    const struct batch_held *held = NULL;

    (void)state;
    assert_int_equal(batches_new(store, 5000, &batches), STATUS_OK);
    fill(batches);
    for (uint64_t id = 1; id <= BATCHES; id++) {
        assert_int_equal(batches_get(batches, id, &held), STATUS_OK);
        assert_is_batch(held, id);
        assert_true(batches_has(batches, id));
    }
    assert_int_equal(batches_get(batches, BATCHES + 1, &held), STATUS_NOT_FOUND);
    batches_forget(batches);
    assert_false(batches_has(batches, BATCHES));
    batches_free(&batches);
}

static void test_memory_is_bounded_and_the_last_used_stay(void **state)
{
    struct batches *batches = NULL;
    const struct batch_held *held = NULL;
    size_t count = 0;

    (void)state;
    assert_int_equal(batches_new(store, 10000, &batches), STATUS_OK);
    fill(batches);
    for (uint64_t id = 1; id <= BATCHES; id++)
        count += batches_has(batches, id);
    assert_in_range(count, 3, 10000 / (EVENTS * HEADER_SIZE));
    assert_true(batches_has(batches, BATCHES - 1));
    uint64_t oldest = BATCHES - count + 1;
    assert_true(batches_has(batches, oldest));
    assert_int_equal(batches_get(batches, oldest, &held), STATUS_OK); /* used now: others go first */
    assert_int_equal(batches_get(batches, 1, &held), STATUS_OK);
    assert_true(batches_has(batches, oldest));
    assert_false(batches_has(batches, oldest + 1));
    batches_free(&batches);
}

static void test_one_larger_than_the_limit_is_kept_alone(void **state)
{
    struct batches *batches = NULL;
    const struct batch_held *held = NULL;

    (void)state;
    assert_int_equal(batches_new(store, 1, &batches), STATUS_OK);
    fill(batches);
    assert_true(batches_has(batches, BATCHES));
    assert_false(batches_has(batches, BATCHES - 1));
    assert_int_equal(batches_get(batches, 2, &held), STATUS_OK);
    assert_is_batch(held, 2);
    assert_false(batches_has(batches, BATCHES));
    batches_free(&batches);
}

static void test_a_damaged_batch_is_corrupt(void **state)
{
    static const char *const damages[] = {"", "\xff\xff\xff\xff", "\0\0\0\3abc"};
    struct batches *batches = NULL;
    const struct batch_held *held = NULL;

    (void)state;
    assert_int_equal(batches_new(store, 10000, &batches), STATUS_OK);
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        struct byte_buffer headers = bytes_buffer(1 << 20);
        struct merkle_batch tree;
        assert_int_equal(store_begin(store), STATUS_OK);
        make_batch(i + 1, &headers, &tree);
        headers.size = i == 0 ? headers.size - 1 : headers.size;
        if (i > 0)
            memcpy(headers.data, damages[i], i == 1 ? 4 : 7);
        struct store_batch batch = {.id = i + 1,
                                    .count = EVENTS,
                                    .certificate = bytes_view(tree.nodes[0].bytes, DIGEST_SIZE),
                                    .signature = bytes_view(tree.nodes[0].bytes, 64),
                                    .headers = bytes_buffer_view(&headers)};
        assert_int_equal(store_append_batch(store, &batch), STATUS_OK);
        assert_int_equal(store_commit(store), STATUS_OK);
        assert_int_equal(batches_get(batches, i + 1, &held), STATUS_CORRUPT);
        assert_false(batches_has(batches, i + 1));
        bytes_buffer_free(&headers);
    }
    batches_free(&batches);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_are_found_again),
        TEST(test_memory_is_bounded_and_the_last_used_stay),
        TEST(test_one_larger_than_the_limit_is_kept_alone),
        TEST(test_a_damaged_batch_is_corrupt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
