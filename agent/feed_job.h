#pragma once

#include "agent/draft.h"
#include "agent/feed_page.h"
#include "agent/feed_row.h"
#include "agent/feed_store.h"

struct agent;
struct person;

/*
 * One piece of work of one feed: a file, or a look at the last extract. What its parts share, and the way
 * from a row to the outbox.
 */
struct feed_job {
    struct agent *agent;
    const struct feed_mapping *mapping;
    const struct protocol *protocol;
    struct feed_binding *binding;
    struct feed_store store; /* with the feed's name */
    const char *officer;
    int64_t now;
    int32_t today;
    int64_t run; /* 0: a look */
    struct feed_page *page;
};

/*
 * feed_job_open - find the protocol and bind the mapping to its catalogue.
 *
 * feed, mapping, officer  borrowed
 *
 * Returns STATUS_STALE with a refusal when it cannot be done yet (not joined), STATUS_UNSUPPORTED when the
 * mapping does not fit, STATUS_NO_MEMORY. feed_job_close frees.
 */
enum status feed_job_open(struct agent *agent, const char *feed, const struct feed_mapping *mapping,
                          const char *officer, int64_t now, struct feed_job *ret_job,
                          struct feed_refusal *ret_refusal);
void feed_job_close(struct feed_job *job);

/* An event to be. */
struct feed_event_of {
    const char *type;
    const struct feed_row *row;          /* of whose values the type takes those that it carries */
    const struct feed_values *constants; /* besides; NULL: none */
    const char *cause;                   /* unless a constant says otherwise; or NULL */
    const char *old_date;                /* of a date change, or NULL */
    const struct person *person;         /* NULL: the row's PNC id names the subject */
    const uint8_t *supersedes;           /* or NULL */
};

/*
 * feed_job_send - into the outbox, and into the page: recipients, lateness, homes without a party. Must be
 * called inside a transaction.
 *
 * ret_sent  false when the outbox refuses the event, which then stands in the page
 */
enum status feed_job_send(struct feed_job *job, const struct feed_event_of *event,
                          uint8_t ret_id[static UUID_SIZE], bool *ret_sent);

/* feed_job_stands - is what was told still good: not refused by the broker? */
enum status feed_job_stands(struct feed_job *job, const uint8_t event[static UUID_SIZE], bool *ret_stands);

/* feed_job_date - the value of a date label; false when there is none. */
bool feed_job_date(const struct feed_row *row, const char *label, int32_t *ret_date);
