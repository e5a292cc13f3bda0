#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "proto/merkle.h"

/*
 * Some leaves of a small tree with what their paths need: for a batch that is taken apart and given to
 * several, without writing down the same hashes once a leaf. The hashes stand level by level, in order; each
 * is the sibling of a node that can be computed from the leaves and the hashes before it.
 */

/* merkle_part_write - append those hashes. nodes as merkle_nodes_path wants them; part says which of the size
 * leaves are there. */
void merkle_part_write(const struct digest *nodes, size_t size, const bool *part, struct byte_buffer *ret);

/*
 * merkle_part_read - the nodes that the paths of these leaves need, from hashes that merkle_part_write wrote.
 *
 * ret_nodes  room for merkle_batch_nodes(size); at the places of the leaves in question their hashes
 *            already. Afterwards merkle_nodes_path gives their paths; other nodes are meaningless
 *
 * Returns STATUS_BAD_FORMAT when there are too few hashes; what follows them is left in the reader.
 */
enum status merkle_part_read(struct byte_reader *reader, size_t size, const bool *part,
                             struct digest *ret_nodes);
