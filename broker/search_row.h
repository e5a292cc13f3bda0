#pragma once

#include <jansson.h>

#include "broker/index_search.h"

/* search_row_field - the bit of a key of rows; false when they have none of that name. "details" stands for
 * what only some kinds have. */
bool search_row_field(const char *key, uint32_t *ret_bit);

/* search_row_json - a hit as broker/search.h describes rows, with these fields alone (0: all) and its index;
 * NULL when there is no memory. The caller's. */
json_t *search_row_json(const struct index_hit *hit, uint32_t fields);
