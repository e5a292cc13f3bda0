#pragma once

#include "broker/engine.h"

/*
 * The witnesses' part of the dialogue (broker/witnessing.h): what a hello shows, what is offered, what comes
 * back. A fork that is found is written to the log and to checkpoint.db, and then the engine's problem says
 * why the process must end.
 */

/* cosigning_hello - a member is connected; job's bytes are the note that it showed. Unless may_write, nothing
 * is logged. Errors as for handlers of a job (broker/engine.h). */
enum status cosigning_hello(struct engine *engine, const struct job *job, bool may_write);

/* cosigning_handle - a Cosignature. */
enum status cosigning_handle(struct engine *engine, const struct job *job);

/* cosigning_turn - hand the newest checkpoint to the gate, and offer witnesses what is due; outside
 * transactions. Errors as for engine_tick. */
enum status cosigning_turn(struct engine *engine);
