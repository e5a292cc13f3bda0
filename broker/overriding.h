#pragma once

#include "broker/accepting.h"

/*
 * Break-glass on its way through the store thread: what a decision must know of earlier uses, what an
 * accepted one leaves behind, and what follows when nobody confirms it.
 */

/* overriding_facts - fill in facts->glass and, for whatever answers another event, correlated_is_target. */
void overriding_facts(struct engine *engine, const struct core *core, const struct job_event *event,
                      struct policy_facts *facts);

/*
 * overriding_accepted - an accepted event that overrides, or confirms that: its `override` entry, which
 * shares the personal part, its use or confirmation, and for the data protection officer an alert. Nothing
 * for other events. Errors as glass_made.
 */
enum status overriding_accepted(struct engine *engine, const struct job *job,
                                const struct accepting_batch *batch, const struct record_account *shared,
                                size_t personal);

/* overriding_due - uses that were not confirmed in time: one `override` entry and one alert each. */
enum status overriding_due(struct engine *engine);

/* overriding_lift - the partnership settles a use by itself: an entry by that officer. from: whose; NULL:
 * whoever made it. STATUS_NOT_FOUND when none of that id waits, STATUS_EXISTS when those of several members
 * do. */
enum status overriding_lift(struct engine *engine, const char *from,
                            const uint8_t event[static STORE_EVENT_SIZE], struct byte_view officer);
