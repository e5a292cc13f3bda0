#include "broker/holding.h"

uint64_t holding_begin(struct holding *holding, int64_t now)
{
    holding_look(holding, now, false);
    if (holding->number != 0)
        return 0;
    holding->number = ++holding->last;
    holding->until = now + HOLDING_LEASE_MS;
    holding->still = false;
    return holding->number;
}

bool holding_renew(struct holding *holding, uint64_t number, int64_t now)
{
    holding_look(holding, now, false);
    if (number == 0 || holding->number != number)
        return false;
    holding->until = now + HOLDING_LEASE_MS;
    return true;
}

bool holding_end(struct holding *holding, uint64_t number, int64_t now)
{
    bool held = holding_renew(holding, number, now) && holding->still;

    if (number != 0 && holding->number == number)
        holding->number = 0;
    return held;
}

void holding_look(struct holding *holding, int64_t now, bool disk_full)
{
    if (holding->number != 0 && (now > holding->until || disk_full))
        holding->number = 0;
}
