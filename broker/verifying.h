#pragma once

#include "broker/job.h"

/*
 * Everything about a frame that needs no database: unpacking, bounds, signatures, commitments, values. Runs
 * in the verify workers; what it finds is in the job.
 *
 * job   of kind JOB_FRAME with bytes, member, rulebook and an empty arena
 */
void verifying_frame(struct job *job);

/*
 * verifying_event - an event as policy sees it, under the job's rulebook; texts lie in its arena. For those
 * stored earlier, which are decided again.
 */
void verifying_event(struct job *job, const struct core *core, const Wire__Opening *opening,
                     struct job_event *event);
