#pragma once

#include "broker/journal.h"
#include "broker/targets.h"

/*
 * Erasure from the log and the store (docs/log-format.md, "Erasure"): asked for by the event's own sender,
 * confirmed by a data protection officer of the scheme, then done a part at a time and across restarts.
 */

/* erasing_asked - an erasure was accepted: it waits for the officer. */
enum status erasing_asked(struct engine *engine, const struct peer *sender, const struct target *target);

/* Who confirms, however that was established. */
struct erasing_officer {
    const char *name; /* as it stands in the log */
    const char *how;  /* how the broker knows: one short phrase */
};

/*
 * erasing_confirmed - from now on it is done: logged, the event's header and opening go at once, then every
 * personal part about it. from: the event's sender, or NULL. STATUS_NOT_FOUND when that sender, or none at
 * all, has asked for this event; STATUS_EXISTS when several members have, each for an event of that id of its
 * own, and none is named.
 */
enum status erasing_confirmed(struct engine *engine, const char *from,
                              const uint8_t event[static STORE_EVENT_SIZE],
                              const struct erasing_officer *officer);

/* erasing_note - into the erasure journal, at this moment: before what it says is committed. */
enum status erasing_note(struct engine *engine, struct journal_line *lines, size_t count);

/*
 * erasing_drop - an event leaves the store: nothing but its leaf stays in its batch, and nobody is told or
 * waited for about it. The log is another matter. Within the transaction; returns what the store returns.
 */
enum status erasing_drop(struct engine *engine, uint32_t sender, const uint8_t event[static STORE_EVENT_SIZE],
                         struct store_place place);

/* erasing_forget - after something was overwritten and committed: it goes from the write-ahead log and the
 * index too, in the background. Again is harmless. */
void erasing_forget(struct engine *engine);

/* erasing_was - whether an event of that sender and id was erased: of the id only a digest is kept. */
enum status erasing_was(struct engine *engine, uint32_t sender, const uint8_t event[static STORE_EVENT_SIZE],
                        bool *ret);

/* erasing_run - the next part of what STORE_WATCH_ERASING stands for. */
enum status erasing_run(struct engine *engine, struct store_watch *watch);
