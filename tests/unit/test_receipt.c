#include "tests/support/support.h"

#include "tests/support/sample.h"

#include <string.h>

#include "proto/digest.h"
#include "proto/wire_check.h"

#define REQUEST_AT 3

static struct sample sample;
static struct wire_arena arena;
static struct byte_buffer batch;
static struct byte_buffer forwarded;
static const struct batch_signer *signer;
static const struct ed25519_key *key;

static int make(void **state)
{
    (void)state;
    sample_make(&sample, 5);
    arena = wire_arena(WIRE_ARENA_FRAME);
    batch = bytes_buffer(WIRE_FRAME_LIMIT);
    forwarded = bytes_buffer(WIRE_FRAME_LIMIT);
    sample_receipts(&sample, SAMPLE_TO_POLICE, &batch);
    sample_forward(&sample, SAMPLE_TO_POLICE, &forwarded);
    signer = &sample.recipient_signers[SAMPLE_TO_POLICE];
    key = sample.signers[SAMPLE_TO_POLICE];
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    sample_free(&sample);
    wire_arena_free(&arena);
    bytes_buffer_free(&batch);
    bytes_buffer_free(&forwarded);
    return 0;
}

static enum status unpack(struct byte_view bytes, Wire__Frame__VerbCase verb, const Wire__Frame **ret_frame)
{
    const char *reason;

    wire_arena_reset(&arena);
    enum status status = wire_frame_unpack(bytes, &arena, ret_frame);
    if (status == STATUS_OK)
        status = wire_check_frame(*ret_frame, &reason);
    return status == STATUS_OK && (*ret_frame)->verb_case != verb ? STATUS_REFUSED : status;
}

static enum status receive_batch(struct byte_view bytes, struct receipt *receipts)
{
    const Wire__Frame *frame;

    enum status status = unpack(bytes, WIRE__FRAME__VERB_RECEIPTS, &frame);
    return status != STATUS_OK
               ? status
               : receipt_batch_verify(frame->receipts, bytes_of_string(SAMPLE_POLICE), signer, key, receipts);
}

static enum status verify_forwarded(const Wire__ForwardedReceipts *message, struct receipt *receipts)
{
    return receipt_forwarded_verify(message, bytes_of_string(SAMPLE_FROM), bytes_of_string(SAMPLE_POLICE),
                                    signer, key, receipts);
}

static enum status receive_forwarded(struct byte_view bytes, struct receipt *receipts)
{
    const Wire__Frame *frame;

    enum status status = unpack(bytes, WIRE__FRAME__VERB_FORWARDED_RECEIPTS, &frame);
    return status != STATUS_OK ? status : verify_forwarded(frame->forwarded_receipts, receipts);
}

static struct byte_view section_of(size_t i)
{
    return bytes_buffer_view(&sample.events[i].sections[SAMPLE_TO_POLICE]);
}

static struct byte_view header_of(size_t i)
{
    return bytes_buffer_view(&sample.events[i].header);
}

static void test_batch_and_forward_verify(void **state)
{
    (void)state;
    struct receipt receipts[ENVELOPE_BATCH_MAX];
    struct byte_view police = bytes_of_string(SAMPLE_POLICE);

    assert_int_equal(receive_batch(bytes_buffer_view(&batch), receipts), STATUS_OK);
    for (size_t i = 0; i < 5; i++) {
        assert_true(receipts[i].counter == i + 1);
        assert_int_equal(receipt_confirms(&receipts[i], header_of(i), police, section_of(i)), STATUS_OK);
    }
    assert_int_equal(receive_forwarded(bytes_buffer_view(&forwarded), receipts), STATUS_OK);
    assert_int_equal(receipt_confirms(&receipts[1], header_of(2), police, section_of(2)), STATUS_OK);
}

static void test_confirms_one_section_only(void **state)
{
    (void)state;
    struct receipt receipts[ENVELOPE_BATCH_MAX];
    struct byte_view police = bytes_of_string(SAMPLE_POLICE);

    assert_int_equal(receive_batch(bytes_buffer_view(&batch), receipts), STATUS_OK);
    assert_int_equal(receipt_confirms(&receipts[0], header_of(1), police, section_of(0)), STATUS_MISMATCH);
    assert_int_equal(receipt_confirms(&receipts[0], header_of(0), police, section_of(1)), STATUS_MISMATCH);
    assert_int_equal(
        receipt_confirms(&receipts[0], header_of(0), bytes_of_string(SAMPLE_PROBATION), section_of(0)),
        STATUS_MISMATCH);
    receipts[0].event[15] ^= 1;
    assert_int_equal(receipt_confirms(&receipts[0], header_of(0), police, section_of(0)), STATUS_MISMATCH);
    receipts[1].from = police;
    assert_int_equal(receipt_confirms(&receipts[1], header_of(1), police, section_of(1)), STATUS_MISMATCH);
}

typedef enum status (*receive_fn)(struct byte_view bytes, struct receipt *receipts);

static size_t head_size(void)
{
    struct byte_buffer head = bytes_buffer(1024);

    sample_head(&head);
    size_t size = head.size;
    bytes_buffer_free(&head);
    return size;
}

/* Any bit but those of the request, of one byte that is the broker's own word, and of the bundle head at the
 * end, which authorities sign. */
static void flip_bits(const struct byte_buffer *frame, receive_fn receive, size_t own_word, uint64_t seed)
{
    struct support_random random = support_seeded(seed);
    struct byte_buffer work = bytes_buffer(WIRE_FRAME_LIMIT);
    struct receipt receipts[ENVELOPE_BATCH_MAX];

    for (size_t i = 0; i < support_count(1500); i++) {
        size_t bit = (size_t)support_below(&random, (frame->size - head_size()) * 8);
        if (bit / 8 == REQUEST_AT || bit / 8 == own_word)
            continue;
        bytes_buffer_clear(&work);
        bytes_append_view(&work, bytes_buffer_view(frame));
        work.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (receive(bytes_buffer_view(&work), receipts) == STATUS_OK)
            fail_msg("bit %zu can be changed unseen", bit);
    }
    bytes_buffer_free(&work);
}

static void test_batch_refuses_any_flipped_bit(void **state)
{
    (void)state;
    flip_bits(&batch, receive_batch, REQUEST_AT, 4);
}

static void test_forwarded_refuses_any_flipped_bit(void **state)
{
    (void)state;
    const size_t id_at = 4 + 2 + 2 + 1; /* version and request, the verb's tag and length, the id's tag */

    assert_int_equal(forwarded.data[id_at], 1);
    flip_bits(&forwarded, receive_forwarded, id_at, 5);
}

static Wire__ForwardedReceipts *unpack_forwarded(void)
{
    const Wire__Frame *frame;

    assert_int_equal(unpack(bytes_buffer_view(&forwarded), WIRE__FRAME__VERB_FORWARDED_RECEIPTS, &frame),
                     STATUS_OK);
    return frame->forwarded_receipts;
}

static void test_forwarded_says_what_is_wrong(void **state)
{
    (void)state;
    struct receipt receipts[ENVELOPE_BATCH_MAX];
    Wire__ForwardedReceipts *message = unpack_forwarded();

    message->receipts[1]->path[0].data[0] ^= 1;
    assert_int_equal(verify_forwarded(message, receipts), STATUS_BAD_PROOF);
    message = unpack_forwarded();
    message->receipts[0]->receipt.data[5] ^= 1;
    message->n_receipts = 1;
    assert_int_equal(verify_forwarded(message, receipts), STATUS_BAD_SIGNATURE);
    message = unpack_forwarded();
    message->signature.data[0] ^= 1;
    assert_int_equal(verify_forwarded(message, receipts), STATUS_BAD_SIGNATURE);
    message = unpack_forwarded();
    message->certificate.data[0] ^= 1;
    assert_int_equal(verify_forwarded(message, receipts), STATUS_UNKNOWN_KEY);
    message = unpack_forwarded(); /* about another sender's events */
    assert_int_equal(receipt_forwarded_verify(message, bytes_of_string("prison.stafford"),
                                              bytes_of_string(SAMPLE_POLICE), signer, key, receipts),
                     STATUS_MISMATCH);
    /* signed by one member in another's name */
    assert_int_equal(receipt_forwarded_verify(message, bytes_of_string(SAMPLE_FROM),
                                              bytes_of_string(SAMPLE_PROBATION), signer, key, receipts),
                     STATUS_MISMATCH);
    assert_int_equal(receipt_forwarded_verify(message, bytes_of_string(SAMPLE_FROM),
                                              bytes_of_string(SAMPLE_POLICE), signer,
                                              sample.signers[SAMPLE_TO_PROBATION], receipts),
                     STATUS_BAD_SIGNATURE);
}

/* Events and receipts are signed under prefixes of their own: neither signature serves as the other. */
static void test_domains_are_apart(void **state)
{
    (void)state;
    const Wire__Frame *frame;
    struct byte_view views[5];
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    struct receipt receipts[ENVELOPE_BATCH_MAX];

    assert_int_equal(unpack(bytes_buffer_view(&batch), WIRE__FRAME__VERB_RECEIPTS, &frame), STATUS_OK);
    for (size_t i = 0; i < 5; i++)
        views[i] = wire_view(frame->receipts->receipts[i]);
    assert_int_equal(batch_sign(BATCH_PURPOSE_EVENTS, key, signer, views, 5, signature), STATUS_OK);
    memcpy(frame->receipts->signature.data, signature, sizeof signature);
    assert_int_equal(
        receipt_batch_verify(frame->receipts, bytes_of_string(SAMPLE_POLICE), signer, key, receipts),
        STATUS_BAD_SIGNATURE);
}

/* Signed by one member, and in another's name. */
static void test_batch_is_bound_to_its_recipient(void **state)
{
    (void)state;
    const Wire__Frame *frame;
    struct receipt receipts[ENVELOPE_BATCH_MAX];

    assert_int_equal(unpack(bytes_buffer_view(&batch), WIRE__FRAME__VERB_RECEIPTS, &frame), STATUS_OK);
    assert_int_equal(
        receipt_batch_verify(frame->receipts, bytes_of_string(SAMPLE_PROBATION), signer, key, receipts),
        STATUS_MISMATCH);
    assert_int_equal(receipt_batch_verify(frame->receipts, bytes_of_string(SAMPLE_POLICE), signer,
                                          sample.signers[SAMPLE_TO_PROBATION], receipts),
                     STATUS_BAD_SIGNATURE);
}

static void test_codec_refuses(void **state)
{
    (void)state;
    struct byte_buffer bytes = bytes_buffer(RECEIPT_SIZE_MAX);
    struct byte_buffer out = bytes_buffer(RECEIPT_SIZE_MAX);
    struct receipt receipt;
    struct receipt bad;

    sample_receipt(&sample, SAMPLE_TO_POLICE, 0, &bytes);
    assert_int_equal(receipt_decode(bytes_buffer_view(&bytes), &receipt), STATUS_OK);
    assert_int_equal(receipt_encode(&receipt, &out), STATUS_OK);
    assert_true(bytes_equal(bytes_buffer_view(&out), bytes_buffer_view(&bytes)));
    for (size_t cut = 0; cut < bytes.size; cut++)
        assert_int_not_equal(receipt_decode(bytes_view(bytes.data, cut), &bad), STATUS_OK);
    bad = receipt;
    bad.counter = 0;
    assert_int_equal(receipt_encode(&bad, &out), STATUS_BAD_ARGUMENT);
    bad = receipt;
    bad.time = -1;
    assert_int_equal(receipt_encode(&bad, &out), STATUS_BAD_ARGUMENT);
    bad = receipt;
    bad.outcome = (enum receipt_outcome)3;
    assert_int_equal(receipt_encode(&bad, &out), STATUS_BAD_ARGUMENT);
    bytes_append_zeros(&bytes, 1);
    assert_int_equal(receipt_decode(bytes_buffer_view(&bytes), &bad), STATUS_BAD_FORMAT);
    bytes_append_zeros(&bytes, RECEIPT_SIZE_MAX - bytes.size);
    assert_int_equal(receipt_decode(bytes_view(bytes.data, bytes.size), &bad), STATUS_BAD_FORMAT);
    bytes_buffer_free(&bytes);
    bytes_buffer_free(&out);
}

static void test_batch_digest(void **state)
{
    (void)state;
    uint8_t digest[32];
    uint8_t expected[32];

    receipt_batch_digest(bytes_of_string("ab"), bytes_of_string("c"), digest);
    digest_sha256(bytes_view("\0\0\0\2ab\0\0\0\1c", 11), expected);
    assert_memory_equal(digest, expected, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch_and_forward_verify),
        cmocka_unit_test(test_confirms_one_section_only),
        cmocka_unit_test(test_batch_refuses_any_flipped_bit),
        cmocka_unit_test(test_forwarded_refuses_any_flipped_bit),
        cmocka_unit_test(test_forwarded_says_what_is_wrong),
        cmocka_unit_test(test_domains_are_apart),
        cmocka_unit_test(test_batch_is_bound_to_its_recipient),
        cmocka_unit_test(test_codec_refuses),
        cmocka_unit_test(test_batch_digest),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
