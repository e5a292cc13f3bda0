#include "tests/support/support.h"

#include "tests/support/sample.h"

#include <string.h>

#include "proto/field.h"

static struct wire_arena arena;
static struct byte_buffer work;

static int start(void **state)
{
    (void)state;
    arena = wire_arena(WIRE_ARENA_FRAME);
    work = bytes_buffer((size_t)32 << 20);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    wire_arena_free(&arena);
    bytes_buffer_free(&work);
    return 0;
}

static enum status unpack(struct byte_view bytes, const Wire__Frame **ret_frame)
{
    wire_arena_reset(&arena);
    return wire_frame_unpack(bytes, &arena, ret_frame);
}

static enum status unpack_work(void)
{
    const Wire__Frame *frame;

    return unpack(bytes_buffer_view(&work), &frame);
}

#define UNPACK(text) (bytes_buffer_clear(&work), bytes_append(&work, text, sizeof(text) - 1), unpack_work())

#define START  "\x08\x01\x10\x05"             /* version 1, request 5 */
#define FETCH  "\x9a\x01\x04\x08\x01\x10\x00" /* credit 1, receipts after 0 */
#define FAILED "\x8a\x02\x07\x08\x01\x12\x03" /* an Error, MALFORMED, and three bytes of text */

static void test_frame_round_trip(void **state)
{
    (void)state;
    struct sample sample;
    const Wire__Frame *frame;

    sample_make(&sample, 3);
    assert_int_equal(unpack(bytes_buffer_view(&sample.publish), &frame), STATUS_OK);
    assert_int_equal(frame->request, 7);
    assert_int_equal(frame->publish->n_headers, 3);
    bytes_buffer_clear(&work);
    wire_pack(&frame->base, &work);
    assert_int_equal(work.status, STATUS_OK);
    assert_true(bytes_equal(bytes_buffer_view(&work), bytes_buffer_view(&sample.publish)));
    sample_free(&sample);
}

static void test_accepts_the_plain_ones(void **state)
{
    (void)state;
    assert_int_equal(UNPACK(START FETCH), STATUS_OK);
    assert_int_equal(UNPACK(START FAILED "ab\xc2"), STATUS_BAD_FORMAT);
    assert_int_equal(UNPACK(START FAILED "abc"), STATUS_OK);
}

static void test_refuses_malformed_frames(void **state)
{
    (void)state;
    assert_int_equal(UNPACK(""), STATUS_BAD_FORMAT);
    assert_int_equal(UNPACK(START), STATUS_BAD_FORMAT);                                /* says nothing */
    assert_int_equal(UNPACK("\x08\x01" FETCH), STATUS_BAD_FORMAT);                     /* no request */
    assert_int_equal(UNPACK(START "\x9a\x01\x02\x08\x01"), STATUS_BAD_FORMAT);         /* half a Fetch */
    assert_int_equal(UNPACK(START "\x9a\x01\x06\x08\x01\x10\x00"), STATUS_BAD_FORMAT); /* cut short */
    assert_int_equal(UNPACK(START FETCH "\x98\x06\x01"), STATUS_BAD_FORMAT);           /* unknown field */
    assert_int_equal(UNPACK(START "\x9a\x01\x06\x08\x01\x10\x00\x18\x01"), STATUS_BAD_FORMAT); /* inside */
    assert_int_equal(UNPACK(START "\x8a\x02\x07\x08\x09\x12\x03"
                                  "abc"),
                     STATUS_BAD_FORMAT); /* no such error */
}

static void test_refuses_what_encodes_otherwise(void **state)
{
    (void)state;
    assert_int_equal(UNPACK(FETCH START), STATUS_NOT_CANONICAL);                          /* out of order */
    assert_int_equal(UNPACK(START FETCH FETCH), STATUS_NOT_CANONICAL);                    /* twice */
    assert_int_equal(UNPACK(START FETCH FAILED "abc"), STATUS_NOT_CANONICAL);             /* two verbs */
    assert_int_equal(UNPACK("\x08\x01\x10\x85\x00" FETCH), STATUS_NOT_CANONICAL);         /* long varint */
    assert_int_equal(UNPACK(START "\x9a\x01\x04\x10\x00\x08\x01"), STATUS_NOT_CANONICAL); /* inside */
    assert_int_equal(UNPACK(START "\x9a\x01\x08\x08\x81\x80\x80\x80\x10\x10\x00"),
                     STATUS_NOT_CANONICAL);                              /* 33 bits for 32 */
    assert_int_equal(UNPACK(START FAILED "a\0c"), STATUS_NOT_CANONICAL); /* a zero in text */
    assert_int_equal(UNPACK(START "\xf2\x01\x06\x08\x01\x10\x01\x18\x02"), STATUS_BAD_FORMAT);
    assert_int_equal(UNPACK(START "\xea\x01\x06\x08\x01\x10\x01\x18\x02"), STATUS_NOT_CANONICAL); /* bool 2 */
    assert_int_equal(UNPACK(START "\xea\x01\x06\x08\x01\x10\x01\x18\x01"), STATUS_OK);
}

static void test_refuses_other_versions_first(void **state)
{
    (void)state;
    assert_int_equal(UNPACK("\x08\x02\x10\x05" FETCH), STATUS_UNSUPPORTED);
    assert_int_equal(UNPACK("\x08\x02\xff\xff"), STATUS_UNSUPPORTED);
    assert_int_equal(UNPACK("\x08\x00\x10\x05" FETCH), STATUS_UNSUPPORTED);
    assert_int_equal(UNPACK("\x10\x05" FETCH), STATUS_BAD_FORMAT);
}

/* A frame of exactly this many bytes: a QueryAnswer full of text. */
static void fill_frame(size_t size)
{
    size_t text = size - 4 /* version, request */ - 2 - 3 /* verb */ - 1 - 3 /* answer */ - 2 /* more */;

    bytes_buffer_clear(&work);
    field_put_varint(&work, 1, 1);
    field_put_varint(&work, 2, 0);
    field_put_start(&work, 32, field_size_bytes(1, text) + 2);
    field_put_start(&work, 1, text);
    bytes_append_zeros(&work, text);
    memset(work.data + work.size - text, 'x', text);
    field_put_varint(&work, 2, 0);
    assert_int_equal(work.size, size);
}

static void test_refuses_one_byte_too_many(void **state)
{
    (void)state;
    fill_frame(WIRE_FRAME_LIMIT);
    assert_int_equal(unpack_work(), STATUS_OK);
    fill_frame(WIRE_FRAME_LIMIT + 1);
    assert_int_equal(unpack_work(), STATUS_TOO_LARGE);
}

static void test_refuses_a_frame_that_swells(void **state)
{
    (void)state;
    size_t empty = 60000; /* openings of two bytes, each of which takes more than a hundred in memory */

    bytes_buffer_clear(&work);
    field_put_varint(&work, 1, 1);
    field_put_varint(&work, 2, 0);
    field_put_start(&work, 16, 2 * empty);
    for (size_t i = 0; i < empty; i++)
        field_put_start(&work, 5, 0);
    assert_int_equal(unpack_work(), STATUS_TOO_LARGE);
    assert_true(arena.used <= work.size * 8 + ((size_t)64 << 10) + 4096);
}

static void test_packs_frames_around_messages(void **state)
{
    (void)state;
    const Wire__Frame *frame;

    bytes_buffer_clear(&work);
    assert_int_equal(
        wire_frame_pack(UINT64_MAX, WIRE__FRAME__VERB_FETCH, bytes_view("\x08\x01\x10\x00", 4), &work),
        STATUS_OK);
    assert_int_equal(unpack(bytes_buffer_view(&work), &frame), STATUS_OK);
    assert_true(frame->request == UINT64_MAX);
    assert_int_equal(frame->fetch->credit, 1);
    struct byte_buffer large = bytes_buffer(WIRE_FRAME_LIMIT);
    bytes_append_zeros(&large, WIRE_FRAME_LIMIT - 4);
    size_t before = work.size;
    assert_int_equal(wire_frame_pack(0, WIRE__FRAME__VERB_FETCH, bytes_buffer_view(&large), &work),
                     STATUS_TOO_LARGE);
    assert_int_equal(work.size, before);
    bytes_buffer_free(&large);
}

static void test_arena_keeps_and_bounds_its_memory(void **state)
{
    (void)state;
    struct wire_arena small = wire_arena(200000);
    uint8_t *first = wire_arena_alloc(&small, 100);

    assert_non_null(first);
    memset(first, 0xff, 100);
    assert_non_null(wire_arena_alloc(&small, 150000));
    assert_null(wire_arena_alloc(&small, 50000));
    assert_null(wire_arena_alloc(&small, SIZE_MAX));
    wire_arena_reset(&small);
    assert_int_equal(small.used, 0);
    uint8_t *one = wire_arena_alloc(&small, 150000); /* from here on one chunk does */
    memset(one, 0xff, 150000);
    wire_arena_reset(&small);
    uint8_t *again = wire_arena_alloc(&small, 150000);
    assert_ptr_equal(one, again);
    for (size_t i = 0; i < 150000; i++)
        assert_int_equal(again[i], 0);
    wire_arena_free(&small);
    assert_non_null(wire_arena_alloc(&small, 1));
    wire_arena_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame_round_trip),
        cmocka_unit_test(test_accepts_the_plain_ones),
        cmocka_unit_test(test_refuses_malformed_frames),
        cmocka_unit_test(test_refuses_what_encodes_otherwise),
        cmocka_unit_test(test_refuses_other_versions_first),
        cmocka_unit_test(test_refuses_one_byte_too_many),
        cmocka_unit_test(test_refuses_a_frame_that_swells),
        cmocka_unit_test(test_packs_frames_around_messages),
        cmocka_unit_test(test_arena_keeps_and_bounds_its_memory),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
