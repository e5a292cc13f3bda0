#pragma once

#include <jansson.h>

#include "agent/inbox_event.h"

/* What the command line shows, as JSON (docs/agent.md). Every result is the caller's (json_decref); NULL
 * without memory. Values appear in view_received and view_sent only. */

/* view_line - one event of the inbox, labels without values. */
json_t *view_line(const struct inbox_event *event);

/* view_received - the same with values, for `show`. */
json_t *view_received(const struct inbox_event *event);

/* view_mark - add to a line or view what a person must not overlook: "break_glass" (the sender overrode the
 * rules) and "waiting" (a question that nobody has answered). As questions_waits, or STATUS_NO_MEMORY. */
enum status view_mark(struct agent *agent, const struct inbox_event *event, json_t *view);

/* view_sent - one event of ours with its recipients and refusals. STATUS_NOT_FOUND, or as the database. */
enum status view_sent(struct agent *agent, const uint8_t event[static UUID_SIZE], json_t **ret);

/* view_status - everything but `connected` and `feeds`. */
enum status view_status(struct agent *agent, int64_t now, json_t **ret);
