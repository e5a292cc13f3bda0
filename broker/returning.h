#pragma once

#include "base/options.h"

/* The command `concordat-broker aggregate`: the return of a month from a running broker, as the signed note
 * that it is (CSV) or as JSON. */
extern const struct option_spec returning_options[];

int returning_run(const struct options *options, void *context);
