#pragma once

#include "base/bytes.h"

struct yaml_errors;

/*
 * A protocol that says only how it differs from another one. The result is a whole protocol, as text: the
 * base's lines with the overlay's in their place. That text is what is checked, signed and put into a bundle,
 * so that nobody downstream has to know of overlays. Grammar: docs/protocol-guide.md, "Overlays".
 */

/* Where a line of the result comes from. */
struct overlay_line {
    bool overlay;  /* otherwise from the base */
    uint32_t line; /* there */
};

struct overlay_merged {
    struct byte_buffer text;
    struct overlay_line *lines; /* of line i + 1 of the text */
    size_t line_count;
};

/*
 * overlay_merge - the base's text with the overlay's changes.
 *
 * errors      gets what is wrong, with lines of the file that ret_in_overlay names
 * ret_merged  on STATUS_OK owned by the caller (overlay_merged_free)
 * ret_in_overlay  on failure: are the errors the overlay's, or the base's?
 *
 * The same two texts give the same bytes. Whether they make a protocol is for protocol_load to say. Returns
 * STATUS_BAD_FORMAT, STATUS_TOO_LARGE or STATUS_NO_MEMORY.
 */
enum status overlay_merge(struct byte_view base, struct byte_view overlay, struct yaml_errors *errors,
                          struct overlay_merged *ret_merged, bool *ret_in_overlay);

void overlay_merged_free(struct overlay_merged *merged);

/* overlay_origin - the file and line that a line of the result came from. */
struct overlay_line overlay_origin(const struct overlay_merged *merged, uint32_t line);
