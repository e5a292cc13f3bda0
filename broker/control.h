#pragma once

#include "broker/engine.h"

/* control_handle - a JSON request of the local socket (pipeline_control). */
enum status control_handle(struct engine *engine, struct job *job);

/* control_busy - the answer when the group was given up. */
enum status control_busy(struct engine *engine, const struct job *job);
