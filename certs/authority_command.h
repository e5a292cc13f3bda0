#pragma once

#include "base/options.h"
#include "certs/authority.h"

/* What the commands of concordat-authority have in common. They print; each returns an exit code unless it
 * says otherwise. */

/* authority_command_exit_code - input is refused, everything else is the machine's. */
enum options_exit authority_command_exit_code(enum status status);

/* authority_command_fail - one line: subject and reason. */
int authority_command_fail(const struct options *options, enum status status, const char *subject,
                           const struct bundle_reason *reason);

int authority_command_read(const struct options *options, const char *path, size_t limit,
                           struct byte_buffer *ret);
int authority_command_write(const struct options *options, const char *path, struct byte_view content);

/* authority_command_print - what was collected, and frees it. */
int authority_command_print(const struct options *options, struct byte_buffer *text);

/* authority_command_now - the machine's time, or for demonstrations the one that --now gives. */
int authority_command_now(const struct options *options, bool demo, int64_t *ret_now);

/* authority_command_open - the authority of --dir, and the time to go by. */
int authority_command_open(const struct options *options, struct authority **ret, int64_t *ret_now);
