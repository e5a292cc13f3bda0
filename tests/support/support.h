#pragma once

/* What cmocka wants included before it, then cmocka itself, and a few helpers that many tests share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"

/* A seeded generator (xorshift64*), so that a failing property test can be run again. Never for keys.
 * CONCORDAT_SEED, where it is set, goes into every one of them and is printed: the same number gives the same
 * run. */
struct support_random {
    uint64_t state;
};

struct support_random support_seeded(uint64_t seed);
uint64_t support_next(struct support_random *random);
uint64_t support_below(struct support_random *random, uint64_t bound); /* 0 .. bound - 1 */

/* support_count - how often a property loop runs: CONCORDAT_COUNT_SCALE times the usual count. */
size_t support_count(size_t usual);

/* support_read_file - a whole file, at most 16 MiB; fails the test otherwise. Caller frees with
 * bytes_buffer_free. */
struct byte_buffer support_read_file(const char *path);
