#include "tests/support/support.h"

#include <string.h>

#include "proto/field.h"

#define READER(text) field_reader(bytes_view(text, sizeof(text) - 1))

static void test_writes_and_reads(void **state)
{
    (void)state;
    const uint64_t values[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, INT64_MAX, UINT64_MAX};
    struct byte_buffer out = bytes_buffer(4096);

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        bytes_buffer_clear(&out);
        field_put_varint(&out, 1, values[i]);
        assert_int_equal(out.size, field_size_varint(1, values[i]));
        size_t number_end = out.size;
        field_put_bytes(&out, 2000, bytes_of_string("text"));
        assert_int_equal(out.size - number_end, field_size_bytes(2000, 4));
        struct field_reader reader = field_reader(bytes_buffer_view(&out));
        assert_int_equal(field_varint(&reader, 1), values[i]);
        assert_false(field_is_next(&reader, 3));
        assert_true(field_is_next(&reader, 2000));
        assert_true(bytes_equal(field_text(&reader, 2000), bytes_of_string("text")));
        assert_int_equal(field_end(&reader), STATUS_OK);
    }
    bytes_buffer_free(&out);
}

static void test_refuses_what_is_not_canonical(void **state)
{
    (void)state;
    struct field_reader reader = READER("\x08\x81\x00"); /* 1 in two bytes */
    field_varint(&reader, 1);
    assert_int_equal(field_end(&reader), STATUS_NOT_CANONICAL);
    reader = READER("\x88\x00\x01"); /* the tag in two bytes */
    field_varint(&reader, 1);
    assert_int_equal(field_end(&reader), STATUS_NOT_CANONICAL);
    reader = READER("\x0a\x81\x00z"); /* the length in two bytes */
    field_bytes(&reader, 1);
    assert_int_equal(field_end(&reader), STATUS_NOT_CANONICAL);
    reader = READER("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"); /* 65 bits */
    field_varint(&reader, 1);
    assert_int_equal(field_end(&reader), STATUS_BAD_FORMAT);
}

static void test_refuses_what_is_not_there(void **state)
{
    (void)state;
    struct field_reader reader = READER("");
    field_varint(&reader, 1);
    assert_int_equal(field_end(&reader), STATUS_BAD_FORMAT);
    reader = READER("\x08\x01\x08\x01"); /* more than was asked for */
    field_varint(&reader, 1);
    assert_int_equal(field_end(&reader), STATUS_BAD_FORMAT);
    reader = READER("\x12\x01z"); /* another field */
    field_bytes(&reader, 1);
    assert_int_equal(field_end(&reader), STATUS_BAD_FORMAT);
    reader = READER("\x0a\x02z"); /* longer than what is left */
    assert_int_equal(field_bytes(&reader, 1).size, 0);
    assert_int_equal(field_end(&reader), STATUS_BAD_FORMAT);
    reader = READER("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01z");
    assert_int_equal(field_bytes(&reader, 1).size, 0);
    assert_int_equal(field_end(&reader), STATUS_BAD_FORMAT);
    reader = READER("\x0a\x01\xff"); /* no text */
    field_text(&reader, 1);
    assert_int_equal(field_end(&reader), STATUS_BAD_FORMAT);
    reader = READER("\x0a\x01z"); /* of the wrong size */
    assert_null(field_fixed(&reader, 1, 2));
    assert_int_equal(field_end(&reader), STATUS_BAD_FORMAT);
    reader = READER("\x0a"); /* half a field is not next, nor an error of its own */
    assert_true(field_is_next(&reader, 1));
    assert_int_equal(field_end(&reader), STATUS_BAD_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_and_reads),
        cmocka_unit_test(test_refuses_what_is_not_canonical),
        cmocka_unit_test(test_refuses_what_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
