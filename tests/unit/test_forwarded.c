#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "broker/forwarded.h"

/* A batch of so many receipts, of which some are one member's. */
struct batch {
    char texts[ENVELOPE_BATCH_MAX][24];
    struct byte_view receipts[ENVELOPE_BATCH_MAX];
    bool part[ENVELOPE_BATCH_MAX];
    struct merkle_batch tree;
    struct forwarded forwarded;
};

static void make(struct batch *batch, size_t count, size_t every)
{
    static const uint8_t certificate[DIGEST_SIZE] = {7};
    static const uint8_t signature[64] = {9};
    struct digest leaves[ENVELOPE_BATCH_MAX];

    memset(batch, 0, sizeof *batch);
    for (size_t i = 0; i < count; i++) {
        snprintf(batch->texts[i], sizeof batch->texts[i], "receipt number %zu", i);
        batch->receipts[i] = bytes_of_string(batch->texts[i]);
        batch->part[i] = i % every == every - 1;
        leaves[i] = merkle_leaf(batch->receipts[i]);
    }
    merkle_batch_build(&batch->tree, leaves, count);
    batch->forwarded = (struct forwarded){.id = 300,
                                          .certificate = bytes_view(certificate, sizeof certificate),
                                          .signature = bytes_view(signature, sizeof signature),
                                          .head = bytes_of_string("a signed head"),
                                          .count = count,
                                          .part = batch->part,
                                          .receipts = batch->receipts,
                                          .nodes = batch->tree.nodes};
}

static void what_is_kept_becomes_the_same_frame(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 3, 5, 64, 100, 255, 256};
    static struct batch batch;
    struct byte_buffer frame = bytes_buffer((size_t)1 << 20);
    struct byte_buffer kept = bytes_buffer((size_t)1 << 20);
    struct byte_buffer again = bytes_buffer((size_t)1 << 20);

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        for (size_t every = 1; every <= 3 && every <= counts[i]; every++) {
            make(&batch, counts[i], every);
            bytes_buffer_clear(&frame);
            bytes_buffer_clear(&kept);
            bytes_buffer_clear(&again);
            forwarded_frame(&batch.forwarded, &frame);
            forwarded_store(&batch.forwarded, &kept);
            assert_int_equal(frame.status, STATUS_OK);
            assert_true(forwarded_is(bytes_buffer_view(&kept)));
            assert_false(forwarded_is(bytes_buffer_view(&frame))); /* as rows of an older state are */
            assert_int_equal(forwarded_restore(bytes_buffer_view(&kept), &again), STATUS_OK);
            assert_true(bytes_equal(bytes_buffer_view(&again), bytes_buffer_view(&frame)));
        }
    }
    assert_true(kept.size < frame.size);
    bytes_buffer_free(&frame);
    bytes_buffer_free(&kept);
    bytes_buffer_free(&again);
}

static void damage_is_told(void **state)
{
    (void)state;
    static struct batch batch;
    struct byte_buffer kept = bytes_buffer((size_t)1 << 20);
    struct byte_buffer body = bytes_buffer((size_t)1 << 20);

    make(&batch, 20, 3);
    forwarded_store(&batch.forwarded, &kept);
    for (size_t size = 0; size < kept.size; size++) {
        bytes_buffer_clear(&body);
        assert_int_equal(forwarded_restore(bytes_view(kept.data, size), &body), STATUS_CORRUPT);
    }
    bytes_append_u8(&kept, 0);
    assert_int_equal(forwarded_restore(bytes_buffer_view(&kept), &body), STATUS_CORRUPT);
    bytes_buffer_free(&kept);
    bytes_buffer_free(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_becomes_the_same_frame),
        cmocka_unit_test(damage_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
