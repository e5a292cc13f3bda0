#pragma once

#include "certs/bundle.h"
#include "proto/wire_codec.h"

/*
 * The frames that the gate reads and writes itself (docs/wire-format.md, "The dialogue"). Everything else is
 * the pipeline's.
 */

#define FRAME_BUNDLE_PART ((size_t)200 << 10) /* bytes of the bundle's body in one part */

/* What stands at the front of a frame. */
struct frame_face {
    uint64_t version;
    uint64_t request;
    uint32_t verb; /* a field number of Frame, as Wire__Frame__VerbCase; not known to be one of them */
};

/*
 * frame_peek - version, request and verb from the first bytes, without unpacking: to see where a frame
 * belongs. A frame that it accepts may still be malformed. STATUS_BAD_FORMAT.
 */
enum status frame_peek(struct byte_view bytes, struct frame_face *ret);

/* What an Error frame says. text is one plain sentence for the peer's operator, at most WIRE_TEXT_MAX bytes.
 */
struct frame_error {
    Wire__ErrorCode code;
    const char *text;
    uint32_t retry_after; /* milliseconds; 0: not said */
};

/* frame_error - appends an Error frame. Returns what appending returned. */
enum status frame_error(uint64_t request, const struct frame_error *error, struct byte_buffer *ret);

struct frame_welcome {
    const struct bundle *bundle;
    uint32_t credit; /* the largest that is granted */
    int64_t now;
    struct byte_view checkpoint; /* the newest note of the log; empty: none is known yet */
};

/* frame_welcome - appends a Welcome. */
enum status frame_welcome(uint64_t request, const struct frame_welcome *welcome, struct byte_buffer *ret);

/* frame_bundle_part - appends the part of the bundle's body from offset. STATUS_BAD_ARGUMENT beyond its end.
 */
enum status frame_bundle_part(uint64_t request, const struct bundle *bundle, uint64_t offset,
                              struct byte_buffer *ret);
