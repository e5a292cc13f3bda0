#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/*
 * Unambiguous concatenation, wherever several values are hashed, signed or bound together:
 * canonical(x...) = for each x its uint32 length, then its bytes; a list is preceded by its uint32 count.
 * Integers are big-endian. Two different lists of values never give the same bytes.
 */

/* canonical_append - one value. Fails as bytes_append does; STATUS_TOO_LARGE also for a value of 4 GiB or
 * more. */
void canonical_append(struct byte_buffer *buffer, struct byte_view value);

/* canonical_append_string - text without its terminating zero. */
void canonical_append_string(struct byte_buffer *buffer, const char *text);

/* canonical_append_list_start - announces that count values follow, each to be given to canonical_append().
 */
void canonical_append_list_start(struct byte_buffer *buffer, uint32_t count);

/*
 * canonical_read - the next value, borrowed from the reader's bytes.
 *
 * Returns STATUS_TOO_LARGE when it says to be longer than limit, STATUS_BAD_FORMAT when the bytes end before
 * it does. After either the reader stays failed.
 */
enum status canonical_read(struct byte_reader *reader, size_t limit, struct byte_view *ret_value);

/*
 * canonical_read_list_start - how many values follow.
 *
 * Returns STATUS_TOO_LARGE when more than limit, STATUS_BAD_FORMAT when the bytes that are left cannot hold
 * that many (so that a caller may allocate by the count). After either the reader stays failed.
 */
enum status canonical_read_list_start(struct byte_reader *reader, uint32_t limit, uint32_t *ret_count);
