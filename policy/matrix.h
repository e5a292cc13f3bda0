#pragma once

#include "policy/paper.h"
#include "policy/protocol.h"
#include "proto/digest.h"

/*
 * matrix_write - who gets which items of which event from whom, for a board to sign: a table of all flows,
 * what differs for juveniles, the parties, the file's digest, and a line for each signatory. CSV has the
 * table alone. Appends; STATUS_NO_MEMORY or STATUS_TOO_LARGE.
 */
enum status matrix_write(const struct protocol *protocol, const struct digest *digest, enum paper_form form,
                         struct byte_buffer *ret);
