#pragma once

#include "policy/protocol.h"

/*
 * compare_write - what a newer protocol changes, in plain English, one sentence a line under headings:
 * "Version 4 newly gives police (home force) address of release.planned from prison ...". What is named in
 * both is compared by name, so an order in the file means nothing. Appends.
 *
 * before, after  each with its own catalogue
 * ret_changes    how many sentences
 *
 * Returns STATUS_NO_MEMORY or STATUS_TOO_LARGE.
 */
enum status compare_write(const struct protocol *before, const struct protocol *after,
                          struct byte_buffer *ret_text, size_t *ret_changes);
