#pragma once

#include "policy/set256.h"

/* A set of a protocol's parties, each by its index, which is the ascending order of their member ids. */
SET256_DEFINE(party_set)
