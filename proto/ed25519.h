#pragma once

#include <stdint.h>

#include "base/bytes.h"

/*
 * Ed25519 (RFC 8032 §5.1) with keys that are loaded once and used often. Signing and verifying are one-shot:
 * tell domains apart by a prefix in the message. A loaded key may be used by several threads at a time.
 */

#define ED25519_SEED_SIZE      32
#define ED25519_PUBLIC_SIZE    32
#define ED25519_SIGNATURE_SIZE 64

struct ed25519_key;

/*
 * ed25519_private - a signing key from its 32-byte seed, which the caller goes on owning and wipes.
 * ret_key is freed with ed25519_free. Returns STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status ed25519_private(const uint8_t seed[static ED25519_SEED_SIZE], struct ed25519_key **ret_key);

/*
 * ed25519_public - a key that only verifies. Points of small order and encodings that are not reduced are
 * refused, as under such keys one signature fits many messages. Whether the point is on the curve shows at
 * verification. ret_key is freed with ed25519_free. Returns STATUS_BAD_FORMAT, STATUS_NO_MEMORY or
 * STATUS_CRYPTO.
 */
enum status ed25519_public(const uint8_t public[static ED25519_PUBLIC_SIZE], struct ed25519_key **ret_key);

/* ed25519_free - frees and, for a signing key, wipes; accepts NULL and leaves NULL. */
void ed25519_free(struct ed25519_key **key);

/* ed25519_public_bytes - the public half; never fails. */
void ed25519_public_bytes(const struct ed25519_key *key, uint8_t out[static ED25519_PUBLIC_SIZE]);

/*
 * ed25519_public_from_seed - the public half of a seed without keeping a key.
 * Returns STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status ed25519_public_from_seed(const uint8_t seed[static ED25519_SEED_SIZE],
                                     uint8_t ret_public[static ED25519_PUBLIC_SIZE]);

/*
 * ed25519_sign - key must come from ed25519_private: anything else is a bug and asserted.
 * Returns STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status ed25519_sign(const struct ed25519_key *key, struct byte_view message,
                         uint8_t ret_signature[static ED25519_SIGNATURE_SIZE]);

/* ed25519_verify - STATUS_OK or STATUS_BAD_SIGNATURE. Signatures that are not reduced or whose R is of small
 * order are refused. */
enum status ed25519_verify(const struct ed25519_key *key, struct byte_view message,
                           const uint8_t signature[static ED25519_SIGNATURE_SIZE]);
