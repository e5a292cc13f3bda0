#pragma once

#include "base/options.h"

/* The commands backup-key and backup of concordat-broker (docs/operations.md, "Backup and restore"). */

extern const struct option_spec backup_command_key_options[];
extern const struct option_spec backup_command_options[];

int backup_command_key(const struct options *options, void *context);
int backup_command_run(const struct options *options, void *context);
