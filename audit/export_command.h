#pragma once

#include "base/options.h"

/* `concordat-audit export`: the log as static files. */
extern const struct option_spec export_command_options[];

int export_command_run(const struct options *options, void *context);
