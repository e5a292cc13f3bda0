#pragma once

#include "base/bytes.h"

/*
 * Where others choose the keys of a table they must not be able to choose its buckets, or one member could
 * make every look-up slow for all. SipHash-2-4 (Aumasson and Bernstein 2012; libsodium) under a key that
 * nobody outside the process knows. For tables only: 64 bits are no digest.
 */
#define KEYED_HASH_KEY_SIZE 16

struct keyed_hash {
    uint8_t key[KEYED_HASH_KEY_SIZE];
};

/* keyed_hash_new - a fresh key. STATUS_CRYPTO. */
enum status keyed_hash_new(struct keyed_hash *ret);

uint64_t keyed_hash_of(const struct keyed_hash *hash, struct byte_view bytes);
