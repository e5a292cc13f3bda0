#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/*
 * Small numbers not shown. Counts stand in tables with totals: each line says that one count is the sum of
 * others. Hidden are all counts from 1 to below a threshold, and then as many others as it takes that nobody
 * can work a hidden small one out of what is shown: not from one line, not from several lines together, and
 * not into a range narrower than the threshold.
 */
struct suppression_line {
    uint32_t total;        /* index among the counts */
    const uint32_t *parts; /* indexes; borrowed */
    size_t count;
};

/*
 * suppression_hide - which of the counts must not be shown.
 *
 * below       counts from 1 to below - 1 are small; at least 2 (asserted)
 * ret_hidden  room for `size`
 *
 * Returns STATUS_NO_MEMORY. Counts that are in no line and not small are always shown.
 */
enum status suppression_hide(const uint64_t *counts, size_t size, const struct suppression_line *lines,
                             size_t line_count, uint32_t below, bool *ret_hidden);
