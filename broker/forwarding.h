#pragma once

#include "broker/matching.h"

/* Receipts on their way back to the senders of what they confirm, verbatim, until each has said that it
 * stored them. */

/* forwarding_append - a row for each sender whose events the batch confirms, within the transaction; to those
 * who are connected and wait for nothing else it goes with the group's answers. */
enum status forwarding_append(struct engine *engine, const struct job *job, const struct matching *matching);

/* forwarding_run - hand over what waits for this member, as far as the gate keeps up. */
enum status forwarding_run(struct engine *engine, struct peer *sender);
