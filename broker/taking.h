#pragma once

#include "broker/engine.h"

/*
 * Taking sections out of the queue before anybody has confirmed them: their bytes are overwritten, the log
 * says so, their sender is told, and a recipient that may hold one already is told to delete it.
 */
struct taking_how {
    enum record_kind kind; /* of the log's entry */
    Wire__NoticeKind notice;
    bool tell; /* a recipient that may hold it is to delete it */
};

struct taking {
    struct store_slice_key key;
    const struct taking_how *how;
    uint32_t sender;
    uint32_t count;
    uint8_t live[STORE_MASK_SIZE];
    uint8_t places[STORE_MASK_SIZE];                     /* to be taken out */
    const char *reasons[STORE_BATCH_EVENTS];             /* static texts, one for each of these */
    uint8_t marks[STORE_BATCH_EVENTS * STORE_MARK_SIZE]; /* copied: the store's own go with its next verb */
};

/* taking_start - one slice, nothing of it marked yet; how NULL: a recall. */
void taking_start(struct taking *taking, const struct store_slice *slice, const struct taking_how *how);

struct store_mark taking_mark(const struct taking *taking, size_t place);

/* taking_add - this section is to be taken out; reason is static text. */
void taking_add(struct taking *taking, size_t place, const char *reason);

/* taking_held - whether the recipient of this slice may have received something of it. */
bool taking_held(const struct engine *engine, const struct peer *recipient, struct store_slice_key key);

/* taking_out - write, log and tell what was marked. Returns what the store, the log and the batches return.
 */
enum status taking_out(struct engine *engine, const struct taking *taking);
