#pragma once

#include "audit/table.h"
#include "base/status.h"

/*
 * Numbers counted under a few texts each: "how many, by sender and item". As many groups as the protocol
 * makes, not as many as there are entries; at most COUNTS_MAX.
 */
#define COUNTS_MAX     100000
#define COUNTS_FIELDS  6
#define COUNTS_NUMBERS 6

struct counts;

/* counts_new - groups of so many texts, with so many numbers each. ret is freed with counts_free.
 * STATUS_NO_MEMORY. */
enum status counts_new(size_t fields, size_t numbers, struct counts **ret);
void counts_free(struct counts **counts);

/* counts_add - n more under these texts (NULL counts as ""). STATUS_TOO_LARGE beyond COUNTS_MAX groups,
 * STATUS_NO_MEMORY. */
enum status counts_add(struct counts *counts, const char *const *texts, size_t number, uint64_t n);

/* counts_get - a number; 0 when the group is not there. */
uint64_t counts_get(const struct counts *counts, const char *const *texts, size_t number);

size_t counts_groups(const struct counts *counts);

/* counts_each - every group, ascending by its texts; visit returns another status than STATUS_OK to end. */
enum status counts_each(struct counts *counts,
                        enum status (*visit)(void *context, const char *const *texts,
                                             const uint64_t *numbers),
                        void *context);

/* counts_write - as a table: a column a text, then one a number. STATUS_NO_MEMORY. */
enum status counts_write(struct counts *counts, struct table_page *page, const struct table_head *head);
