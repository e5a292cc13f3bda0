#pragma once

#include "proto/merkle.h"
#include "proto/tile.h"

/*
 * Roots and proofs of a tree of one size, computed from its tiles. A reader keeps the last tile of each level
 * (64 KiB), so that a proof reads at most two tiles a level. It blocks as its source does, and serves one
 * thread at a time.
 */

struct tile_reader;

/*
 * tile_reader_new - source is copied, its context borrowed for the reader's life. Reads nothing yet.
 * ret_reader is freed with tile_reader_free. Returns STATUS_NO_MEMORY.
 */
enum status tile_reader_new(const struct tile_source *source, uint64_t size, struct tile_reader **ret_reader);
void tile_reader_free(struct tile_reader **reader);

/*
 * The functions below return the source's errors. Tiles are believed here: whoever does not trust the source
 * compares tile_reader_root with a signed checkpoint's, and a proof made from wrong tiles does not verify.
 */
enum status tile_reader_root(struct tile_reader *reader, struct digest *ret_root);

/* tile_reader_leaf - the hash of a leaf; also STATUS_NOT_FOUND for an index that is not below size. */
enum status tile_reader_leaf(struct tile_reader *reader, uint64_t index, struct digest *ret_leaf);

/* tile_reader_path - an inclusion proof; also STATUS_NOT_FOUND for an index that is not below size. */
enum status tile_reader_path(struct tile_reader *reader, uint64_t index,
                             struct digest ret_path[static MERKLE_PATH_MAX], size_t *ret_length);

/* tile_reader_consistency - from old_size to size; also STATUS_NOT_FOUND if the tree was never that large. */
enum status tile_reader_consistency(struct tile_reader *reader, uint64_t old_size,
                                    struct digest ret_proof[static MERKLE_CONSISTENCY_MAX],
                                    size_t *ret_length);

/* tile_reader_frontier - the right edge, to go on appending. */
enum status tile_reader_frontier(struct tile_reader *reader, struct merkle_frontier *ret_frontier);
