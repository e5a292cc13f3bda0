#include "broker/batches.h"

#include <stdlib.h>
#include <string.h>

#include "proto/header.h"

#define HELD_MOST  64
#define HELD_LIMIT ((size_t)4 << 20)
#define LEAF_ONLY  UINT32_C(0x80000000)
#define EVENT_AT   6 /* in a header: its length, then tag and size of the core's first field */

struct batches {
    struct store *store;
    struct batch_held *held[HELD_MOST];
    uint64_t clock;
};

enum status batches_new(struct store *store, struct batches **ret)
{
    struct batches *batches = calloc(1, sizeof *batches);

    if (batches == NULL)
        return STATUS_NO_MEMORY;
    batches->store = store;
    *ret = batches;
    return STATUS_OK;
}

static void drop(struct batch_held **held)
{
    if (*held != NULL)
        bytes_buffer_free(&(*held)->bytes);
    free(*held);
    *held = NULL;
}

void batches_forget(struct batches *batches)
{
    for (size_t i = 0; i < HELD_MOST; i++)
        drop(&batches->held[i]);
}

void batches_free(struct batches **batches)
{
    if (*batches == NULL)
        return;
    batches_forget(*batches);
    free(*batches);
    *batches = NULL;
}

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

const uint8_t *batches_event(struct byte_view header)
{
    return header.data + EVENT_AT;
}

/* A copy of what the store gave, its headers found. leaves may be NULL when nobody needs them. */
static enum status copy(const struct store_batch *batch, struct digest *leaves, struct batch_held **ret)
{
    struct batch_held *held = calloc(1, sizeof *held);
    struct byte_reader reader;

    if (held == NULL)
        return STATUS_NO_MEMORY;
    held->id = batch->id;
    held->sender = batch->sender;
    held->count = batch->count;
    held->committed = batch->committed;
    held->bytes = bytes_buffer(HELD_LIMIT);
    bytes_append_view(&held->bytes, batch->headers);
    held->openings = held->bytes.size;
    bytes_append_view(&held->bytes, batch->openings);
    held->outcomes = held->bytes.size;
    bytes_append_view(&held->bytes, batch->outcomes);
    if (held->bytes.status != STATUS_OK) {
        enum status status = held->bytes.status;
        drop(&held);
        return status;
    }
    reader = bytes_reader(bytes_view(held->bytes.data, held->openings));
    bool sound = batch->count >= 1 && batch->count <= STORE_BATCH_EVENTS &&
                 batch->certificate.size == DIGEST_SIZE && batch->signature.size == sizeof held->signature;
    for (uint32_t i = 0; sound && i < batch->count; i++) {
        uint32_t size = bytes_read_u32(&reader);
        if (size == LEAF_ONLY) {
            struct byte_view leaf = bytes_read_view(&reader, DIGEST_SIZE);
            if (!reader.failed && leaves != NULL)
                memcpy(leaves[i].bytes, leaf.data, DIGEST_SIZE);
        } else {
            held->headers[i] = bytes_read_view(&reader, size);
            sound = size > EVENT_AT + STORE_EVENT_SIZE;
            if (sound && !reader.failed)
                header_digest(held->headers[i], held->digests[i]);
            if (sound && !reader.failed && leaves != NULL)
                header_leaf(held->headers[i], leaves[i].bytes);
        }
    }
    if (!sound || !bytes_read_done(&reader)) {
        drop(&held);
        return STATUS_CORRUPT;
    }
    memcpy(held->certificate, batch->certificate.data, DIGEST_SIZE);
    memcpy(held->signature, batch->signature.data, sizeof held->signature);
    *ret = held;
    return STATUS_OK;
}

/* Puts a batch in the place of the one that was used longest ago. */
static void keep(struct batches *batches, struct batch_held *held)
{
    size_t oldest = 0;

    for (size_t i = 0; i < HELD_MOST; i++) {
        if (batches->held[i] == NULL) {
            oldest = i;
            break;
        }
        if (batches->held[i]->used < batches->held[oldest]->used)
            oldest = i;
    }
    drop(&batches->held[oldest]);
    batches->held[oldest] = held;
    held->used = ++batches->clock;
}

void batches_keep(struct batches *batches, const struct store_batch *batch, const struct merkle_batch *tree)
{
    struct batch_held *held = NULL;

    if (copy(batch, NULL, &held) != STATUS_OK)
        return;
    held->tree = *tree;
    keep(batches, held);
}

bool batches_has(const struct batches *batches, uint64_t id)
{
    for (size_t i = 0; i < HELD_MOST; i++) {
        if (batches->held[i] != NULL && batches->held[i]->id == id)
            return true;
    }
    return false;
}

static enum status read_back(struct batches *batches, uint64_t id, const struct batch_held **ret)
{
    struct digest leaves[STORE_BATCH_EVENTS];
    struct store_batch stored;
    struct batch_held *held = NULL;
    enum status status = store_get_batch(batches->store, id, &stored);

    if (status == STATUS_OK)
        status = copy(&stored, leaves, &held);
    if (status != STATUS_OK)
        return status;
    merkle_batch_build(&held->tree, leaves, held->count);
    keep(batches, held);
    *ret = held;
    return STATUS_OK;
}

enum status batches_get(struct batches *batches, uint64_t id, const struct batch_held **ret)
{
    for (size_t i = 0; i < HELD_MOST; i++) {
        if (batches->held[i] != NULL && batches->held[i]->id == id) {
            batches->held[i]->used = ++batches->clock;
            *ret = batches->held[i];
            return STATUS_OK;
        }
    }
    return read_back(batches, id, ret);
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
    enum status status = store_find_late(batches->store, sender, event, ret);

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
