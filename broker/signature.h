#pragma once

#include "broker/engine.h"

/*
 * When the log is signed, and who is told when it is not: after a start only once enough witnesses have said
 * hello (broker/witnessing.h). The thread that signs is engine->signing; without
 * one (a store in memory, or the end) the store thread does it itself.
 */

/* signature_ask - for what is committed by now, if that is new. here: now, and by this thread, which must
 * have taken what it asked for before. Errors as logbook_sign, except those that pass: a clock that went
 * back, a full disk. */
enum status signature_ask(struct engine *engine, bool here);

/* signature_take - take over what came of the signature that was asked for, if it is there; wait: until it
 * is. Errors as signature_ask. */
enum status signature_take(struct engine *engine, bool wait);
