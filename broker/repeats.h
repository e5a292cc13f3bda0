#pragma once

#include "broker/records.h"

/*
 * Identical refusals: the first is logged at once, the others are counted, and the count is logged when the
 * period is over. Bounded; beyond the bound every refusal counts as a first one.
 */
#define REPEATS_MOST    1024
#define REPEATS_ACCOUNT 2048 /* bytes of an encoded account part that is kept for the counted entry */

struct repeat {
    uint8_t key[32]; /* what makes two refusals identical */
    int64_t until;
    uint64_t first;   /* log index of the first */
    uint64_t counted; /* since */
    size_t account_size;
    uint8_t account[REPEATS_ACCOUNT]; /* that of the first, encoded */
};

struct repeats;

/* repeats_new - STATUS_NO_MEMORY. */
enum status repeats_new(struct repeats **ret);
void repeats_free(struct repeats **repeats);

/* repeats_seen - true: an identical refusal was logged less than a period ago, and this one is counted now.
 */
bool repeats_seen(struct repeats *repeats, const uint8_t key[static 32], int64_t now);

/* repeats_first - this refusal is being logged at that index. */
void repeats_first(struct repeats *repeats, const uint8_t key[static 32], int64_t until, uint64_t index,
                   struct byte_view account);

/* repeats_take_back - forget those whose first entry, at this index or later, was not committed after all. */
void repeats_take_back(struct repeats *repeats, uint64_t index);

/* repeats_due - one whose period is over at now, to be logged if it counted any; NULL: none. repeats_drop
 * forgets it. */
struct repeat *repeats_due(struct repeats *repeats, int64_t now);
void repeats_drop(struct repeats *repeats, struct repeat *repeat);
