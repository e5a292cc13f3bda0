#pragma once

#include "agent/agent.h"

/*
 * What waits to be signed and sent in batches, in the order in which it was queued: our receipts and our
 * reports. Each kind has a table of its own with the columns id INTEGER PRIMARY KEY and one BLOB.
 */
struct due_queue {
    const char *insert; /* of one blob */
    const char *oldest; /* id and blob, by id, at most ? */
    const char *forget; /* up to id ? */
};

#define DUE_MOST 256 /* of one batch */

/* The oldest of a queue; freed with due_batch_free. */
struct due_batch {
    struct byte_buffer bytes;
    struct byte_view items[DUE_MOST];
    size_t count;
    int64_t last; /* for due_forget */
};

/* due_add - inside the transaction that it belongs to. Returns as base/db.h. */
enum status due_add(struct agent *agent, const struct due_queue *queue, struct byte_view item);

/*
 * due_oldest - at most `most` of them, each of at most `largest` bytes.
 *
 * STATUS_NOT_FOUND when none waits, STATUS_TOO_LARGE, STATUS_NO_MEMORY or as base/db.h; ret is then empty.
 */
enum status due_oldest(struct agent *agent, const struct due_queue *queue, size_t most, size_t largest,
                       struct due_batch *ret);
void due_batch_free(struct due_batch *batch);

/* due_forget - those up to last, which the broker has stored. Inside a transaction. */
enum status due_forget(struct agent *agent, const struct due_queue *queue, int64_t last);
