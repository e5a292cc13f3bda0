#pragma once

#include <stddef.h>

#include "base/status.h"

/* How many different people something is about: pseudonyms, each kept once. */
#define HEADCOUNT_MAX ((size_t)1000000)

struct headcount;

enum status headcount_new(struct headcount **ret);
void headcount_free(struct headcount **people);

/* headcount_add - a pseudonym as text; NULL (erased, or about nobody) does not count. STATUS_TOO_LARGE beyond
 * HEADCOUNT_MAX, STATUS_NO_MEMORY. */
enum status headcount_add(struct headcount *people, const char *subject);

size_t headcount_count(const struct headcount *people);
