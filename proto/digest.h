#pragma once

#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104). Nothing here fails, allocates or blocks; thread-safe. */

#define DIGEST_SIZE 32

struct digest {
    uint8_t bytes[DIGEST_SIZE];
};

/* A SHA-256 under way. Copying the struct forks the computation. */
struct digest_stream {
    SHA256_CTX state;
};

void digest_sha256(struct byte_view data, uint8_t out[static DIGEST_SIZE]);

/* digest_sha256_parts - over the concatenation of n parts; parts may be NULL when n is 0. */
void digest_sha256_parts(const struct byte_view *parts, size_t n, uint8_t out[static DIGEST_SIZE]);

/* digest_prefixed - SHA-256(prefix ‖ data), as RFC 6962 §2.1 tells leaves from nodes. */
void digest_prefixed(uint8_t prefix, struct byte_view data, uint8_t out[static DIGEST_SIZE]);

/* digest_hmac - HMAC-SHA-256 under key (of any length) over the concatenation of n parts. */
void digest_hmac(struct byte_view key, const struct byte_view *parts, size_t n,
                 uint8_t out[static DIGEST_SIZE]);

/* digest_start, digest_update, digest_finish - the same in pieces. Finishing wipes the stream. */
void digest_start(struct digest_stream *stream);
void digest_update(struct digest_stream *stream, struct byte_view data);
void digest_finish(struct digest_stream *stream, uint8_t out[static DIGEST_SIZE]);
