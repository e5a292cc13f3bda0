/*
 * The place of an item in a signed batch, as a peer may claim it: uint16 items in the batch, uint16 which
 * one, uint16 claimed index, uint16 claimed count, uint8 claimed path length, then bytes that are
 * exclusive-or'ed into the true path.
 *
 * With the true count, nothing but the true index and path may lead to the root. With another count it may
 * (the path to item 0 of 3 is as long as that of 4), and then the signature must refuse.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
    if (!held)
        abort();
}

/* Items are their own number, one byte each: of a batch of 256, the last is 255. */
static void make_tree(size_t count, uint8_t *numbers, struct byte_view *items, struct merkle_batch *out)
{
    for (size_t i = 0; i < count; i++) {
        numbers[i] = (uint8_t)i;
        items[i] = bytes_view(&numbers[i], 1);
    }
    require(batch_tree(items, count, out) == STATUS_OK);
}

static void require_bad_signature(const struct byte_view *items, size_t count, struct byte_view item,
                                  const struct batch_place *place)
{
    static const uint8_t seed[ED25519_SEED_SIZE] = {7};
    static struct ed25519_key *key;
    const struct batch_signer signer = {.root = {{1}}, .certificate = {{2}}};
    uint8_t signature[ED25519_SIGNATURE_SIZE];

    if (key == NULL)
        require(ed25519_private(seed, &key) == STATUS_OK);
    require(batch_sign(BATCH_PURPOSE_RECEIPTS, key, &signer, items, count, signature) == STATUS_OK);
    require(batch_verify_one(BATCH_PURPOSE_RECEIPTS, key, &signer, item, place, signature) ==
            STATUS_BAD_SIGNATURE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_reader reader = bytes_reader(bytes_view(data, size));
    uint8_t numbers[BATCH_MOST_ITEMS];
    struct byte_view items[BATCH_MOST_ITEMS];
    struct merkle_batch tree;
    struct digest path[MERKLE_PATH_MAX];
    struct digest reached;
    size_t true_length = 0;

    memset(path, 0, sizeof path);
    const size_t count = 1 + bytes_read_u16(&reader) % BATCH_MOST_ITEMS;
    const size_t index = bytes_read_u16(&reader) % count;
    struct batch_place place = {.path = path};
    place.index = bytes_read_u16(&reader);
    place.count = bytes_read_u16(&reader);
    place.length = bytes_read_u8(&reader) % MERKLE_PATH_MAX;

    make_tree(count, numbers, items, &tree);
    merkle_batch_path(&tree, index, path, &true_length);
    bool changed = false;
    uint8_t *hashes = (uint8_t *)path;
    for (size_t i = 0; i < place.length * DIGEST_SIZE && reader.rest.size > 0; i++) {
        uint8_t bits = bytes_read_u8(&reader);
        hashes[i] ^= bits;
        changed = changed || bits != 0;
    }

    if (batch_place_root(items[index], &place, &reached) != STATUS_OK)
        return 0;
    require(place.count >= 1 && place.count <= BATCH_MOST_ITEMS && place.index < place.count);
    require(place.length == merkle_path_length(place.index, place.count));
    const struct digest root = merkle_batch_root(&tree);
    const bool accepted = memcmp(reached.bytes, root.bytes, DIGEST_SIZE) == 0;
    const bool same = place.index == index && place.length == true_length && !changed;
    if (place.count == count)
        require(accepted == same);
    else if (accepted)
        require_bad_signature(items, count, items[index], &place);
    return 0;
}
