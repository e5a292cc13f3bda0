#pragma once

#include "base/status.h"

/*
 * harden_process - first thing in the main of every program that handles keys: no core dumps and no ptrace by
 * others of the same user (RLIMIT_CORE 0, PR_SET_DUMPABLE 0), new files private (umask 0077), SIGPIPE
 * ignored.
 *
 * Idempotent. Returns STATUS_PERMISSION when the kernel refuses; the program must then not go on.
 */
enum status harden_process(void);

/*
 * harden_stop_fd - a descriptor that becomes readable at SIGINT or SIGTERM and stays so; for a poll loop.
 *
 * Call once, before any thread is started: the signals are blocked in this thread and in those that it
 * starts. Owned by the caller (close).
 */
enum status harden_stop_fd(int *ret_fd);

/*
 * harden_child - in a child between fork and exec: undo what harden_stop_fd and harden_process did to
 * signals, so that the other program can be stopped. Async-signal-safe.
 */
void harden_child(void);
