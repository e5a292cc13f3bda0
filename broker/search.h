#pragma once

#include <jansson.h>

#include "broker/index_search.h"

/*
 * A search asked over the local socket, in a thread of its own, so that the socket's owner never waits for
 * it:
 *
 *   search_check, then log the look (search_question), then search_start; whenever search_fd is readable,
 * search_take until STATUS_BUSY.
 *
 * Request: {"do":"search", "subject":"1-<hex>", "member":ID, "type":T, "outcome":O, "since":TIME,
 * "until":TIME, "limit":N}, of which all but "do" may be absent; times as RFC 3339 or a date. Row:
 * {"index","time","kind","from","to","type","subject","rule","gateway","purpose","labels":[],"outcome","reason",
 * "flags":[],"event"}, with null for what does not apply; flags are "late", "juvenile", "break-glass" and,
 * when the personal part was erased, "erased". Last reply: {"found":N}.
 *
 * {"do":"replay-export"} with "since" and "until" alone tells past decisions instead, a line of
 * docs/replay-format.md each (broker/retelling.h).
 */

struct search;

/* Why a request is refused, or how a search failed: one sentence for people. */
struct search_reason {
    char text[256];
};

/* search_check - STATUS_BAD_ARGUMENT with a reason for a request that search_start would refuse. */
enum status search_check(const json_t *request, struct search_reason *ret_reason);

/* search_question - a checked request as one line of text, for the log: "subject=1-… since=…", or
 * "everything". */
void search_question(const json_t *request, struct byte_buffer *ret_text);

/*
 * search_start - begin, within a scope; options and scope are copied. Past decisions are told within the
 * scope of everything only: a narrower one is refused. ret is ended with search_stop. Returns
 * STATUS_BAD_ARGUMENT, STATUS_NO_MEMORY or STATUS_IO.
 */
enum status search_start(const struct index_options *options, const struct index_scope *scope,
                         const json_t *request, struct search **ret, struct search_reason *ret_reason);

/* search_fd - readable when search_take has something; belongs to the search. */
int search_fd(const struct search *search);

/*
 * search_take - the next reply (json_decref): a row, and at the end {"found":N} with *ret_last true, after
 * which nothing more comes. Never waits. Returns STATUS_BUSY (nothing yet), or why the search failed, with a
 * reason; then stop it.
 */
enum status search_take(struct search *search, json_t **ret_reply, bool *ret_last,
                        struct search_reason *ret_reason);

/* search_stop - at the next row; waits for the thread. Accepts NULL and leaves NULL. */
void search_stop(struct search **search);
