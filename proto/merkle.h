#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "proto/digest.h"

/*
 * Merkle trees of RFC 6962 §2.1 (RFC 9162 §2.1): roots, inclusion and consistency proofs. Leaves and nodes
 * are told apart by a prefix byte; a tree of n leaves is split at the largest power of two below n. Nothing
 * here allocates or blocks; thread-safe. Sizes and indexes are counts of leaves.
 */

#define MERKLE_PATH_MAX        64                     /* hashes in the longest inclusion proof */
#define MERKLE_CONSISTENCY_MAX 65                     /* hashes in the longest consistency proof */
#define MERKLE_BATCH_MAX       256                    /* leaves in a struct merkle_batch */
#define MERKLE_FRONTIER_MAX    (8 + 64 * DIGEST_SIZE) /* bytes of a saved frontier, at most */

/* Leaves first .. end - 1, the root over which stands in a proof. */
struct merkle_range {
    uint64_t first;
    uint64_t end;
};

/* The right edge of a growing tree: nodes[k] is the root of a complete subtree of 2^k leaves if bit k of size
 * is set, and meaningless otherwise. All zeros is the empty tree. */
struct merkle_frontier {
    uint64_t size;
    struct digest nodes[64];
};

/* Every node of a small tree, for making the paths of all its leaves. */
struct merkle_batch {
    size_t size;
    struct digest nodes[2 * MERKLE_BATCH_MAX];
};

struct digest merkle_leaf(struct byte_view entry);
struct digest merkle_node(const struct digest *left, const struct digest *right);
struct digest merkle_empty_root(void);

/* merkle_root - over n leaf hashes; the empty root for none. */
struct digest merkle_root(const struct digest *leaves, size_t n);

/* merkle_path_length - hashes in the inclusion proof of leaf index (below size) in a tree of that size. */
size_t merkle_path_length(uint64_t index, uint64_t size);

/* merkle_consistency_length - hashes in the consistency proof from old_size to size (at least old_size). */
size_t merkle_consistency_length(uint64_t old_size, uint64_t size);

/*
 * merkle_path - the inclusion proof of leaf index (below n; asserted), leaf's sibling first. Hashes all the
 * leaves: for the paths of many leaves take a merkle_batch.
 */
void merkle_path(const struct digest *leaves, size_t n, size_t index,
                 struct digest ret_path[static MERKLE_PATH_MAX], size_t *ret_length);

/* merkle_consistency - the proof from the first old_size leaves to all n (at least old_size; asserted). */
void merkle_consistency(const struct digest *leaves, size_t n, size_t old_size,
                        struct digest ret_proof[static MERKLE_CONSISTENCY_MAX], size_t *ret_length);

/*
 * merkle_path_ranges, merkle_consistency_ranges - which roots such a proof consists of, in its order, for
 * callers that get them elsewhere than from leaves. Each range is a complete subtree or ends at size. Return
 * their number.
 */
size_t merkle_path_ranges(uint64_t index, uint64_t size,
                          struct merkle_range ret_ranges[static MERKLE_PATH_MAX]);
size_t merkle_consistency_ranges(uint64_t old_size, uint64_t size,
                                 struct merkle_range ret_ranges[static MERKLE_CONSISTENCY_MAX]);

/*
 * merkle_path_root - the root that leaf, standing at index in a tree of that size, leads to by path. path may
 * be NULL when length is 0. Returns STATUS_BAD_PROOF unless index is below size and length is
 * merkle_path_length(index, size).
 */
enum status merkle_path_root(const struct digest *leaf, uint64_t index, uint64_t size,
                             const struct digest *path, size_t length, struct digest *ret_root);

/*
 * merkle_verify_path - that leaf stands at index in the tree of that size and root. path may be NULL when
 * length is 0; the length must be exactly merkle_path_length(index, size). Returns STATUS_BAD_PROOF
 * otherwise. RFC 9162 §2.1.3.2.
 */
enum status merkle_verify_path(const struct digest *leaf, uint64_t index, uint64_t size,
                               const struct digest *path, size_t length, const struct digest *root);

/*
 * merkle_verify_consistency - that the tree of size and root continues that of old_size and old_root. For
 * equal sizes the roots must be equal; from size 0 the old root must be the empty root; both take an empty
 * proof only. Returns STATUS_BAD_PROOF otherwise. RFC 9162 §2.1.4.2.
 */
enum status merkle_verify_consistency(uint64_t old_size, uint64_t size, const struct digest *proof,
                                      size_t length, const struct digest *old_root,
                                      const struct digest *root);

/* merkle_frontier_append - adds a leaf hash; amortised one node hash. The size must stay below 2^64
 * (asserted). */
void merkle_frontier_append(struct merkle_frontier *frontier, const struct digest *leaf);

/* merkle_frontier_root - the root at its size, with at most 63 node hashes. */
struct digest merkle_frontier_root(const struct merkle_frontier *frontier);

/*
 * merkle_frontier_save - appends size (8 bytes) ‖ the nodes of its set bits, highest first: at most
 * MERKLE_FRONTIER_MAX bytes. Errors stay in the buffer's status.
 */
void merkle_frontier_save(const struct merkle_frontier *frontier, struct byte_buffer *out);

/* merkle_frontier_load - exactly what was saved; STATUS_BAD_FORMAT otherwise. Check the root against a
 * checkpoint. */
enum status merkle_frontier_load(struct byte_view saved, struct merkle_frontier *ret_frontier);

/* merkle_batch_build - hashes the tree of n leaves, 1 to MERKLE_BATCH_MAX (asserted). */
void merkle_batch_build(struct merkle_batch *batch, const struct digest *leaves, size_t n);
struct digest merkle_batch_root(const struct merkle_batch *batch);

/* merkle_batch_path - as merkle_path, without hashing anything. */
void merkle_batch_path(const struct merkle_batch *batch, size_t index,
                       struct digest ret_path[static MERKLE_PATH_MAX], size_t *ret_length);

/*
 * A batch's nodes by themselves, for whoever keeps many trees: all that matters of `nodes` is its first
 * merkle_batch_nodes(size), below 2 * size + 9. merkle_nodes_path gives the path from them.
 */
size_t merkle_batch_nodes(size_t size);
void merkle_nodes_path(const struct digest *nodes, size_t size, size_t index,
                       struct digest ret_path[static MERKLE_PATH_MAX], size_t *ret_length);
