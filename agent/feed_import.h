#pragma once

#include "agent/feed_files.h"
#include "agent/feed_job.h"

/*
 * One file on its way in: its rows are read and kept in pieces, each a transaction; then, in one more, the
 * file counts as a whole or not at all. For a feed of events each row counts by itself, once for ever.
 * Nothing is lost or sent twice whenever the agent ends: a file that was not done is read again from its
 * beginning.
 */
struct feed_import;

struct feed_import_options {
    struct agent *agent;
    const char *feed; /* borrowed, as all */
    const struct feed_mapping *mapping;
    const char *path;
    const char *file; /* name for the page */
    const char *officer;
    bool accept_missing; /* however many rows have gone */
};

/*
 * feed_import_open
 *
 * Returns STATUS_STALE with a refusal when it is too early (not joined, no list of people yet),
 * STATUS_UNSUPPORTED with a refusal (mapping, not a regular file), STATUS_NOT_FOUND, STATUS_PERMISSION, or
 * what base/db.h returns. Must be called outside a transaction. feed_import_close drops what was not done.
 */
enum status feed_import_open(const struct feed_import_options *options, int64_t now,
                             struct feed_import **ret_import, struct feed_refusal *ret_refusal);
void feed_import_close(struct feed_import **import);

/*
 * feed_import_step - a bounded piece of work; outside a transaction.
 *
 * ret_done  nothing is left to do: look at feed_import_page
 *
 * Returns STATUS_UNSUPPORTED with a refusal when the file as a whole is refused, STATUS_BUSY with one when it
 * was written to meanwhile, STATUS_IO, or what base/db.h returns. After a failure close it.
 */
enum status feed_import_step(struct feed_import *import, bool *ret_done, struct feed_refusal *ret_refusal);

/* feed_import_page - what was done; also of an import that is held. With feed_import_run for its rejects. */
const struct feed_page *feed_import_page(const struct feed_import *import);
const struct feed_store *feed_import_store(const struct feed_import *import);
int64_t feed_import_run(const struct feed_import *import);
const struct feed_identity *feed_import_identity(const struct feed_import *import);

/* feed_import_look - the last extract against today and the list as it is now. Fills in job->page; outside a
 * transaction. */
enum status feed_import_look(struct feed_job *job);
