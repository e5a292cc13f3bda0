#pragma once

#include "policy/files.h"

/* Checking and merging protocol files from disk; told as files.h does. */

/*
 * checking_warnings - everything that check and partners_check find in files that load.
 *
 * paths      of the files that were opened; partners may be NULL
 * ret_told   gets one line a warning
 * ret_count  how many
 *
 * Returns STATUS_OK; STATUS_BAD_FORMAT or STATUS_TOO_LARGE for what stands in the partner file (told as
 * well); otherwise what reading gave.
 */
enum status checking_warnings(const struct files *files, const char *catalogue, const char *protocol,
                              const char *partners, struct byte_buffer *ret_told, size_t *ret_count);

/*
 * checking_merge - the protocol that an overlay makes of its base, which must load; errors are told where
 * they stand in the one or the other.
 *
 * ret_text  gets the whole protocol
 */
enum status checking_merge(const char *catalogue, const char *base, const char *overlay,
                           struct byte_buffer *ret_text, struct byte_buffer *ret_told);
