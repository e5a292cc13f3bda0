#pragma once

#include "agent/feed_job.h"

/*
 * feed_hold_check - have too many of the known rows gone at once (settings.vanish_percent)? If so page->held
 * says how many, and what a person can do.
 */
bool feed_hold_check(struct feed_job *job, int64_t known, int64_t gone);
