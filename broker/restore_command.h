#pragma once

#include "base/options.h"

/* The commands restore and new-log of concordat-broker (docs/operations.md, "Backup and restore"). */

extern const struct option_spec restore_command_options[];
extern const struct option_spec restore_command_new_log_options[];

int restore_command_run(const struct options *options, void *context);
int restore_command_new_log(const struct options *options, void *context);
