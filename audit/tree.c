#include "audit/tree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/merkle.h"
#include "proto/tile_writer.h"

struct tree {
    struct tree_options options;
    struct problems *problems;
    struct tile_writer *writer;
};

enum status tree_new(const struct tree_options *options, struct problems *problems, struct tree **ret)
{
    struct tree *tree = calloc(1, sizeof *tree);

    if (tree == NULL)
        return STATUS_NO_MEMORY;
    tree->options = *options;
    tree->problems = problems;
    enum status status = tile_writer_new(NULL, 0, &tree->writer);
    if (status == STATUS_OK)
        *ret = tree;
    else
        tree_free(&tree);
    return status;
}

void tree_free(struct tree **tree)
{
    if (*tree == NULL)
        return;
    tile_writer_free(&(*tree)->writer);
    free(*tree);
    *tree = NULL;
}

enum status tree_resume(struct tree *tree, const struct tile_source *source, uint64_t size)
{
    struct tile_writer *writer = NULL;
    enum status status = tile_writer_new(source, size, &writer);

    if (status != STATUS_OK)
        return status;
    tile_writer_free(&tree->writer);
    tree->writer = writer;
    return STATUS_OK;
}

/* Names the entries under one hash of a tile. */
static void tell_hash(struct tree *tree, const struct tile_id *id, const char *path, size_t place)
{
    uint64_t width = (uint64_t)1 << (8 * id->level);
    uint64_t first = (id->n * TILE_WIDTH + place) * width;

    if (id->level == 0)
        problems_add(tree->problems, "entry %" PRIu64 ": does not match hash %zu of %s", first, place, path);
    else
        problems_add(tree->problems, "entries %" PRIu64 " to %" PRIu64 ": do not match hash %zu of %s", first,
                     first + width - 1, place, path);
}

static enum status compare(void *context, const struct tile_id *id, const struct digest *hashes)
{
    struct tree *tree = context;
    struct digest stored[TILE_WIDTH];
    char path[TILE_PATH_SIZE];

    if (id->level == 0 && id->width < TILE_WIDTH && !tree->options.partial_level_0)
        return STATUS_OK;
    tile_path(id, path);
    enum status status = tree->options.read(tree->options.context, id, stored);
    if (status == STATUS_NOT_FOUND || status == STATUS_CORRUPT) {
        problems_add(tree->problems, "%s: %s", path,
                     status == STATUS_NOT_FOUND ? "is missing" : "is damaged");
        return STATUS_OK;
    }
    for (size_t i = 0; status == STATUS_OK && i < id->width; i++) {
        if (memcmp(&stored[i], &hashes[i], sizeof stored[i]) != 0)
            tell_hash(tree, id, path, i);
    }
    return status;
}

enum status tree_add(struct tree *tree, struct byte_view entry)
{
    const struct tile_sink sink = {.write = compare, .context = tree};
    struct digest leaf = merkle_leaf(entry);

    return tile_writer_append(tree->writer, &sink, &leaf, 1);
}

enum status tree_finish(struct tree *tree)
{
    const struct tile_sink sink = {.write = compare, .context = tree};

    return tile_writer_flush(tree->writer, &sink);
}

uint64_t tree_size(const struct tree *tree)
{
    return tile_writer_size(tree->writer);
}

struct digest tree_root(const struct tree *tree)
{
    return tile_writer_root(tree->writer);
}
