#pragma once

#include "broker/engine.h"

/* connecting_started - a member said hello on a connection: everything on its way to it is delivered again.
 * may_write: false after a group was given up. connecting_ended - the connection is gone. */
enum status connecting_started(struct engine *engine, const struct job *job, bool may_write);
void connecting_ended(struct engine *engine, const struct job *job);
