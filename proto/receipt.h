#pragma once

#include "proto/envelope.h"

/*
 * A receipt: a recipient's signed word that it stored or quarantined one section. Signed in batches under
 * "concordat/receipts/v1\0" and forwarded verbatim to the sender, whose verification makes an event
 * delivered. Format: docs/wire-format.md, "Receipt".
 */

#define RECEIPT_SIZE_MAX 512

enum receipt_outcome {
    RECEIPT_STORED = 1,
    RECEIPT_QUARANTINED = 2,
};

/* Views are borrowed. */
struct receipt {
    struct byte_view to; /* who gives the receipt */
    struct byte_view from;
    uint8_t event[16];
    uint8_t header[32];  /* digest */
    uint8_t section[32]; /* digest */
    enum receipt_outcome outcome;
    int64_t time;
    uint64_t counter; /* the recipient's, as delivered */
    uint8_t bundle[32];
};

/* receipt_encode - STATUS_BAD_ARGUMENT for what receipt_decode() would not accept, or what appending
 * returned.
 */
enum status receipt_encode(const struct receipt *receipt, struct byte_buffer *ret);

/* receipt_decode - STATUS_BAD_FORMAT, STATUS_NOT_CANONICAL or STATUS_TOO_LARGE. */
enum status receipt_decode(struct byte_view bytes, struct receipt *ret_receipt);

/*
 * receipt_batch_build - appends one signed ReceiptBatch frame.
 *
 * receipts  1 to ENVELOPE_BATCH_MAX encoded receipts;  head  the encoded SignedHead of the bundle in force
 *
 * Returns STATUS_BAD_ARGUMENT, STATUS_TOO_LARGE, STATUS_NO_MEMORY or STATUS_CRYPTO; ret is then as before.
 */
enum status receipt_batch_build(uint64_t request, const struct batch_signer *signer,
                                const struct ed25519_key *key, const struct byte_view *receipts, size_t count,
                                struct byte_view head, struct byte_buffer *ret);

/*
 * receipt_batch_verify - the broker's side: the signature, every receipt, and that each is `to`'s own.
 *
 * ret_receipts  room for batch->n_receipts; they borrow from the frame, and mean nothing on failure
 *
 * Returns STATUS_BAD_SIGNATURE, STATUS_UNKNOWN_KEY (another certificate), STATUS_MISMATCH (another member's
 * receipt), a status of receipt_decode(), or STATUS_CRYPTO. Whether what it confirms was sent is for the
 * store.
 */
enum status receipt_batch_verify(const Wire__ReceiptBatch *batch, struct byte_view to,
                                 const struct batch_signer *signer, const struct ed25519_key *key,
                                 struct receipt *ret_receipts);

/*
 * receipt_batch_digest - SHA-256 of canonical(certificate, signature), by which the log names a signed batch;
 * sender and recipient can both compute it.
 */
void receipt_batch_digest(struct byte_view certificate, struct byte_view signature, uint8_t out[static 32]);

/*
 * receipt_forwarded_verify - the sender's side: one signature for all receipts of the forwarded batch, the
 * path of each to the signed root, all by one recipient and all about `from`'s events.
 *
 * ret_receipts  room for forwarded->n_receipts; as above. Whose the certificate is was the
 *               caller's to find; ret_receipts[i].to must be that member, given as to.
 *
 * Returns STATUS_BAD_SIGNATURE, STATUS_BAD_PROOF, STATUS_UNKNOWN_KEY, STATUS_MISMATCH, a status of
 * receipt_decode(), or STATUS_CRYPTO.
 */
enum status receipt_forwarded_verify(const Wire__ForwardedReceipts *forwarded, struct byte_view from,
                                     struct byte_view to, const struct batch_signer *signer,
                                     const struct ed25519_key *key, struct receipt *ret_receipts);

/*
 * receipt_confirms - is this the receipt for the section that was published to `to` in the event with this
 * header? STATUS_MISMATCH otherwise.
 */
enum status receipt_confirms(const struct receipt *receipt, struct byte_view header, struct byte_view to,
                             struct byte_view section);
