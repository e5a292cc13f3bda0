#pragma once

#include "audit/source.h"
#include "base/options.h"

/* What commands that read a broker's files themselves begin with. What went wrong is told on stderr. */

/* opening_exit - the exit code for a log or key that could not be read. */
enum options_exit opening_exit(enum status status);

/* opening_vkey - a verifier key as text, or the name of a file that holds one, as the log.vkey of an export;
 * option is what it was given as. ret is freed with note_key_free. Returns an exit code. */
int opening_vkey(const struct options *options, const char *option, const char *given, struct note_key **ret);

/* opening_broker - the databases of --broker, and the key (of --key, if given) to check them with. Returns an
 * exit code. */
int opening_broker(const struct options *options, struct source **ret_source, struct note_key **ret_key);
