#pragma once

#include "broker/subjects.h"
#include "broker/tally.h"

/*
 * The return for those who get counts and no events: people on the list by area, strand and state, and what
 * happened in a month. From the register and from counts, never from the log. Small numbers are not shown
 * (base/suppression.h); no pseudonym is in it.
 *
 * Nor can people be had by comparing returns: there is one for each month, made when it is first asked for
 * after the month has ended, kept, and given again as it was; people are counted as they are then, to the
 * nearest multiple of the number below which counts are small; and only the month that ended last has them,
 * so that no two counts of people lie closer together than months do.
 *
 * aggregate_month - appends the return as text: lines of a signed note whose first is
 * "concordat/aggregates/v1", then `key,value` lines, then tables as `table,row,column,count`
 * (docs/operations.md). Within a transaction.
 *
 * month  "YYYY-MM"
 *
 * Returns STATUS_REFUSED for a month that has not ended or is none, STATUS_NO_MEMORY, STATUS_TOO_LARGE,
 * STATUS_CORRUPT or what the store returns; out may then hold part.
 */
enum status aggregate_month(struct store *store, struct tally *tally, const struct protocol *protocol,
                            const char *month, int64_t now, struct byte_buffer *out);
