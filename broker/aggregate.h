#pragma once

#include "broker/subjects.h"
#include "broker/tally.h"

/*
 * The return for those who get counts and no events: people on the list by area, strand and state as they are
 * now, and what happened in a month. From the register and from counts, never from the log. Small numbers are
 * not shown (broker/suppression.h); no pseudonym is in it.
 *
 * aggregate_write - the return as text: lines of a signed note whose first is "concordat/aggregates/v1", then
 * `key,value` lines, an empty field after which tables follow as `table,row,column,count`
 * (docs/operations.md).
 *
 * month  "YYYY-MM"
 *
 * Returns STATUS_NO_MEMORY, STATUS_TOO_LARGE, STATUS_CORRUPT or what the store returns; out may then hold
 * part.
 */
enum status aggregate_write(struct store *store, struct tally *tally, const struct protocol *protocol,
                            const char month[static TALLY_MONTH_SIZE], int64_t now, struct byte_buffer *out);
