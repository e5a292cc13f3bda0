#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "audit/table.h"

/*
 * A report: what is asked of the broker, and a fold over the rows that it answers with, in bounded memory,
 * that writes a page. One report is one file.
 */

enum report_need {
    REPORT_SUBJECT = 1,   /* --subject must be given */
    REPORT_RECIPIENT = 2, /* --member or --key, and a period with both ends */
    REPORT_MONTH = 4,     /* --month must be given */
};

/* What a report is asked for; texts are borrowed and NULL where nothing was given. */
struct report_options {
    const char *since; /* RFC 3339, as the broker is asked */
    const char *until;
    const char *subject;
    const char *member;
    const char *key;
    const char *month;
    const char *const *holds; /* RULE=REASON; subject-access */
    size_t hold_count;
    uint64_t below; /* counts from 1 to below - 1 are not shown; measures */
    int64_t now;    /* when it is made */
};

#define REPORT_STATE_MAX 8

struct report_run {
    const struct report_options *options;
    struct table_page *page;
    bool found;  /* something that must not be: the exit code says so */
    void *state; /* the report's own, zeroed */
};

/* One question to the broker, and what becomes of its rows. */
struct report_pass {
    const char *verb;          /* "search", "recheck", "register" or "protocols"; NULL ends the list */
    const char *const *kinds;  /* of a search: NULL-terminated, or NULL for all */
    const char *const *fields; /* of a search: keys that its rows need; NULL-terminated, or NULL for all */
    const char *flag;          /* of a search: "late", "juvenile", "break_glass"; or NULL */
    const char *member;        /* which key --member is asked under; NULL: "member" */
    enum status (*row)(struct report_run *run, const json_t *row);
    enum status (*end)(struct report_run *run); /* after the last row; or NULL */
    bool open_end;                              /* also what came after the period */
    bool from_start;                            /* and before it */
    bool no_key;                                /* --key is not asked for here */
};

struct report {
    const char *name;
    const char *title;
    const char *help; /* one line */
    unsigned needs;   /* of enum report_need */
    size_t state_size;
    enum status (*start)(struct report_run *run); /* or NULL */
    const struct report_pass *passes;
    void (*drop)(struct report_run *run); /* frees what the state holds, also after a failure; or NULL */
};

/* All there are, ending with NULL. */
extern const struct report *const report_all[];

/* report_find - NULL for a name that is none. */
const struct report *report_find(const char *name);

/* report_begin - the page's title and facts, and the state. report_end - frees the state. */
enum status report_begin(const struct report *report, struct report_run *run);
void report_end(const struct report *report, struct report_run *run);

/* report_request - what a pass asks; the caller's (json_decref). NULL without memory. */
json_t *report_request(const struct report *report, const struct report_pass *pass,
                       const struct report_options *options);
