#include "agent/feed_hold.h"

#include <stdio.h>

#include "agent/agent.h"

bool feed_hold_check(struct feed_job *job, int64_t known, int64_t gone)
{
    const uint32_t percent = job->agent->settings.vanish_percent;

    if (gone <= 0 || gone * 100 <= known * (int64_t)percent)
        return false;
    (void)snprintf(job->page->held.text, sizeof job->page->held.text,
                   "%lld of the %lld rows known are gone, more than %u in a hundred: if that is right, run "
                   "concordat import %s FILE --accept-missing",
                   (long long)gone, (long long)known, percent, job->store.feed);
    return true;
}
