#include "broker/repeats.h"

#include <stdlib.h>
#include <string.h>

struct repeats {
    struct repeat *list[REPEATS_MOST];
    size_t count;
};

enum status repeats_new(struct repeats **ret)
{
    struct repeats *repeats = calloc(1, sizeof *repeats);

    if (repeats == NULL)
        return STATUS_NO_MEMORY;
    *ret = repeats;
    return STATUS_OK;
}

void repeats_free(struct repeats **repeats)
{
    if (*repeats == NULL)
        return;
    for (size_t i = 0; i < (*repeats)->count; i++)
        free((*repeats)->list[i]);
    free(*repeats);
    *repeats = NULL;
}

bool repeats_seen(struct repeats *repeats, const uint8_t key[static 32], int64_t now)
{
    for (size_t i = 0; i < repeats->count; i++) {
        struct repeat *repeat = repeats->list[i];
        if (repeat->until > now && memcmp(repeat->key, key, sizeof repeat->key) == 0) {
            repeat->counted++;
            return true;
        }
    }
    return false;
}

void repeats_first(struct repeats *repeats, const uint8_t key[static 32], int64_t until, uint64_t index,
                   struct byte_view account)
{
    struct repeat *repeat;

    if (repeats->count == REPEATS_MOST || account.size > REPEATS_ACCOUNT)
        return;
    repeat = calloc(1, sizeof *repeat);
    if (repeat == NULL)
        return;
    memcpy(repeat->key, key, sizeof repeat->key);
    repeat->until = until;
    repeat->first = index;
    repeat->account_size = account.size;
    memcpy(repeat->account, account.data, account.size);
    repeats->list[repeats->count++] = repeat;
}

void repeats_take_back(struct repeats *repeats, uint64_t index)
{
    size_t kept = 0;

    for (size_t i = 0; i < repeats->count; i++) {
        if (repeats->list[i]->first >= index)
            free(repeats->list[i]);
        else
            repeats->list[kept++] = repeats->list[i];
    }
    repeats->count = kept;
}

struct repeat *repeats_due(struct repeats *repeats, int64_t now)
{
    for (size_t i = 0; i < repeats->count; i++) {
        if (repeats->list[i]->until <= now)
            return repeats->list[i];
    }
    return NULL;
}

void repeats_drop(struct repeats *repeats, struct repeat *repeat)
{
    for (size_t i = 0; i < repeats->count; i++) {
        if (repeats->list[i] != repeat)
            continue;
        repeats->list[i] = repeats->list[--repeats->count];
        free(repeat);
        return;
    }
}
