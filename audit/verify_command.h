#pragma once

#include "base/options.h"

/* `concordat-audit verify`: the log of a broker's folder, or an export. */
extern const struct option_spec verify_command_options[];

int verify_command_run(const struct options *options, void *context);
