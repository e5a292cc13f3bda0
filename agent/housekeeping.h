#pragma once

#include "agent/agent.h"

/*
 * housekeeping_step - what time does: received events whose retention has ended, delivered and refused ones
 * past their keeping, people who left the list long ago; at start and every hour. Its own transaction.
 *
 * ret_wait  milliseconds until it is due again
 *
 * Returns what base/db.h returns.
 */
enum status housekeeping_step(struct agent *agent, int64_t now, int64_t *ret_wait);
