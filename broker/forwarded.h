#pragma once

#include "base/bytes.h"
#include "proto/envelope.h"
#include "proto/merkle.h"

/*
 * One member's receipts of a signed batch, on their way back to it: as they are sent (ForwardedReceipts in
 * wire.proto, each receipt with its path) and as they are kept until then, where the hashes that several
 * paths share stand once.
 */
struct forwarded {
    uint64_t id; /* of the row, for Fetch.receipts_after */
    struct byte_view certificate;
    struct byte_view signature;
    struct byte_view head;            /* the encoded SignedHead that came with the batch */
    size_t count;                     /* of the whole batch, 1 to ENVELOPE_BATCH_MAX */
    const bool *part;                 /* which of them are the member's */
    const struct byte_view *receipts; /* count; only those are looked at */
    const struct digest *nodes;       /* of the batch's tree, as far as their paths need them */
};

/* forwarded_frame - append the body of a ForwardedReceipts frame; forwarded_store - what is kept. Neither
 * fails but by the buffer's status. */
void forwarded_frame(const struct forwarded *forwarded, struct byte_buffer *ret);
void forwarded_store(const struct forwarded *forwarded, struct byte_buffer *ret);

/* forwarded_is - whether forwarded_store wrote this. What is kept since before there was such a form, and
 * notices, begin with another byte. */
bool forwarded_is(struct byte_view stored);

/* forwarded_restore - append the frame's body from what is kept. STATUS_CORRUPT, or what appending returned;
 * ret is then not to be used. */
enum status forwarded_restore(struct byte_view stored, struct byte_buffer *ret);
