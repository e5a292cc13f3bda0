#pragma once

#include "agent/arrival.h"

/*
 * applying_correction - what a stored event of a type that corrects does to the event that it names:
 * corrected values in the place of those told before; or the contents go, those of earlier corrections too,
 * and a trace stays, also of an event that never came. Then a signed report says that it was done. Inside a
 * transaction.
 */
enum status applying_correction(struct agent *agent, struct byte_view from,
                                const struct envelope_delivered *event, const struct arrival *arrival,
                                int64_t now);

/* applying_again - the broker asks once more whether it was done: reported again, if it was. Inside a
 * transaction. */
enum status applying_again(struct agent *agent, struct byte_view from,
                           const uint8_t event[static CORE_EVENT_SIZE], int64_t now);
