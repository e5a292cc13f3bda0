#pragma once

#include <jansson.h>

#include "broker/search_question.h"

/*
 * A search asked over the local socket, in a thread of its own, so that the socket's owner never waits for
 * it:
 *
 *   search_question_parse, then log the look (search_question_text), then search_start; whenever search_fd is
 * readable, search_take until STATUS_BUSY.
 *
 * Request: {"do":"search",...} as broker/search_question.h has it. Row: {"index","time","kind","from","to",
 * "type","subject","rule","gateway","purpose","labels":[],"outcome","reason","flags":[],"event","officer",
 * "deadline","key","protocol","grounds":[]}, with null for what does not apply; flags are "late", "juvenile",
 * "break-glass" and, when the personal part was erased, "erased". Some kinds have more: "entries":[], the
 * indexes of those that it is about; "asked", the question of a look; "digest". Last reply: {"found":N}.
 *
 * {"do":"replay-export"} with "since" and "until" alone tells past decisions instead, a line of
 * docs/replay-format.md each (broker/retelling.h).
 */

struct search;

/*
 * search_start - begin, within a scope; options and scope are copied. Past decisions and
 * the register are told within the scope of everything only: a narrower one is refused. ret is ended with
 * search_stop. Returns STATUS_BAD_ARGUMENT, STATUS_NO_MEMORY or STATUS_IO.
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
