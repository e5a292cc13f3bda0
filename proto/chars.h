#pragma once

#include "base/bytes.h"

/* Small questions about ASCII text, the same in every locale. All views are borrowed. */

bool chars_is_digit(uint8_t c); /* 0-9 */
bool chars_is_upper(uint8_t c); /* A-Z */
bool chars_is_lower(uint8_t c); /* a-z */
uint8_t chars_to_upper(uint8_t c);

/*
 * chars_match - is the whole text of this shape? In the pattern `9` stands for a digit, `A` for an upper-case
 * letter, `X` for either of them, and everything else for itself.
 */
bool chars_match(struct byte_view text, const char *pattern);

/* chars_digits - how many digits stand in a row from offset `from` on. */
size_t chars_digits(struct byte_view text, size_t from);

/* chars_number - the value of a text of digits, at most 19 of them; an empty text is 0. */
uint64_t chars_number(struct byte_view digits);

/* chars_part - the bytes from offset `from` on, `size` of them; they must exist. */
struct byte_view chars_part(struct byte_view text, size_t from, size_t size);

/* chars_trim - without the spaces and tabs at both ends. */
struct byte_view chars_trim(struct byte_view text);
