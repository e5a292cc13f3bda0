#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "proto/digest.h"

/* The lines of the C2SP text formats, read strictly. All views are borrowed. */

/* line_take - takes the first line and its newline off the front of rest; false if no newline is left. */
bool line_take(struct byte_view *rest, struct byte_view *ret_line);

/* line_after - what stands after a prefix, for a line that starts with it. */
bool line_after(struct byte_view line, const char *prefix, struct byte_view *ret_rest);

/* line_number - a whole line in decimal digits, without a leading zero unless it is 0, below 2^64. */
bool line_number(struct byte_view line, uint64_t *ret_number);

/* line_hash - a whole line that is the base64 of 32 bytes. */
bool line_hash(struct byte_view line, struct digest *ret_hash);

/* line_append_hash - the base64 of a hash and a newline. */
void line_append_hash(const struct digest *hash, struct byte_buffer *out);
