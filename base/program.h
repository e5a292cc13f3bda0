#pragma once

#include <stdbool.h>

#include "base/bytes.h"

/*
 * Another program, run beside an event loop: it gets bytes on its standard input and gives bytes on its
 * standard output, within limits. No shell; the environment is PATH and LANG and nothing else; no other
 * descriptor of ours is open in it; it dies with us, and at the time limit together with whatever it started
 * in its process group. What it writes to standard error is thrown away.
 */
struct program_limits {
    int64_t wall;    /* milliseconds until it is killed */
    uint32_t cpu;    /* seconds of processor time */
    uint64_t memory; /* bytes of address space; 0: no limit */
    size_t output;   /* bytes; one that writes more is killed */
};

enum program_end {
    PROGRAM_RUNS,
    PROGRAM_DONE,     /* ended by itself with exit code 0 */
    PROGRAM_FAILED,   /* another exit code, a signal, or it could not be started */
    PROGRAM_TOO_LONG, /* killed at the wall-clock limit */
    PROGRAM_TOO_MUCH, /* killed for its output */
};

struct program;

/*
 * program_start - path is absolute and has no arguments. input is copied.
 *
 * elapsed  clock_elapsed() now
 *
 * Returns STATUS_BAD_ARGUMENT (a path that is not absolute), STATUS_NO_MEMORY or STATUS_IO (no process or
 * pipe). Ended with program_free.
 */
enum status program_start(const char *path, struct byte_view input, const struct program_limits *limits,
                          int64_t elapsed, struct program **ret);

/* program_fd - readable when program_step has something to do; -1: nothing to wait for but the time.
 * program_wait - milliseconds until it must be called all the same. */
int program_fd(const struct program *program);
int64_t program_wait(const struct program *program, int64_t elapsed);

/* program_step - whatever can be done now, without waiting. */
enum program_end program_step(struct program *program, int64_t elapsed);

/* program_output - what it has written so far; borrowed. */
struct byte_view program_output(const struct program *program);

/* program_free - kills it if it still runs; wipes input and output. Accepts NULL and leaves NULL. */
void program_free(struct program **program);
