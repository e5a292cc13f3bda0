#include "broker/plans.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/keyed_hash.h"

#define BUCKETS 4096u

/* A queue in the order of asking, and a hash over it by event. */
struct node {
    struct plan_entry entry;
    struct node *newer;
    struct node *collision;
};

struct plans {
    struct node *oldest;
    struct node *newest;
    struct node *buckets[BUCKETS];
    struct keyed_hash hash; /* senders choose the ids */
    size_t count;
};

enum status plans_new(struct plans **ret)
{
    struct plans *plans = calloc(1, sizeof *plans);

    if (plans == NULL)
        return STATUS_NO_MEMORY;
    enum status status = keyed_hash_new(&plans->hash);
    if (status != STATUS_OK) {
        free(plans);
        return status;
    }
    *ret = plans;
    return STATUS_OK;
}

static size_t bucket_of(const struct plans *plans, const uint8_t *event)
{
    return (size_t)(keyed_hash_of(&plans->hash, bytes_view(event, CORE_EVENT_SIZE)) % BUCKETS);
}

static void unhash(struct plans *plans, const struct node *node)
{
    struct node **link = &plans->buckets[bucket_of(plans, node->entry.event)];

    while (*link != NULL && *link != node)
        link = &(*link)->collision;
    if (*link != NULL)
        *link = node->collision;
}

void plans_drop(struct plans *plans)
{
    struct node *gone = plans->oldest;

    assert(gone != NULL);
    if (!gone->entry.taken)
        unhash(plans, gone);
    plans->oldest = gone->newer;
    if (plans->oldest == NULL)
        plans->newest = NULL;
    plans->count--;
    free(gone);
}

void plans_free(struct plans **plans)
{
    if (*plans == NULL)
        return;
    while ((*plans)->oldest != NULL)
        plans_drop(*plans);
    free(*plans);
    *plans = NULL;
}

static struct node *find(const struct plans *plans, const char *from, const uint8_t *event)
{
    struct node *node = plans->buckets[bucket_of(plans, event)];

    while (node != NULL &&
           (memcmp(node->entry.event, event, CORE_EVENT_SIZE) != 0 || strcmp(node->entry.from, from) != 0))
        node = node->collision;
    return node;
}

enum status plans_put(struct plans *plans, const struct plan_entry *entry)
{
    struct node *node = calloc(1, sizeof *node);
    struct node **bucket = &plans->buckets[bucket_of(plans, entry->event)];

    if (node == NULL)
        return STATUS_NO_MEMORY;
    plans_follow(plans, entry->from, entry->event);
    node->entry = *entry;
    node->collision = *bucket;
    *bucket = node;
    if (plans->newest == NULL)
        plans->oldest = node;
    else
        plans->newest->newer = node;
    plans->newest = node;
    plans->count++;
    return STATUS_OK;
}

const struct plan_entry *plans_find(const struct plans *plans, const char *from,
                                    const uint8_t event[static CORE_EVENT_SIZE])
{
    const struct node *node = find(plans, from, event);

    return node == NULL ? NULL : &node->entry;
}

void plans_follow(struct plans *plans, const char *from, const uint8_t event[static CORE_EVENT_SIZE])
{
    struct node *node = find(plans, from, event);

    if (node == NULL)
        return;
    unhash(plans, node);
    node->entry.taken = true;
    while (plans->oldest != NULL && plans->oldest->entry.taken)
        plans_drop(plans);
}

const struct plan_entry *plans_due(struct plans *plans, int64_t now)
{
    while (plans->oldest != NULL && plans->oldest->entry.taken)
        plans_drop(plans);
    if (plans->oldest == NULL || (plans->oldest->entry.due > now && plans->count <= PLANS_MOST))
        return NULL;
    return &plans->oldest->entry;
}
