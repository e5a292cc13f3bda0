#pragma once

#include <stdbool.h>

/*
 * Named places where a test build can be made to die, as if the machine had: kill -9 at the N-th passage.
 *
 *   CRASH_POINT("store.after_commit");
 *
 * Compiled in only with CONCORDAT_CRASH_POINTS (never in a release); otherwise nothing is left of it. Then
 *
 *   CONCORDAT_CRASH=name:N         the N-th passage (from 1) of that point, in any thread, raises SIGKILL
 *   CONCORDAT_CRASH_LIST=file      each name passed is appended to the file, once a process, one a line
 *
 * Names are string literals, layer.file-like: lower case, digits, dots and underscores.
 *
 * CRASH_FAULT(name) is a place where such a build can be made to fail instead: true as often as
 * crash_fault_next said, and never otherwise.
 */
#ifdef CONCORDAT_CRASH_POINTS
#define CRASH_POINT(name) crash_point(name)

/* crash_point - use CRASH_POINT. name must live for ever. Thread-safe; aborts if CONCORDAT_CRASH is
 * malformed. */
void crash_point(const char *name);

#define CRASH_FAULT(name) crash_fault(name)

/* crash_fault - use CRASH_FAULT. crash_fault_next - the next so many passages of that place fail; another
 * name takes the place of the one before. Thread-safe. */
bool crash_fault(const char *name);
void crash_fault_next(const char *name, unsigned passages);
#else
#define CRASH_POINT(name) ((void)0)
#define CRASH_FAULT(name) false
#endif
