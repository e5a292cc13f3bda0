#include "tests/support/support.h"

#include <string.h>

#include "proto/tile_reader.h"
#include "proto/tile_writer.h"

/* More than 256 × 256, so that three levels have tiles. */
#define LEAVES 66100
#define LEVELS 3
#define TILES  260

/* A store of tiles in memory: what was written is what can be read. */
static struct {
    struct digest hashes[LEVELS][TILES][TILE_WIDTH];
    uint16_t width[LEVELS][TILES];
    size_t reads;
    size_t writes;
    size_t writes_left; /* then writing fails */
} store;

static struct digest leaves[LEAVES];

static enum status store_read(void *context, const struct tile_id *id, struct digest *ret_hashes)
{
    (void)context;
    store.reads++;
    assert_false(id->entries);
    if (id->level >= LEVELS || id->n >= TILES || id->width == 0 || store.width[id->level][id->n] < id->width)
        return STATUS_NOT_FOUND;
    memcpy(ret_hashes, store.hashes[id->level][id->n], id->width * sizeof *ret_hashes);
    return STATUS_OK;
}

static enum status store_write(void *context, const struct tile_id *id, const struct digest *hashes)
{
    (void)context;
    assert_true(id->level < LEVELS && id->n < TILES && id->width >= 1 && id->width <= TILE_WIDTH);
    if (store.writes_left == 0)
        return STATUS_NO_SPACE;
    store.writes_left--;
    store.writes++;
    assert_true(id->width > store.width[id->level][id->n]); /* never again, never narrower */
    store.width[id->level][id->n] = id->width;
    memcpy(store.hashes[id->level][id->n], hashes, id->width * sizeof *hashes);
    return STATUS_OK;
}

static const struct tile_source source = {store_read, NULL};
static const struct tile_sink sink = {store_write, NULL};

static int empty_store(void **state)
{
    (void)state;
    memset(&store, 0, sizeof store);
    store.writes_left = SIZE_MAX;
    for (uint32_t i = 0; i < LEAVES; i++) {
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

static struct tile_reader *open_reader(uint64_t size)
{
    struct tile_reader *reader = NULL;

    assert_int_equal(tile_reader_new(&source, size, &reader), STATUS_OK);
    return reader;
}

/* Root, frontier and some proofs at a size, from the store, against the leaves. */
static void assert_readable(uint64_t size, struct support_random *random)
{
    struct tile_reader *reader = open_reader(size);
    struct digest expected = merkle_root(leaves, size);
    struct digest root;
    struct digest proof[MERKLE_CONSISTENCY_MAX];
    struct merkle_frontier frontier;
    size_t length = 0;

    assert_int_equal(tile_reader_root(reader, &root), STATUS_OK);
    assert_same(&root, &expected);
    assert_int_equal(tile_reader_frontier(reader, &frontier), STATUS_OK);
    root = merkle_frontier_root(&frontier);
    assert_same(&root, &expected);

    for (int i = 0; i < 3 && size > 0; i++) {
        uint64_t index = i == 0 ? size - 1 : support_below(random, size);
        struct digest leaf;
        assert_int_equal(tile_reader_leaf(reader, index, &leaf), STATUS_OK);
        assert_same(&leaf, &leaves[index]);
        assert_int_equal(tile_reader_path(reader, index, proof, &length), STATUS_OK);
        assert_int_equal(merkle_verify_path(&leaf, index, size, proof, length, &expected), STATUS_OK);

        struct digest old_root = merkle_root(leaves, index);
        assert_int_equal(tile_reader_consistency(reader, index, proof, &length), STATUS_OK);
        assert_int_equal(merkle_verify_consistency(index, size, proof, length, &old_root, &expected),
                         STATUS_OK);
    }
    assert_int_equal(tile_reader_path(reader, size, proof, &length), STATUS_NOT_FOUND);
    assert_int_equal(tile_reader_leaf(reader, size, proof), STATUS_NOT_FOUND);
    assert_int_equal(tile_reader_consistency(reader, size + 1, proof, &length), STATUS_NOT_FOUND);
    tile_reader_free(&reader);
    assert_null(reader);
}

static void a_tree_grows_is_reopened_and_read(void **state)
{
    (void)state;
    static const uint64_t stops[] = {1,   2,   3,    200,   255,   256,   257,   511,
                                     512, 600, 5000, 65535, 65536, 65537, LEAVES};
    struct support_random random = support_seeded(3);
    struct tile_writer *writer = NULL;
    uint64_t size = 0;

    assert_int_equal(tile_writer_new(NULL, 0, &writer), STATUS_OK);
    assert_readable(0, &random);
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
        assert_int_equal(tile_writer_append(writer, &sink, leaves + size, stops[i] - size), STATUS_OK);
        assert_int_equal(tile_writer_flush(writer, &sink), STATUS_OK);
        size = stops[i];
        assert_true(tile_writer_size(writer) == size);
        struct digest root = tile_writer_root(writer);
        struct digest expected = merkle_root(leaves, size);
        assert_same(&root, &expected);
        for (uint8_t level = 0; level < LEVELS; level++)
            assert_int_equal(store.width[level][(size >> (8 * level)) >> 8],
                             tile_width(level, (size >> (8 * level)) >> 8, size));
        assert_readable(size, &random);
        assert_readable(support_below(&random, size), &random); /* older sizes stay readable */

        size_t writes = store.writes;
        assert_int_equal(tile_writer_flush(writer, &sink), STATUS_OK);
        assert_int_equal(store.writes, writes);
        tile_writer_free(&writer);
        assert_int_equal(tile_writer_new(&source, size, &writer), STATUS_OK);
        root = tile_writer_root(writer);
        assert_same(&root, &expected);
        assert_true(tile_writer_frontier(writer)->size == size);
        assert_int_equal(tile_writer_flush(writer, &sink), STATUS_OK);
        assert_int_equal(store.writes, writes); /* nothing changed since it was read */
    }
    tile_writer_free(&writer);
    assert_null(writer);
}

static void proofs_read_few_tiles(void **state)
{
    (void)state;
    struct tile_writer *writer = NULL;
    struct digest proof[MERKLE_CONSISTENCY_MAX];
    size_t length = 0;

    assert_int_equal(tile_writer_new(NULL, 0, &writer), STATUS_OK);
    assert_int_equal(tile_writer_append(writer, &sink, leaves, LEAVES), STATUS_OK);
    assert_int_equal(tile_writer_flush(writer, &sink), STATUS_OK);
    tile_writer_free(&writer);

    static const uint64_t at[] = {0, 77, 40000, 65535, 65536, LEAVES - 1};
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        struct tile_reader *reader = open_reader(LEAVES);
        store.reads = 0;
        assert_int_equal(tile_reader_path(reader, at[i], proof, &length), STATUS_OK);
        assert_in_range(store.reads, 1, 2 * LEVELS);
        tile_reader_free(&reader);
        reader = open_reader(LEAVES);
        store.reads = 0;
        assert_int_equal(tile_reader_consistency(reader, at[i], proof, &length), STATUS_OK);
        assert_in_range(store.reads, 0, 2 * LEVELS);
        tile_reader_free(&reader);
    }
    store.reads = 0;
    assert_int_equal(tile_writer_new(&source, LEAVES, &writer), STATUS_OK);
    assert_in_range(store.reads, 1, 2 * LEVELS);
    tile_writer_free(&writer);
}

static void a_failed_write_stays_failed(void **state)
{
    (void)state;
    struct tile_writer *writer = NULL;

    assert_int_equal(tile_writer_new(NULL, 0, &writer), STATUS_OK);
    assert_int_equal(tile_writer_append(writer, &sink, leaves, 255), STATUS_OK);
    store.writes_left = 0;
    assert_int_equal(tile_writer_append(writer, &sink, leaves + 255, 1), STATUS_NO_SPACE);
    store.writes_left = SIZE_MAX;
    assert_int_equal(tile_writer_append(writer, &sink, leaves + 255, 1), STATUS_NO_SPACE);
    assert_int_equal(tile_writer_flush(writer, &sink), STATUS_NO_SPACE);
    tile_writer_free(&writer);
}

static void a_missing_tile_is_told(void **state)
{
    (void)state;
    struct tile_writer *writer = NULL;
    struct tile_reader *reader = open_reader(300);
    struct digest hash = {{7}};

    assert_int_equal(tile_reader_root(reader, &hash), STATUS_NOT_FOUND);
    assert_int_equal(hash.bytes[0], 7);
    assert_int_equal(tile_writer_new(&source, 300, &writer), STATUS_NOT_FOUND);
    assert_null(writer);
    tile_reader_free(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_tree_grows_is_reopened_and_read, empty_store),
        cmocka_unit_test_setup(proofs_read_few_tiles, empty_store),
        cmocka_unit_test_setup(a_failed_write_stays_failed, empty_store),
        cmocka_unit_test_setup(a_missing_tile_is_told, empty_store),
    };
    return cmocka_run_group_tests_name("tile_writer", tests, NULL, NULL);
}
