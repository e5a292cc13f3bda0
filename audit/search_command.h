#pragma once

#include "base/options.h"

/* `concordat-audit search` and `replay-export`: asked of the running broker. */
extern const struct option_spec search_command_options[];
extern const struct option_spec search_command_replay_options[];

int search_command_run(const struct options *options, void *context);
int search_command_replay(const struct options *options, void *context);
