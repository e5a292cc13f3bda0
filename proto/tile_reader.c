#include "proto/tile_reader.h"

#include <stdlib.h>
#include <string.h>

/* The tile of a level that was read last. */
struct slot {
    bool filled;
    uint64_t n;
    struct digest hashes[TILE_WIDTH];
};

struct tile_reader {
    struct tile_source source;
    uint64_t size;
    struct slot slots[TILE_LEVELS];
};

enum status tile_reader_new(const struct tile_source *source, uint64_t size, struct tile_reader **ret_reader)
{
    struct tile_reader *reader = calloc(1, sizeof *reader);

    if (reader == NULL)
        return STATUS_NO_MEMORY;
    reader->source = *source;
    reader->size = size;
    *ret_reader = reader;
    return STATUS_OK;
}

void tile_reader_free(struct tile_reader **reader)
{
    if (reader == NULL)
        return;
    free(*reader);
    *reader = NULL;
}

static enum status read_tile(struct tile_reader *reader, uint8_t level, uint64_t n,
                             const struct digest **ret_hashes)
{
    struct slot *slot = &reader->slots[level];

    if (!slot->filled || slot->n != n) {
        struct tile_id id = {.level = level, .n = n, .width = tile_width(level, n, reader->size)};
        slot->filled = false;
        enum status status = reader->source.read(reader->source.context, &id, slot->hashes);
        if (status != STATUS_OK)
            return status;
        slot->filled = true;
        slot->n = n;
    }
    *ret_hashes = slot->hashes;
    return STATUS_OK;
}

/* The root of a complete subtree, all of which lies below the reader's size. */
static enum status subtree_root(struct tile_reader *reader, unsigned height, uint64_t index,
                                struct digest *ret_root)
{
    struct tile_place place = tile_place(height, index);
    const struct digest *hashes = NULL;
    enum status status = read_tile(reader, place.level, place.n, &hashes);

    if (status == STATUS_OK)
        *ret_root = merkle_root(hashes + place.first, place.count);
    return status;
}

/* The root over a range that is complete or ends at the size: its complete subtrees, joined from the right.
 */
static enum status range_root(struct tile_reader *reader, struct merkle_range range, struct digest *ret_root)
{
    struct digest parts[64];
    size_t count = 0;

    while (range.first < range.end) {
        unsigned height = 63u - (unsigned)__builtin_clzll(range.end - range.first);
        enum status status = subtree_root(reader, height, range.first >> height, &parts[count++]);
        if (status != STATUS_OK)
            return status;
        range.first += (uint64_t)1 << height;
    }
    if (count == 0) {
        *ret_root = merkle_empty_root();
        return STATUS_OK;
    }
    struct digest root = parts[count - 1];
    for (size_t i = count - 1; i-- > 0;)
        root = merkle_node(&parts[i], &root);
    *ret_root = root;
    return STATUS_OK;
}

enum status tile_reader_root(struct tile_reader *reader, struct digest *ret_root)
{
    return range_root(reader, (struct merkle_range){0, reader->size}, ret_root);
}

enum status tile_reader_leaf(struct tile_reader *reader, uint64_t index, struct digest *ret_leaf)
{
    if (index >= reader->size)
        return STATUS_NOT_FOUND;
    return subtree_root(reader, 0, index, ret_leaf);
}

/* The roots of count ranges; ret_roots and ret_length stay untouched on failure. */
static enum status range_roots(struct tile_reader *reader, const struct merkle_range *ranges, size_t count,
                               struct digest *ret_roots, size_t *ret_length)
{
    struct digest roots[MERKLE_CONSISTENCY_MAX];

    for (size_t i = 0; i < count; i++) {
        enum status status = range_root(reader, ranges[i], &roots[i]);
        if (status != STATUS_OK)
            return status;
    }
    memcpy(ret_roots, roots, count * sizeof *roots);
    *ret_length = count;
    return STATUS_OK;
}

enum status tile_reader_path(struct tile_reader *reader, uint64_t index,
                             struct digest ret_path[static MERKLE_PATH_MAX], size_t *ret_length)
{
    struct merkle_range ranges[MERKLE_PATH_MAX];

    if (index >= reader->size)
        return STATUS_NOT_FOUND;
    return range_roots(reader, ranges, merkle_path_ranges(index, reader->size, ranges), ret_path, ret_length);
}

enum status tile_reader_consistency(struct tile_reader *reader, uint64_t old_size,
                                    struct digest ret_proof[static MERKLE_CONSISTENCY_MAX],
                                    size_t *ret_length)
{
    struct merkle_range ranges[MERKLE_CONSISTENCY_MAX];

    if (old_size > reader->size)
        return STATUS_NOT_FOUND;
    size_t count = merkle_consistency_ranges(old_size, reader->size, ranges);
    return range_roots(reader, ranges, count, ret_proof, ret_length);
}

enum status tile_reader_frontier(struct tile_reader *reader, struct merkle_frontier *ret_frontier)
{
    struct merkle_frontier frontier = {.size = reader->size};

    for (unsigned height = 0; height < 64; height++) {
        if ((reader->size >> height & 1) == 0)
            continue;
        uint64_t index = (reader->size >> height) - 1;
        enum status status = subtree_root(reader, height, index, &frontier.nodes[height]);
        if (status != STATUS_OK)
            return status;
    }
    *ret_frontier = frontier;
    return STATUS_OK;
}
