#pragma once

#include "base/bytes.h"
#include "proto/digest.h"

/*
 * The text of a file, from its beginning to its end, as UTF-8 without a byte-order mark, in bounded memory.
 * Whoever reads it looks at what is there, asks for more, and takes what it has used.
 */
#define FEED_ROW_MAX ((size_t)64 << 10) /* bytes of one row or line, as UTF-8 */

enum feed_encoding { FEED_UTF8, FEED_WINDOWS_1252, FEED_LATIN_1 };

struct feed_input;

/* Why a file is refused as a whole: one sentence without a full stop. */
struct feed_refusal {
    char text[320];
};

/* feed_input_of_file - takes over the descriptor, also when it fails. STATUS_NO_MEMORY. */
enum status feed_input_of_file(int fd, enum feed_encoding encoding, struct feed_input **ret_input);

/* feed_input_of_bytes - the same of bytes, which are borrowed. */
enum status feed_input_of_bytes(struct byte_view bytes, enum feed_encoding encoding,
                                struct feed_input **ret_input);
void feed_input_free(struct feed_input **input);

/* feed_input_view - what is there and not yet taken; valid until the next call that changes the input. */
struct byte_view feed_input_view(const struct feed_input *input);

/*
 * feed_input_fill - read on. There is always room for FEED_ROW_MAX bytes and a little more; the caller takes
 * something before it asks with more than that in hand.
 *
 * Returns STATUS_OK (look at feed_input_ended), STATUS_UNSUPPORTED with a refusal (UTF-16, an archive, a
 * spreadsheet: no text), or STATUS_IO. Whether the text is UTF-8 is checked row by row by the readers.
 */
enum status feed_input_fill(struct feed_input *input, struct feed_refusal *ret_refusal);

/* feed_input_ended - nothing more will come than what is in view. */
bool feed_input_ended(const struct feed_input *input);

/* feed_input_take - size bytes of the view are done with. */
void feed_input_take(struct feed_input *input, size_t size);

/* feed_input_size, feed_input_digest - of the file's own bytes read so far. */
uint64_t feed_input_size(const struct feed_input *input);
void feed_input_digest(const struct feed_input *input, uint8_t out[static DIGEST_SIZE]);

/* feed_input_not_utf8 - the refusal for bytes that are not UTF-8 in that line. */
void feed_input_not_utf8(uint64_t line, struct feed_refusal *ret_refusal);
