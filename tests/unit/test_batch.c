#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "proto/batch.h"

/* Item i is the text "item i"; one key, one signer. */
struct batch {
    struct ed25519_key *key;
    struct batch_signer signer;
    char texts[BATCH_MOST_ITEMS + 1][16];
    struct byte_view items[BATCH_MOST_ITEMS + 1];
    struct merkle_batch tree;
    uint8_t signature[ED25519_SIGNATURE_SIZE];
};

static struct batch batch;

static int make_batch(void **state)
{
    (void)state;
    static const uint8_t seed[ED25519_SEED_SIZE] = "thirty-two bytes that are a seed";

    assert_int_equal(ed25519_private(seed, &batch.key), STATUS_OK);
    memset(batch.signer.root.bytes, 0x11, DIGEST_SIZE);
    memset(batch.signer.certificate.bytes, 0x22, DIGEST_SIZE);
    for (size_t i = 0; i <= BATCH_MOST_ITEMS; i++) {
        snprintf(batch.texts[i], sizeof batch.texts[i], "item %zu", i);
        batch.items[i] = bytes_of_string(batch.texts[i]);
    }
    return 0;
}

static int free_batch(void **state)
{
    (void)state;
    ed25519_free(&batch.key);
    return 0;
}

static void sign(size_t count)
{
    assert_int_equal(
        batch_sign(BATCH_PURPOSE_EVENTS, batch.key, &batch.signer, batch.items, count, batch.signature),
        STATUS_OK);
    assert_int_equal(batch_tree(batch.items, count, &batch.tree), STATUS_OK);
}

static enum status verify_all(size_t count)
{
    return batch_verify_all(BATCH_PURPOSE_EVENTS, batch.key, &batch.signer, batch.items, count,
                            batch.signature);
}

static enum status verify_one(struct byte_view item, const struct batch_place *place)
{
    return batch_verify_one(BATCH_PURPOSE_EVENTS, batch.key, &batch.signer, item, place, batch.signature);
}

/* The place of an item of the batch that was signed last; path holds it. */
static struct batch_place place_of(size_t index, struct digest path[static MERKLE_PATH_MAX])
{
    struct batch_place place = {.index = index, .count = batch.tree.size, .path = path};

    merkle_batch_path(&batch.tree, index, path, &place.length);
    assert_true(place.length <= BATCH_LONGEST_PATH);
    return place;
}

/* The signed bytes are put together here by hand, as the format states them. */
static void exactly_the_stated_bytes_are_signed(void **state)
{
    (void)state;
    static const struct {
        enum batch_purpose purpose;
        const char *prefix;
    } purposes[] = {
        {BATCH_PURPOSE_EVENTS, "concordat/events/v1"},
        {BATCH_PURPOSE_RECEIPTS, "concordat/receipts/v1"},
        {BATCH_PURPOSE_REPORTS, "concordat/reports/v1"},
        {BATCH_PURPOSE_BUNDLE, "concordat/bundle/v1"},
    };

    for (size_t i = 0; i < sizeof purposes / sizeof purposes[0]; i++) {
        struct byte_buffer message = bytes_buffer(256);
        struct digest leaves[2];
        uint8_t node[1 + 2 * DIGEST_SIZE] = {0x01};
        uint8_t root[DIGEST_SIZE];
        for (size_t j = 0; j < 2; j++) {
            digest_prefixed(0x00, batch.items[j], leaves[j].bytes);
            memcpy(node + 1 + j * DIGEST_SIZE, leaves[j].bytes, DIGEST_SIZE);
        }
        digest_sha256(bytes_view(node, sizeof node), root);
        bytes_append(&message, purposes[i].prefix, strlen(purposes[i].prefix) + 1);
        bytes_append(&message, batch.signer.root.bytes, DIGEST_SIZE);
        bytes_append(&message, batch.signer.certificate.bytes, DIGEST_SIZE);
        bytes_append_u32(&message, 2);
        bytes_append(&message, root, sizeof root);
        assert_int_equal(
            batch_sign(purposes[i].purpose, batch.key, &batch.signer, batch.items, 2, batch.signature),
            STATUS_OK);
        assert_int_equal(ed25519_verify(batch.key, bytes_buffer_view(&message), batch.signature), STATUS_OK);
        bytes_buffer_free(&message);
    }
}

static void every_item_of_every_batch_verifies(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 31, 64, 65, 255, 256};

    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        struct digest root;
        sign(counts[c]);
        root = merkle_batch_root(&batch.tree);
        assert_int_equal(verify_all(counts[c]), STATUS_OK);
        assert_int_equal(batch_verify_root(BATCH_PURPOSE_EVENTS, batch.key, &batch.signer, counts[c], &root,
                                           batch.signature),
                         STATUS_OK);
        for (size_t i = 0; i < counts[c]; i++) {
            struct digest path[MERKLE_PATH_MAX];
            struct digest reached;
            struct batch_place place = place_of(i, path);
            assert_int_equal(batch_place_root(batch.items[i], &place, &reached), STATUS_OK);
            assert_memory_equal(reached.bytes, root.bytes, DIGEST_SIZE);
            if (i < 3 || i + 3 > counts[c])
                assert_int_equal(verify_one(batch.items[i], &place), STATUS_OK);
        }
    }
}

static void an_empty_or_larger_batch_is_refused(void **state)
{
    (void)state;
    static const size_t counts[] = {0, BATCH_MOST_ITEMS + 1};
    struct digest path[MERKLE_PATH_MAX];

    sign(BATCH_MOST_ITEMS);
    struct digest root = merkle_batch_root(&batch.tree);
    struct batch_place place = place_of(0, path);
    for (size_t c = 0; c < 2; c++) {
        struct merkle_batch tree;
        struct digest reached;
        uint8_t signature[ED25519_SIGNATURE_SIZE] = {0xee};
        assert_int_equal(batch_tree(batch.items, counts[c], &tree), STATUS_BAD_FORMAT);
        assert_int_equal(
            batch_sign(BATCH_PURPOSE_EVENTS, batch.key, &batch.signer, batch.items, counts[c], signature),
            STATUS_BAD_FORMAT);
        assert_int_equal(
            batch_sign_root(BATCH_PURPOSE_EVENTS, batch.key, &batch.signer, counts[c], &root, signature),
            STATUS_BAD_FORMAT);
        assert_int_equal(signature[0], 0xee);
        assert_int_equal(verify_all(counts[c]), STATUS_BAD_FORMAT);
        assert_int_equal(batch_verify_root(BATCH_PURPOSE_EVENTS, batch.key, &batch.signer, counts[c], &root,
                                           batch.signature),
                         STATUS_BAD_FORMAT);
        place.count = counts[c];
        assert_int_equal(batch_place_root(batch.items[0], &place, &reached), STATUS_BAD_FORMAT);
        assert_int_equal(verify_one(batch.items[0], &place), STATUS_BAD_FORMAT);
    }
    /* A count that is right in its lowest 32 bits only. */
    place.count = ((uint64_t)1 << 32) + BATCH_MOST_ITEMS;
    assert_int_equal(verify_one(batch.items[0], &place), STATUS_BAD_FORMAT);
}

static void another_place_is_refused(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 5, 8};

    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        sign(counts[c]);
        for (size_t i = 0; i < counts[c]; i++) {
            struct digest path[MERKLE_PATH_MAX];
            const struct batch_place right = place_of(i, path);
            struct batch_place place = right;
            for (place.index = 0; place.index < counts[c] + 3; place.index++) {
                enum status status = verify_one(batch.items[i], &place);
                if (place.index >= counts[c])
                    assert_int_equal(status, STATUS_BAD_PROOF);
                else if (place.index != i)
                    assert_true(status == STATUS_BAD_PROOF || status == STATUS_BAD_SIGNATURE);
                else
                    assert_int_equal(status, STATUS_OK);
            }
            place = right;
            for (place.count = 1; place.count < 20; place.count++) {
                enum status status = verify_one(batch.items[i], &place);
                if (place.count != counts[c])
                    assert_true(status == STATUS_BAD_PROOF || status == STATUS_BAD_SIGNATURE);
                else
                    assert_int_equal(status, STATUS_OK);
            }
            place = right;
            for (place.length = 0; place.length < MERKLE_PATH_MAX; place.length++) {
                if (place.length != right.length)
                    assert_int_equal(verify_one(batch.items[i], &place), STATUS_BAD_PROOF);
            }
        }
    }
}

/* Flips each bit in turn and expects the item at place to be refused every time. */
static void refuse_each_bit(void *data, size_t size, struct byte_view item, const struct batch_place *place)
{
    uint8_t *bytes = data;

    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(verify_one(item, place), STATUS_BAD_SIGNATURE);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(verify_one(item, place), STATUS_OK);
}

static void every_changed_bit_is_refused(void **state)
{
    (void)state;
    struct digest path[MERKLE_PATH_MAX];

    sign(7);
    struct batch_place place = place_of(4, path);
    struct byte_view item = batch.items[4];
    assert_int_equal(place.length, 3);
    refuse_each_bit(batch.texts[4], item.size, item, &place);
    refuse_each_bit(path, place.length * sizeof path[0], item, &place);
    refuse_each_bit(batch.signature, sizeof batch.signature, item, &place);
    refuse_each_bit(&batch.signer, sizeof batch.signer, item, &place);
}

static void another_list_of_items_is_refused(void **state)
{
    (void)state;
    sign(7);
    assert_int_equal(verify_all(6), STATUS_BAD_SIGNATURE);
    assert_int_equal(verify_all(8), STATUS_BAD_SIGNATURE);
    for (size_t i = 0; i < 7; i++) {
        struct byte_view kept = batch.items[i];
        batch.items[i] = batch.items[(i + 1) % 7];
        assert_int_equal(verify_all(7), STATUS_BAD_SIGNATURE);
        batch.items[i] = bytes_view(kept.data, kept.size - 1);
        assert_int_equal(verify_all(7), STATUS_BAD_SIGNATURE);
        batch.items[i] = kept;
    }
    /* In another order. */
    struct byte_view first = batch.items[0];
    batch.items[0] = batch.items[1];
    batch.items[1] = first;
    assert_int_equal(verify_all(7), STATUS_BAD_SIGNATURE);
    batch.items[1] = batch.items[0];
    batch.items[0] = first;
    assert_int_equal(verify_all(7), STATUS_OK);
}

static void another_purpose_or_key_is_refused(void **state)
{
    (void)state;
    static const enum batch_purpose all[] = {
#define EACH(symbol, prefix) BATCH_PURPOSE_##symbol,
        BATCH_PURPOSE_TABLE(EACH)
#undef EACH
    };
    static const uint8_t other_seed[ED25519_SEED_SIZE] = {1};
    struct ed25519_key *other = NULL;
    const size_t count = sizeof all / sizeof all[0];

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(batch_sign(all[i], batch.key, &batch.signer, batch.items, 3, batch.signature),
                         STATUS_OK);
        for (size_t j = 0; j < count; j++)
            assert_int_equal(
                batch_verify_all(all[j], batch.key, &batch.signer, batch.items, 3, batch.signature),
                i == j ? STATUS_OK : STATUS_BAD_SIGNATURE);
    }
    sign(3);
    assert_int_equal(ed25519_private(other_seed, &other), STATUS_OK);
    assert_int_equal(
        batch_verify_all(BATCH_PURPOSE_EVENTS, other, &batch.signer, batch.items, 3, batch.signature),
        STATUS_BAD_SIGNATURE);
    ed25519_free(&other);
}

/* A node is no item: what is hashed inside the tree cannot be passed off as a leaf. */
static void an_inner_node_is_no_item(void **state)
{
    (void)state;
    uint8_t children[2 * DIGEST_SIZE];

    sign(4);
    memcpy(children, batch.tree.nodes, sizeof children);
    const struct batch_place place = {.index = 0, .count = 2, .path = &batch.tree.nodes[5], .length = 1};
    const struct digest root = merkle_batch_root(&batch.tree);
    struct digest reached;
    assert_int_equal(batch_place_root(bytes_view(children, sizeof children), &place, &reached), STATUS_OK);
    assert_memory_not_equal(reached.bytes, root.bytes, DIGEST_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_the_stated_bytes_are_signed),
        cmocka_unit_test(every_item_of_every_batch_verifies),
        cmocka_unit_test(an_empty_or_larger_batch_is_refused),
        cmocka_unit_test(another_place_is_refused),
        cmocka_unit_test(every_changed_bit_is_refused),
        cmocka_unit_test(another_list_of_items_is_refused),
        cmocka_unit_test(another_purpose_or_key_is_refused),
        cmocka_unit_test(an_inner_node_is_no_item),
    };
    return cmocka_run_group_tests_name("batch", tests, make_batch, free_batch);
}
