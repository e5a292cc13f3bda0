#pragma once

#include "base/clock.h"
#include "base/options.h"
#include "base/status.h"

/* What the commands of concordat-broker have in common. For its main alone: prints. */

/* command_fail - one line, "PROGRAM COMMAND: SUBJECT: WHAT"; returns the exit code for the status: input is
 * refused, everything else is the machine's. */
int command_fail(const struct options *options, enum status status, const char *subject, const char *what);

/* command_has - whether the folder holds that name; command_lacks - whether it certainly does not. Neither
 * when the folder may not be looked into. */
bool command_has(const char *folder, const char *name);
bool command_lacks(const char *folder, const char *name);

/* command_clock - the clock to go by: the machine's, or for demonstrations (demo) one that starts at --now.
 * Returns EXIT_DONE, or what to exit with, told already. */
int command_clock(const struct options *options, bool demo, struct clock *ret);
