#pragma once

#include "base/options.h"

/* serve_run - the command `run`: hold the folder, check what is in it, start the pipeline and the gate, and
 * serve until told to stop. Returns the exit code (docs/operations.md). For the program's main alone. */
int serve_run(const struct options *options, void *context);
