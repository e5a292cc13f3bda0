#pragma once

#include "broker/engine.h"

/* Which undelivered sections a batch of receipts confirms. */
struct matching_one {
    bool found;
    uint32_t sender; /* number */
    struct store_slice_key key;
    size_t place;   /* in the slice */
    uint64_t entry; /* index in the log of its `disclosed` */
};

struct matching {
    size_t count; /* receipts in the batch */
    size_t found;
    struct matching_one matches[ENVELOPE_BATCH_MAX];
};

/* matching_find - STATUS_MISMATCH when a receipt names other content than what its recipient was sent, or
 * what the store returns. What is confirmed already is not found. */
enum status matching_find(struct engine *engine, const struct job *job, struct peer *recipient,
                          struct matching *ret);

/* matching_settle - take what was found out of the queue, within the transaction. */
enum status matching_settle(struct engine *engine, struct peer *recipient, const struct matching *matching);
