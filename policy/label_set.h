#pragma once

#include "policy/set256.h"

/* A set of labels, each by its index in the catalogue's order. Iterate in that order with label_set_next. */
SET256_DEFINE(label_set)
