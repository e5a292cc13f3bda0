#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static void integers_are_big_endian(void **state)
{
    (void)state;
    struct byte_buffer buffer = bytes_buffer(64);
    static const uint8_t expected[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

    bytes_append_u8(&buffer, 1);
    bytes_append_u16(&buffer, 0x0203);
    bytes_append_u32(&buffer, 0x04050607);
    bytes_append_u64(&buffer, 0x08090a0b0c0d0e0f);
    assert_int_equal(buffer.status, STATUS_OK);
    assert_int_equal(buffer.size, sizeof expected);
    assert_memory_equal(buffer.data, expected, sizeof expected);

    struct byte_reader reader = bytes_reader(bytes_buffer_view(&buffer));
    assert_int_equal(bytes_read_u8(&reader), 1);
    assert_int_equal(bytes_read_u16(&reader), 0x0203);
    assert_int_equal(bytes_read_u32(&reader), 0x04050607);
    assert_false(bytes_read_done(&reader));
    assert_true(bytes_read_u64(&reader) == 0x08090a0b0c0d0e0f);
    assert_true(bytes_read_done(&reader));
    bytes_buffer_free(&buffer);
}

static void a_short_read_fails_and_stays_failed(void **state)
{
    (void)state;
    struct byte_reader reader = bytes_reader(bytes_of_string("abc"));

    assert_int_equal(bytes_read_u32(&reader), 0);
    assert_true(reader.failed);
    assert_int_equal(bytes_read_u8(&reader), 0);
    assert_false(bytes_read_done(&reader));
}

static void a_buffer_never_passes_its_limit(void **state)
{
    (void)state;
    struct byte_buffer buffer = bytes_buffer(8);

    bytes_append_u64(&buffer, 1);
    assert_int_equal(buffer.status, STATUS_OK);
    bytes_append_u8(&buffer, 1);
    assert_int_equal(buffer.status, STATUS_TOO_LARGE);
    assert_int_equal(buffer.size, 8);
    bytes_buffer_clear(&buffer);
    bytes_append_u16(&buffer, 7);
    assert_int_equal(buffer.status, STATUS_OK);
    bytes_append(&buffer, "x", SIZE_MAX);
    assert_int_equal(buffer.status, STATUS_TOO_LARGE);
    bytes_buffer_free(&buffer);
}

static void base64_round_trips_and_is_strict(void **state)
{
    (void)state;
    struct support_random random = support_seeded(1);
    uint8_t data[48];
    uint8_t back[48];
    char text[65];

    for (size_t run = 0; run < support_count(2000); run++) {
        size_t size = support_below(&random, sizeof data + 1);
        size_t back_size = 99;
        for (size_t i = 0; i < size; i++)
            data[i] = (uint8_t)support_next(&random);
        bytes_to_base64(data, size, text);
        assert_int_equal(strlen(text), bytes_base64_size(size));
        assert_int_equal(bytes_from_base64(text, strlen(text), back, sizeof back, &back_size), STATUS_OK);
        assert_int_equal(back_size, size);
        assert_memory_equal(back, data, size);
    }
    static const char *const bad[] = {
        "A", "AA", "AAA", "AA=A", "A===", "AB==", "AAB=", "AA A", "AAA\n", "===="};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t size = 99;
        assert_int_equal(bytes_from_base64(bad[i], strlen(bad[i]), back, sizeof back, &size),
                         STATUS_BAD_FORMAT);
        assert_int_equal(size, 99);
    }
}

static void hex_takes_exactly_its_size(void **state)
{
    (void)state;
    uint8_t out[2] = {9, 9};
    char text[5];

    assert_int_equal(bytes_from_hex("0aFf", out, 2), STATUS_OK);
    assert_int_equal(out[0], 0x0a);
    assert_int_equal(out[1], 0xff);
    bytes_to_hex(out, 2, text);
    assert_string_equal(text, "0aff");
    assert_int_equal(bytes_from_hex("0a", out, 2), STATUS_BAD_FORMAT);
    assert_int_equal(bytes_from_hex("0aF", out, 2), STATUS_BAD_FORMAT);
    assert_int_equal(bytes_from_hex("0aFg", out, 2), STATUS_BAD_FORMAT);
    assert_int_equal(out[0], 0x0a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_big_endian),
        cmocka_unit_test(a_short_read_fails_and_stays_failed),
        cmocka_unit_test(a_buffer_never_passes_its_limit),
        cmocka_unit_test(base64_round_trips_and_is_strict),
        cmocka_unit_test(hex_takes_exactly_its_size),
    };
    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
