#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

#include "agent/feed_jsonl.h"

struct reader {
    struct feed_input *input;
    struct feed_jsonl *jsonl;
    uint64_t line;
    json_t *object;
    struct feed_reject reject;
    struct feed_refusal refusal;
};

static void open_bytes(struct reader *reader, struct byte_view bytes)
{
    memset(reader, 0, sizeof *reader);
    assert_int_equal(feed_input_of_bytes(bytes, FEED_UTF8, &reader->input), STATUS_OK);
    assert_int_equal(feed_jsonl_new(reader->input, &reader->jsonl), STATUS_OK);
}

static void close_reader(struct reader *reader)
{
    json_decref(reader->object);
    feed_jsonl_free(&reader->jsonl);
    feed_input_free(&reader->input);
}

static enum status next(struct reader *reader)
{
    json_decref(reader->object);
    reader->object = NULL;
    return feed_jsonl_next(reader->jsonl, &reader->line, &reader->object, &reader->reject, &reader->refusal);
}

static void reads_objects_and_tells_bad_lines(void **state)
{
    struct reader reader;

    (void)state;
    open_bytes(&reader, bytes_of_string("{\"a\": 1}\r\n\n  \n"
                                        "{\"a\": 1, \"a\": 2}\n"
                                        "[1]\n"
                                        "{\"a\": \"cut\n"
                                        "{\"a\": tru}\n"
                                        "{\"a\": 1} x\n"
                                        "{\"b\": \"\xc3\xa9\"}"));
    assert_int_equal(next(&reader), STATUS_OK);
    assert_int_equal(reader.line, 1);
    assert_int_equal(next(&reader), STATUS_BAD_FORMAT);
    assert_int_equal(reader.reject.line, 4);
    assert_non_null(strstr(reader.reject.reason, "twice"));
    assert_int_equal(next(&reader), STATUS_BAD_FORMAT);
    assert_int_equal(reader.reject.line, 5);
    for (unsigned line = 6; line <= 8; line++) {
        assert_int_equal(next(&reader), STATUS_BAD_FORMAT);
        assert_int_equal(reader.reject.line, line);
        assert_null(strstr(reader.reject.reason, "cut\n"));
    }
    assert_int_equal(next(&reader), STATUS_OK);
    assert_int_equal(reader.line, 9);
    assert_int_equal(next(&reader), STATUS_NOT_FOUND);
    close_reader(&reader);
}

static void long_lines_are_rejected_in_bounded_memory(void **state)
{
    const size_t sizes[] = {FEED_ROW_MAX + 1, 30 * FEED_ROW_MAX};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char *text = malloc(sizes[i] + 32);
        struct reader reader;

        assert_non_null(text);
        memset(text, ' ', sizes[i]);
        text[0] = '{';
        memcpy(text + sizes[i], "}\n{\"a\":1}\n", 10);
        open_bytes(&reader, bytes_view(text, sizes[i] + 10));
        assert_int_equal(next(&reader), STATUS_BAD_FORMAT);
        assert_non_null(strstr(reader.reject.reason, "64 KiB"));
        assert_int_equal(next(&reader), STATUS_OK);
        assert_int_equal(reader.line, 2);
        close_reader(&reader);
        free(text);
    }
}

static void bytes_that_are_not_utf8_refuse_the_file(void **state)
{
    struct reader reader;

    (void)state;
    open_bytes(&reader, bytes_of_string("{\"a\": \"\xe9\"}\n"));
    assert_int_equal(next(&reader), STATUS_UNSUPPORTED);
    assert_non_null(strstr(reader.refusal.text, "line 1"));
    close_reader(&reader);
}

static void expect_text(const json_t *object, const char *path, const char *expected)
{
    struct byte_buffer storage = bytes_buffer(1024);
    bool present = false;

    assert_int_equal(feed_jsonl_text(object, path, &storage, &present), STATUS_OK);
    assert_int_equal(present, expected != NULL);
    if (expected != NULL)
        assert_true(bytes_equal(bytes_buffer_view(&storage), bytes_of_string(expected)));
    bytes_buffer_free(&storage);
}

static void finds_values_by_path(void **state)
{
    json_t *object =
        json_loads("{\"a\": {\"b\": \"x\", \"n\": null}, \"l\": [{\"v\": 7}, true], \"r\": 1.5}", 0, NULL);
    struct byte_buffer storage = bytes_buffer(1024);
    bool present = false;

    (void)state;
    assert_non_null(object);
    expect_text(object, "a.b", "x");
    expect_text(object, "l.0.v", "7");
    expect_text(object, "l.1", "true");
    expect_text(object, "a.n", NULL);
    expect_text(object, "a.x", NULL);
    expect_text(object, "a.b.c", NULL);
    expect_text(object, "l.2", NULL);
    expect_text(object, "l.x", NULL);
    expect_text(object, "", NULL);
    expect_text(object, "a..b", NULL);
    assert_int_equal(feed_jsonl_text(object, "a", &storage, &present), STATUS_BAD_FORMAT);
    assert_int_equal(feed_jsonl_text(object, "r", &storage, &present), STATUS_BAD_FORMAT);
    bytes_buffer_free(&storage);
    json_decref(object);
}

static void reads_the_sample(void **state)
{
    struct byte_buffer file = support_read_file(TEST_DATA "/hmpps-events.jsonl");
    struct reader reader;
    size_t good = 0;
    size_t bad = 0;

    (void)state;
    open_bytes(&reader, bytes_buffer_view(&file));
    for (;;) {
        enum status status = next(&reader);

        if (status == STATUS_NOT_FOUND)
            break;
        good += status == STATUS_OK;
        bad += status == STATUS_BAD_FORMAT;
    }
    assert_int_equal(good, 15);
    assert_int_equal(bad, 1);
    assert_int_equal(reader.reject.line, 16);
    assert_non_null(strstr(reader.reject.reason, "cut short"));
    close_reader(&reader);
    bytes_buffer_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_objects_and_tells_bad_lines),
        cmocka_unit_test(long_lines_are_rejected_in_bounded_memory),
        cmocka_unit_test(bytes_that_are_not_utf8_refuse_the_file),
        cmocka_unit_test(finds_values_by_path),
        cmocka_unit_test(reads_the_sample),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
