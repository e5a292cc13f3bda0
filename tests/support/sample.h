#pragma once

#include "proto/envelope.h"
#include "proto/opening.h"
#include "proto/receipt.h"

/*
 * A batch of release notices from prison.dovegate to police.staffordshire and, every second one, to
 * probation.staffordshire, made from fixed keys and fixed "random" bytes: the same bytes every time. These
 * keys are for tests and for the worked example of docs/wire-format.md, and for nothing else.
 */

#define SAMPLE_FROM      "prison.dovegate"
#define SAMPLE_POLICE    "police.staffordshire"
#define SAMPLE_PROBATION "probation.staffordshire"
#define SAMPLE_EVENTS    8                      /* the most */
#define SAMPLE_NOW       INT64_C(1796116486218) /* 2026-12-01T09:14:46.218Z */

enum sample_recipient { SAMPLE_TO_POLICE, SAMPLE_TO_PROBATION, SAMPLE_RECIPIENTS };

struct sample_event {
    struct core core;
    struct opening_attribute attributes[3];
    struct byte_buffer core_bytes;
    struct byte_buffer opening;
    struct byte_buffer sections[SAMPLE_RECIPIENTS];
    struct byte_buffer header;
    struct envelope_slot slots[SAMPLE_RECIPIENTS];
    size_t slot_count;
};

struct sample {
    struct ed25519_key *sender;                               /* seed 32 × 01 */
    struct ed25519_key *signers[SAMPLE_RECIPIENTS];           /* seeds 32 × 02, 32 × 03 */
    struct x25519_private *keys[SAMPLE_RECIPIENTS];           /* 32 × 12, 32 × 13 */
    struct batch_signer signer;                               /* root 32 × a0, certificate 32 × c1 */
    struct batch_signer recipient_signers[SAMPLE_RECIPIENTS]; /* certificates 32 × c2, 32 × c3 */
    size_t count;
    struct sample_event events[SAMPLE_EVENTS];
    struct envelope_event envelopes[SAMPLE_EVENTS];
    struct byte_buffer publish; /* the signed frame, request 7 */
};

/* sample_make - count events, sealed, signed and framed; sample_free when done. Fails the test on any error.
 */
void sample_make(struct sample *sample, size_t count);
void sample_free(struct sample *sample);

/* sample_member - the id of a recipient. */
const char *sample_member(enum sample_recipient recipient);

/* sample_deliver - appends the Deliver frame with everything in the batch for one recipient. */
void sample_deliver(const struct sample *sample, enum sample_recipient recipient, struct byte_buffer *ret);

/* sample_receipt - the encoded receipt of a recipient for event i, counter i + 1. */
void sample_receipt(const struct sample *sample, enum sample_recipient recipient, size_t i,
                    struct byte_buffer *ret);

/* sample_receipts - appends the signed ReceiptBatch frame with a recipient's receipts for all its events. */
void sample_receipts(const struct sample *sample, enum sample_recipient recipient, struct byte_buffer *ret);

/* sample_forward - appends the ForwardedReceipts frame with every second receipt of that batch. */
void sample_forward(const struct sample *sample, enum sample_recipient recipient, struct byte_buffer *ret);

/* sample_head - appends an encoded SignedHead of the right shape. */
void sample_head(struct byte_buffer *ret);

/* sample_random - gives 32 × 21, then 32 × 22 and so on: every call another byte, repeated. */
struct random_source sample_random(uint8_t *next);
