#pragma once

#include "proto/entry_proof.h"

/* What a proved entry of the log says, in words. Lines, each with its newline; errors stay in the buffer. */
void disclosure_text(const struct entry_proof_told *told, struct byte_buffer *out);
