#pragma once

#include "agent/arrival.h"
#include "proto/wire_codec.h"

/*
 * delivery_take - everything of a Deliver frame (checked by wire_check_deliver): verify, judge, store, queue
 * receipts; one transaction. An event that does not verify is left out and told (incidents): it gets no
 * receipt.
 *
 * Returns why when nothing of it counts (told, too); or a status of the machine (status_of_machine), and then
 * nothing was stored.
 */
enum status delivery_take(struct agent *agent, struct arrival_opener *opener, const Wire__Deliver *deliver,
                          int64_t now);
