#pragma once

#include "base/bytes.h"

/*
 * The header of an event, which is what its sender signs:
 * uint32 length ‖ core ‖ SHA-256 of each encoded section, in ascending order of `to`.
 * Format: docs/wire-format.md, "Header".
 */

#define HEADER_DIGEST_SIZE  32
#define HEADER_SECTIONS_MAX 64
#define HEADER_SIZE_MAX     (4 + 8192 + HEADER_SECTIONS_MAX * HEADER_DIGEST_SIZE)

/* Borrowed from the header's bytes. */
struct header {
    struct byte_view core;
    const uint8_t *sections; /* section_count digests, one after the other */
    size_t section_count;
};

/*
 * header_build - appends a header. sections: digests of the encoded sections, ascending by `to`.
 * Returns STATUS_TOO_LARGE for too many sections or too long a core, or what appending returned.
 */
enum status header_build(struct byte_view core, const uint8_t (*sections)[HEADER_DIGEST_SIZE],
                         size_t section_count, struct byte_buffer *ret);

/* header_parse - STATUS_BAD_FORMAT or STATUS_TOO_LARGE; the core is not looked into. */
enum status header_parse(struct byte_view bytes, struct header *ret_header);

/* header_section - the digest at a position below section_count; HEADER_DIGEST_SIZE bytes. */
const uint8_t *header_section(const struct header *header, size_t position);

/* header_find_section - true, and where, when a section with this digest belongs to the event. */
bool header_find_section(const struct header *header, const uint8_t digest[static HEADER_DIGEST_SIZE],
                         size_t *ret_position);

/* header_digest - SHA-256(header), by which receipts, the log and outcomes name an event's content. */
void header_digest(struct byte_view bytes, uint8_t out[static HEADER_DIGEST_SIZE]);

/* header_leaf - SHA-256(0x00 ‖ header), the leaf of the batch tree. */
void header_leaf(struct byte_view bytes, uint8_t out[static HEADER_DIGEST_SIZE]);
