#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "proto/digest.h"
#include "proto/ed25519.h"
#include "proto/merkle.h"

/*
 * One signature for many items: Ed25519 over
 * prefix ‖ 0x00 ‖ SHA-256(root certificate) ‖ SHA-256(signer's certificate) ‖ uint32 count ‖ Merkle root,
 * where an item's leaf is SHA-256(0x00 ‖ item). Whoever holds one item, its place and its path verifies it
 * without the others. Format: docs/wire-format.md, "Batches".
 */

#define BATCH_MOST_ITEMS   256
#define BATCH_LONGEST_PATH 8 /* hashes */

/* Everything that a member or an authority signs, each under a prefix of its own, so that no signature serves
 * twice. */
#define BATCH_PURPOSE_TABLE(X)                                                                               \
    X(EVENTS, "concordat/events/v1")     /* headers, by the sender */                                        \
    X(RECEIPTS, "concordat/receipts/v1") /* receipts, by the recipient */                                    \
    X(REPORTS, "concordat/reports/v1")   /* what became of an event, by the recipient */                     \
    X(BUNDLE, "concordat/bundle/v1")     /* the one head of a bundle, by an authority */

enum batch_purpose {
#define BATCH_PURPOSE_ENUM(symbol, prefix) BATCH_PURPOSE_##symbol,
    BATCH_PURPOSE_TABLE(BATCH_PURPOSE_ENUM)
#undef BATCH_PURPOSE_ENUM
};

/* Under which certificates a batch is signed: SHA-256 of their DER. */
struct batch_signer {
    struct digest root;        /* the partnership's root */
    struct digest certificate; /* the signer's */
};

/* Where an item stands in its batch. path is borrowed; from its leaf's sibling to the root. */
struct batch_place {
    uint64_t index;
    uint64_t count;
    const struct digest *path;
    size_t length;
};

/*
 * batch_tree - the tree over count items, for merkle_batch_root() and the path of each (merkle_batch_path()).
 * Returns STATUS_BAD_FORMAT unless there are 1 to BATCH_MOST_ITEMS.
 */
enum status batch_tree(const struct byte_view *items, size_t count, struct merkle_batch *ret_tree);

/* batch_root - the root alone; as batch_tree(). */
enum status batch_root(const struct byte_view *items, size_t count, struct digest *ret_root);

/*
 * batch_place_root - the root that item leads to from its place, for a caller that verifies one signature for
 * many items of a batch: every item must lead to the root that was signed.
 *
 * Returns STATUS_BAD_FORMAT for a count of 0 or above BATCH_MOST_ITEMS, STATUS_BAD_PROOF when index is not
 * below count or the path is not exactly as long as RFC 6962 makes it for them.
 */
enum status batch_place_root(struct byte_view item, const struct batch_place *place, struct digest *ret_root);

/* batch_sign - count items. Returns STATUS_BAD_FORMAT (as batch_tree()), STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status batch_sign(enum batch_purpose purpose, const struct ed25519_key *key,
                       const struct batch_signer *signer, const struct byte_view *items, size_t count,
                       uint8_t ret_signature[static ED25519_SIGNATURE_SIZE]);

/* batch_sign_root - the same when the tree was built already. */
enum status batch_sign_root(enum batch_purpose purpose, const struct ed25519_key *key,
                            const struct batch_signer *signer, uint64_t count, const struct digest *root,
                            uint8_t ret_signature[static ED25519_SIGNATURE_SIZE]);

/*
 * batch_verify_root - that key signed a batch of count items with this root, for this purpose, under these
 * certificates.
 *
 * Returns STATUS_BAD_FORMAT for a count of 0 or above BATCH_MOST_ITEMS, STATUS_BAD_SIGNATURE,
 * STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status batch_verify_root(enum batch_purpose purpose, const struct ed25519_key *key,
                              const struct batch_signer *signer, uint64_t count, const struct digest *root,
                              const uint8_t signature[static ED25519_SIGNATURE_SIZE]);

/* batch_verify_all - that key signed exactly these items in this order; returns what batch_verify_root()
 * does. */
enum status batch_verify_all(enum batch_purpose purpose, const struct ed25519_key *key,
                             const struct batch_signer *signer, const struct byte_view *items, size_t count,
                             const uint8_t signature[static ED25519_SIGNATURE_SIZE]);

/*
 * batch_verify_one - that key signed a batch in which item stands at place.
 *
 * Returns what batch_place_root() and batch_verify_root() do. A wrong hash in the path shows as
 * STATUS_BAD_SIGNATURE.
 */
enum status batch_verify_one(enum batch_purpose purpose, const struct ed25519_key *key,
                             const struct batch_signer *signer, struct byte_view item,
                             const struct batch_place *place,
                             const uint8_t signature[static ED25519_SIGNATURE_SIZE]);
