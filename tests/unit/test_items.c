#include "tests/support/support.h"

#include <string.h>

#include "proto/items.h"

static struct byte_buffer work;

static int start(void **state)
{
    (void)state;
    work = bytes_buffer(ITEMS_SIZE_MAX + 1024);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    bytes_buffer_free(&work);
    return 0;
}

static enum status decode(void)
{
    struct items *items = NULL;
    enum status status = items_decode(bytes_buffer_view(&work), &items);

    items_free(&items);
    return status;
}

static void encode_two(void)
{
    const struct item list[] = {
        {bytes_of_string("name"), bytes_of_string("Zoë Example")},
        {bytes_of_string("dob"), bytes_of_string("")},
    };

    bytes_buffer_clear(&work);
    assert_int_equal(items_encode(list, 2, &work), STATUS_OK);
}

static void test_exact_bytes(void **state)
{
    (void)state;
    const struct item one = {bytes_of_string("crn"), bytes_of_string("X1")};
    static const uint8_t expected[] = "\0\0\0\x11\0\0\0\1\0\0\0\3"
                                      "crn"
                                      "\0\0\0\2X1";
    const uint8_t zeros[ITEMS_STEP] = {0};

    bytes_buffer_clear(&work);
    assert_int_equal(items_encode(&one, 1, &work), STATUS_OK);
    assert_int_equal(work.size, ITEMS_STEP);
    assert_memory_equal(work.data, expected, sizeof expected - 1);
    assert_memory_equal(work.data + sizeof expected - 1, zeros, ITEMS_STEP - (sizeof expected - 1));
}

static void test_round_trip(void **state)
{
    (void)state;
    struct items *items = NULL;

    encode_two();
    assert_int_equal(items_decode(bytes_buffer_view(&work), &items), STATUS_OK);
    memset(work.data, 0xff, work.size); /* items are their own */
    assert_int_equal(items->count, 2);
    assert_true(bytes_equal(*items_find(items, "name"), bytes_of_string("Zoë Example")));
    assert_int_equal(items_find(items, "dob")->size, 0);
    assert_null(items_find(items, "nam"));
    items_free(&items);
    assert_null(items);
    items_free(&items);
    bytes_buffer_clear(&work);
    assert_int_equal(items_encode(NULL, 0, &work), STATUS_OK);
    assert_int_equal(decode(), STATUS_OK);
}

static void test_size_tells_only_steps(void **state)
{
    (void)state;
    static char text[ITEMS_VALUE_MAX + 1];
    memset(text, 'x', sizeof text);

    for (size_t size = 0; size <= ITEMS_VALUE_MAX; size++) {
        const struct item one = {bytes_of_string("crn"), bytes_view(text, size)};
        bytes_buffer_clear(&work);
        assert_int_equal(items_encode(&one, 1, &work), STATUS_OK);
        assert_int_equal(work.size, (4 + 4 + 7 + 4 + size + 255) / 256 * 256);
        assert_int_equal(decode(), STATUS_OK);
    }
    const struct item long_one = {bytes_of_string("crn"), bytes_view(text, sizeof text)};
    assert_int_equal(items_encode(&long_one, 1, &work), STATUS_BAD_ARGUMENT);
}

static void test_the_longest(void **state)
{
    (void)state;
    static char text[ITEMS_VALUE_MAX];
    static char labels[ITEMS_MAX + 1][65];
    struct item list[ITEMS_MAX + 1];

    memset(text, 'x', sizeof text);
    for (size_t i = 0; i <= ITEMS_MAX; i++) {
        memset(labels[i], 'a', 64);
        labels[i][62] = (char)('0' + i / 10);
        labels[i][63] = (char)('0' + i % 10);
        list[i] = (struct item){bytes_of_string(labels[i]), bytes_view(text, sizeof text)};
    }
    bytes_buffer_clear(&work);
    assert_int_equal(items_encode(list, ITEMS_MAX, &work), STATUS_OK);
    assert_int_equal(work.size, ITEMS_SIZE_MAX);
    assert_int_equal(decode(), STATUS_OK);
    bytes_append_zeros(&work, ITEMS_STEP);
    assert_int_equal(decode(), STATUS_TOO_LARGE);
    assert_int_equal(items_encode(list, ITEMS_MAX + 1, &work), STATUS_BAD_ARGUMENT);
}

static void test_encode_refuses(void **state)
{
    (void)state;
    const struct item twice[] = {{bytes_of_string("crn"), bytes_of_string("a")},
                                 {bytes_of_string("crn"), bytes_of_string("b")}};
    const struct item bad_label = {bytes_of_string("CRN"), bytes_of_string("a")};
    const struct item bad_value = {bytes_of_string("crn"), bytes_view("a\0b", 3)};
    const struct item not_text = {bytes_of_string("crn"), bytes_of_string("\xff")};

    bytes_buffer_clear(&work);
    assert_int_equal(items_encode(twice, 2, &work), STATUS_BAD_ARGUMENT);
    assert_int_equal(items_encode(&bad_label, 1, &work), STATUS_BAD_ARGUMENT);
    assert_int_equal(items_encode(&bad_value, 1, &work), STATUS_BAD_ARGUMENT);
    assert_int_equal(items_encode(&not_text, 1, &work), STATUS_BAD_ARGUMENT);
    assert_int_equal(work.size, 0);
}

static void test_decode_refuses(void **state)
{
    (void)state;
    encode_two();
    work.data[work.size - 1] = 1; /* padding that says something */
    assert_int_equal(decode(), STATUS_NOT_CANONICAL);
    encode_two();
    bytes_append_zeros(&work, ITEMS_STEP); /* more of it than needed */
    assert_int_equal(decode(), STATUS_NOT_CANONICAL);
    encode_two();
    work.size -= 1;
    assert_int_equal(decode(), STATUS_NOT_CANONICAL);
    encode_two();
    work.data[3]++; /* one byte of padding among the items */
    assert_int_equal(decode(), STATUS_BAD_FORMAT);
    encode_two();
    work.data[7] = 3; /* one item more than there is */
    assert_int_equal(decode(), STATUS_BAD_FORMAT);
    encode_two();
    work.data[7] = 1; /* one fewer */
    assert_int_equal(decode(), STATUS_BAD_FORMAT);
    encode_two();
    work.data[0] = 0xff;
    assert_int_equal(decode(), STATUS_BAD_FORMAT);
    encode_two();
    work.data[12] = 'N'; /* of name */
    assert_int_equal(decode(), STATUS_BAD_FORMAT);
    bytes_buffer_clear(&work);
    assert_int_equal(decode(), STATUS_BAD_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_bytes),           cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_size_tells_only_steps), cmocka_unit_test(test_the_longest),
        cmocka_unit_test(test_encode_refuses),        cmocka_unit_test(test_decode_refuses),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
