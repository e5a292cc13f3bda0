#include "proto/batch.h"

#include <assert.h>

_Static_assert(BATCH_MOST_ITEMS <= MERKLE_BATCH_MAX, "a batch must fit its tree");

#define LONGEST_PREFIX  32 /* with its zero */
#define LONGEST_MESSAGE (LONGEST_PREFIX + 3 * DIGEST_SIZE + 4)

/* With their terminating zero, which is signed too: no prefix is the start of another. */
static const struct byte_view prefixes[] = {
#define BATCH_PURPOSE_PREFIX(symbol, prefix)                                                                 \
    [BATCH_PURPOSE_##symbol] = {(const uint8_t *)(prefix), sizeof(prefix)},
    BATCH_PURPOSE_TABLE(BATCH_PURPOSE_PREFIX)
#undef BATCH_PURPOSE_PREFIX
};

#define BATCH_PURPOSE_FITS(symbol, prefix)                                                                   \
    _Static_assert(sizeof(prefix) <= LONGEST_PREFIX, "prefix too long");
BATCH_PURPOSE_TABLE(BATCH_PURPOSE_FITS)
#undef BATCH_PURPOSE_FITS

struct message {
    uint8_t bytes[LONGEST_MESSAGE];
    size_t size;
};

static void add(struct message *message, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    assert(size <= sizeof message->bytes - message->size);
    for (size_t i = 0; i < size; i++)
        message->bytes[message->size++] = bytes[i];
}

static bool is_count(uint64_t count)
{
    return count >= 1 && count <= BATCH_MOST_ITEMS;
}

/* What is signed; count has been checked. */
static struct message make_message(enum batch_purpose purpose, const struct batch_signer *signer,
                                   uint64_t count, const struct digest *root)
{
    struct message message = {.size = 0};
    uint8_t number[4];

    bytes_put_u32(number, (uint32_t)count);
    add(&message, prefixes[purpose].data, prefixes[purpose].size);
    add(&message, signer->root.bytes, DIGEST_SIZE);
    add(&message, signer->certificate.bytes, DIGEST_SIZE);
    add(&message, number, sizeof number);
    add(&message, root->bytes, DIGEST_SIZE);
    return message;
}

static void make_leaves(const struct byte_view *items, size_t count, struct digest *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = merkle_leaf(items[i]);
}

enum status batch_tree(const struct byte_view *items, size_t count, struct merkle_batch *ret_tree)
{
    struct digest leaves[BATCH_MOST_ITEMS];

    if (!is_count(count))
        return STATUS_BAD_FORMAT;
    make_leaves(items, count, leaves);
    merkle_batch_build(ret_tree, leaves, count);
    return STATUS_OK;
}

enum status batch_root(const struct byte_view *items, size_t count, struct digest *ret_root)
{
    struct digest leaves[BATCH_MOST_ITEMS];

    if (!is_count(count))
        return STATUS_BAD_FORMAT;
    make_leaves(items, count, leaves);
    *ret_root = merkle_root(leaves, count);
    return STATUS_OK;
}

enum status batch_place_root(struct byte_view item, const struct batch_place *place, struct digest *ret_root)
{
    if (!is_count(place->count))
        return STATUS_BAD_FORMAT;
    struct digest leaf = merkle_leaf(item);
    return merkle_path_root(&leaf, place->index, place->count, place->path, place->length, ret_root);
}

enum status batch_sign(enum batch_purpose purpose, const struct ed25519_key *key,
                       const struct batch_signer *signer, const struct byte_view *items, size_t count,
                       uint8_t ret_signature[static ED25519_SIGNATURE_SIZE])
{
    struct digest root;
    enum status status = batch_root(items, count, &root);

    if (status != STATUS_OK)
        return status;
    return batch_sign_root(purpose, key, signer, count, &root, ret_signature);
}

enum status batch_sign_root(enum batch_purpose purpose, const struct ed25519_key *key,
                            const struct batch_signer *signer, uint64_t count, const struct digest *root,
                            uint8_t ret_signature[static ED25519_SIGNATURE_SIZE])
{
    if (!is_count(count))
        return STATUS_BAD_FORMAT;
    struct message message = make_message(purpose, signer, count, root);
    return ed25519_sign(key, bytes_view(message.bytes, message.size), ret_signature);
}

enum status batch_verify_root(enum batch_purpose purpose, const struct ed25519_key *key,
                              const struct batch_signer *signer, uint64_t count, const struct digest *root,
                              const uint8_t signature[static ED25519_SIGNATURE_SIZE])
{
    if (!is_count(count))
        return STATUS_BAD_FORMAT;
    struct message message = make_message(purpose, signer, count, root);
    return ed25519_verify(key, bytes_view(message.bytes, message.size), signature);
}

enum status batch_verify_all(enum batch_purpose purpose, const struct ed25519_key *key,
                             const struct batch_signer *signer, const struct byte_view *items, size_t count,
                             const uint8_t signature[static ED25519_SIGNATURE_SIZE])
{
    struct digest root;
    enum status status = batch_root(items, count, &root);

    if (status != STATUS_OK)
        return status;
    return batch_verify_root(purpose, key, signer, count, &root, signature);
}

enum status batch_verify_one(enum batch_purpose purpose, const struct ed25519_key *key,
                             const struct batch_signer *signer, struct byte_view item,
                             const struct batch_place *place,
                             const uint8_t signature[static ED25519_SIGNATURE_SIZE])
{
    struct digest root;
    enum status status = batch_place_root(item, place, &root);

    if (status != STATUS_OK)
        return status;
    return batch_verify_root(purpose, key, signer, place->count, &root, signature);
}
