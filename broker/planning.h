#pragma once

#include "broker/engine.h"

/* planning_handle - a verified PlanRequest: decide each, with the grounds of what is granted. Writes nothing.
 */
enum status planning_handle(struct engine *engine, struct job *job);

/* planning_due - log as consulted the plans that nobody followed in time; all: those not due yet as well. */
enum status planning_due(struct engine *engine, bool all);
