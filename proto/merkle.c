#include "proto/merkle.h"

#include <assert.h>
#include <string.h>

#define LEAF_PREFIX 0x00
#define NODE_PREFIX 0x01

struct digest merkle_leaf(struct byte_view entry)
{
    struct digest hash;

    digest_prefixed(LEAF_PREFIX, entry, hash.bytes);
    return hash;
}

struct digest merkle_node(const struct digest *left, const struct digest *right)
{
    uint8_t children[2 * DIGEST_SIZE];
    struct digest hash;

    memcpy(children, left->bytes, DIGEST_SIZE);
    memcpy(children + DIGEST_SIZE, right->bytes, DIGEST_SIZE);
    digest_prefixed(NODE_PREFIX, bytes_view(children, sizeof children), hash.bytes);
    return hash;
}

struct digest merkle_empty_root(void)
{
    struct digest hash;

    digest_sha256(bytes_view(NULL, 0), hash.bytes);
    return hash;
}

static bool same(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, DIGEST_SIZE) == 0;
}

struct digest merkle_root(const struct digest *leaves, size_t n)
{
    struct merkle_frontier frontier;

    frontier.size = 0;
    for (size_t i = 0; i < n; i++)
        merkle_frontier_append(&frontier, &leaves[i]);
    return merkle_frontier_root(&frontier);
}

/* The number of bits that value takes; 0 for 0. */
static unsigned bit_length(uint64_t value)
{
    return value == 0 ? 0 : 64u - (unsigned)__builtin_clzll(value);
}

/* The largest power of two below n, which is at least 2. */
static uint64_t split_point(uint64_t n)
{
    return (uint64_t)1 << (bit_length(n - 1) - 1);
}

size_t merkle_path_length(uint64_t index, uint64_t size)
{
    assert(index < size);
    /* Up to the level where index and the last leaf meet there is a sibling on either side; above it only on
     * the left, where a bit of index is set. */
    unsigned meet = bit_length(index ^ (size - 1));
    uint64_t above = meet == 64 ? 0 : index >> meet;

    return meet + (size_t)__builtin_popcountll(above);
}

size_t merkle_path_ranges(uint64_t index, uint64_t size,
                          struct merkle_range ret_ranges[static MERKLE_PATH_MAX])
{
    size_t count = 0;

    assert(index < size);
    for (unsigned level = 0; level < 64 && (size - 1) >> level > 0; level++) {
        uint64_t sibling = (index >> level) ^ 1;
        if (sibling > (size - 1) >> level)
            continue;
        /* The sibling's first leaf exists, so that only its end can lie past the size, or past 2^64. */
        uint64_t first = sibling << level;
        uint64_t width = (uint64_t)1 << level;
        ret_ranges[count++] = (struct merkle_range){first, size - first < width ? size : first + width};
    }
    return count;
}

size_t merkle_consistency_ranges(uint64_t old_size, uint64_t size,
                                 struct merkle_range ret_ranges[static MERKLE_CONSISTENCY_MAX])
{
    struct merkle_range descent[MERKLE_CONSISTENCY_MAX];
    struct merkle_range part = {0, size};
    size_t count = 0;

    assert(old_size <= size);
    if (old_size == 0 || old_size == size)
        return 0;
    /* RFC 6962's SUBPROOF, from the root down; the proof lists the deepest first. */
    while (part.end != old_size) {
        uint64_t middle = part.first + split_point(part.end - part.first);
        if (old_size <= middle) {
            descent[count++] = (struct merkle_range){middle, part.end};
            part.end = middle;
        } else {
            descent[count++] = (struct merkle_range){part.first, middle};
            part.first = middle;
        }
    }
    if (part.first > 0)
        descent[count++] = part;
    for (size_t i = 0; i < count; i++)
        ret_ranges[i] = descent[count - 1 - i];
    return count;
}

size_t merkle_consistency_length(uint64_t old_size, uint64_t size)
{
    struct merkle_range ranges[MERKLE_CONSISTENCY_MAX];

    return merkle_consistency_ranges(old_size, size, ranges);
}

static void range_roots(const struct digest *leaves, const struct merkle_range *ranges, size_t count,
                        struct digest *ret_roots)
{
    for (size_t i = 0; i < count; i++)
        ret_roots[i] = merkle_root(leaves + ranges[i].first, ranges[i].end - ranges[i].first);
}

void merkle_path(const struct digest *leaves, size_t n, size_t index,
                 struct digest ret_path[static MERKLE_PATH_MAX], size_t *ret_length)
{
    struct merkle_range ranges[MERKLE_PATH_MAX];

    *ret_length = merkle_path_ranges(index, n, ranges);
    range_roots(leaves, ranges, *ret_length, ret_path);
}

void merkle_consistency(const struct digest *leaves, size_t n, size_t old_size,
                        struct digest ret_proof[static MERKLE_CONSISTENCY_MAX], size_t *ret_length)
{
    struct merkle_range ranges[MERKLE_CONSISTENCY_MAX];

    *ret_length = merkle_consistency_ranges(old_size, n, ranges);
    range_roots(leaves, ranges, *ret_length, ret_proof);
}

enum status merkle_path_root(const struct digest *leaf, uint64_t index, uint64_t size,
                             const struct digest *path, size_t length, struct digest *ret_root)
{
    struct digest hash = *leaf;

    if (index >= size || length != merkle_path_length(index, size))
        return STATUS_BAD_PROOF;
    uint64_t last = size - 1;
    for (size_t i = 0; i < length; i++) {
        if (index % 2 == 1 || index == last) {
            hash = merkle_node(&path[i], &hash);
            while (index % 2 == 0) { /* levels at which the last node has no sibling */
                index >>= 1;
                last >>= 1;
            }
        } else {
            hash = merkle_node(&hash, &path[i]);
        }
        index >>= 1;
        last >>= 1;
    }
    *ret_root = hash;
    return STATUS_OK;
}

enum status merkle_verify_path(const struct digest *leaf, uint64_t index, uint64_t size,
                               const struct digest *path, size_t length, const struct digest *root)
{
    struct digest computed;
    enum status status = merkle_path_root(leaf, index, size, path, length, &computed);

    if (status != STATUS_OK)
        return status;
    return same(&computed, root) ? STATUS_OK : STATUS_BAD_PROOF;
}

/* RFC 9162 §2.1.4.2 for 0 < old_size < size and a proof of the right length. */
static bool continues(uint64_t old_size, uint64_t size, const struct digest *proof, size_t length,
                      const struct digest *old_root, const struct digest *root)
{
    uint64_t old_last = old_size - 1;
    uint64_t last = size - 1;
    size_t next = 0;

    while (old_last % 2 == 1) {
        old_last >>= 1;
        last >>= 1;
    }
    /* A complete old tree is its own first node, and left out of the proof. */
    struct digest new_hash = old_last == 0 ? *old_root : proof[next++];
    struct digest old_hash = new_hash;
    for (; next < length; next++) {
        if (old_last % 2 == 1 || old_last == last) {
            old_hash = merkle_node(&proof[next], &old_hash);
            new_hash = merkle_node(&proof[next], &new_hash);
            while (old_last % 2 == 0) {
                old_last >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = merkle_node(&new_hash, &proof[next]);
        }
        old_last >>= 1;
        last >>= 1;
    }
    return same(&old_hash, old_root) && same(&new_hash, root);
}

enum status merkle_verify_consistency(uint64_t old_size, uint64_t size, const struct digest *proof,
                                      size_t length, const struct digest *old_root, const struct digest *root)
{
    struct digest empty = merkle_empty_root();
    bool good;

    if (old_size > size || length != merkle_consistency_length(old_size, size))
        return STATUS_BAD_PROOF;
    if (old_size == 0)
        good = same(old_root, &empty) && (size > 0 || same(root, &empty));
    else if (old_size == size)
        good = same(old_root, root);
    else
        good = continues(old_size, size, proof, length, old_root, root);
    return good ? STATUS_OK : STATUS_BAD_PROOF;
}

void merkle_frontier_append(struct merkle_frontier *frontier, const struct digest *leaf)
{
    struct digest hash = *leaf;
    unsigned level = 0;

    assert(frontier->size < UINT64_MAX);
    for (; frontier->size >> level & 1; level++)
        hash = merkle_node(&frontier->nodes[level], &hash);
    frontier->nodes[level] = hash;
    frontier->size++;
}

struct digest merkle_frontier_root(const struct merkle_frontier *frontier)
{
    struct digest hash;
    uint64_t left = frontier->size;

    if (left == 0)
        return merkle_empty_root();
    hash = frontier->nodes[__builtin_ctzll(left)];
    for (left &= left - 1; left > 0; left &= left - 1)
        hash = merkle_node(&frontier->nodes[__builtin_ctzll(left)], &hash);
    return hash;
}

void merkle_frontier_save(const struct merkle_frontier *frontier, struct byte_buffer *out)
{
    bytes_append_u64(out, frontier->size);
    for (unsigned level = 64; level-- > 0;) {
        if (frontier->size >> level & 1)
            bytes_append(out, frontier->nodes[level].bytes, DIGEST_SIZE);
    }
}

enum status merkle_frontier_load(struct byte_view saved, struct merkle_frontier *ret_frontier)
{
    struct byte_reader reader = bytes_reader(saved);
    struct merkle_frontier frontier = {.size = bytes_read_u64(&reader)};

    for (unsigned level = 64; level-- > 0;) {
        if (frontier.size >> level & 1)
            bytes_read_into(&reader, frontier.nodes[level].bytes, DIGEST_SIZE);
    }
    if (!bytes_read_done(&reader))
        return STATUS_BAD_FORMAT;
    *ret_frontier = frontier;
    return STATUS_OK;
}

/*
 * A batch holds its levels one after the other, leaves first. Pairing neighbours and promoting a lone last
 * node gives the same tree as splitting at the largest power of two.
 */
void merkle_batch_build(struct merkle_batch *batch, const struct digest *leaves, size_t n)
{
    assert(n >= 1 && n <= MERKLE_BATCH_MAX);
    batch->size = n;
    memcpy(batch->nodes, leaves, n * sizeof *leaves);
    struct digest *below = batch->nodes;
    for (size_t count = n; count > 1; count = (count + 1) / 2) {
        struct digest *level = below + count;
        for (size_t i = 0; i < count / 2; i++)
            level[i] = merkle_node(&below[2 * i], &below[2 * i + 1]);
        if (count % 2 == 1)
            level[count / 2] = below[count - 1];
        below = level;
    }
}

struct digest merkle_batch_root(const struct merkle_batch *batch)
{
    const struct digest *level = batch->nodes;

    for (size_t count = batch->size; count > 1; count = (count + 1) / 2)
        level += count;
    return level[0];
}

size_t merkle_batch_nodes(size_t size)
{
    size_t nodes = 1;

    for (size_t count = size; count > 1; count = (count + 1) / 2)
        nodes += count;
    return nodes;
}

void merkle_nodes_path(const struct digest *nodes, size_t size, size_t index,
                       struct digest ret_path[static MERKLE_PATH_MAX], size_t *ret_length)
{
    const struct digest *level = nodes;
    size_t length = 0;

    assert(index < size);
    for (size_t count = size; count > 1; count = (count + 1) / 2) {
        if ((index ^ 1) < count)
            ret_path[length++] = level[index ^ 1];
        level += count;
        index /= 2;
    }
    *ret_length = length;
}

void merkle_batch_path(const struct merkle_batch *batch, size_t index,
                       struct digest ret_path[static MERKLE_PATH_MAX], size_t *ret_length)
{
    merkle_nodes_path(batch->nodes, batch->size, index, ret_path, ret_length);
}
