#include "tests/support/support.h"

#include <string.h>

#include "proto/canonical.h"

static void values_and_lists_have_their_known_bytes(void **state)
{
    (void)state;
    static const uint8_t expected[] = "\0\0\0\2ab\0\0\0\0\0\0\0\2\0\0\0\1x\0\0\0\3xyz";
    struct byte_buffer buffer = bytes_buffer(256);

    canonical_append_string(&buffer, "ab");
    canonical_append(&buffer, bytes_view(NULL, 0));
    canonical_append_list_start(&buffer, 2);
    canonical_append_string(&buffer, "x");
    canonical_append_string(&buffer, "xyz");
    assert_int_equal(buffer.status, STATUS_OK);
    assert_int_equal(buffer.size, sizeof expected - 1);
    assert_memory_equal(buffer.data, expected, sizeof expected - 1);
    bytes_buffer_free(&buffer);
}

static void where_one_value_ends_matters(void **state)
{
    (void)state;
    struct byte_buffer one = bytes_buffer(64);
    struct byte_buffer other = bytes_buffer(64);

    canonical_append_string(&one, "ab");
    canonical_append_string(&one, "c");
    canonical_append_string(&other, "a");
    canonical_append_string(&other, "bc");
    assert_false(bytes_equal(bytes_buffer_view(&one), bytes_buffer_view(&other)));
    bytes_buffer_free(&one);
    bytes_buffer_free(&other);
}

static void a_full_buffer_fails_and_stays_failed(void **state)
{
    (void)state;
    struct byte_buffer buffer = bytes_buffer(8);

    canonical_append_string(&buffer, "12345");
    assert_int_equal(buffer.status, STATUS_TOO_LARGE);
    bytes_buffer_clear(&buffer);
    canonical_append_string(&buffer, "1234");
    assert_int_equal(buffer.status, STATUS_OK);
    bytes_buffer_clear(&buffer);
    /* Nothing is read: the size alone is refused. */
    canonical_append(&buffer, bytes_view("", (size_t)UINT32_MAX + 1));
    assert_int_equal(buffer.status, STATUS_TOO_LARGE);
    assert_int_equal(buffer.size, 0);
    bytes_buffer_free(&buffer);
}

static void what_was_written_is_read_back(void **state)
{
    (void)state;
    struct support_random random = support_seeded(5);

    for (size_t round = 0; round < support_count(200); round++) {
        struct byte_buffer buffer = bytes_buffer(4096);
        uint8_t content[40];
        size_t sizes[8];
        uint32_t count = (uint32_t)support_below(&random, 9);

        memset(content, (int)round, sizeof content);
        canonical_append_list_start(&buffer, count);
        for (uint32_t i = 0; i < count; i++) {
            sizes[i] = (size_t)support_below(&random, sizeof content + 1);
            canonical_append(&buffer, bytes_view(content, sizes[i]));
        }
        struct byte_reader reader = bytes_reader(bytes_buffer_view(&buffer));
        uint32_t got = 99;
        assert_int_equal(canonical_read_list_start(&reader, 8, &got), STATUS_OK);
        assert_int_equal(got, count);
        for (uint32_t i = 0; i < count; i++) {
            struct byte_view value = {0};
            assert_int_equal(canonical_read(&reader, sizeof content, &value), STATUS_OK);
            assert_true(bytes_equal(value, bytes_view(content, sizes[i])));
        }
        assert_true(bytes_read_done(&reader));
        bytes_buffer_free(&buffer);
    }
}

static void short_bytes_are_refused_at_every_length(void **state)
{
    (void)state;
    static const uint8_t whole[] = "\0\0\0\5hello";

    for (size_t size = 0; size < sizeof whole - 1; size++) {
        struct byte_reader reader = bytes_reader(bytes_view(whole, size));
        struct byte_view value = bytes_of_string("untouched");
        assert_int_equal(canonical_read(&reader, 100, &value), STATUS_BAD_FORMAT);
        assert_true(reader.failed);
        assert_int_equal(value.size, 9);
    }
    struct byte_reader reader = bytes_reader(bytes_view(whole, sizeof whole - 1));
    struct byte_view value = {0};
    assert_int_equal(canonical_read(&reader, 5, &value), STATUS_OK);
    reader = bytes_reader(bytes_view(whole, sizeof whole - 1));
    assert_int_equal(canonical_read(&reader, 4, &value), STATUS_TOO_LARGE);
    assert_int_equal(canonical_read(&reader, 100, &value), STATUS_BAD_FORMAT);
}

static void a_count_beyond_its_bytes_is_refused(void **state)
{
    (void)state;
    static const uint8_t two[] = "\0\0\0\2\0\0\0\0\0\0\0"; /* 11 bytes: with the last zero, 12 */
    uint32_t count = 77;

    struct byte_reader reader = bytes_reader(bytes_view(two, 11));
    assert_int_equal(canonical_read_list_start(&reader, 8, &count), STATUS_BAD_FORMAT);
    assert_true(reader.failed);
    reader = bytes_reader(bytes_view(two, 3));
    assert_int_equal(canonical_read_list_start(&reader, 8, &count), STATUS_BAD_FORMAT);
    reader = bytes_reader(bytes_view(two, 12));
    assert_int_equal(canonical_read_list_start(&reader, 1, &count), STATUS_TOO_LARGE);
    assert_true(reader.failed);
    assert_int_equal(count, 77);
    reader = bytes_reader(bytes_view(two, 12));
    assert_int_equal(canonical_read_list_start(&reader, 2, &count), STATUS_OK);
    assert_int_equal(count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_lists_have_their_known_bytes),
        cmocka_unit_test(where_one_value_ends_matters),
        cmocka_unit_test(a_full_buffer_fails_and_stays_failed),
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(short_bytes_are_refused_at_every_length),
        cmocka_unit_test(a_count_beyond_its_bytes_is_refused),
    };
    return cmocka_run_group_tests_name("canonical", tests, NULL, NULL);
}
