#pragma once

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
 */
#ifdef CONCORDAT_CRASH_POINTS
#define CRASH_POINT(name) crash_point(name)

/* crash_point - use CRASH_POINT. name must live for ever. Thread-safe; aborts if CONCORDAT_CRASH is
 * malformed. */
void crash_point(const char *name);
#else
#define CRASH_POINT(name) ((void)0)
#endif
