#pragma once

#include "broker/store/store.h"
#include "policy/register.h"

/*
 * What happened in a month, counted as it happens: for each protocol, by area and strand, how many people
 * came on the list and left it, and how many disclosures with a deadline were in time and late. Counts and
 * nothing else; no person can be found in them. Belongs to the store thread; kept in the store's state, one
 * value a protocol and month.
 */
#define TALLY_MONTH_SIZE 8 /* "YYYY-MM" and its zero */

enum tally_measure { TALLY_ADDED, TALLY_REMOVED, TALLY_IN_TIME, TALLY_LATE, TALLY_MEASURES };

struct tally_cell {
    enum tally_measure measure;
    char area[REGISTER_CODE_SIZE]; /* empty: not known; likewise */
    char strand[REGISTER_CODE_SIZE];
    uint64_t count;
};

struct tally;

/* tally_new - reads nothing yet. STATUS_NO_MEMORY. */
enum status tally_new(struct store *store, struct tally **ret);
void tally_free(struct tally **tally);

/* tally_forget - take back whatever was not committed. */
void tally_forget(struct tally *tally);

/* tally_save - write down what changed, within a transaction. */
enum status tally_save(struct tally *tally);

/* tally_add - one more, in the month of now. STATUS_CORRUPT, STATUS_NO_MEMORY or what the store returns. */
enum status tally_add(struct tally *tally, const char *protocol, int64_t now, enum tally_measure measure,
                      const char *area, const char *strand);

/* tally_read - what was counted in a month; borrowed until the next call. Errors as tally_add. */
enum status tally_read(struct tally *tally, const char *protocol, const char month[static TALLY_MONTH_SIZE],
                       const struct tally_cell **ret_cells, size_t *ret_count);

/* tally_month - the month of a time. */
void tally_month(int64_t now, char out[static TALLY_MONTH_SIZE]);
