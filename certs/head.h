#pragma once

#include "certs/directory.h"
#include "proto/wire.pb-c.h"

/* The head of a bundle: message BundleHead of proto/wire.proto, and the signatures over it. */

#define HEAD_SIGNATURES_MAX 64
#define HEAD_LARGEST        ((size_t)512) /* of an encoded BundleHead */

struct head {
    uint64_t serial; /* from 1 */
    int64_t not_before;
    int64_t not_after;
    uint8_t body[DIGEST_SIZE];
    uint8_t previous[DIGEST_SIZE]; /* zeros in the first */
    uint8_t root[DIGEST_SIZE];
    uint8_t digest[DIGEST_SIZE]; /* of the encoding */
};

/*
 * head_decode - from the exact bytes. Returns STATUS_BAD_FORMAT also for a serial of 0, an empty or too long
 * validity (90 days) or a predecessor that does not fit the serial; STATUS_NOT_CANONICAL, STATUS_TOO_LARGE or
 * STATUS_NO_MEMORY.
 */
enum status head_decode(struct byte_view bytes, struct head *ret);

/* head_encode - appends the encoding; digest is not looked at. */
void head_encode(const struct head *head, struct byte_buffer *ret);

/*
 * head_sign - an authority's signature over the one encoded head, as a batch of one item (proto/batch.h).
 * root and certificate are digests of DER.
 * Returns STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status head_sign(struct byte_view bytes, const uint8_t root[static DIGEST_SIZE],
                      const uint8_t certificate[static DIGEST_SIZE], const struct ed25519_key *key,
                      uint8_t ret_signature[static ED25519_SIGNATURE_SIZE]);

/*
 * head_signers - how many different authorities of the directory, usable at a time, signed the head. One
 * whose certificate also stands revoked in `also` does not count; also may be NULL.
 */
size_t head_signers(const Wire__SignedHead *signed_head, const struct head *head,
                    const struct directory *directory, const struct directory *also, int64_t time);
