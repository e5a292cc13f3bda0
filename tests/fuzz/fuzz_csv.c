/* Any bytes as a CSV file: rows, malformed rows or a refusal, and every promise of feed_csv.h holds. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "agent/feed_csv.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is written for people reads back as one field, and no spreadsheet takes it for a formula. */
static void write_and_read(struct byte_view field)
{
    struct byte_buffer text = bytes_buffer(FEED_ROW_MAX * 3);
    struct feed_input *input = NULL;
    struct feed_csv *csv = NULL;
    static struct feed_csv_row row;
    struct feed_reject reject;
    struct feed_refusal refusal;

    bytes_append_string(&text, "x,");
    feed_csv_append(&text, field);
    bytes_append_string(&text, "\r\n");
    assert(text.status == STATUS_OK);
    assert(text.data[2] == '\r' || strchr("=+-@", text.data[2]) == NULL);
    assert(feed_input_of_bytes(bytes_buffer_view(&text), FEED_UTF8, &input) == STATUS_OK);
    assert(feed_csv_new(input, ',', &csv) == STATUS_OK);
    if (text.size < FEED_ROW_MAX) {
        assert(feed_csv_next(csv, &row, &reject, &refusal) == STATUS_OK);
        assert(row.count == 2);
    }
    feed_csv_free(&csv);
    feed_input_free(&input);
    bytes_buffer_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = {',', ';', '|', '\t'};
    static struct feed_csv_row row;
    struct feed_input *input = NULL;
    struct feed_csv *csv = NULL;
    struct feed_reject reject;
    struct feed_refusal refusal;
    uint64_t line = 0;
    size_t malformed = 0;

    if (size == 0)
        return 0;
    assert(feed_input_of_bytes(bytes_view(data + 1, size - 1), (enum feed_encoding)(data[0] / 4 % 3),
                               &input) == STATUS_OK);
    assert(feed_csv_new(input, delimiters[data[0] % 4], &csv) == STATUS_OK);
    for (;;) {
        const enum status status = feed_csv_next(csv, &row, &reject, &refusal);

        if (status != STATUS_OK && status != STATUS_BAD_FORMAT) {
            assert(status == STATUS_NOT_FOUND || (status == STATUS_UNSUPPORTED && refusal.text[0] != '\0'));
            break;
        }
        malformed += status == STATUS_BAD_FORMAT;
        assert(row.line > line && row.count <= FEED_COLUMNS_MAX && malformed <= FEED_MALFORMED_MAX);
        assert(status == STATUS_OK || (reject.line == row.line && reject.reason[0] != '\0'));
        line = row.line;
        for (size_t i = 0; status == STATUS_OK && i < row.count; i++) {
            assert(utf8_valid(row.fields[i]) && row.fields[i].size <= FEED_ROW_MAX);
            write_and_read(row.fields[i]);
        }
    }
    assert(feed_input_size(input) <= size - 1);
    feed_csv_free(&csv);
    feed_input_free(&input);
    return 0;
}
