#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The clock of a process. Programs make one and hand its readings down as `now`; libraries never read it.
 * Times are milliseconds since the Unix epoch, UTC.
 */
struct clock {
    bool simulated;
    int64_t offset_ms; /* simulated: from the machine's time since boot to the time shown */
};

/* clock_real - the machine's own time. */
struct clock clock_real(void);

/* clock_at - a clock that shows start_ms now and runs on from there, also while the machine sleeps. */
struct clock clock_at(int64_t start_ms);

int64_t clock_now(const struct clock *clock);

/* clock_elapsed - milliseconds since boot, never set back: for timeouts and intervals, not for dates. */
int64_t clock_elapsed(void);
