#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

#include "base/local_wire.h"

/* A frame around text that claims `claimed` bytes. */
static struct byte_buffer frame_of(const char *text, size_t claimed)
{
    struct byte_buffer frame = bytes_buffer(2 * LOCAL_WIRE_FRAME);

    bytes_append_u32(&frame, (uint32_t)claimed);
    bytes_append_string(&frame, text);
    assert_int_equal(frame.status, STATUS_OK);
    return frame;
}

static enum status read_text(const char *text, size_t claimed, size_t *ret_used, json_t **ret_message)
{
    struct byte_buffer frame = frame_of(text, claimed);
    enum status status = local_wire_read(bytes_buffer_view(&frame), ret_used, ret_message);

    bytes_buffer_free(&frame);
    return status;
}

static void a_frame_is_four_bytes_of_length_and_an_object(void **state)
{
    (void)state;
    static const uint8_t expected[] = "\x00\x00\x00\x07{\"a\":1}";
    struct byte_buffer out = bytes_buffer(LOCAL_WIRE_FRAME);
    json_t *message = json_pack("{s:i}", "a", 1);
    json_t *read = NULL;
    size_t used = 99;

    assert_int_equal(local_wire_append(&out, message), STATUS_OK);
    assert_true(bytes_equal(bytes_buffer_view(&out), bytes_view(expected, sizeof expected - 1)));
    assert_int_equal(local_wire_append(&out, message), STATUS_OK);
    for (size_t size = 0; size < 11; size++) {
        assert_int_equal(local_wire_read(bytes_view(out.data, size), &used, &read), STATUS_OK);
        assert_int_equal(used, 0);
        assert_null(read);
    }
    assert_int_equal(local_wire_read(bytes_buffer_view(&out), &used, &read), STATUS_OK);
    assert_int_equal(used, 11);
    assert_true(json_equal(read, message));
    json_decref(read);
    json_decref(message);
    bytes_buffer_free(&out);
}

static void what_is_no_plain_object_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "{", "[]", "1", "null", "{} {}", "{\"a\":1,\"a\":2}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\xff\"}"};
    json_t *message = NULL;
    size_t used = 99;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(read_text(bad[i], strlen(bad[i]), &used, &message), STATUS_BAD_FORMAT);
    assert_int_equal(used, 99);
    assert_null(message);
}

static void a_frame_has_a_largest_size(void **state)
{
    (void)state;
    json_t *message = NULL;
    size_t used = 99;
    struct byte_buffer out = bytes_buffer(4 * LOCAL_WIRE_FRAME);
    struct byte_buffer small = bytes_buffer(10);
    char *text = calloc(1, LOCAL_WIRE_LARGEST + 1);

    assert_non_null(text);
    assert_int_equal(read_text("", LOCAL_WIRE_LARGEST + 1, &used, &message), STATUS_TOO_LARGE);
    assert_int_equal(read_text("", LOCAL_WIRE_LARGEST, &used, &message), STATUS_OK);
    assert_null(message);
    /* {"a":"..."} is 8 characters longer than the text. */
    memset(text, 'x', LOCAL_WIRE_LARGEST - 8);
    message = json_pack("{s:s}", "a", text);
    assert_int_equal(local_wire_append(&out, message), STATUS_OK);
    assert_int_equal(out.size, LOCAL_WIRE_FRAME);
    json_decref(message);
    assert_int_equal(local_wire_read(bytes_buffer_view(&out), &used, &message), STATUS_OK);
    assert_int_equal(used, LOCAL_WIRE_FRAME);
    json_decref(message);
    text[LOCAL_WIRE_LARGEST - 8] = 'x';
    message = json_pack("{s:s}", "a", text);
    assert_int_equal(local_wire_append(&out, message), STATUS_TOO_LARGE);
    assert_int_equal(out.size, LOCAL_WIRE_FRAME);
    assert_int_equal(out.status, STATUS_OK);
    json_decref(message);
    /* A full buffer stays good. */
    message = json_pack("{s:i}", "a", 1);
    assert_int_equal(local_wire_append(&small, message), STATUS_TOO_LARGE);
    assert_int_equal(small.status, STATUS_OK);
    json_decref(message);
    bytes_buffer_free(&out);
    free(text);
}

static void an_address_is_short_however_long_the_folder(void **state)
{
    (void)state;
    struct sockaddr_un address;

    assert_int_equal(local_wire_address(12, "agent.socket", &address), STATUS_OK);
    assert_string_equal(address.sun_path, "/proc/self/fd/12/agent.socket");
    assert_int_equal(local_wire_address(12, "", &address), STATUS_BAD_ARGUMENT);
    assert_int_equal(local_wire_address(12, "../a", &address), STATUS_BAD_ARGUMENT);
    char name[128];
    memset(name, 'n', sizeof name);
    name[127] = '\0';
    assert_int_equal(local_wire_address(12, name, &address), STATUS_BAD_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_four_bytes_of_length_and_an_object),
        cmocka_unit_test(what_is_no_plain_object_is_refused),
        cmocka_unit_test(a_frame_has_a_largest_size),
        cmocka_unit_test(an_address_is_short_however_long_the_folder),
    };
    return cmocka_run_group_tests_name("local_wire", tests, NULL, NULL);
}
