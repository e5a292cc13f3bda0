#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/feed_csv.h"

struct reader {
    struct feed_input *input;
    struct feed_csv *csv;
    struct feed_csv_row row;
    struct feed_reject reject;
    struct feed_refusal refusal;
};

static void open_bytes(struct reader *reader, struct byte_view bytes, enum feed_encoding encoding,
                       char delimiter)
{
    memset(reader, 0, sizeof *reader);
    assert_int_equal(feed_input_of_bytes(bytes, encoding, &reader->input), STATUS_OK);
    assert_int_equal(feed_csv_new(reader->input, delimiter, &reader->csv), STATUS_OK);
}

static void open_text(struct reader *reader, const char *text)
{
    open_bytes(reader, bytes_of_string(text), FEED_UTF8, ',');
}

static void close_reader(struct reader *reader)
{
    feed_csv_free(&reader->csv);
    feed_input_free(&reader->input);
}

static enum status next(struct reader *reader)
{
    return feed_csv_next(reader->csv, &reader->row, &reader->reject, &reader->refusal);
}

/* The next row is on that line and reads so, with bars between the fields. */
static void expect_row(struct reader *reader, uint64_t line, const char *text)
{
    struct byte_buffer joined = bytes_buffer(1 << 20);

    assert_int_equal(next(reader), STATUS_OK);
    for (size_t i = 0; i < reader->row.count; i++) {
        bytes_append_string(&joined, i > 0 ? "|" : "");
        bytes_append_view(&joined, reader->row.fields[i]);
    }
    bytes_append_u8(&joined, 0);
    assert_string_equal((const char *)joined.data, text);
    assert_int_equal(reader->row.line, line);
    bytes_buffer_free(&joined);
}

static void reads_rows_and_lines(void **state)
{
    struct reader reader;

    (void)state;
    open_text(&reader, "\xef\xbb\xbf"
                       "a,b,c\r\n"
                       "1, two ,\"three, \"\"3\"\"\"\n"
                       "\r\n\n"
                       "\"x\r\ny\",,\r"
                       "last,row,\xc3\xa9");
    expect_row(&reader, 1, "a|b|c");
    expect_row(&reader, 2, "1|two|three, \"3\"");
    expect_row(&reader, 5, "x\r\ny||");
    expect_row(&reader, 7, "last|row|\xc3\xa9");
    assert_int_equal(next(&reader), STATUS_NOT_FOUND);
    assert_int_equal(next(&reader), STATUS_NOT_FOUND);
    close_reader(&reader);
}

static void goes_on_after_a_malformed_row(void **state)
{
    struct reader reader;

    (void)state;
    open_text(&reader, "a,b\nA1234BC,say \"no\",x\n1,2\n\"3\"x,4\n5,6\n");
    expect_row(&reader, 1, "a|b");
    assert_int_equal(next(&reader), STATUS_BAD_FORMAT);
    assert_int_equal(reader.reject.line, 2);
    assert_int_equal(reader.row.count, 1);
    assert_true(bytes_equal(reader.row.fields[0], bytes_of_string("A1234BC")));
    expect_row(&reader, 3, "1|2");
    assert_int_equal(next(&reader), STATUS_BAD_FORMAT);
    assert_int_equal(reader.reject.line, 4);
    expect_row(&reader, 5, "5|6");
    assert_int_equal(next(&reader), STATUS_NOT_FOUND);
    close_reader(&reader);
}

/* A forgotten closing quote must not swallow the rows after it: a row that is not seen looks like one that
 * is gone. */
static void a_forgotten_quote_swallows_nothing(void **state)
{
    struct reader reader;

    (void)state;
    open_text(&reader, "1,\"open\n2,b\n3,\"c\"\n4,d\n");
    assert_int_equal(next(&reader), STATUS_BAD_FORMAT);
    assert_int_equal(reader.reject.line, 1);
    expect_row(&reader, 2, "2|b");
    expect_row(&reader, 3, "3|c");
    expect_row(&reader, 4, "4|d");
    close_reader(&reader);
    open_text(&reader, "1,a\n2,\"open\n3,c\n");
    expect_row(&reader, 1, "1|a");
    assert_int_equal(next(&reader), STATUS_BAD_FORMAT);
    expect_row(&reader, 3, "3|c");
    assert_int_equal(next(&reader), STATUS_NOT_FOUND);
    close_reader(&reader);
}

static void a_long_row_is_one_bad_row(void **state)
{
    const size_t sizes[] = {FEED_ROW_MAX + 1, 3 * FEED_ROW_MAX, 40 * FEED_ROW_MAX};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char *text = malloc(sizes[i] + 64);
        struct reader reader;
        size_t size = 0;

        assert_non_null(text);
        memcpy(text, "1,a\n", 4);
        memset(text + 4, 'x', sizes[i]);
        size = 4 + sizes[i];
        memcpy(text + size, "\n3,c\n", 5);
        open_bytes(&reader, bytes_view(text, size + 5), FEED_UTF8, ',');
        expect_row(&reader, 1, "1|a");
        assert_int_equal(next(&reader), STATUS_BAD_FORMAT);
        assert_int_equal(reader.reject.line, 2);
        assert_non_null(strstr(reader.reject.reason, "64 KiB"));
        expect_row(&reader, 3, "3|c");
        assert_int_equal(next(&reader), STATUS_NOT_FOUND);
        close_reader(&reader);
        free(text);
    }
}

static void rows_up_to_the_limit_are_read(void **state)
{
    char *text = malloc(FEED_ROW_MAX + 8);
    struct reader reader;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', FEED_ROW_MAX);
    text[100] = ',';
    text[FEED_ROW_MAX - 1] = '\n';
    memcpy(text + FEED_ROW_MAX, "2,b\n", 4);
    open_bytes(&reader, bytes_view(text, FEED_ROW_MAX + 4), FEED_UTF8, ',');
    assert_int_equal(next(&reader), STATUS_OK);
    assert_int_equal(reader.row.count, 2);
    assert_int_equal(reader.row.fields[1].size, FEED_ROW_MAX - 102);
    expect_row(&reader, 2, "2|b");
    close_reader(&reader);
    free(text);
}

static void too_many_malformed_rows_are_no_csv(void **state)
{
    struct byte_buffer text = bytes_buffer(1 << 20);
    struct reader reader;
    size_t bad = 0;

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        bytes_append_string(&text, "\"\n");
    bytes_append_string(&text, "x\"\n");
    open_bytes(&reader, bytes_buffer_view(&text), FEED_UTF8, ',');
    for (;;) {
        enum status status = next(&reader);

        if (status != STATUS_OK && status != STATUS_BAD_FORMAT) {
            assert_true(status == STATUS_UNSUPPORTED || status == STATUS_NOT_FOUND);
            break;
        }
        bad += status == STATUS_BAD_FORMAT;
    }
    assert_true(bad <= FEED_MALFORMED_MAX);
    close_reader(&reader);
    bytes_buffer_free(&text);
}

static void too_many_columns(void **state)
{
    struct byte_buffer text = bytes_buffer(1 << 20);
    struct reader reader;

    (void)state;
    for (size_t i = 0; i < FEED_COLUMNS_MAX; i++)
        bytes_append_string(&text, ",");
    bytes_append_string(&text, "\n1,2\n");
    open_bytes(&reader, bytes_buffer_view(&text), FEED_UTF8, ',');
    assert_int_equal(next(&reader), STATUS_BAD_FORMAT);
    assert_non_null(strstr(reader.reject.reason, "256"));
    expect_row(&reader, 2, "1|2");
    close_reader(&reader);
    bytes_buffer_free(&text);
}

static void other_delimiters(void **state)
{
    struct reader reader;

    (void)state;
    open_bytes(&reader, bytes_of_string("a;b,c\n"), FEED_UTF8, ';');
    expect_row(&reader, 1, "a|b,c");
    close_reader(&reader);
    open_bytes(&reader, bytes_of_string("a\t\tb\n"), FEED_UTF8, '\t');
    expect_row(&reader, 1, "a||b");
    close_reader(&reader);
}

static void encodings(void **state)
{
    struct reader reader;

    (void)state;
    open_bytes(&reader,
               bytes_of_string("Jos\xe9,\x80"
                               "5,\x93q\x94\n"),
               FEED_WINDOWS_1252, ',');
    expect_row(&reader, 1,
               "Jos\xc3\xa9|\xe2\x82\xac"
               "5|\xe2\x80\x9cq\xe2\x80\x9d");
    close_reader(&reader);
    open_bytes(&reader, bytes_of_string("Jos\xe9\n"), FEED_LATIN_1, ',');
    expect_row(&reader, 1, "Jos\xc3\xa9");
    close_reader(&reader);
    open_text(&reader, "a\nb\nJos\xe9\n");
    expect_row(&reader, 1, "a");
    expect_row(&reader, 2, "b");
    assert_int_equal(next(&reader), STATUS_UNSUPPORTED);
    assert_non_null(strstr(reader.refusal.text, "line 3 is not UTF-8"));
    close_reader(&reader);
}

static void what_is_no_text_is_refused(void **state)
{
    const struct {
        struct byte_view bytes;
        const char *says;
    } cases[] = {
        {bytes_view("\xff\xfe"
                    "a\0b\0",
                    6),
         "UTF-16"},
        {bytes_view("\xfe\xff\0a", 4), "UTF-16"},
        {bytes_view("PK\x03\x04zip", 7), "zip"},
        {bytes_view("\x1f\x8b\x08", 3), "gzip"},
        {bytes_view("%PDF-1.4", 8), "PDF"},
        {bytes_view("\xd0\xcf\x11\xe0xls", 7), "Excel"},
        {bytes_view("a,b\n1,\0\n", 8), "not UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reader reader;
        enum status status = STATUS_OK;

        open_bytes(&reader, cases[i].bytes, FEED_UTF8, ',');
        while (status == STATUS_OK)
            status = next(&reader);
        assert_int_equal(status, STATUS_UNSUPPORTED);
        assert_non_null(strstr(reader.refusal.text, cases[i].says));
        close_reader(&reader);
    }
}

static void empty_files_end_at_once(void **state)
{
    const char *const texts[] = {"", "\xef\xbb\xbf", "\n\r\n\n"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct reader reader;

        open_text(&reader, texts[i]);
        assert_int_equal(next(&reader), STATUS_NOT_FOUND);
        close_reader(&reader);
    }
}

static void writes_fields_that_no_spreadsheet_runs(void **state)
{
    const char *const cases[][2] = {
        {"plain", "plain"},
        {"a,b", "\"a,b\""},
        {"say \"no\"", "\"say \"\"no\"\"\""},
        {"=1+1", "\"'=1+1\""},
        {"+44", "\"'+44\""},
        {"-1", "\"'-1\""},
        {"@SUM(A1)", "\"'@SUM(A1)\""},
        {"\tx", "\"'\tx\""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct byte_buffer out = bytes_buffer(1024);

        feed_csv_append(&out, bytes_of_string(cases[i][0]));
        assert_true(bytes_equal(bytes_buffer_view(&out), bytes_of_string(cases[i][1])));
        bytes_buffer_free(&out);
    }
}

static void reads_the_sample(void **state)
{
    struct byte_buffer file = support_read_file(TEST_DATA "/release-extract.csv");
    struct reader reader;
    size_t rows = 0;
    size_t narrow = 0;

    (void)state;
    open_bytes(&reader, bytes_buffer_view(&file), FEED_UTF8, ',');
    while (next(&reader) == STATUS_OK) {
        rows++;
        narrow += reader.row.count != 12;
        assert_int_equal(reader.row.line, rows);
    }
    assert_int_equal(rows, 403);
    assert_int_equal(narrow, 1);
    close_reader(&reader);
    bytes_buffer_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_rows_and_lines),
        cmocka_unit_test(goes_on_after_a_malformed_row),
        cmocka_unit_test(a_forgotten_quote_swallows_nothing),
        cmocka_unit_test(a_long_row_is_one_bad_row),
        cmocka_unit_test(rows_up_to_the_limit_are_read),
        cmocka_unit_test(too_many_malformed_rows_are_no_csv),
        cmocka_unit_test(too_many_columns),
        cmocka_unit_test(other_delimiters),
        cmocka_unit_test(encodings),
        cmocka_unit_test(what_is_no_text_is_refused),
        cmocka_unit_test(empty_files_end_at_once),
        cmocka_unit_test(writes_fields_that_no_spreadsheet_runs),
        cmocka_unit_test(reads_the_sample),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
