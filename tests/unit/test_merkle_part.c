#include "tests/support/support.h"

#include <string.h>

#include "proto/merkle_part.h"

static struct digest leaf_of(size_t i)
{
    uint8_t number = (uint8_t)i;

    return merkle_leaf(bytes_view(&number, 1));
}

/* Writes and reads back the part, and compares its paths with the whole tree's; gives the bytes it took. */
static size_t go_round(size_t size, const bool *part)
{
    struct digest leaves[MERKLE_BATCH_MAX];
    struct merkle_batch whole;
    struct digest nodes[2 * MERKLE_BATCH_MAX + 16];
    struct byte_buffer hashes = bytes_buffer((size_t)1 << 20);

    for (size_t i = 0; i < size; i++)
        leaves[i] = leaf_of(i);
    merkle_batch_build(&whole, leaves, size);
    merkle_part_write(whole.nodes, size, part, &hashes);
    assert_int_equal(hashes.status, STATUS_OK);
    memset(nodes, 0xee, sizeof nodes);
    for (size_t i = 0; i < size; i++) {
        if (part[i])
            nodes[i] = leaves[i];
    }
    struct byte_reader reader = bytes_reader(bytes_buffer_view(&hashes));
    assert_int_equal(merkle_part_read(&reader, size, part, nodes), STATUS_OK);
    assert_true(bytes_read_done(&reader));
    for (size_t i = 0; i < size; i++) {
        struct digest expected[MERKLE_PATH_MAX];
        struct digest path[MERKLE_PATH_MAX];
        size_t expected_length = 0;
        size_t length = 0;
        if (!part[i])
            continue;
        merkle_batch_path(&whole, i, expected, &expected_length);
        merkle_nodes_path(nodes, size, i, path, &length);
        assert_int_equal(length, expected_length);
        assert_memory_equal(path, expected, length * sizeof path[0]);
    }
    if (hashes.size > 0) {
        reader = bytes_reader(bytes_view(hashes.data, hashes.size - 1));
        assert_int_equal(merkle_part_read(&reader, size, part, nodes), STATUS_BAD_FORMAT);
    }
    size_t taken = hashes.size;
    bytes_buffer_free(&hashes);
    return taken;
}

static void every_part_of_small_trees(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 9; size++) {
        for (unsigned mask = 1; mask < 1u << size; mask++) {
            bool part[MERKLE_BATCH_MAX] = {false};
            for (size_t i = 0; i < size; i++)
                part[i] = (mask >> i & 1) != 0;
            (void)go_round(size, part);
        }
    }
}

static void parts_of_large_trees(void **state)
{
    (void)state;
    struct support_random random = support_seeded(11);
    static const size_t sizes[] = {64, 65, 127, 200, 255, 256};

    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        for (int round = 0; round < 20; round++) {
            bool part[MERKLE_BATCH_MAX] = {false};
            for (size_t i = 0; i < sizes[k]; i++)
                part[i] = support_next(&random) % 4 == 0;
            part[sizes[k] - 1] = true;
            (void)go_round(sizes[k], part);
        }
    }
}

static void no_hash_is_written_that_can_be_computed(void **state)
{
    (void)state;
    bool part[MERKLE_BATCH_MAX] = {false};

    for (size_t i = 0; i < 256; i++)
        part[i] = true;
    assert_int_equal(go_round(256, part), 0);
    memset(part, 0, sizeof part);
    for (size_t i = 64; i < 128; i++)
        part[i] = true;
    assert_int_equal(go_round(256, part), 2 * DIGEST_SIZE); /* the left quarter and the right half */
    memset(part, 0, sizeof part);
    part[77] = true;
    assert_int_equal(go_round(256, part), 8 * DIGEST_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_of_small_trees),
        cmocka_unit_test(parts_of_large_trees),
        cmocka_unit_test(no_hash_is_written_that_can_be_computed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
