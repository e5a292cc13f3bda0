#pragma once

#include "base/bytes.h"
#include "proto/kind_reason.h"

/*
 * Short text for people: UTF-8 that shows everything it holds. Refused are control characters, what turns the
 * direction of writing, invisible and format characters, line and paragraph separators, private use and
 * noncharacters: with them two texts that look alike could differ, or one could look like something else.
 */

/* text_next - decode one character (RFC 3629: shortest form, no surrogates) off the front of a text. False,
 * with nothing taken, at the end and at malformed bytes. */
bool text_next(struct byte_view *rest, uint32_t *ret_point);

/* text_length - the characters of a well-formed text; STATUS_BAD_FORMAT if it is not UTF-8. */
enum status text_length(struct byte_view text, size_t *ret_length);

/* text_is_hidden - is this a character that does not show itself? */
bool text_is_hidden(uint32_t point);

/*
 * text_canonical - every kind of space becomes a plain one, and those at the ends go. Letters stay as they
 * are: no normalisation, no change of case.
 *
 * out       the text with a zero; room for in.size + 1 bytes is always enough
 *
 * Returns STATUS_BAD_FORMAT with a reason (which may be NULL), or STATUS_TOO_LARGE if out_size is too small.
 */
enum status text_canonical(struct byte_view in, char *out, size_t out_size, struct kind_reason *ret_reason);
