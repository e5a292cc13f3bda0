#include "proto/keyed_hash.h"

#include <sodium.h>

#include "proto/random.h"

_Static_assert(KEYED_HASH_KEY_SIZE == crypto_shorthash_siphash24_KEYBYTES, "SipHash takes keys of 16 bytes");

enum status keyed_hash_new(struct keyed_hash *ret)
{
    return random_bytes(ret->key, sizeof ret->key);
}

uint64_t keyed_hash_of(const struct keyed_hash *hash, struct byte_view bytes)
{
    uint8_t out[crypto_shorthash_siphash24_BYTES];
    static const uint8_t nothing[1];

    (void)crypto_shorthash_siphash24(out, bytes.size == 0 ? nothing : bytes.data, bytes.size, hash->key);
    return bytes_get_u64(out);
}
