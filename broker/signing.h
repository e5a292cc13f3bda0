#pragma once

#include "broker/logbook.h"

/*
 * The thread that reads back and signs the log, off the way of those who wait for a commit. It is asked by
 * the thread that owns the logbook, for one signature at a time.
 */
struct signing;

/* signing_start - for a logbook with logbook_signs_apart; borrowed until signing_stop. STATUS_NO_MEMORY. */
enum status signing_start(struct logbook *logbook, struct signing **ret);

/* signing_stop - waits for a signature under way, whose outcome is taken over; accepts NULL, leaves NULL. */
void signing_stop(struct signing **signing);

/* signing_ask - for what is committed by now; when it is under way already nothing happens. */
void signing_ask(struct signing *signing, int64_t now);

/* signing_take - the outcome of what was asked for, as logbook_sign would have returned it, with reason. With
 * wait, blocks until it is there. False when there is none now, or nothing was asked for. */
bool signing_take(struct signing *signing, bool wait, enum status *ret_status,
                  struct logbook_reason *ret_reason);
