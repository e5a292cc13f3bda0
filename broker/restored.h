#pragma once

#include "broker/engine.h"
#include "proto/core.h"

/*
 * restored_enter - the first thing after a restore or with a new log, before anything is served: it is
 * logged, the old log's last checkpoint named, and what the erasure journal says was overwritten since is
 * overwritten again. Nothing happens otherwise. Returns what the store, the log and the journal return.
 */
enum status restored_enter(struct engine *engine);

/*
 * restored_takes - whether an event may be sealed under this bundle, which is not the one in force: a new log
 * has begun, the event was made before that, and the bundle was in force here once. What was lost can then be
 * published again byte for byte. For RESTORED_DAYS.
 */
#define RESTORED_DAYS 30
bool restored_takes(struct engine *engine, const struct core *core);
