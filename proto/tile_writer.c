#include "proto/tile_writer.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/tile_reader.h"

struct tile_writer {
    enum status failed; /* STATUS_OK while usable */
    uint64_t flushed;   /* the size at the last flush */
    struct merkle_frontier frontier;
    struct digest edge[TILE_LEVELS][TILE_WIDTH]; /* the tile of each level that is being filled */
};

static enum status read_edge(struct tile_writer *writer, const struct tile_source *source, uint64_t size)
{
    struct tile_reader *reader = NULL;
    enum status status = tile_reader_new(source, size, &reader);

    if (status != STATUS_OK)
        goto out;
    status = tile_reader_frontier(reader, &writer->frontier);
    for (uint8_t level = 0; level < TILE_LEVELS && status == STATUS_OK; level++) {
        uint64_t n = size >> (8 * level) >> 8;
        struct tile_id id = {.level = level, .n = n, .width = tile_width(level, n, size)};
        if (id.width > 0)
            status = source->read(source->context, &id, writer->edge[level]);
    }
out:
    tile_reader_free(&reader);
    return status;
}

enum status tile_writer_new(const struct tile_source *source, uint64_t size, struct tile_writer **ret_writer)
{
    enum status status = STATUS_OK;
    struct tile_writer *writer = calloc(1, sizeof *writer);

    assert(source != NULL || size == 0);
    if (writer == NULL) {
        status = STATUS_NO_MEMORY;
        goto out;
    }
    writer->flushed = size;
    if (size > 0)
        status = read_edge(writer, source, size);
    if (status != STATUS_OK)
        goto out;
    *ret_writer = writer;
    writer = NULL;
out:
    tile_writer_free(&writer);
    return status;
}

void tile_writer_free(struct tile_writer **writer)
{
    if (writer == NULL)
        return;
    free(*writer);
    *writer = NULL;
}

/* Hands the tile that leaf number size falls into at a level to the sink. */
static enum status emit(struct tile_writer *writer, const struct tile_sink *sink, unsigned level,
                        uint16_t width)
{
    struct tile_id id = {
        .level = (uint8_t)level,
        .n = writer->frontier.size >> (8 * level) >> 8,
        .width = width,
    };

    writer->failed = sink->write(sink->context, &id, writer->edge[level]);
    return writer->failed;
}

/*
 * The frontier's append, watched: every eighth height the node that is carried is the next hash of a tile,
 * and the last hash of a tile is written before it is carried on.
 */
static enum status append_leaf(struct tile_writer *writer, const struct tile_sink *sink,
                               const struct digest *leaf)
{
    struct merkle_frontier *frontier = &writer->frontier;
    struct digest hash = *leaf;

    assert(frontier->size < UINT64_MAX);
    for (unsigned height = 0;; height++) {
        if (height % 8 == 0) {
            size_t place = frontier->size >> height & (TILE_WIDTH - 1);
            writer->edge[height / 8][place] = hash;
            if (place == TILE_WIDTH - 1 && emit(writer, sink, height / 8, TILE_WIDTH) != STATUS_OK)
                return writer->failed;
        }
        if ((frontier->size >> height & 1) == 0) {
            frontier->nodes[height] = hash;
            break;
        }
        hash = merkle_node(&frontier->nodes[height], &hash);
    }
    frontier->size++;
    return STATUS_OK;
}

enum status tile_writer_append(struct tile_writer *writer, const struct tile_sink *sink,
                               const struct digest *leaves, size_t n)
{
    enum status status = writer->failed;

    for (size_t i = 0; i < n && status == STATUS_OK; i++)
        status = append_leaf(writer, sink, &leaves[i]);
    return status;
}

enum status tile_writer_flush(struct tile_writer *writer, const struct tile_sink *sink)
{
    uint64_t size = writer->frontier.size;
    enum status status = writer->failed;

    for (unsigned level = 0; level < TILE_LEVELS && status == STATUS_OK; level++) {
        uint16_t width = (uint16_t)(size >> (8 * level) & (TILE_WIDTH - 1));
        if (width > 0 && size >> (8 * level) != writer->flushed >> (8 * level))
            status = emit(writer, sink, level, width);
    }
    if (status == STATUS_OK)
        writer->flushed = size;
    return status;
}

uint64_t tile_writer_size(const struct tile_writer *writer)
{
    return writer->frontier.size;
}

struct digest tile_writer_root(const struct tile_writer *writer)
{
    return merkle_frontier_root(&writer->frontier);
}

const struct merkle_frontier *tile_writer_frontier(const struct tile_writer *writer)
{
    return &writer->frontier;
}
