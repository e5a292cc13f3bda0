#pragma once

#include "broker/engine.h"

/* An event that was accepted earlier, read back for a second look. Valid until the next one, and no longer
 * than the batch that it stands in is held. */
struct recheck {
    struct byte_view header;
    struct core core;
    struct job_event event; /* under the present rulebook */
};

/* recheck_event - STATUS_NOT_FOUND for an event that was erased, STATUS_CORRUPT when what is stored is not
 * what was accepted, or what the store returns. */
enum status recheck_event(struct engine *engine, struct store_place place, struct recheck *ret);

/* recheck_core - the core alone, likewise. */
enum status recheck_core(struct engine *engine, struct store_place place, struct core *ret);
