#pragma once

#include "agent/feed_job.h"

/*
 * Release notices from the last extract: what it says of each person on the scheme, against what was told.
 */

/* What is to be done about one person. */
enum feed_release_act {
    FEED_RELEASE_NOTHING,
    FEED_RELEASE_SAME,   /* told already */
    FEED_RELEASE_AHEAD,  /* the window has not opened */
    FEED_RELEASE_PLAN,   /* release.planned */
    FEED_RELEASE_CHANGE, /* release.date_changed */
    FEED_RELEASE_CANCEL, /* release.cancelled */
    FEED_RELEASE_KEEP,   /* gone, but a rejected row could be theirs */
    FEED_RELEASE_FORGET, /* what was told is long past */
};

struct feed_release_case {
    int32_t today;
    int32_t window; /* days: from today to today + window, both included */
    bool row;       /* the extract has one */
    int32_t date;
    const char *type;
    bool told;
    bool stands; /* and the broker did not refuse it */
    int32_t told_date;
    const char *told_type;
    bool covered;  /* this file covers the establishment of which was told */
    bool rejected; /* it rejects a row that is, or could be, the person's */
};

/* feed_release_decide - the whole rule; pure. */
enum feed_release_act feed_release_decide(const struct feed_release_case *facts);

/*
 * feed_release_check - a row that is right in itself: its date must not have passed. False with ret_reject.
 */
bool feed_release_check(const struct feed_job *job, const struct feed_row *row,
                        struct feed_reject *ret_reject);

/*
 * feed_release_look - everybody on the scheme against the last extract (job->run 0) or the one that has just
 * come into force. Must be called inside a transaction. Statuses as feed_store.h and outbox.h.
 */
enum status feed_release_look(struct feed_job *job);

/* feed_release_hold - whether so many rows have gone at once that a person must look; then page->held says
 * so. */
enum status feed_release_hold(struct feed_job *job, bool *ret_hold);
