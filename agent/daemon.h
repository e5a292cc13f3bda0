#pragma once

#include "base/bytes.h"
#include "base/clock.h"

/* The running agent: one process, one thread, one loop over the broker's socket, the local socket, the feeds'
 * folders and the stop descriptor. */

struct daemon_options {
    const char *folder;
    struct clock clock;
    int stop_fd; /* harden_stop_fd() */
};

/* Why it ended, in one sentence for people. */
struct daemon_reason {
    char text[640];
};

/*
 * daemon_run - until the stop descriptor becomes readable. Logs to stderr.
 *
 * Returns STATUS_OK; STATUS_IN_USE when another process holds the folder; STATUS_REFUSED for the bundle of a
 * demo authority without a simulated clock (unless the settings allow it), or a simulated clock without one;
 * STATUS_NOT_FOUND before a bundle was joined; otherwise what stopped it, all with a reason.
 */
enum status daemon_run(const struct daemon_options *options, struct daemon_reason *ret_reason);
