#pragma once

#include "broker/accepting.h"

/*
 * What of the queue must not be delivered any more: it rests on what has ended, or would not be granted now.
 */

/* ending_changes - after events changed what is known of people: what rests on grounds that ended goes, the
 * rest about them is decided again, each but the event that made the change. */
enum status ending_changes(struct engine *engine, const struct accepting_change *changes, size_t count);

/* ending_bundle - after a bundle came into force: whatever its protocols no longer grant, or is for a member
 * that is none any more. before: the rulebook until now; NULL: not known, everything is decided again. */
enum status ending_bundle(struct engine *engine, const struct rulebook *before);
