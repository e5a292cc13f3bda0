#pragma once

#include "broker/engine.h"

/* The events that facts about a person rest on, as plans carry them: signed header, place in its batch,
 * opening. */

/* grounds_append - keep the Ground of an event of this publish, within the transaction. */
enum status grounds_append(struct engine *engine, const struct job *job, struct store_place place);

/* grounds_put - append those facts' Grounds to an encoded Plan, in the order in which they were committed. */
enum status grounds_put(struct engine *engine, const struct subject *subject, uint32_t bits,
                        struct byte_buffer *plan);
