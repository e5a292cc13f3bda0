#pragma once

#include <stdint.h>

#include "base/status.h"
#include "proto/random.h"

#define X25519_KEY_SIZE    32
#define X25519_SECRET_SIZE 32

/* X25519 keys (RFC 7748), loaded once and then used often. Keys may be shared between threads. */
struct x25519_private;
struct x25519_public;

/* x25519_generate - a new key pair from random; freed with x25519_private_free. STATUS_CRYPTO, or what random
 * returns. */
enum status x25519_generate(const struct random_source *random, struct x25519_private **ret_key);

/*
 * x25519_private, x25519_public - keys from their 32 raw bytes; freed with the functions below. Every 32
 * bytes are a key. Returns STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status x25519_private(const uint8_t raw[static X25519_KEY_SIZE], struct x25519_private **ret_key);
enum status x25519_public(const uint8_t raw[static X25519_KEY_SIZE], struct x25519_public **ret_key);

/* x25519_private_bytes - the raw private key, for the key store; the caller wipes it. Returns STATUS_CRYPTO.
 */
enum status x25519_private_bytes(const struct x25519_private *key, uint8_t ret_raw[static X25519_KEY_SIZE]);

/* x25519_public_of - the raw public key that belongs to a private one; X25519_KEY_SIZE bytes, owned by the
 * key. */
const uint8_t *x25519_public_of(const struct x25519_private *key);

/* x25519_public_bytes - the raw public key as it was loaded; X25519_KEY_SIZE bytes, owned by the key. */
const uint8_t *x25519_public_bytes(const struct x25519_public *key);

/*
 * x25519_shared - the Diffie-Hellman secret of own and peer; the caller wipes it.
 *
 * Returns STATUS_BAD_ARGUMENT when the result would be all zeros, which only a peer's key of small order
 * gives (RFC 7748 §6.1, RFC 9180 §7.1.4), or STATUS_CRYPTO.
 */
enum status x25519_shared(const struct x25519_private *own, const struct x25519_public *peer,
                          uint8_t ret_secret[static X25519_SECRET_SIZE]);

void x25519_private_free(struct x25519_private **key); /* wipes the key */
void x25519_public_free(struct x25519_public **key);
