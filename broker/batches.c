#include "broker/batches.h"

#include <stdlib.h>
#include <string.h>

#include "proto/header.h"

#define PLACES     1024u /* of the table: about as many batches as fit, when they are small */
#define HELD_LIMIT ((size_t)4 << 20)
#define LEAF_ONLY  UINT32_C(0x80000000)
#define EVENT_AT   6 /* in a header: its length, then tag and size of the core's first field */

struct batches {
    struct store *store;
    size_t limit;
    size_t weight; /* of all */
    struct batch_held *places[PLACES];
    struct batch_held *newest;
    struct batch_held *oldest;
};

enum status batches_new(struct store *store, size_t limit, struct batches **ret)
{
    struct batches *batches = calloc(1, sizeof *batches);

    if (batches == NULL)
        return STATUS_NO_MEMORY;
    batches->store = store;
    batches->limit = limit;
    *ret = batches;
    return STATUS_OK;
}

/* ---- what is kept ---- */

static struct batch_held **place_of(struct batches *batches, uint64_t id)
{
    struct batch_held **link = &batches->places[id % PLACES];

    while (*link != NULL && (*link)->id != id)
        link = &(*link)->chained;
    return link;
}

static void unlink_use(struct batches *batches, struct batch_held *held)
{
    *(held->newer == NULL ? &batches->newest : &held->newer->older) = held->older;
    *(held->older == NULL ? &batches->oldest : &held->older->newer) = held->newer;
}

static void link_use(struct batches *batches, struct batch_held *held)
{
    held->newer = NULL;
    held->older = batches->newest;
    *(batches->newest == NULL ? &batches->oldest : &batches->newest->newer) = held;
    batches->newest = held;
}

static void held_free(struct batch_held **held)
{
    bytes_buffer_free(&(*held)->bytes);
    free(*held);
    *held = NULL;
}

static void drop(struct batches *batches, struct batch_held *held)
{
    *place_of(batches, held->id) = held->chained;
    unlink_use(batches, held);
    batches->weight -= held->weight;
    held_free(&held);
}

static void keep(struct batches *batches, struct batch_held *held)
{
    struct batch_held **place = place_of(batches, held->id);

    if (*place != NULL)
        drop(batches, *place);
    while (batches->oldest != NULL && batches->weight + held->weight > batches->limit)
        drop(batches, batches->oldest);
    held->chained = NULL;
    *place_of(batches, held->id) = held;
    link_use(batches, held);
    batches->weight += held->weight;
}

void batches_forget(struct batches *batches)
{
    while (batches->oldest != NULL)
        drop(batches, batches->oldest);
}

void batches_free(struct batches **batches)
{
    if (*batches == NULL)
        return;
    batches_forget(*batches);
    free(*batches);
    *batches = NULL;
}

/* ---- the stored form ---- */

void batches_put_header(struct byte_buffer *headers, struct byte_view header)
{
    bytes_append_u32(headers, (uint32_t)header.size);
    bytes_append_view(headers, header);
}

void batches_put_leaf(struct byte_buffer *headers, const uint8_t leaf[static DIGEST_SIZE])
{
    bytes_append_u32(headers, LEAF_ONLY);
    bytes_append(headers, leaf, DIGEST_SIZE);
}

struct byte_view batches_next_header(struct byte_reader *headers)
{
    uint32_t size = bytes_read_u32(headers);
    struct byte_view header = bytes_read_view(headers, size == LEAF_ONLY ? DIGEST_SIZE : size);

    return size == LEAF_ONLY ? bytes_view(NULL, 0) : header;
}

const uint8_t *batches_event(struct byte_view header)
{
    return header.data + EVENT_AT;
}

static enum status take_bytes(const struct store_batch *batch, struct batch_held *held)
{
    size_t size = batch->headers.size + batch->openings.size + batch->outcomes.size;

    held->bytes = bytes_buffer(HELD_LIMIT);
    bytes_reserve(&held->bytes, size);
    bytes_append_view(&held->bytes, batch->headers);
    held->openings = held->bytes.size;
    bytes_append_view(&held->bytes, batch->openings);
    held->outcomes = held->bytes.size;
    bytes_append_view(&held->bytes, batch->outcomes);
    held->weight += size;
    return held->bytes.status;
}

/* A copy of what the store gave. What tells about its headers has room behind it, in the same block. */
static enum status copy_batch(const struct store_batch *batch, const struct digest *nodes,
                              struct batch_held **ret)
{
    size_t node_count = merkle_batch_nodes(batch->count);
    size_t each = sizeof(struct byte_view) + DIGEST_SIZE;
    size_t size = sizeof(struct batch_held) + batch->count * each + node_count * sizeof *nodes;
    struct batch_held *held = calloc(1, size);

    if (held == NULL)
        return STATUS_NO_MEMORY;
    held->id = batch->id;
    held->sender = batch->sender;
    held->count = batch->count;
    held->committed = batch->committed;
    held->weight = size;
    held->headers = (struct byte_view *)(held + 1);
    held->digests = (uint8_t(*)[DIGEST_SIZE])(held->headers + batch->count);
    held->nodes = (struct digest *)(held->digests + batch->count);
    memcpy(held->nodes, nodes, node_count * sizeof *nodes);
    memcpy(held->certificate, batch->certificate.data, DIGEST_SIZE);
    memcpy(held->signature, batch->signature.data, sizeof held->signature);
    enum status status = take_bytes(batch, held);
    if (status != STATUS_OK) {
        held_free(&held);
        return status;
    }
    *ret = held;
    return STATUS_OK;
}

/* Finds the headers of a copy. leaves may be NULL when nobody needs them; digests when they are not known. */
static enum status find_headers(struct batch_held *held, struct digest *leaves, const struct digest *digests)
{
    struct byte_reader reader = bytes_reader(bytes_view(held->bytes.data, held->openings));

    for (uint32_t i = 0; !reader.failed && i < held->count; i++) {
        uint32_t size = bytes_read_u32(&reader);
        struct byte_view bytes = bytes_read_view(&reader, size == LEAF_ONLY ? DIGEST_SIZE : size);
        if (reader.failed)
            return STATUS_CORRUPT;
        if (size == LEAF_ONLY) {
            if (leaves != NULL)
                memcpy(leaves[i].bytes, bytes.data, DIGEST_SIZE);
            continue;
        }
        if (size <= EVENT_AT + STORE_EVENT_SIZE)
            return STATUS_CORRUPT;
        held->headers[i] = bytes;
        if (digests != NULL)
            memcpy(held->digests[i], digests[i].bytes, DIGEST_SIZE);
        else
            header_digest(bytes, held->digests[i]);
        if (leaves != NULL)
            header_leaf(bytes, leaves[i].bytes);
    }
    return bytes_read_done(&reader) ? STATUS_OK : STATUS_CORRUPT;
}

static bool is_sound(const struct store_batch *batch)
{
    return batch->count >= 1 && batch->count <= STORE_BATCH_EVENTS &&
           batch->certificate.size == DIGEST_SIZE &&
           batch->signature.size == sizeof((struct batch_held *)NULL)->signature;
}

void batches_keep(struct batches *batches, const struct store_batch *batch, const struct merkle_batch *tree,
                  const struct digest *digests)
{
    struct batch_held *held = NULL;

    if (!is_sound(batch) || tree->size != batch->count || copy_batch(batch, tree->nodes, &held) != STATUS_OK)
        return;
    if (find_headers(held, NULL, digests) == STATUS_OK)
        keep(batches, held);
    else
        held_free(&held);
}

bool batches_has(const struct batches *batches, uint64_t id)
{
    const struct batch_held *held = batches->places[id % PLACES];

    while (held != NULL && held->id != id)
        held = held->chained;
    return held != NULL;
}

static enum status read_back(struct batches *batches, uint64_t id, const struct batch_held **ret)
{
    struct digest leaves[STORE_BATCH_EVENTS];
    struct merkle_batch tree = {.size = 0};
    struct store_batch stored;
    struct batch_held *held = NULL;
    enum status status = store_get_batch(batches->store, id, &stored);

    if (status == STATUS_OK)
        status = is_sound(&stored) ? copy_batch(&stored, tree.nodes, &held) : STATUS_CORRUPT;
    if (status == STATUS_OK)
        status = find_headers(held, leaves, NULL);
    if (status != STATUS_OK) {
        if (held != NULL)
            held_free(&held);
        return status;
    }
    merkle_batch_build(&tree, leaves, held->count);
    memcpy(held->nodes, tree.nodes, merkle_batch_nodes(held->count) * sizeof tree.nodes[0]);
    keep(batches, held);
    *ret = held;
    return STATUS_OK;
}

enum status batches_get(struct batches *batches, uint64_t id, const struct batch_held **ret)
{
    struct batch_held *held = *place_of(batches, id);

    if (held == NULL)
        return read_back(batches, id, ret);
    unlink_use(batches, held);
    link_use(batches, held);
    *ret = held;
    return STATUS_OK;
}

enum status batches_opening(const struct batch_held *batch, uint32_t index, struct byte_view *ret)
{
    struct byte_reader reader =
        bytes_reader(bytes_view(batch->bytes.data + batch->openings, batch->outcomes - batch->openings));
    struct byte_view opening = {NULL, 0};

    for (uint32_t i = 0; i <= index; i++)
        opening = bytes_read_view(&reader, bytes_read_u32(&reader));
    if (reader.failed)
        return STATUS_CORRUPT;
    *ret = opening;
    return STATUS_OK;
}

enum status batches_outcome(const struct batch_held *batch, uint32_t index, struct outcome *ret)
{
    struct byte_reader reader =
        bytes_reader(bytes_view(batch->bytes.data + batch->outcomes, batch->bytes.size - batch->outcomes));
    enum status status = STATUS_OK;

    for (uint32_t i = 0; status == STATUS_OK && i <= index; i++)
        status = outcome_read(&reader, ret);
    return status;
}

enum status batches_find(struct batches *batches, uint32_t sender,
                         const uint8_t event[static STORE_EVENT_SIZE], struct store_place *ret)
{
    const struct batch_held *batch = NULL;
    uint64_t id = 0;
    struct store_place late;
    enum status status = store_find_late(batches->store, sender, event, &late);

    if (status == STATUS_OK)
        status = batches_holds(batches, late); /* not if it was erased */
    if (status == STATUS_OK)
        *ret = late;
    if (status != STATUS_NOT_FOUND)
        return status;
    status = store_find_range(batches->store, sender, event, &id);
    if (status == STATUS_OK)
        status = batches_get(batches, id, &batch);
    for (uint32_t i = 0; status == STATUS_OK && i < batch->count; i++) {
        if (batch->headers[i].size == 0 ||
            memcmp(batches_event(batch->headers[i]), event, STORE_EVENT_SIZE) != 0)
            continue;
        *ret = (struct store_place){.batch = id, .index = i};
        return STATUS_OK;
    }
    return status == STATUS_OK ? STATUS_NOT_FOUND : status;
}

/* ---- erased events ---- */

enum status batches_holds(struct batches *batches, struct store_place place)
{
    const struct batch_held *batch = NULL;
    enum status status = batches_get(batches, place.batch, &batch);

    if (status != STATUS_OK)
        return status;
    return place.index < batch->count && batch->headers[place.index].size > 0 ? STATUS_OK : STATUS_NOT_FOUND;
}

/* The batch's headers and openings without those of one event. */
static enum status write_blank(const struct store_batch *batch, uint32_t index, struct byte_buffer *headers,
                               struct byte_buffer *openings)
{
    struct byte_reader from = bytes_reader(batch->headers);
    struct byte_reader opened = bytes_reader(batch->openings);
    uint8_t leaf[DIGEST_SIZE];

    for (uint32_t i = 0; i < batch->count; i++) {
        uint32_t size = bytes_read_u32(&from);
        struct byte_view header = bytes_read_view(&from, size == LEAF_ONLY ? DIGEST_SIZE : size);
        struct byte_view opening = bytes_read_view(&opened, bytes_read_u32(&opened));
        if (from.failed || opened.failed)
            return STATUS_CORRUPT;
        if (i == index && size != LEAF_ONLY) {
            header_leaf(header, leaf);
            header = bytes_view(leaf, sizeof leaf);
            size = LEAF_ONLY;
        }
        if (size == LEAF_ONLY)
            batches_put_leaf(headers, header.data);
        else
            batches_put_header(headers, header);
        if (i == index)
            opening = bytes_view(NULL, 0);
        bytes_append_u32(openings, (uint32_t)opening.size);
        bytes_append_view(openings, opening);
    }
    return headers->status == STATUS_OK ? openings->status : headers->status;
}

enum status batches_blank(struct batches *batches, struct store_place place)
{
    struct byte_buffer headers = bytes_buffer(HELD_LIMIT);
    struct byte_buffer openings = bytes_buffer(HELD_LIMIT);
    struct store_batch stored;
    enum status status = store_get_batch(batches->store, place.batch, &stored);

    if (status == STATUS_OK)
        status = write_blank(&stored, place.index, &headers, &openings);
    if (status == STATUS_OK)
        status = store_blank_batch(batches->store, place.batch, bytes_buffer_view(&headers),
                                   bytes_buffer_view(&openings));
    bytes_buffer_wipe(&openings);
    bytes_buffer_free(&headers);
    batches_forget(batches);
    return status;
}

enum status batches_blanked(struct batches *batches, uint32_t sender,
                            const uint8_t event[static STORE_EVENT_SIZE],
                            const uint8_t leaf[static DIGEST_SIZE], bool *ret)
{
    struct store_batch stored;
    struct store_place late;
    struct byte_reader reader;
    uint64_t id = 0;
    enum status status = store_find_late(batches->store, sender, event, &late);

    *ret = false;
    if (status == STATUS_OK) {
        status = batches_holds(batches, late);
        *ret = status == STATUS_NOT_FOUND;
        return *ret ? STATUS_OK : status;
    }
    if (status == STATUS_NOT_FOUND)
        status = store_find_range(batches->store, sender, event, &id);
    if (status == STATUS_OK)
        status = store_get_batch(batches->store, id, &stored);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    reader = bytes_reader(stored.headers);
    for (uint32_t i = 0; i < stored.count; i++) {
        uint32_t size = bytes_read_u32(&reader);
        struct byte_view bytes = bytes_read_view(&reader, size == LEAF_ONLY ? DIGEST_SIZE : size);
        if (size == LEAF_ONLY && bytes_equal(bytes, bytes_view(leaf, DIGEST_SIZE)))
            *ret = true;
    }
    return reader.failed ? STATUS_CORRUPT : STATUS_OK;
}
