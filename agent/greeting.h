#pragma once

#include "agent/agent.h"

/* greeting_write - our Hello, as a frame appended to ret: with the newest checkpoint that we cosigned of the
 * log in force, if that can be read. STATUS_NOT_FOUND or as membership_signer when no certificate of ours is
 * usable; else what appending returned. */
enum status greeting_write(struct agent *agent, uint64_t request, int64_t now, struct byte_buffer *ret);
