#pragma once

#include "agent/agent.h"
#include "proto/core.h"

/*
 * Questions that others put to us (event types with the attribute asked_items) and whether we have answered:
 * an answer is an event of ours that names the question as what it answers, and that was not refused.
 */
extern const char questions_schema[];

/* questions_note - an event came in: remember it if it is a question. until: as the inbox keeps it. Inside a
 * transaction. */
enum status questions_note(struct agent *agent, const struct core *core, int64_t until, int64_t now);

/* questions_answered - an event of ours was queued that answers that one. Inside a transaction. */
enum status questions_answered(struct agent *agent, const uint8_t question[static UUID_SIZE],
                               const uint8_t answer[static UUID_SIZE]);

/* questions_waits - is this a question that waits for an answer? */
enum status questions_waits(struct agent *agent, const uint8_t event[static UUID_SIZE], bool *ret_waits);

/* questions_count - how many wait, and since when the oldest does (INT64_MAX: none). */
enum status questions_count(struct agent *agent, int64_t *ret_count, int64_t *ret_oldest);

/* questions_untried - the oldest that waits and that no hook was given yet. STATUS_NOT_FOUND.
 * questions_tried - now one was, whatever came of it. Inside a transaction. */
enum status questions_untried(struct agent *agent, uint8_t ret_event[static UUID_SIZE]);
enum status questions_tried(struct agent *agent, const uint8_t event[static UUID_SIZE]);

/* questions_forget - those whose event the inbox no longer keeps. Inside a transaction. */
enum status questions_forget(struct agent *agent, int64_t now);
