#pragma once

#include <stdint.h>

#include "audit/table.h"
#include "base/status.h"

/*
 * Measures by area: how many, and the median and the 90th percentile of a number that each has. Small numbers
 * are not shown, nor what would give them away (base/suppression.h).
 */
#define FIGURES_AREAS_MAX  256
#define FIGURES_VALUES_MAX ((size_t)2000000)

struct figures; /* one measure */

/* figures_new - with_values: each that is counted has a number; otherwise only counts. STATUS_NO_MEMORY. */
enum status figures_new(bool with_values, struct figures **ret);
void figures_free(struct figures **figures);

/* figures_add - n more in that area; with values n is 1 and the value that of it. STATUS_TOO_LARGE,
 * STATUS_NO_MEMORY. */
enum status figures_add(struct figures *figures, const char *area, uint64_t n, int64_t value);

/*
 * figures_write - rows `measure, area, count, median, p90, unit` of an open table, areas ascending, then
 * "all". Percentiles are of the nearest rank: the least number such that so many of a hundred are not above
 * it. What is hidden is "*". Returns STATUS_NO_MEMORY.
 */
enum status figures_write(struct figures *figures, struct table_page *page, const char *measure,
                          const char *unit, uint32_t below);
