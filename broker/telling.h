#pragma once

#include "broker/engine.h"

/*
 * What members are told until they have done it: to delete what was recalled, and to plan standing events
 * again. Told at once to whoever is connected, and from the start with each connection, a frame at a time, so
 * that what nobody answers keeps nothing else from being told.
 */

/* telling_recall - keep it until the recipient confirms it; told with the group's answers. */
enum status telling_recall(struct engine *engine, const struct store_recall *recall);

/* telling_replan - keep it until the sender has done it; told after the commit. */
enum status telling_replan(struct engine *engine, struct peer *sender,
                           const uint8_t event[static STORE_EVENT_SIZE]);

/* telling_start - from the start, on a new connection. */
void telling_start(struct peer *peer);

/* telling_run - after the commit: whatever there is to tell and there is room for. STATUS_NO_MEMORY or what
 * the store returns. */
enum status telling_run(struct engine *engine, struct peer *peer);
