#pragma once

#include "base/status.h"

/*
 * A passphrase for a file that holds a key: from another file, or from the terminal without showing it. Never
 * from the command line, where every process can read it.
 */

#define PASSPHRASE_SIZE 257 /* bytes, with the zero */

/*
 * passphrase_read_file - the first line of a file that only its owner may read; wipe it after use.
 * STATUS_BAD_FORMAT when the line is empty, too long or holds control characters, or as
 * safefile_read_secret.
 */
enum status passphrase_read_file(const char *path, char ret[static PASSPHRASE_SIZE]);

/*
 * passphrase_ask - write prompt to the terminal and read a line without echo; twice, and compared, if
 * confirm. Blocks. STATUS_NOT_FOUND when there is no terminal, STATUS_MISMATCH when the two differ,
 * STATUS_BAD_FORMAT as above, STATUS_IO.
 */
enum status passphrase_ask(const char *prompt, bool confirm, char ret[static PASSPHRASE_SIZE]);

/* passphrase_get - from the file, or from the terminal when path is NULL. */
enum status passphrase_get(const char *path, const char *prompt, bool confirm,
                           char ret[static PASSPHRASE_SIZE]);
