#pragma once

#include "broker/engine.h"

/*
 * Taking back what has not been confirmed: sections leave the queue, their bytes are overwritten; a recipient
 * that may hold one already is told to delete it, until it confirms that.
 */

/* ending_recall - everything about this person that rests on these grounds, which the event ended. */
enum status ending_recall(struct engine *engine, const struct subject *subject, uint32_t cleared,
                          const uint8_t event[static STORE_EVENT_SIZE]);

/* ending_bundle - after a bundle came into force: whatever its protocols no longer grant, or is for a member
 * that is none any more. before: the rulebook until now; NULL: not known, everything is decided again. */
enum status ending_bundle(struct engine *engine, const struct rulebook *before);

/* ending_tell - the recalls that this member has not confirmed. */
enum status ending_tell(struct engine *engine, struct peer *recipient);
