#include "agent/feed_csv.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

struct feed_csv {
    struct feed_input *input;
    struct csv_parser parser;
    unsigned char delimiter;
    bool open;     /* parser holds memory */
    uint64_t line; /* of the next byte */
    bool after_cr; /* the byte before was CR */
    size_t malformed;
    /* The row under way. */
    bool row_ended;
    bool too_many;
    size_t count;
    size_t offsets[FEED_COLUMNS_MAX + 1];
    struct byte_buffer text;
};

/* libcsv's buffer for one field must not grow without bound. */
static void *bounded_realloc(void *memory, size_t size)
{
    return size > FEED_ROW_MAX + 1024 ? NULL : realloc(memory, size);
}

static enum status open_parser(struct feed_csv *csv)
{
    if (csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return STATUS_NO_MEMORY;
    csv_set_delim(&csv->parser, csv->delimiter);
    csv_set_blk_size(&csv->parser, 1024);
    csv_set_realloc_func(&csv->parser, bounded_realloc);
    csv->open = true;
    return STATUS_OK;
}

static void close_parser(struct feed_csv *csv)
{
    if (csv->open && csv->parser.entry_buf != NULL)
        bytes_wipe(csv->parser.entry_buf, csv->parser.entry_size);
    if (csv->open)
        csv_free(&csv->parser);
    csv->open = false;
}

enum status feed_csv_new(struct feed_input *input, char delimiter, struct feed_csv **ret_csv)
{
    struct feed_csv *csv = calloc(1, sizeof *csv);
    enum status status = STATUS_NO_MEMORY;

    if (csv == NULL)
        return STATUS_NO_MEMORY;
    csv->input = input;
    csv->delimiter = (unsigned char)delimiter;
    csv->line = 1;
    csv->text = bytes_buffer(FEED_ROW_MAX);
    status = open_parser(csv);
    if (status == STATUS_OK)
        *ret_csv = csv;
    else
        feed_csv_free(&csv);
    return status;
}

void feed_csv_free(struct feed_csv **csv)
{
    if (*csv == NULL)
        return;
    close_parser(*csv);
    bytes_buffer_wipe(&(*csv)->text);
    free(*csv);
    *csv = NULL;
}

static void on_field(void *data, size_t size, void *context)
{
    struct feed_csv *csv = context;

    if (csv->count == FEED_COLUMNS_MAX) {
        csv->too_many = true;
        return;
    }
    bytes_append(&csv->text, data, size);
    csv->count++;
    csv->offsets[csv->count] = csv->text.size;
}

static void on_row(int end, void *context)
{
    struct feed_csv *csv = context;

    (void)end;
    csv->row_ended = true;
}

/* Counts the lines that end within; CR LF is one end. */
static void count_lines(struct feed_csv *csv, struct byte_view bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        const uint8_t c = bytes.data[i];

        if (c == '\r' || (c == '\n' && !csv->after_cr))
            csv->line++;
        csv->after_cr = c == '\r';
    }
}

/* The size of the first line with its CR or LF; everything when there is none. */
static size_t first_line(struct byte_view bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        if (bytes.data[i] == '\n' || bytes.data[i] == '\r')
            return i + 1;
    return bytes.size;
}

static void take(struct feed_csv *csv, size_t size)
{
    struct byte_view view = feed_input_view(csv->input);

    count_lines(csv, bytes_view(view.data, size));
    feed_input_take(csv->input, size);
}

/* Passes over line ends before a row, so that a row's line is that of its first character. */
static enum status skip_line_ends(struct feed_csv *csv, struct feed_refusal *ret_refusal)
{
    for (;;) {
        const struct byte_view view = feed_input_view(csv->input);
        size_t size = 0;
        enum status status = STATUS_OK;

        while (size < view.size && (view.data[size] == '\n' || view.data[size] == '\r'))
            size++;
        if (size > 0)
            take(csv, size);
        if (size < view.size)
            return STATUS_OK;
        if (feed_input_ended(csv->input))
            return STATUS_NOT_FOUND;
        status = feed_input_fill(csv->input, ret_refusal);
        if (status != STATUS_OK)
            return status;
    }
}

/* Passes over the rest of a line, however long it is. */
static enum status skip_line(struct feed_csv *csv, struct feed_refusal *ret_refusal)
{
    for (;;) {
        const struct byte_view view = feed_input_view(csv->input);
        const size_t size = first_line(view);
        const bool ends = size > 0 && (view.data[size - 1] == '\n' || view.data[size - 1] == '\r');
        enum status status = STATUS_OK;

        take(csv, size);
        if (ends || feed_input_ended(csv->input))
            return STATUS_OK;
        status = feed_input_fill(csv->input, ret_refusal);
        if (status != STATUS_OK)
            return status;
    }
}

static void fill_row(const struct feed_csv *csv, uint64_t line, struct feed_csv_row *ret_row)
{
    ret_row->line = line;
    ret_row->count = csv->count;
    for (size_t i = 0; i < csv->count; i++)
        ret_row->fields[i] = bytes_view(csv->text.size > 0 ? csv->text.data + csv->offsets[i] : NULL,
                                        csv->offsets[i + 1] - csv->offsets[i]);
}

/*
 * The parser cannot go on after a fault and its last field must not be believed. It starts anew at the line
 * after the one on which the row began: rows that a forgotten quote would have swallowed are read after all.
 */
static enum status give_up_row(struct feed_csv *csv, uint64_t line, const char *reason,
                               struct feed_csv_row *ret_row, struct feed_reject *ret_reject,
                               struct feed_refusal *ret_refusal)
{
    enum status status = STATUS_OK;

    if (++csv->malformed > FEED_MALFORMED_MAX) {
        (void)snprintf(
            ret_refusal->text, sizeof ret_refusal->text,
            "more than %d rows are malformed, the last on line %llu: this is no CSV file with that "
            "delimiter and quoting",
            FEED_MALFORMED_MAX, (unsigned long long)line);
        return STATUS_UNSUPPORTED;
    }
    fill_row(csv, line, ret_row);
    feed_reject_set(ret_reject, line, NULL, "%s", reason);
    close_parser(csv);
    status = open_parser(csv);
    if (status == STATUS_OK)
        status = skip_line(csv, ret_refusal);
    return status == STATUS_OK ? STATUS_BAD_FORMAT : status;
}

static const char *fault_of(const struct feed_csv *csv)
{
    if (csv->too_many)
        return "more than 256 fields in one row";
    if (csv->text.status != STATUS_OK || csv_error((struct csv_parser *)&csv->parser) != CSV_EPARSE)
        return "longer than 64 KiB, perhaps because a closing quote is missing";
    return "malformed quoting: a field with a quote in it must stand in quotes and double them";
}

/*
 * Feeds the parser line by line until it reports the end of a row, taking nothing from the input yet.
 * ret_size: the bytes of the row. STATUS_BAD_FORMAT: a fault.
 */
static enum status parse_row(struct feed_csv *csv, size_t *ret_size, struct feed_refusal *ret_refusal)
{
    size_t fed = 0;

    while (!csv->row_ended) {
        struct byte_view view = feed_input_view(csv->input);
        size_t size = 0;

        if (fed == view.size && feed_input_ended(csv->input)) {
            if (csv_fini(&csv->parser, on_field, on_row, csv) != 0)
                return STATUS_BAD_FORMAT;
            csv->row_ended = true;
            break;
        }
        if (fed == view.size) {
            enum status status = STATUS_OK;

            if (view.size > FEED_ROW_MAX)
                return STATUS_BAD_FORMAT;
            status = feed_input_fill(csv->input, ret_refusal);
            if (status != STATUS_OK)
                return status;
            continue;
        }
        size = first_line(bytes_view(view.data + fed, view.size - fed));
        if (csv_parse(&csv->parser, view.data + fed, size, on_field, on_row, csv) != size)
            return STATUS_BAD_FORMAT;
        fed += size;
    }
    *ret_size = fed;
    return csv->too_many || csv->text.status != STATUS_OK || fed > FEED_ROW_MAX ? STATUS_BAD_FORMAT
                                                                                : STATUS_OK;
}

enum status feed_csv_next(struct feed_csv *csv, struct feed_csv_row *ret_row, struct feed_reject *ret_reject,
                          struct feed_refusal *ret_refusal)
{
    size_t size = 0;
    uint64_t line = 0;
    enum status status = skip_line_ends(csv, ret_refusal);

    if (status != STATUS_OK)
        return status;
    csv->row_ended = csv->too_many = false;
    csv->count = 0;
    bytes_buffer_clear(&csv->text);
    line = csv->line;
    status = parse_row(csv, &size, ret_refusal);
    if (status == STATUS_BAD_FORMAT)
        return give_up_row(csv, line, fault_of(csv), ret_row, ret_reject, ret_refusal);
    if (status != STATUS_OK)
        return status;
    if (!utf8_valid(bytes_view(feed_input_view(csv->input).data, size))) {
        feed_input_not_utf8(line, ret_refusal);
        return STATUS_UNSUPPORTED;
    }
    take(csv, size);
    fill_row(csv, line, ret_row);
    return STATUS_OK;
}

void feed_csv_append(struct byte_buffer *ret, struct byte_view field)
{
    const bool formula = field.size > 0 && strchr("=+-@\t\r", field.data[0]) != NULL;
    bool quote = formula;

    for (size_t i = 0; i < field.size; i++)
        quote = quote || strchr(",\"\r\n;", field.data[i]) != NULL;
    if (quote)
        bytes_append_u8(ret, '"');
    if (formula)
        bytes_append_u8(ret, '\'');
    for (size_t i = 0; i < field.size; i++) {
        if (field.data[i] == '"')
            bytes_append_u8(ret, '"');
        bytes_append_u8(ret, field.data[i]);
    }
    if (quote)
        bytes_append_u8(ret, '"');
}
