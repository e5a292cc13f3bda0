#pragma once

#include "agent/feed_job.h"

/*
 * A list of everybody on the scheme, from whoever keeps it: ppo.added for each row that is new or has changed
 * (listing again replaces what the register holds, policy/register.h), ppo.removed for rows that have gone.
 */

/* feed_list_hold - as feed_release_hold. */
enum status feed_list_hold(struct feed_job *job, bool *ret_hold);

/* feed_list_apply - the rows of job->run against what was told. Must be called inside a transaction. */
enum status feed_list_apply(struct feed_job *job);
