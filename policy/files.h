#pragma once

#include "policy/cases.h"
#include "policy/protocol.h"
#include "proto/digest.h"

/*
 * Catalogue, protocol and case files from disk, for the tools that people run by hand. What is wrong with a
 * file's text comes back as lines "FILE:LINE:COLUMN: what, and what to do"; whether it could be read at all,
 * as one line.
 */
#define FILES_LARGEST ((size_t)4 << 20)

struct files {
    struct catalogue *catalogue;
    struct protocol *protocol;
    struct digest digest; /* SHA-256 of the protocol's bytes: what the board signs */
};

/*
 * files_open - both files.
 *
 * ret       owned by the caller (files_close); unchanged on failure
 * ret_told  on failure gets the lines
 *
 * Returns STATUS_OK; STATUS_BAD_FORMAT or STATUS_TOO_LARGE for what stands in a file; otherwise what reading
 * it gave.
 */
enum status files_open(const char *catalogue, const char *protocol, struct files *ret,
                       struct byte_buffer *ret_told);

void files_close(struct files *files);

/* files_open_cases - a case file with the protocol and catalogue that it names; otherwise as files_open.
 * cases_free before files_close. */
enum status files_open_cases(const char *path, struct files *ret, struct cases **ret_cases,
                             struct byte_buffer *ret_told);
