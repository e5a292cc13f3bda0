#pragma once

#include "proto/batch.h"
#include "proto/core.h"
#include "proto/header.h"
#include "proto/section.h"
#include "proto/wire_codec.h"

/*
 * Whole batches of events: the sender assembles and signs one Publish, the broker verifies it, the recipient
 * verifies what it was delivered. Signature: Ed25519 over "concordat/events/v1\0" ‖ SHA-256(root certificate)
 * ‖ SHA-256(signer's certificate) ‖ uint32 count ‖ Merkle root of the headers.
 * Format: docs/wire-format.md, "Batches".
 */

#define ENVELOPE_BATCH_MAX BATCH_MOST_ITEMS

struct envelope_slot {
    struct byte_view to;
    struct byte_view section; /* encoded */
};

/* An event ready to be published, as an outbox keeps it; borrowed. */
struct envelope_event {
    struct byte_view header;
    struct byte_view opening;          /* an encoded Opening */
    const struct envelope_slot *slots; /* ascending by `to` */
    size_t slot_count;
};

/*
 * envelope_publish_build - appends one signed Publish frame with these events in this order.
 *
 * Returns STATUS_BAD_ARGUMENT (no events or more than ENVELOPE_BATCH_MAX; slots out of order),
 * STATUS_MISMATCH (a section that is not the one in its header), STATUS_TOO_LARGE (more than
 * WIRE_FRAME_LIMIT: publish fewer at a time), STATUS_NO_MEMORY or STATUS_CRYPTO; ret is then as before.
 */
enum status envelope_publish_build(uint64_t request, const struct batch_signer *signer,
                                   const struct ed25519_key *key, const struct envelope_event *events,
                                   size_t event_count, struct byte_buffer *ret);

/* envelope_publish_size - about how many bytes an event adds to a Publish frame; never fewer than it does. */
size_t envelope_publish_size(const struct envelope_event *event);

/* One section of a published event as verified; borrowed from the frame. */
struct envelope_part {
    struct byte_view bytes;
    struct section section;
    const uint8_t *digest; /* in the header, 32 bytes */
};

/*
 * envelope_path_root - the batch root to which an item leads by its path, all of it as received.
 * Returns STATUS_BAD_FORMAT for a count that no batch has, STATUS_BAD_PROOF for a path of the wrong length.
 */
enum status envelope_path_root(struct byte_view item, uint32_t index, uint32_t count,
                               const ProtobufCBinaryData *path, size_t length, struct digest *ret_root);

/* One event of a published batch as verified; borrowed from the frame and the arena. */
struct envelope_published_event {
    struct byte_view header_bytes;
    struct header header;
    struct core core;
    uint8_t digest[32]; /* of the header */
    uint8_t leaf[32];
    struct envelope_part *parts; /* ascending by `to` */
    size_t part_count;
    const Wire__Opening *opening;
};

struct envelope_published {
    struct envelope_published_event *events;
    size_t count;
    const struct merkle_batch *tree; /* of the headers, for the paths that recipients get */
};

/*
 * envelope_publish_verify - everything about a Publish that needs no rule and no database.
 *
 * publish  of a frame that passed wire_check_frame(); from: the member who sent it; signer.certificate must
 * be publish->certificate; key: its signing key. arena: that of the frame; the result lives in it.
 *
 * Checks the signature over all headers; every core; that its `from` is from; that each section stands at its
 * place in its header, each place exactly once; that it decodes and is addressed to its slice's `to`; that
 * each opening opens its core's commitments.
 *
 * Returns STATUS_BAD_SIGNATURE, STATUS_BAD_FORMAT, STATUS_NOT_CANONICAL, STATUS_TOO_LARGE, STATUS_MISMATCH (a
 * section missing, moved, repeated, altered, or another sender's core), STATUS_BAD_COMMITMENT,
 * STATUS_UNKNOWN_KEY (another certificate), STATUS_NO_MEMORY or STATUS_CRYPTO. The whole batch is refused.
 */
enum status envelope_publish_verify(const Wire__Publish *publish, struct byte_view from,
                                    const struct batch_signer *signer, const struct ed25519_key *key,
                                    struct wire_arena *arena, struct envelope_published *ret_published);

/* A delivered slice whose signature has been verified; borrowed from the frame. */
struct envelope_delivery {
    const Wire__Deliver *deliver;
    struct digest root; /* that was signed */
};

/*
 * envelope_delivery_verify - the batch signature of a Deliver, once for all its events. signer and key are
 * those of deliver->certificate, which the caller has found to be deliver->from's.
 * Returns STATUS_BAD_SIGNATURE, STATUS_BAD_PROOF, STATUS_UNKNOWN_KEY (another certificate) or STATUS_CRYPTO.
 */
enum status envelope_delivery_verify(const Wire__Deliver *deliver, const struct batch_signer *signer,
                                     const struct ed25519_key *key, struct envelope_delivery *ret_delivery);

/* One delivered event as verified; borrowed from the frame. */
struct envelope_delivered {
    struct header header;
    struct core core;
    struct section section;
    uint8_t header_digest[32];
    uint8_t core_digest[32];    /* for section_open() */
    uint8_t section_digest[32]; /* for the receipt */
    uint64_t counter;
};

/*
 * envelope_delivered_verify - event i of a verified delivery: that its path leads to the signed root, its
 * core is from deliver->from, and its section is one of the header's and addressed to us.
 * Returns STATUS_BAD_PROOF, STATUS_MISMATCH, STATUS_BAD_FORMAT, STATUS_NOT_CANONICAL or STATUS_TOO_LARGE.
 * Nothing has been decrypted.
 */
enum status envelope_delivered_verify(const struct envelope_delivery *delivery, size_t i, struct byte_view us,
                                      struct envelope_delivered *ret_delivered);

/*
 * envelope_ground_verify - a register entry's or consent's ground: signature, path, core and opening.
 * signer and key are those of ground->certificate; whether that member may set it is for the policy, and so
 * is whether enough of the attributes is opened (register_reads): whoever plans sees no more than it needs.
 * Returns what envelope_delivered_verify() does, STATUS_BAD_SIGNATURE, STATUS_UNKNOWN_KEY,
 * STATUS_BAD_COMMITMENT or STATUS_CRYPTO. ret_core borrows from the ground.
 */
enum status envelope_ground_verify(const Wire__Ground *ground, const struct batch_signer *signer,
                                   const struct ed25519_key *key, struct core *ret_core);
