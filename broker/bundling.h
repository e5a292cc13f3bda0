#pragma once

#include "broker/engine.h"

/*
 * bundling_enter - the engine's rulebook has just come into force: log it and who joined or left, unless the
 * store has seen this very bundle; decide again what is undelivered; ask senders to plan standing events
 * again.
 *
 * before  the rulebook until now; NULL: not known
 */
enum status bundling_enter(struct engine *engine, const struct rulebook *before);
