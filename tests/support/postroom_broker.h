#pragma once

#include "tests/support/postroom.h"

/* The broker's side of a postroom. */

/* postroom_broker_take - a frame from a member, answered at once. */
void postroom_broker_take(struct postroom *room, enum postroom_member from, struct byte_view bytes);

/* postroom_broker_deliver - hand out what connected members have credit for; whether anything went. */
bool postroom_broker_deliver(struct postroom *room);
