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

/* By what a plan is told from others. */
struct key {
    struct byte_view from;
    struct byte_view event;
    struct byte_view subject;
    struct byte_view type;
    struct byte_view protocol;
    struct byte_view officer;
};

static struct key key_of_core(const struct core *core)
{
    return (struct key){.from = core->from,
                        .event = bytes_view(core->event, CORE_EVENT_SIZE),
                        .subject = bytes_view(core->subject, CORE_SUBJECT_SIZE),
                        .type = core->type,
                        .protocol = core->protocol,
                        .officer = core->officer};
}

static struct key key_of(const struct plan_entry *entry)
{
    return (struct key){.from = bytes_of_string(entry->from),
                        .event = bytes_view(entry->event, CORE_EVENT_SIZE),
                        .subject = bytes_view(entry->subject, CORE_SUBJECT_SIZE),
                        .type = bytes_of_string(entry->type),
                        .protocol = bytes_of_string(entry->protocol_id),
                        .officer = bytes_of_string(entry->officer)};
}

static bool same_key(const struct key *one, const struct key *other)
{
    return bytes_equal(one->event, other->event) && bytes_equal(one->subject, other->subject) &&
           bytes_equal(one->from, other->from) && bytes_equal(one->type, other->type) &&
           bytes_equal(one->protocol, other->protocol) && bytes_equal(one->officer, other->officer);
}

/* Over all that somebody could vary at will. */
static size_t bucket_of(const struct plans *plans, const struct key *key)
{
    uint8_t bytes[CORE_EVENT_SIZE + CORE_SUBJECT_SIZE + WIRE_OFFICER_MAX];
    size_t officer = key->officer.size < WIRE_OFFICER_MAX ? key->officer.size : WIRE_OFFICER_MAX;

    memcpy(bytes, key->event.data, CORE_EVENT_SIZE);
    memcpy(bytes + CORE_EVENT_SIZE, key->subject.data, CORE_SUBJECT_SIZE);
    if (officer > 0)
        memcpy(bytes + CORE_EVENT_SIZE + CORE_SUBJECT_SIZE, key->officer.data, officer);
    return (size_t)(keyed_hash_of(&plans->hash,
                                  bytes_view(bytes, CORE_EVENT_SIZE + CORE_SUBJECT_SIZE + officer)) %
                    BUCKETS);
}

static void unhash(struct plans *plans, const struct node *node)
{
    const struct key key = key_of(&node->entry);
    struct node **link = &plans->buckets[bucket_of(plans, &key)];

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

static struct node *find(const struct plans *plans, const struct key *key)
{
    struct node *node = plans->buckets[bucket_of(plans, key)];

    for (; node != NULL; node = node->collision) {
        const struct key other = key_of(&node->entry);
        if (same_key(&other, key))
            break;
    }
    return node;
}

enum status plans_put(struct plans *plans, const struct plan_entry *entry)
{
    const struct key key = key_of(entry);
    struct node *node = find(plans, &key);
    struct node **bucket = &plans->buckets[bucket_of(plans, &key)];

    if (node != NULL) {
        int64_t due = node->entry.due;
        node->entry = *entry;
        node->entry.due = due; /* or asking again and again would never be told */
        return STATUS_OK;
    }
    node = calloc(1, sizeof *node);
    if (node == NULL)
        return STATUS_NO_MEMORY;
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

const struct plan_entry *plans_find(const struct plans *plans, const struct core *core)
{
    const struct key key = key_of_core(core);
    const struct node *node = find(plans, &key);

    return node == NULL ? NULL : &node->entry;
}

void plans_follow(struct plans *plans, const struct core *core)
{
    const struct key key = key_of_core(core);
    struct node *node = find(plans, &key);

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
