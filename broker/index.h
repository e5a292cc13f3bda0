#pragma once

#include "base/bytes.h"
#include "proto/record.h"

/*
 * The search index: a database derived from the log, never the truth. One thread of its own fills it from the
 * store's file after each commit, so that the commit path appends by rowid only. Delete index.db, and it is
 * built again. It says in which log rows something occurs; a search reads those rows from the log itself, and
 * the newest rows, that are not indexed yet, all of them: what was committed before a search began is found.
 */

struct index;

struct index_options {
    const char *path;       /* of index.db */
    const char *store_path; /* of the store's database, which has been opened and has its tables */
};

/*
 * index_open - open or create the index and start its thread, which first catches up with the log. An index
 * that is damaged, older in layout or of another log is removed and built again. Returns what base/db.h
 * returns, STATUS_NO_MEMORY, or STATUS_IO when the thread cannot start. ret: index_close.
 */
enum status index_open(const struct index_options *options, struct index **ret);

/* index_close - stops the thread, at the next row; accepts NULL and leaves NULL. */
void index_close(struct index **index);

/* index_feed - entries first to first + n - 1 have been committed. Never blocks nor fails; any thread. */
void index_feed(struct index *index, uint64_t first, uint64_t n);

/* index_mark - entries below this are indexed. Any thread. */
uint64_t index_mark(struct index *index);

/* index_error - STATUS_OK, or why the thread has stopped; searches stay right and become slow. Any thread. */
enum status index_error(struct index *index);

/* What to look for: whatever is set must hold. Views are borrowed. */
struct index_query {
    struct byte_view subject; /* 36 bytes of a pseudonym, or empty */
    struct byte_view member;  /* as sender or as recipient; or empty */
    struct byte_view type;    /* event type, or empty */
    struct byte_view outcome; /* an outcome or a kind of entry, or empty */
    int64_t since;            /* first moment; 0: the beginning */
    int64_t until;            /* first moment after; 0: the end */
    uint64_t limit;           /* hits; 0: all */
};

/* One entry that was found; borrowed during the call. */
struct index_hit {
    uint64_t index;
    enum record_kind kind;
    const struct record_account *account;
    const struct record_personal *personal; /* NULL: erased */
};

/*
 * index_search - call found for each hit in the log's order, in constant memory; it returns false to end the
 * search. Opens its own connections: any thread, also while the log grows; entries committed meanwhile may or
 * may not be found. Returns STATUS_OK, also when found ended it, STATUS_CORRUPT (a row that cannot be read),
 * or what base/db.h returns.
 */
enum status index_search(const struct index_options *options, const struct index_query *query,
                         bool (*found)(void *context, const struct index_hit *hit), void *context);
