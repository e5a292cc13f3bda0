#pragma once

#include "agent/feed_job.h"

/*
 * Rows that are events by themselves: an arrest, a breach. A row is sent once for ever, and only when the
 * person is on the scheme; whoever is not, is counted and leaves no trace here.
 */

/* feed_happening_concerns - is the row about somebody on the scheme? */
enum status feed_happening_concerns(struct feed_job *job, const struct feed_row *row, bool *ret_concerns);

/* feed_happening_send - one good row. Must be called inside a transaction. */
enum status feed_happening_send(struct feed_job *job, const struct feed_row *row);
