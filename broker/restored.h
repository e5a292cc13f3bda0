#pragma once

#include "broker/engine.h"

/*
 * restored_enter - the first thing after a restore or with a new log, before anything is served: it is
 * logged, the old log's last checkpoint named, and what the erasure journal says was overwritten since is
 * overwritten again. Nothing happens otherwise. Returns what the store, the log and the journal return.
 */
enum status restored_enter(struct engine *engine);
