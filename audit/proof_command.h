#pragma once

#include "base/options.h"

/* concordat-audit verify-proof and print-proof: a log proof in a file, with nothing but keys. Return exit
 * codes. */
extern const struct option_spec proof_command_verify_options[];
extern const struct option_spec proof_command_print_options[];
int proof_command_verify(const struct options *options, void *context);
int proof_command_print(const struct options *options, void *context);
