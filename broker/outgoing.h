#pragma once

#include "base/mailbox.h"
#include "broker/pipeline.h"
#include "proto/member.h"
#include "proto/wire_codec.h"

/*
 * What the store thread hands to the gate. Its bytes are counted until they are taken, so that deliveries
 * wait while the gate is behind.
 */
struct outgoing {
    struct pipeline_out face; /* first: pipeline_take gives out a pointer to it */
    struct byte_buffer bytes;
    char member[MEMBER_ID_LENGTH + 1];
};

struct outgoing_queue {
    struct mailbox *mailbox;
    _Atomic size_t bytes;
};

/* outgoing_new - an empty one. STATUS_NO_MEMORY. */
enum status outgoing_new(enum pipeline_kind kind, struct outgoing **ret);
void outgoing_free(struct outgoing **outgoing);

/* outgoing_frame - a frame for a connection: message body of that verb, encoded already. STATUS_NO_MEMORY or
 * STATUS_TOO_LARGE. */
enum status outgoing_frame(uint64_t connection, const char *member, uint64_t request,
                           Wire__Frame__VerbCase verb, struct byte_view body, struct outgoing **ret);

/* outgoing_put - hand it over, waiting for room; frees it when the queue is closed. */
void outgoing_put(struct outgoing_queue *queue, struct outgoing **outgoing);

/* outgoing_taken - it has left the queue. */
void outgoing_taken(struct outgoing_queue *queue, const struct outgoing *outgoing);
