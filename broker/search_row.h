#pragma once

#include <jansson.h>

#include "broker/index_search.h"

/* search_row_json - a hit as broker/search.h describes rows; NULL when there is no memory. The caller's. */
json_t *search_row_json(const struct index_hit *hit);
