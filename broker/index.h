#pragma once

#include "broker/index_search.h"

/*
 * The search index: a database derived from the log, never the truth. One thread of its own fills it from the
 * store's file after each commit, so that the commit path appends by rowid only. Delete index.db, and it is
 * built again. It says in which log rows something occurs; a search reads those rows from the log itself, and
 * the newest rows, that are not indexed yet, all of them: what was committed before a search began is found.
 */

struct index;

/*
 * index_open - open or create the index and start its thread, which first catches up with the log. An index
 * that is damaged, older in layout or of another log is removed and built again. Returns what base/db.h
 * returns, STATUS_NO_MEMORY, or STATUS_IO when the thread cannot start. ret: index_close.
 */
enum status index_open(const struct index_options *options, struct index **ret);

/* index_close - stops the thread, which may take a few thousand entries more; accepts NULL and leaves NULL.
 */
void index_close(struct index **index);

/* index_feed - entries first to first + n - 1 have been committed. Never blocks nor fails; any thread. */
void index_feed(struct index *index, uint64_t first, uint64_t n);

/* index_rebuild - forget everything, on the disk too, and begin again: after something was erased from the
 * log. Returns at once; until it is done searches look through the log itself. Any thread. */
void index_rebuild(struct index *index);

/* index_rebuilding - whether that has not been begun: what was indexed may still be on the disk. Any thread.
 */
bool index_rebuilding(struct index *index);

/* index_mark - entries below this are indexed. Any thread. */
uint64_t index_mark(struct index *index);

/* index_error - STATUS_OK, or why the thread has stopped; searches stay right and become slow. Any thread. */
enum status index_error(struct index *index);
