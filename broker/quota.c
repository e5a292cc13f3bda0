#include "broker/quota.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 256u

struct bucket {
    struct bucket *next;
    int64_t filled_at;
    uint64_t thousandths; /* of frames that may be sent */
    char member[MEMBER_ID_LENGTH + 1];
};

struct quota {
    uint32_t per_second;
    struct bucket *buckets[BUCKETS];
};

enum status quota_new(uint32_t per_second, struct quota **ret)
{
    struct quota *quota = calloc(1, sizeof *quota);

    if (quota == NULL)
        return STATUS_NO_MEMORY;
    quota->per_second = per_second;
    *ret = quota;
    return STATUS_OK;
}

void quota_free(struct quota **quota)
{
    if (*quota == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while ((*quota)->buckets[i] != NULL) {
            struct bucket *gone = (*quota)->buckets[i];
            (*quota)->buckets[i] = gone->next;
            free(gone);
        }
    }
    free(*quota);
    *quota = NULL;
}

static struct bucket **find(struct quota *quota, const char *member)
{
    uint32_t hash = UINT32_C(2166136261); /* FNV-1a */
    struct bucket **link;

    for (const char *c = member; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT32_C(16777619);
    link = &quota->buckets[hash % BUCKETS];
    while (*link != NULL && strcmp((*link)->member, member) != 0)
        link = &(*link)->next;
    return link;
}

enum status quota_take(struct quota *quota, const char *member, int64_t elapsed)
{
    struct bucket **link = find(quota, member);
    uint64_t full = (uint64_t)quota->per_second * 1000;

    if (*link == NULL) {
        struct bucket *made = calloc(1, sizeof *made);
        if (made == NULL)
            return STATUS_NO_MEMORY;
        memcpy(made->member, member, strnlen(member, MEMBER_ID_LENGTH));
        made->thousandths = full;
        made->filled_at = elapsed;
        *link = made;
    }
    struct bucket *bucket = *link;
    if (elapsed > bucket->filled_at) {
        uint64_t gained = (uint64_t)(elapsed - bucket->filled_at) * quota->per_second;
        bucket->thousandths = full - bucket->thousandths < gained ? full : bucket->thousandths + gained;
        bucket->filled_at = elapsed;
    }
    if (bucket->thousandths < 1000)
        return STATUS_BUSY;
    bucket->thousandths -= 1000;
    return STATUS_OK;
}
