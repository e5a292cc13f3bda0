/*
 * The low-level SHA256_* calls are deprecated in OpenSSL 3.0 in favour of EVP. They are taken here all the
 * same: 65 bytes (a tree node) cost 141-164 ns with them, 181-267 ns with EVP, a prefetched algorithm and a
 * kept context, and 526-558 ns with a fetch per digest (OpenSSL 3.0.19, x86-64 with SHA extensions). Hashing
 * is the broker's largest share of CPU. The state also lives on the stack, so that there is nothing to keep
 * per thread.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "proto/digest.h"

#include <assert.h>
#include <string.h>

#define HMAC_BLOCK 64

void digest_start(struct digest_stream *stream)
{
    int done = SHA256_Init(&stream->state);

    assert(done == 1);
}

void digest_update(struct digest_stream *stream, struct byte_view data)
{
    if (data.size == 0)
        return;
    int done = SHA256_Update(&stream->state, data.data, data.size);
    assert(done == 1);
}

void digest_finish(struct digest_stream *stream, uint8_t out[static DIGEST_SIZE])
{
    int done = SHA256_Final(out, &stream->state);

    assert(done == 1);
    bytes_wipe(stream, sizeof *stream);
}

/* As digest_finish, for a stream that held nothing secret. */
static void finish_public(struct digest_stream *stream, uint8_t out[static DIGEST_SIZE])
{
    int done = SHA256_Final(out, &stream->state);

    assert(done == 1);
}

void digest_sha256(struct byte_view data, uint8_t out[static DIGEST_SIZE])
{
    digest_sha256_parts(&data, 1, out);
}

void digest_sha256_parts(const struct byte_view *parts, size_t n, uint8_t out[static DIGEST_SIZE])
{
    struct digest_stream stream;

    digest_start(&stream);
    for (size_t i = 0; i < n; i++)
        digest_update(&stream, parts[i]);
    finish_public(&stream, out);
}

void digest_prefixed(uint8_t prefix, struct byte_view data, uint8_t out[static DIGEST_SIZE])
{
    const struct byte_view parts[] = {{&prefix, 1}, data};

    digest_sha256_parts(parts, 2, out);
}

/* Starts a stream with the block-sized key exclusive-or'ed with HMAC's inner or outer pad. */
static void start_padded(struct digest_stream *stream, const uint8_t key[static HMAC_BLOCK], uint8_t pad)
{
    uint8_t block[HMAC_BLOCK];

    for (size_t i = 0; i < sizeof block; i++)
        block[i] = key[i] ^ pad;
    digest_start(stream);
    digest_update(stream, bytes_view(block, sizeof block));
    bytes_wipe(block, sizeof block);
}

void digest_hmac(struct byte_view key, const struct byte_view *parts, size_t n,
                 uint8_t out[static DIGEST_SIZE])
{
    struct digest_stream stream;
    uint8_t block[HMAC_BLOCK] = {0};
    uint8_t inner[DIGEST_SIZE];

    if (key.size > sizeof block) {
        digest_start(&stream);
        digest_update(&stream, key);
        digest_finish(&stream, block);
    } else if (key.size > 0) {
        memcpy(block, key.data, key.size);
    }

    start_padded(&stream, block, 0x36);
    for (size_t i = 0; i < n; i++)
        digest_update(&stream, parts[i]);
    digest_finish(&stream, inner);

    start_padded(&stream, block, 0x5c);
    digest_update(&stream, bytes_view(inner, sizeof inner));
    digest_finish(&stream, out);
    bytes_wipe(block, sizeof block);
    bytes_wipe(inner, sizeof inner);
}
