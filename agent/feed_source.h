#pragma once

#include "agent/feed_input.h"
#include "agent/feed_mapping.h"
#include "agent/feed_reject.h"

/*
 * The rows of a file, whatever its format, as the fields that a mapping looks at.
 */
struct feed_source;

struct feed_record {
    uint64_t line;
    size_t count;                             /* mapping->field_count */
    struct byte_view fields[FEED_FIELDS_MAX]; /* data NULL: missing. Valid until the next call */
};

/* feed_source_new - mapping is borrowed; takes over the input, also when it fails. STATUS_NO_MEMORY. */
enum status feed_source_new(const struct feed_mapping *mapping, struct feed_input *input,
                            struct feed_source **ret_source);
void feed_source_free(struct feed_source **source);

/*
 * feed_source_next - the next row. The headings of a CSV file are read first and are no row.
 *
 * Returns STATUS_OK, STATUS_NOT_FOUND (ended), STATUS_BAD_FORMAT (a malformed row: ret_reject, and ret_record
 * with what could be read of it), STATUS_UNSUPPORTED (the whole file is refused: ret_refusal), STATUS_IO or
 * STATUS_NO_MEMORY.
 */
enum status feed_source_next(struct feed_source *source, struct feed_record *ret_record,
                             struct feed_reject *ret_reject, struct feed_refusal *ret_refusal);

/* feed_source_input - of which it reads. */
const struct feed_input *feed_source_input(const struct feed_source *source);
