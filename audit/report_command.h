#pragma once

#include "base/options.h"

/* `concordat-audit report NAME`: asked of the running broker, which logs each question first. */
extern const struct option_spec report_command_options[];

int report_command_run(const struct options *options, void *context);
