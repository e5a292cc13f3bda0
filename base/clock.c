#include "base/clock.h"

#include <assert.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec time;
    int failed = clock_gettime(id, &time);

    assert(failed == 0); /* both clocks exist on every kernel that we support */
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

struct clock clock_real(void)
{
    return (struct clock){.simulated = false};
}

struct clock clock_at(int64_t start_ms)
{
    return (struct clock){.simulated = true, .offset_ms = start_ms - clock_elapsed()};
}

int64_t clock_now(const struct clock *clock)
{
    return clock->simulated ? clock_elapsed() + clock->offset_ms : read_ms(CLOCK_REALTIME);
}

int64_t clock_elapsed(void)
{
    return read_ms(CLOCK_BOOTTIME);
}
