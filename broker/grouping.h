#pragma once

#include "broker/job.h"

/*
 * Which verified jobs the store thread commits together, and when. Pure logic: it waits for nothing and reads
 * no clock; `elapsed` is a number of milliseconds that never goes back.
 *
 * Workers finish in any order; each lane (broker/job.h) comes back into the order of its sequence numbers.
 * Jobs of the main lane form a group at once. What only acknowledges is held until there is company: it goes
 * along with a commit that happens anyway once enough of it waits or it has waited for half its time, and is
 * committed alone when its time is over or there is no room to hold more. So a publish neither waits for the
 * receipts of other members nor always pays for them, and receipts share commits.
 */
struct grouping;

/* grouping_new - groups of at most most_frames jobs and roughly most_bytes; hold for at most hold_ms.
 * STATUS_NO_MEMORY. */
enum status grouping_new(size_t most_frames, size_t most_bytes, int64_t hold_ms, struct grouping **ret);

/* grouping_free - the jobs in it are the caller's to take first; accepts NULL and leaves NULL. */
void grouping_free(struct grouping **grouping);

/* grouping_put - a verified job; its lane's sequence numbers start from 1 and leave none out. */
void grouping_put(struct grouping *grouping, struct job *job);

/* grouping_next - the next group, in the order in which it is to be handled; valid until the next call.
 * Returns how many jobs, 0 when there is none now. INT64_MAX as elapsed takes what is held, too. */
size_t grouping_next(struct grouping *grouping, int64_t elapsed, struct job ***ret_jobs);

/* grouping_wait - milliseconds until what is held is due; -1 when nothing is held. */
int64_t grouping_wait(const struct grouping *grouping, int64_t elapsed);
