#pragma once

#include "broker/engine.h"

/* Standing events to whose recipients somebody may be added: their senders are told to plan them again. */

/* replanning_subject - after something about the person changed by this event. */
enum status replanning_subject(struct engine *engine, struct subject *subject,
                               const uint8_t event[static STORE_EVENT_SIZE]);

/* replanning_all - after a bundle came into force. */
enum status replanning_all(struct engine *engine);
