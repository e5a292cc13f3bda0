#pragma once

#include "broker/taking.h"

/* Taking one event out of the queue, for all of its recipients. */

/* removing_event - outcome is the event's. spare: leave alone what is on its way on a present connection. */
enum status removing_event(struct engine *engine, struct store_place place, const struct outcome *outcome,
                           const struct taking_how *how, const char *reason, bool spare);

/* removing_waits - whether this recipient's section of an event is here and was never handed over. */
enum status removing_waits(struct engine *engine, struct store_place place, uint32_t recipient, bool *ret);

/* removing_replaced - after an event that supersedes this earlier one of the same sender and subject was
 * accepted: whatever of that one is not delivered and not on its way just now. */
enum status removing_replaced(struct engine *engine, const struct peer *sender,
                              const uint8_t event[static STORE_EVENT_SIZE],
                              const uint8_t subject[static CORE_SUBJECT_SIZE]);
