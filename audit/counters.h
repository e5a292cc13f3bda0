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

/* counters_set - where a member's counters stand. STATUS_TOO_LARGE, STATUS_NO_MEMORY, or STATUS_BAD_ARGUMENT
 * for what is no member's name. */
enum status counters_set(struct counters *counters, struct byte_view member, uint64_t sent,
                         uint64_t received);

/* counters_each - every member, ascending by name. STATUS_NO_MEMORY. */
enum status counters_each(const struct counters *counters,
                          void (*visit)(void *context, struct byte_view member, uint64_t sent,
                                        uint64_t received),
                          void *context);

/* counters_copy - the same counters in another, which must be empty. Errors as counters_set. */
enum status counters_copy(const struct counters *from, struct counters *to);

/* counters_check - the next entry's record. Tells what is wrong with its counters. STATUS_NO_MEMORY, or
 * STATUS_TOO_LARGE for more members than can be. */
enum status counters_check(struct counters *counters, uint64_t index, uint8_t kind,
                           const struct record_account *account, struct problems *problems);
