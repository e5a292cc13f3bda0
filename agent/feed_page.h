#pragma once

#include <jansson.h>

#include "agent/feed_input.h"
#include "agent/feed_reject.h"
#include "base/bytes.h"

struct feed_store;

/*
 * What an import did, for the person who runs the feed: numbers, lines and reasons, never a value. Also made
 * for a look at the last extract when that sent something.
 */
#define FEED_PAGE_NAMES   64  /* members, or forces */
#define FEED_PAGE_LINES   200 /* late rows that are listed */
#define FEED_PAGE_REFUSED 50
#define FEED_PAGE_REJECTS 1000 /* rows to mend that are listed in the page; the rejects file has all */

struct feed_tally {
    size_t count;
    struct {
        char name[65];
        uint64_t times;
    } list[FEED_PAGE_NAMES];
};

struct feed_page {
    const char *feed;
    char file[256]; /* empty: a look without a file */
    int64_t at;
    bool again; /* the same bytes as the last file */
    uint64_t rows;
    uint64_t ours;
    uint64_t elsewhere; /* other establishments' */
    uint64_t skipped;
    uint64_t repeated; /* the same row once more */
    uint64_t on_scheme;
    uint64_t notices;
    uint64_t changed;
    uint64_t cancelled;
    uint64_t unchanged;
    uint64_t ahead; /* not within the window yet */
    uint64_t kept;  /* gone, but not cancelled because a rejected row could be theirs */
    uint64_t rejected;
    uint64_t late;
    struct feed_tally recipients;
    struct feed_tally no_party; /* by home force */
    size_t late_line_count;
    uint64_t late_lines[FEED_PAGE_LINES];
    uint64_t refused;
    size_t refused_count; /* of the list */
    struct feed_reject refusals[FEED_PAGE_REFUSED];
    struct feed_refusal held; /* empty: not held */
};

void feed_page_count(struct feed_tally *tally, const char *name);

/* feed_page_refuse - an event that our own agent did not take. */
void feed_page_refuse(struct feed_page *page, uint64_t line, const char *reason);

/* feed_page_sent - whether anything went into the outbox. */
bool feed_page_sent(const struct feed_page *page);

/*
 * feed_page_json - the page; rejected rows come from the store (NULL: none) and its run. The caller's.
 * STATUS_NO_MEMORY, or as base/db.h.
 */
enum status feed_page_json(const struct feed_page *page, const struct feed_store *store, int64_t run,
                           json_t **ret_json);

/* feed_page_text - a page as JSON, for people. Appends. */
void feed_page_text(const json_t *page, struct byte_buffer *ret);
