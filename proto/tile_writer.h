#pragma once

#include "proto/merkle.h"
#include "proto/tile.h"

/*
 * Appends leaves to a tree kept as tiles. The writer holds the right edge: the partial tile of each level (64
 * KiB) and the frontier, so that the root costs no reading and no node is hashed twice. One thread at a time.
 */

struct tile_writer;

/*
 * tile_writer_new - goes on from a tree of that size, reading its partial tiles (at most one a level) and
 * what the frontier takes; source may be NULL for size 0 and is not kept. ret_writer is freed with
 * tile_writer_free. Returns the source's errors or STATUS_NO_MEMORY. Compare tile_writer_root with what was
 * signed.
 */
enum status tile_writer_new(const struct tile_source *source, uint64_t size, struct tile_writer **ret_writer);
void tile_writer_free(struct tile_writer **writer);

/*
 * tile_writer_append - adds n leaf hashes and hands each tile that became full to the sink, lower levels
 * first. Returns the sink's error; then the writer is of no use any more and returns that error for ever.
 */
enum status tile_writer_append(struct tile_writer *writer, const struct tile_sink *sink,
                               const struct digest *leaves, size_t n);

/*
 * tile_writer_flush - hands the sink the partial tiles that changed since the last flush (or since the
 * start), so that the tree of the present size can be read from what was written. Returns as
 * tile_writer_append.
 */
enum status tile_writer_flush(struct tile_writer *writer, const struct tile_sink *sink);

uint64_t tile_writer_size(const struct tile_writer *writer);
struct digest tile_writer_root(const struct tile_writer *writer);

/* tile_writer_frontier - borrowed until the next append. */
const struct merkle_frontier *tile_writer_frontier(const struct tile_writer *writer);
