#pragma once

#include "base/db.h"
#include "proto/merkle.h"

/*
 * Roots and proofs of the log's tree at an earlier size, from the tiles and rows in its database
 * (proto/tile_reader.h). size is at most what the database holds committed. Tiles are believed: hold
 * logproof_root against a signed checkpoint. Functions return what base/db.h returns, STATUS_CORRUPT for data
 * that cannot be, or STATUS_NO_MEMORY; they block on the disk, for a few reads a level.
 */

/* logproof_root - the root over the first `size` entries. */
enum status logproof_root(struct db *db, uint64_t size, struct digest *ret_root);

/* logproof_path - the inclusion proof of an entry, leaf's sibling first; also STATUS_NOT_FOUND for an index
 * that is not below size. */
enum status logproof_path(struct db *db, uint64_t size, uint64_t index,
                          struct digest ret_path[static MERKLE_PATH_MAX], size_t *ret_length);

/* logproof_consistency - from old_size, at most size, to size. */
enum status logproof_consistency(struct db *db, uint64_t old_size, uint64_t size,
                                 struct digest ret_proof[static MERKLE_CONSISTENCY_MAX], size_t *ret_length);
