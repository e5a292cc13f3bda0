#pragma once

#include "broker/judging.h"

/* slicing_append - the sections of a batch's accepted events into the queues of their recipients: a row each
 * recipient, and another for what is urgent. */
enum status slicing_append(struct engine *engine, const struct job *job, uint64_t batch, struct peer *sender,
                           const struct judging *events);
