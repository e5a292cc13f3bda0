#pragma once

#include "broker/engine.h"

/*
 * What keeps one member's frame from being everybody's trouble. Handling it may fail in a way that has
 * nothing to do with the store: something in it cannot be written down, or what it names does not fit
 * together. No honest agent sends such a thing and no check here should let it come so far; when one does,
 * the event that was under way is refused, or the frame is answered with an error, the log says so
 * (`incident`), and everybody else is served. Only what concerns the store, the log or the machine ends the
 * broker.
 */
#define CONTAINING_PER_MINUTE 10 /* a member's; then its frames wait */

/* containing_is - whether a status is of that sort, rather than the machine's or the store's. */
bool containing_is(enum status status);

/* containing_fits - the same for what handling a job returned. */
bool containing_fits(const struct engine *engine, enum status status);

/* containing_mark - so that less of the job is handled the next time: without the event under way, or at last
 * nothing but an answer. False: even that was tried, or it is no member's job. */
bool containing_mark(struct engine *engine, struct job *job, enum status status);

/* containing_log - within the group, before a job that was marked: the `incident`. */
enum status containing_log(struct engine *engine, const struct job *job);

/* containing_refuses - too many of this member's frames had to be given up within a minute. */
bool containing_refuses(struct engine *engine, const struct job *job);

/* containing_tell - whoever runs the broker hears, once a minute, that something which is due cannot be done.
 */
void containing_tell(struct engine *engine, enum status status);
