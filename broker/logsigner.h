#pragma once

#include "broker/checkpoints.h"
#include "broker/logbook.h"
#include "broker/logcheck.h"

/*
 * Reads back what the log's writer has committed, and signs it: everything that has the log's key or the
 * checkpoints' database in its hands. It reads through a connection of its own, so that it may run in a
 * thread of its own while the writer goes on (broker/signing.h); it belongs to one thread at a time.
 */
struct logsigner;

/* logsigner_new - from the options of logbook_open; store serves when they name no reader. Opens the
 * checkpoints. Errors and reason as for logbook_open. */
enum status logsigner_new(struct db *store, const struct logbook_options *options, struct logsigner **ret,
                          struct logbook_reason *reason);

/* logsigner_free - accepts NULL and leaves NULL. */
void logsigner_free(struct logsigner **signer);

/* logsigner_start - the last checkpoint, which must be this log's own and not beyond the head; a new log's
 * first one is signed here. Errors and reason as for logbook_open. */
enum status logsigner_start(struct logsigner *signer, const struct logcheck_head *head, int64_t now,
                            struct logbook_reason *reason);

/* logsigner_check - the stored tiles give the root that the last checkpoint signed; signing goes on from
 * there. */
enum status logsigner_check(struct logsigner *signer, struct logbook_reason *reason);

/* logsigner_reader - the connection that it reads through. */
struct db *logsigner_reader(const struct logsigner *signer);

/* logsigner_apart - whether that is one of its own, so that a thread of its own can sign. */
bool logsigner_apart(const struct logsigner *signer);

/* logsigner_last - the last checkpoint signed and stored; its note is borrowed until the next one is signed.
 */
const struct checkpoints_entry *logsigner_last(const struct logsigner *signer);

/* logsigner_key - the log's; several threads may use it. logsigner_checkpoints - where they are stored: for
 * the thread that the signer belongs to at the time. */
const struct note_key *logsigner_key(const struct logsigner *signer);
struct checkpoints *logsigner_checkpoints(const struct logsigner *signer);

/* logsigner_sign - as logbook_sign says. More may have been committed than the task names. */
enum status logsigner_sign(struct logsigner *signer, const struct logbook_task *task,
                           struct logbook_reason *reason);
