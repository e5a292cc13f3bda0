#pragma once

#include "broker/store/store.h"

/*
 * The store in memory, for tests: what it holds is gone with it. Slow on purpose where that is simpler; every
 * verb does what store.h says, and nothing is visible after a rollback.
 */

/* store_memory_new - an empty one; ended with store_close. STATUS_NO_MEMORY. */
enum status store_memory_new(struct store **ret_store);
