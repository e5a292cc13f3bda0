#pragma once

#include "broker/judging.h"

/*
 * What happens because time passes: urgent events that nobody takes note of are escalated, senders are told
 * of what nobody fetches in time, sections whose retention has ended leave the queue, and confirmations of
 * corrections are asked for again.
 */

/* clocks_accepted - after an event was accepted and stands in the queue: start its acknowledgement clocks. */
enum status clocks_accepted(struct engine *engine, const struct peer *sender, struct store_place place,
                            const uint8_t event[static STORE_EVENT_SIZE], const struct judging *judging);

/*
 * clocks_reported - a recipient's signed report about an event that was disclosed to it: stops the clock that
 * it answers, and hands the report to the sender. index: of the report in the job.
 *
 * ret_kind  the kind of the log's entry about it, when it confirms a correction, retraction or erasure;
 * otherwise untouched
 */
enum status clocks_reported(struct engine *engine, const struct job *job, size_t index, const struct peer *by,
                            struct peer *sender, enum record_kind *ret_kind);

/* clocks_escalated - an urgent event that was not acknowledged in time, which both sides have been told. */
bool clocks_escalated(const struct store_watch *watch);

/* clocks_run - whatever is due at engine->now, a bounded part of it at a time. */
enum status clocks_run(struct engine *engine);
