#pragma once

#include "audit/problems.h"
#include "proto/record.h"

/*
 * The members' counters (docs/log-format.md, "Counters"): as a sender and as a recipient each starts at 1 and
 * leaves no gap.
 */

struct counters;

/* counters_new - ret is freed with counters_free. STATUS_NO_MEMORY. */
enum status counters_new(struct counters **ret);
void counters_free(struct counters **counters);

/* counters_check - the next entry's record. Tells what is wrong with its counters. STATUS_NO_MEMORY, or
 * STATUS_TOO_LARGE for more members than can be. */
enum status counters_check(struct counters *counters, uint64_t index, uint8_t kind,
                           const struct record_account *account, struct problems *problems);
