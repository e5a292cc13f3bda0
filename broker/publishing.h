#pragma once

#include "broker/engine.h"

/* publishing_handle - a verified Publish: decide each event, write what has an outcome, keep the answer. As
 * engine.h says. */
enum status publishing_handle(struct engine *engine, struct job *job);
