#pragma once

#include "policy/replay.h"

/*
 * Past decisions decided again under two versions of a protocol: what would now be refused, what granted.
 * Both are taken as in force whenever the line is from.
 */
struct replaying;

/* replaying_new - NULL: out of memory. The protocols are borrowed. */
struct replaying *replaying_new(const struct protocol *before, const struct protocol *after);
void replaying_free(struct replaying **replaying);

/* replaying_add - decide one line under both. `line` is its number, for examples. STATUS_NO_MEMORY, or
 * STATUS_TOO_LARGE when there are too many different changes to list. */
enum status replaying_add(struct replaying *replaying, const struct replay *replay, uint64_t line);

/* replaying_write - what differs, in sentences with counts and the first line of each. Appends; returns how
 * many disclosures differ. */
uint64_t replaying_write(const struct replaying *replaying, struct byte_buffer *ret_text);
