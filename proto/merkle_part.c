#include "proto/merkle_part.h"

#include <assert.h>
#include <string.h>

/* Goes up by one level: a parent is there if one of its children is. */
static void climb(bool *there, size_t count)
{
    for (size_t i = 0; i < (count + 1) / 2; i++)
        there[i] = there[2 * i] || (2 * i + 1 < count && there[2 * i + 1]);
}

/* Whether a node is what its sibling's path needs, and cannot be computed. */
static bool is_needed(const bool *there, size_t count, size_t i)
{
    size_t sibling = i ^ 1;

    return sibling < count && !there[i] && there[sibling];
}

void merkle_part_write(const struct digest *nodes, size_t size, const bool *part, struct byte_buffer *ret)
{
    bool there[MERKLE_BATCH_MAX];

    assert(size >= 1 && size <= MERKLE_BATCH_MAX);
    memcpy(there, part, size * sizeof *part);
    for (size_t count = size; count > 1; count = (count + 1) / 2) {
        for (size_t i = 0; i < count; i++) {
            if (is_needed(there, count, i))
                bytes_append(ret, nodes[i].bytes, DIGEST_SIZE);
        }
        nodes += count;
        climb(there, count);
    }
}

enum status merkle_part_read(struct byte_reader *reader, size_t size, const bool *part,
                             struct digest *ret_nodes)
{
    bool there[MERKLE_BATCH_MAX];

    assert(size >= 1 && size <= MERKLE_BATCH_MAX);
    memcpy(there, part, size * sizeof *part);
    for (size_t count = size; count > 1; count = (count + 1) / 2) {
        struct digest *above = ret_nodes + count;
        for (size_t i = 0; i < count; i++) {
            if (!is_needed(there, count, i))
                continue;
            struct byte_view hash = bytes_read_view(reader, DIGEST_SIZE);
            if (reader->failed)
                return STATUS_BAD_FORMAT;
            memcpy(ret_nodes[i].bytes, hash.data, DIGEST_SIZE);
        }
        climb(there, count); /* `there` is the level above from here on, whose nodes are made of this one's */
        for (size_t i = 0; i < (count + 1) / 2; i++) {
            if (there[i])
                above[i] = 2 * i + 1 < count ? merkle_node(&ret_nodes[2 * i], &ret_nodes[2 * i + 1])
                                             : ret_nodes[2 * i];
        }
        ret_nodes = above;
    }
    return STATUS_OK;
}
