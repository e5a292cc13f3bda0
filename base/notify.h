#pragma once

#include <stdint.h>

#include "base/status.h"

/*
 * What a service tells its manager: sd_notify(3), without its library. Without NOTIFY_SOCKET in the
 * environment each does nothing and returns STATUS_OK. Otherwise STATUS_BAD_ARGUMENT for a socket address
 * that is none, or STATUS_IO. A datagram is sent without blocking.
 */
enum status notify_ready(void);
enum status notify_stopping(void);
enum status notify_watchdog(void);
enum status notify_status(const char *text); /* one line for `systemctl status`; breaks become spaces */

/* notify_watchdog_interval - milliseconds within which the manager wants to hear notify_watchdog, 0 if never.
 * Call it at half of that. */
int64_t notify_watchdog_interval(void);
