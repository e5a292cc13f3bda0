#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * While a backup is copied the database's file stands still: nothing is copied from the write-ahead log into
 * it, and what is committed meanwhile stands in the log alone. One at a time, for as long as whoever copies
 * asks again within the lease. Belongs to the store thread.
 */
#define HOLDING_LEASE_MS INT64_C(60000)

struct holding {
    uint64_t last;   /* the number that was given out last */
    uint64_t number; /* of the one there is; 0: none */
    int64_t until;   /* when its lease ends */
    bool still;      /* the file stands still; before that the log is still to be copied into it */
};

/* holding_begin - gives its number, or 0 while there is another. */
uint64_t holding_begin(struct holding *holding, int64_t now);

/* holding_renew - the lease begins anew; false when that one is no more: what was copied is of no use. */
bool holding_renew(struct holding *holding, uint64_t number, int64_t now);

/* holding_end - false as above. */
bool holding_end(struct holding *holding, uint64_t number, int64_t now);

/* holding_look - ends it when its lease is over, or when there is no room for a log that only grows. */
void holding_look(struct holding *holding, int64_t now, bool disk_full);
