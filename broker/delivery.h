#pragma once

#include "broker/engine.h"

/* delivery_run - hand over to this member what its credit, and what is on its way to all, leave room for:
 * urgent slices first, then in the order of commits. Reads only what is committed. */
enum status delivery_run(struct engine *engine, struct peer *recipient);
