#pragma once

#include <stdbool.h>

#include "base/status.h"

/*
 * How many entries the log has of each member, as sender and as recipient, written into the log itself once
 * a day (docs/log-format.md, "Counters"): a *count* entry for each member of whom there are more than at the
 * last count. What follows in the log must fit, so whoever leaves an entry out has to forge what was signed.
 */
struct engine;

/* counting_due - those that are due. Errors as engine_append. */
enum status counting_due(struct engine *engine);

/* counting_repeats - refusals that were repeated, as one *count* entry each that says how often: those whose
 * period has ended, or all. Errors as engine_append. */
enum status counting_repeats(struct engine *engine, bool all);
