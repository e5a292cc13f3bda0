#pragma once

#include <stdatomic.h>

#include "certs/bundle.h"
#include "certs/head.h"
#include "proto/wire_codec.h"

/*
 * The inside of a struct bundle, and how a file becomes one. Shared by bundle.c and bundle_read.c only.
 * Reading checks form and that everything in the body fits together; whom to trust is bundle.c's matter.
 */

struct bundle {
    atomic_uint references;
    struct byte_buffer file;
    struct wire_arena head_arena;
    struct wire_arena body_arena;
    const Wire__SignedHead *signed_head;
    struct head head;
    struct byte_view body_bytes;  /* within file */
    const Wire__BundleBody *body; /* NULL until bundle_read_body */
    struct directory *directory;
};

/*
 * bundle_read - a bundle with one reference, its head decoded, its body's digest not yet compared.
 * ret is freed with bundle_free.
 *
 * Returns STATUS_TOO_LARGE, STATUS_BAD_FORMAT, STATUS_NOT_CANONICAL or STATUS_NO_MEMORY.
 */
enum status bundle_read(struct byte_view file, struct bundle **ret);

/*
 * bundle_read_body - the body, its certificates under the root, and the directory.
 *
 * Returns STATUS_BAD_SIGNATURE when it is not the body that the head names, STATUS_BAD_CERTIFICATE,
 * STATUS_BAD_FORMAT, STATUS_NOT_CANONICAL, STATUS_NO_MEMORY or STATUS_CRYPTO; reason is filled in.
 */
enum status bundle_read_body(struct bundle *bundle, struct bundle_reason *reason);
