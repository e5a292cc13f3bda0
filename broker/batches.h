#pragma once

#include "broker/outcome.h"
#include "broker/store/store.h"
#include "proto/merkle.h"

/*
 * Batches in memory as deliveries, grounds and second looks need them: taken over from a publish that was
 * just stored, or read back. A bounded number of bytes is kept, those used last.
 */
#define BATCHES_LIMIT ((size_t)8 << 20)

struct batch_held {
    uint64_t id;
    uint32_t sender;
    uint32_t count;
    int64_t committed;
    uint8_t certificate[DIGEST_SIZE];
    uint8_t signature[64];
    struct byte_view *headers;       /* count; empty: the event has no outcome, only its leaf is known */
    uint8_t (*digests)[DIGEST_SIZE]; /* of the headers that there are */
    struct digest *nodes;            /* of the tree over all, for merkle_nodes_path */
    struct byte_buffer bytes;        /* headers, openings, outcomes as stored */
    size_t openings;                 /* where they begin */
    size_t outcomes;

    /* The cache's own. */
    size_t weight;
    struct batch_held *chained; /* in its place of the table */
    struct batch_held *older;
    struct batch_held *newer;
};

struct batches;

/* batches_new - over a store, which is borrowed; keeps up to limit bytes, and always the one used last.
 * STATUS_NO_MEMORY. */
enum status batches_new(struct store *store, size_t limit, struct batches **ret);
void batches_free(struct batches **batches);

/* batches_get - valid until the next batches_get, batches_keep or batches_forget. STATUS_NOT_FOUND,
 * STATUS_CORRUPT, STATUS_NO_MEMORY or what the store returns. */
enum status batches_get(struct batches *batches, uint64_t id, const struct batch_held **ret);

/* batches_has - whether batches_get would not need the store. */
bool batches_has(const struct batches *batches, uint64_t id);

/* batches_keep - a batch that was appended just now, whose tree and header digests (one an event) are known.
 * Does nothing without memory. */
void batches_keep(struct batches *batches, const struct store_batch *batch, const struct merkle_batch *tree,
                  const struct digest *digests);

/* batches_forget - let go of everything. */
void batches_forget(struct batches *batches);

/* batches_put_header, batches_put_leaf - one event of a batch in its stored form: with an outcome, without.
 */
void batches_put_header(struct byte_buffer *headers, struct byte_view header);
void batches_put_leaf(struct byte_buffer *headers, const uint8_t leaf[static DIGEST_SIZE]);

/* batches_next_header - of a batch's stored headers the next: empty for an event without an outcome, and for
 * one that was erased. Damage stays in the reader. */
struct byte_view batches_next_header(struct byte_reader *headers);

/* batches_event - the id of the event with this header. */
const uint8_t *batches_event(struct byte_view header);

/* batches_opening - an event's encoded opening. STATUS_CORRUPT. */
enum status batches_opening(const struct batch_held *batch, uint32_t index, struct byte_view *ret);

/* batches_outcome - what became of an event; borrowed from the batch. STATUS_CORRUPT. */
enum status batches_outcome(const struct batch_held *batch, uint32_t index, struct outcome *ret);

/* batches_holds - STATUS_NOT_FOUND for an event that was erased: nothing but its leaf is left. Otherwise as
 * batches_get. */
enum status batches_holds(struct batches *batches, struct store_place place);

/* batches_blank - leave nothing but the leaf of one event, in the store too, within its transaction. Errors
 * as batches_get. */
enum status batches_blank(struct batches *batches, struct store_place place);

/* batches_blanked - whether an event with this leaf was erased among those of the sender's batch that would
 * hold this id, or one of this id that came late. Errors as batches_get. */
enum status batches_blanked(struct batches *batches, uint32_t sender,
                            const uint8_t event[static STORE_EVENT_SIZE],
                            const uint8_t leaf[static DIGEST_SIZE], bool *ret);

/* batches_find - where an event of that sender stands that has an outcome. STATUS_NOT_FOUND, also when it was
 * erased, or as batches_get. */
enum status batches_find(struct batches *batches, uint32_t sender,
                         const uint8_t event[static STORE_EVENT_SIZE], struct store_place *ret);
