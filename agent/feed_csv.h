#pragma once

#include "agent/feed_input.h"
#include "agent/feed_reject.h"

/*
 * Comma-separated values (RFC 4180), row by row in constant memory: quoted fields may hold commas, quotes and
 * line breaks; rows end with CR LF, LF or CR; empty lines are passed over; spaces and tabs around a field
 * that is not quoted are not part of it. Strict: a quote inside a field that is not quoted, or text after a
 * closing quote, makes the row malformed.
 */
#define FEED_COLUMNS_MAX   256
#define FEED_MALFORMED_MAX 100 /* rows, beyond which it is no such file */

struct feed_csv;

/* One row. Views are valid until the next call. */
struct feed_csv_row {
    uint64_t line; /* on which it begins */
    size_t count;
    struct byte_view fields[FEED_COLUMNS_MAX];
};

/* feed_csv_new - input is borrowed. Freed with feed_csv_free, which wipes. STATUS_NO_MEMORY. */
enum status feed_csv_new(struct feed_input *input, char delimiter, struct feed_csv **ret_csv);
void feed_csv_free(struct feed_csv **csv);

/*
 * feed_csv_next - the next row.
 *
 * Returns
 *   STATUS_OK           ret_row is filled in
 *   STATUS_NOT_FOUND    the file has ended
 *   STATUS_BAD_FORMAT   this row is malformed (ret_reject); ret_row has its line and the fields before the
 *                       fault. Reading goes on at the next line
 *   STATUS_UNSUPPORTED  the whole file is refused (ret_refusal): not UTF-8, or too many malformed rows
 *   STATUS_IO, STATUS_NO_MEMORY
 */
enum status feed_csv_next(struct feed_csv *csv, struct feed_csv_row *ret_row, struct feed_reject *ret_reject,
                          struct feed_refusal *ret_refusal);

/*
 * feed_csv_append - one field as a CSV file for people takes it: quoted where needed, and with an apostrophe
 * before = + - @, tab or CR at its beginning, which a spreadsheet would take for a formula.
 */
void feed_csv_append(struct byte_buffer *ret, struct byte_view field);
