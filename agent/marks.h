#pragma once

#include "agent/agent.h"

/* Single numbers that the agent remembers, by name. */

/* marks_get - 0 when it was never set. */
enum status marks_get(struct agent *agent, const char *name, int64_t *ret_value);

/* marks_set - outside or inside a transaction. */
enum status marks_set(struct agent *agent, const char *name, int64_t value);
