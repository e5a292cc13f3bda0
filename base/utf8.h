#pragma once

#include "base/bytes.h"

/*
 * utf8_valid - well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF) without
 * a zero byte, so that it can also be kept as a C string. Empty is valid.
 */
bool utf8_valid(struct byte_view text);

/* utf8_whole - how many bytes of a text that was cut somewhere are left without a character broken at its
 * end. */
size_t utf8_whole(struct byte_view text);

/* utf8_printable - utf8_valid, and no control character (U+0000 to U+001F, U+007F to U+009F). */
bool utf8_printable(struct byte_view text);
