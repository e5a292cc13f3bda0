#pragma once

#include "base/options.h"

/* `concordat-audit explain ENTRY`: one entry in sentences, asked of the running broker. */
extern const struct option_spec explain_command_options[];

int explain_command_run(const struct options *options, void *context);
