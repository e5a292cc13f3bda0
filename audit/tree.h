#pragma once

#include "audit/problems.h"
#include "proto/checkpoint.h"
#include "proto/tile.h"

/*
 * Recomputes a log's tree from its entries, one after the other, and holds every tile that is stored, and the
 * roots at some sizes, against it. Constant memory.
 */

struct tree;

/* Where stored tiles come from: writes the first id->width hashes. STATUS_NOT_FOUND or STATUS_CORRUPT are
 * told as problems; anything else ends the check. */
struct tree_options {
    enum status (*read)(void *context, const struct tile_id *id, struct digest *ret_hashes);
    void *context;
    bool partial_level_0; /* whether the last, partial tile of level 0 is stored too */
};

/* tree_new - options are copied, problems borrowed. ret is freed with tree_free. STATUS_NO_MEMORY. */
enum status tree_new(const struct tree_options *options, struct problems *problems, struct tree **ret);
void tree_free(struct tree **tree);

/* tree_resume - instead of adding the first `size` entries: believes the stored tiles as far as they are
 * needed; hold tree_root against one that is known. source reads them, also partial tiles of level 0. Nothing
 * may have been added. Returns the source's errors, or STATUS_NO_MEMORY. */
enum status tree_resume(struct tree *tree, const struct tile_source *source, uint64_t size);

/* tree_add - the next entry. Errors of reading tiles. */
enum status tree_add(struct tree *tree, struct byte_view entry);

/* tree_finish - after the last entry: holds the partial tiles against the tree. */
enum status tree_finish(struct tree *tree);

uint64_t tree_size(const struct tree *tree);
struct digest tree_root(const struct tree *tree);
