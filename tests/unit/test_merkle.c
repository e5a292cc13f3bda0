#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

#include "proto/merkle.h"

#define COLUMNS     7
#define MOST_LEAVES 300

static struct digest leaves[MOST_LEAVES];

static int make_leaves(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < MOST_LEAVES; i++) {
        uint8_t entry[4];
        bytes_put_u32(entry, i);
        leaves[i] = merkle_leaf(bytes_view(entry, sizeof entry));
    }
    return 0;
}

static void assert_same(const struct digest *a, const struct digest *b)
{
    assert_memory_equal(a->bytes, b->bytes, DIGEST_SIZE);
}

/* MTH as RFC 6962 §2.1 words it. */
static struct digest definition(const struct digest *from, size_t n)
{
    size_t k = 1;

    if (n == 0)
        return merkle_empty_root();
    if (n == 1)
        return from[0];
    while (2 * k < n)
        k *= 2;
    struct digest left = definition(from, k);
    struct digest right = definition(from + k, n - k);
    return merkle_node(&left, &right);
}

/* Whether text is the hexadecimal form of a 32-byte hash. */
static bool parse_hash(const char *text, struct digest *ret_hash)
{
    return bytes_from_hex(text, ret_hash->bytes, DIGEST_SIZE) == STATUS_OK;
}

/* Whether text is a list of 32-byte hashes. */
static bool parse_proof(char *text, struct digest *ret_proof, size_t *ret_length)
{
    char *save = NULL;

    *ret_length = 0;
    if (strcmp(text, "-") == 0)
        return true;
    for (const char *hash = strtok_r(text, ",", &save); hash != NULL; hash = strtok_r(NULL, ",", &save)) {
        assert_true(*ret_length < MERKLE_PATH_MAX);
        if (!parse_hash(hash, &ret_proof[(*ret_length)++]))
            return false;
    }
    return true;
}

/* Hashes of another size are refused by whatever parses them; they never reach the functions under test. */
static bool verifies(char **column, bool inclusion)
{
    struct digest first;
    struct digest root;
    struct digest proof[MERKLE_PATH_MAX];
    size_t length = 0;
    uint64_t a = strtoull(column[1], NULL, 10);
    uint64_t b = strtoull(column[2], NULL, 10);

    if (!parse_hash(column[3], &first) || !parse_hash(column[4], &root) ||
        !parse_proof(column[5], proof, &length))
        return false;
    enum status status = inclusion ? merkle_verify_path(&first, a, b, proof, length, &root)
                                   : merkle_verify_consistency(a, b, proof, length, &first, &root);
    if (status != STATUS_OK)
        assert_int_equal(status, STATUS_BAD_PROOF);
    return status == STATUS_OK;
}

/* Runs a file of cases and returns their number. */
static size_t run_cases(const char *path, bool inclusion)
{
    struct byte_buffer file = support_read_file(path);
    char *save_line = NULL;
    size_t run = 0;

    bytes_append_u8(&file, 0);
    for (char *line = strtok_r((char *)file.data, "\n", &save_line); line != NULL;
         line = strtok_r(NULL, "\n", &save_line)) {
        char *column[COLUMNS];
        char *save = NULL;
        if (line[0] == '#')
            continue;
        for (size_t i = 0; i < COLUMNS; i++) {
            column[i] = strtok_r(i == 0 ? line : NULL, "\t", &save);
            assert_non_null(column[i]);
        }
        if (verifies(column, inclusion) != (strcmp(column[6], "valid") == 0))
            fail_msg("%s is not %s", column[0], column[6]);
        run++;
    }
    bytes_buffer_free(&file);
    return run;
}

static void known_proofs(void **state)
{
    (void)state;
    size_t run = run_cases(TEST_VECTORS "/merkle/inclusion.tsv", true);

    assert_int_equal(run, 98);
    run += run_cases(TEST_VECTORS "/merkle/consistency.tsv", false);
    assert_int_equal(run, 195);
}

static void roots_follow_the_definition(void **state)
{
    (void)state;
    struct merkle_frontier frontier = {0};
    struct digest root;

    for (size_t n = 0; n <= MOST_LEAVES; n++) {
        struct digest expected = definition(leaves, n);
        root = merkle_root(leaves, n);
        assert_same(&root, &expected);
        root = merkle_frontier_root(&frontier);
        assert_same(&root, &expected);
        assert_int_equal(frontier.size, n);
        if (n < MOST_LEAVES)
            merkle_frontier_append(&frontier, &leaves[n]);
    }
}

static void every_path_of_small_trees_verifies(void **state)
{
    (void)state;
    static struct merkle_batch batch;
    struct digest path[MERKLE_PATH_MAX];
    struct digest batch_path[MERKLE_PATH_MAX];
    size_t length = 0;
    size_t batch_length = 0;

    for (size_t n = 1; n <= 70; n++) {
        struct digest root = definition(leaves, n);
        merkle_batch_build(&batch, leaves, n);
        struct digest batch_root = merkle_batch_root(&batch);
        assert_same(&batch_root, &root);
        for (size_t i = 0; i < n; i++) {
            merkle_path(leaves, n, i, path, &length);
            assert_int_equal(length, merkle_path_length(i, n));
            assert_int_equal(merkle_verify_path(&leaves[i], i, n, path, length, &root), STATUS_OK);
            merkle_batch_path(&batch, i, batch_path, &batch_length);
            assert_int_equal(batch_length, length);
            assert_memory_equal(batch_path, path, length * sizeof *path);
        }
    }
}

static void a_full_batch_verifies(void **state)
{
    (void)state;
    static struct merkle_batch batch;
    struct digest path[MERKLE_PATH_MAX];
    size_t length = 0;

    merkle_batch_build(&batch, leaves, MERKLE_BATCH_MAX);
    struct digest root = merkle_batch_root(&batch);
    for (size_t i = 0; i < MERKLE_BATCH_MAX; i++) {
        merkle_batch_path(&batch, i, path, &length);
        assert_int_equal(length, 8);
        assert_int_equal(merkle_verify_path(&leaves[i], i, MERKLE_BATCH_MAX, path, length, &root), STATUS_OK);
    }
}

static void a_changed_path_is_refused(void **state)
{
    (void)state;
    struct support_random random = support_seeded(2);
    struct digest path[MERKLE_PATH_MAX + 1] = {0};
    size_t length = 0;

    for (size_t run = 0; run < support_count(500); run++) {
        size_t n = 2 + support_below(&random, MOST_LEAVES - 1);
        size_t index = support_below(&random, n);
        size_t other = (index + 1 + support_below(&random, n - 1)) % n;
        struct digest root = merkle_root(leaves, n);
        merkle_path(leaves, n, index, path, &length);

        assert_int_equal(merkle_verify_path(&leaves[other], index, n, path, length, &root), STATUS_BAD_PROOF);
        assert_int_equal(merkle_verify_path(&leaves[index], other, n, path, length, &root), STATUS_BAD_PROOF);
        assert_int_equal(merkle_verify_path(&leaves[index], n, n, path, length, &root), STATUS_BAD_PROOF);
        assert_int_equal(merkle_verify_path(&leaves[index], index, n, path, length - 1, &root),
                         STATUS_BAD_PROOF);
        assert_int_equal(merkle_verify_path(&leaves[index], index, n, path, length + 1, &root),
                         STATUS_BAD_PROOF);
        path[support_below(&random, length)].bytes[support_below(&random, DIGEST_SIZE)] ^= 4;
        assert_int_equal(merkle_verify_path(&leaves[index], index, n, path, length, &root), STATUS_BAD_PROOF);
    }
}

static void every_small_pair_is_consistent(void **state)
{
    (void)state;
    struct digest proof[MERKLE_CONSISTENCY_MAX];
    struct digest other = leaves[0];
    size_t length = 0;

    for (size_t n = 0; n <= 40; n++) {
        struct digest root = definition(leaves, n);
        for (size_t m = 0; m <= n; m++) {
            struct digest old_root = definition(leaves, m);
            merkle_consistency(leaves, n, m, proof, &length);
            assert_int_equal(length, merkle_consistency_length(m, n));
            assert_int_equal(merkle_verify_consistency(m, n, proof, length, &old_root, &root), STATUS_OK);
            assert_int_equal(merkle_verify_consistency(m, n, proof, length + 1, &old_root, &root),
                             STATUS_BAD_PROOF);
            if (m != 1)
                assert_int_equal(merkle_verify_consistency(m, n, proof, length, &other, &root),
                                 STATUS_BAD_PROOF);
            if (n != 1 && (m != 0 || n == 0)) /* nothing binds what grows from the empty tree */
                assert_int_equal(merkle_verify_consistency(m, n, proof, length, &old_root, &other),
                                 STATUS_BAD_PROOF);
            if (length == 0)
                continue;
            assert_int_equal(merkle_verify_consistency(n, m, proof, length, &root, &old_root),
                             STATUS_BAD_PROOF);
            proof[length - 1].bytes[0] ^= 1;
            assert_int_equal(merkle_verify_consistency(m, n, proof, length, &old_root, &root),
                             STATUS_BAD_PROOF);
        }
    }
}

static void lengths_hold_at_the_far_end(void **state)
{
    (void)state;
    struct merkle_range ranges[MERKLE_CONSISTENCY_MAX];
    static const uint64_t sizes[] = {UINT64_MAX, (uint64_t)1 << 63, ((uint64_t)1 << 63) + 1, 12345678901234};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t size = sizes[i];
        const uint64_t indexes[] = {0, size / 3, size - 1};
        for (size_t j = 0; j < 3; j++) {
            size_t count = merkle_path_ranges(indexes[j], size, ranges);
            assert_int_equal(count, merkle_path_length(indexes[j], size));
            for (size_t k = 0; k < count; k++)
                assert_true(ranges[k].first < ranges[k].end && ranges[k].end <= size);
        }
        assert_true(merkle_consistency_ranges(size - 1, size, ranges) <= MERKLE_CONSISTENCY_MAX);
        assert_true(merkle_consistency_ranges(size / 3, size, ranges) <= MERKLE_CONSISTENCY_MAX);
    }
    assert_int_equal(merkle_path_length(0, UINT64_MAX), 64);
    assert_int_equal(merkle_path_length((uint64_t)1 << 63, ((uint64_t)1 << 63) + 1), 1);
    assert_int_equal(merkle_path_length(0, 1), 0);
}

static void a_frontier_is_saved_and_loaded(void **state)
{
    (void)state;
    struct merkle_frontier frontier = {0};
    struct merkle_frontier loaded;
    struct byte_buffer saved = bytes_buffer(MERKLE_FRONTIER_MAX);

    for (size_t n = 0; n <= MOST_LEAVES; n += 37) {
        while (frontier.size < n)
            merkle_frontier_append(&frontier, &leaves[frontier.size]);
        bytes_buffer_clear(&saved);
        merkle_frontier_save(&frontier, &saved);
        assert_int_equal(saved.status, STATUS_OK);
        memset(&loaded, 0xee, sizeof loaded);
        assert_int_equal(merkle_frontier_load(bytes_buffer_view(&saved), &loaded), STATUS_OK);
        struct digest root = merkle_frontier_root(&loaded);
        struct digest expected = definition(leaves, n);
        assert_int_equal(loaded.size, n);
        assert_same(&root, &expected);

        struct byte_view view = bytes_buffer_view(&saved);
        loaded.size = 77;
        view.size--;
        assert_int_equal(merkle_frontier_load(view, &loaded), STATUS_BAD_FORMAT);
        bytes_append_u8(&saved, 0);
        assert_int_equal(merkle_frontier_load(bytes_buffer_view(&saved), &loaded), STATUS_BAD_FORMAT);
        assert_int_equal(loaded.size, 77);
    }
    bytes_buffer_free(&saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_proofs),
        cmocka_unit_test(roots_follow_the_definition),
        cmocka_unit_test(every_path_of_small_trees_verifies),
        cmocka_unit_test(a_full_batch_verifies),
        cmocka_unit_test(a_changed_path_is_refused),
        cmocka_unit_test(every_small_pair_is_consistent),
        cmocka_unit_test(lengths_hold_at_the_far_end),
        cmocka_unit_test(a_frontier_is_saved_and_loaded),
    };
    return cmocka_run_group_tests_name("merkle", tests, make_leaves, NULL);
}
