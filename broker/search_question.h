#pragma once

#include <jansson.h>

#include "broker/index_search.h"
#include "proto/pseudonym.h"
#include "proto/record.h"
#include "proto/uuid.h"

/*
 * What may be asked of the log: a JSON object, which becomes a query, and one line of text for the log.
 *
 * Keys of a search, all optional, all of which must hold: "subject" (a pseudonym), "event" (its id), "member"
 * (an agency on either side), "from", "to", "officer", "type", "label" (an item passed on), "purpose",
 * "gateway", "rule", "outcome" (or the word of a kind), "kinds" (a list of such words), "key" (id of a
 * sealing key, 32 hexadecimal digits), "late", "juvenile", "break_glass" (true), "since", "until" (RFC 3339
 * or a date), "first" and "end" (indexes of entries), "limit". "fields" names the keys that rows shall have
 * (all, if it is left out; "index" always); it is not in the log. "report" names what the answer is for; it
 * goes into the log and changes nothing else.
 *
 * Past decisions ("replay-export", "recheck") and the register told again ("register") know "since", "until"
 * and "report" alone, the protocols ("protocols") "report", an explanation ("explain") "entry", which it
 * needs.
 */

#define SEARCH_QUESTION_TEXTS     10
#define SEARCH_QUESTION_TEXT_SIZE 128
#define SEARCH_QUESTION_LINE_MAX  ((size_t)4096) /* bytes of a question as text */

/* Why a request is refused, or how a search failed: one sentence for people. */
struct search_reason {
    char text[256];
};

/* By what "do" says. */
enum search_what {
    SEARCH_ENTRIES,   /* search */
    SEARCH_RETELL,    /* replay-export */
    SEARCH_CHECK,     /* recheck */
    SEARCH_REGISTER,  /* register */
    SEARCH_PROTOCOLS, /* protocols */
    SEARCH_EXPLAIN,   /* explain */
};

/* A request taken apart. query's views point into it: do not copy. */
struct search_question {
    enum search_what what;
    uint64_t entry;  /* SEARCH_EXPLAIN */
    uint32_t fields; /* SEARCH_ENTRIES: bits of search_row_field; 0: all */
    struct index_query query;
    struct pseudonym subject;
    uint8_t event[UUID_SIZE];
    uint8_t key[16];
    char texts[SEARCH_QUESTION_TEXTS][SEARCH_QUESTION_TEXT_SIZE];
};

/* search_question_parse - STATUS_BAD_ARGUMENT with a reason for what is no question. */
enum status search_question_parse(const json_t *request, struct search_question *ret,
                                  struct search_reason *ret_reason);

/* search_question_needs_everything - can it be answered only to who may see everything? Other questions are
 * answered within a scope. */
bool search_question_needs_everything(enum search_what what);

/* search_question_verb - is this a word that "do" may say of a question? */
bool search_question_verb(const char *word);

/* search_question_text - a request that parses as one line: "subject=1-… since=…", or "everything". Appends;
 * at most SEARCH_QUESTION_LINE_MAX bytes. */
void search_question_text(const json_t *request, struct byte_buffer *ret_text);
