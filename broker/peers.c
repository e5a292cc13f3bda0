#include "broker/peers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)

struct peers {
    struct peer **by_number; /* by_number[0] has number 1 */
    struct peer **by_id;     /* ascending */
    size_t count;
    size_t room;
};

/* The position of an id, or where it belongs. */
static size_t position_of(const struct peers *peers, struct byte_view id, bool *ret_found)
{
    size_t low = 0;
    size_t high = peers->count;

    *ret_found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = bytes_compare(bytes_of_string(peers->by_id[middle]->stored.id), id);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool grow(struct peers *peers)
{
    size_t room = peers->room == 0 ? 64 : 2 * peers->room;
    struct peer **by_number;
    struct peer **by_id;

    if (peers->count < peers->room)
        return true;
    by_number = realloc(peers->by_number, room * sizeof(struct peer *));
    if (by_number == NULL)
        return false;
    peers->by_number = by_number;
    by_id = realloc(peers->by_id, room * sizeof(struct peer *));
    if (by_id == NULL)
        return false;
    peers->by_id = by_id;
    peers->room = room;
    return true;
}

/* A peer with the next number. */
static struct peer *add(struct peers *peers, struct byte_view id)
{
    bool found = false;
    size_t position = position_of(peers, id, &found);
    struct peer *peer;

    assert(!found);
    if (id.size > MEMBER_ID_LENGTH || peers->count >= STORE_NUMBER_MAX || !grow(peers))
        return NULL;
    peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        return NULL;
    memcpy(peer->stored.id, id.data, id.size);
    memmove(&peers->by_id[position + 1], &peers->by_id[position],
            (peers->count - position) * sizeof(struct peer *));
    peers->by_id[position] = peer;
    peers->by_number[peers->count] = peer;
    peers->count++;
    peer->stored.number = (uint32_t)peers->count;
    return peer;
}

static enum status take_stored(void *context, const struct store_member *member)
{
    struct peers *peers = context;
    struct peer *peer = peers_find(peers, bytes_of_string(member->id));

    if (peer == NULL)
        peer = add(peers, bytes_of_string(member->id));
    if (peer == NULL)
        return STATUS_NO_MEMORY;
    if (peer->stored.number != member->number)
        return STATUS_CORRUPT;
    peer->stored = *member;
    return STATUS_OK;
}

enum status peers_load(struct store *store, struct peers **ret)
{
    struct peers *peers = calloc(1, sizeof *peers);
    enum status status;

    if (peers == NULL)
        return STATUS_NO_MEMORY;
    status = store_each_member(store, take_stored, peers);
    if (status != STATUS_OK) {
        peers_free(&peers);
        return status;
    }
    *ret = peers;
    return STATUS_OK;
}

void peers_free(struct peers **peers)
{
    if (*peers == NULL)
        return;
    for (size_t i = 0; i < (*peers)->count; i++) {
        (void)peers_land((*peers)->by_number[i], NULL);
        free((*peers)->by_number[i]);
    }
    free((*peers)->by_number);
    free((*peers)->by_id);
    free(*peers);
    *peers = NULL;
}

enum status peers_reload(struct peers *peers, struct store *store)
{
    for (size_t i = 0; i < peers->count; i++) {
        struct store_member *stored = &peers->by_number[i]->stored;
        struct store_member fresh = {.number = stored->number};
        memcpy(fresh.id, stored->id, sizeof fresh.id);
        *stored = fresh;
        /* What the store does not know yet keeps its number and is written with the next change. */
        peers->by_number[i]->dirty = true;
    }
    return store_each_member(store, take_stored, peers);
}

enum status peers_save(struct peers *peers, struct store *store)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < peers->count; i++) {
        if (!peers->by_number[i]->dirty)
            continue;
        status = store_put_member(store, &peers->by_number[i]->stored);
        peers->by_number[i]->dirty = false;
    }
    return status;
}

struct peer *peers_find(struct peers *peers, struct byte_view id)
{
    bool found = false;
    size_t position = position_of(peers, id, &found);

    return found ? peers->by_id[position] : NULL;
}

struct peer *peers_take(struct peers *peers, struct byte_view id)
{
    struct peer *peer = peers_find(peers, id);

    if (peer != NULL)
        return peer;
    peer = add(peers, id);
    if (peer != NULL)
        peer->dirty = true;
    return peer;
}

struct peer *peers_number(struct peers *peers, uint32_t number)
{
    return number == 0 || number > peers->count ? NULL : peers->by_number[number - 1];
}

struct peer *peers_connection(struct peers *peers, uint64_t connection)
{
    for (size_t i = 0; connection != 0 && i < peers->count; i++) {
        if (peers->by_number[i]->connection == connection)
            return peers->by_number[i];
    }
    return NULL;
}

size_t peers_count(const struct peers *peers)
{
    return peers->count;
}

struct peer *peers_at(struct peers *peers, size_t position)
{
    return peers->by_number[position];
}

const struct directory_entry *peers_entry(struct peer *peer, const struct rulebook *rulebook, int64_t now)
{
    if (!directory_usable(peer->entry, now))
        peer->entry = directory_by_member(rulebook->directory, peer->stored.id, now);
    return peer->entry;
}

void peers_forget_entries(struct peers *peers)
{
    for (size_t i = 0; i < peers->count; i++)
        peers->by_number[i]->entry = NULL;
}

size_t peers_land(struct peer *peer, struct flight *flight)
{
    size_t landed = 0;
    struct flight **link = &peer->flights;
    struct flight *before = NULL;

    while (*link != NULL) {
        struct flight *current = *link;
        if (flight != NULL && current != flight) {
            before = current;
            link = &current->next;
            continue;
        }
        *link = current->next;
        if (peer->last_flight == current)
            peer->last_flight = before;
        landed += current->live;
        free(current);
    }
    return landed;
}

size_t peers_settle(struct peer *peer, struct store_slice_key key,
                    const uint8_t places[static STORE_MASK_SIZE], bool *ret_whole)
{
    struct flight *next;
    size_t settled = 0;

    *ret_whole = false;
    for (struct flight *flight = peer->flights; flight != NULL; flight = next) {
        next = flight->next;
        if (flight->key.batch != key.batch || flight->key.urgent != key.urgent)
            continue;
        for (size_t i = 0; i < flight->count; i++) {
            if (!flight->events[i].live || !store_mask_get(places, flight->events[i].place))
                continue;
            flight->events[i].live = false;
            flight->live--;
            settled++;
        }
        bool whole = flight->whole;
        if (flight->live == 0) {
            *ret_whole = *ret_whole || whole;
            (void)peers_land(peer, flight);
        }
        if (whole)
            break; /* nothing else of the slice is on its way, and there may be very many to look through */
    }
    return settled;
}

bool peers_flies(const struct peer *peer, struct store_slice_key key, size_t place)
{
    for (const struct flight *flight = peer->flights; flight != NULL; flight = flight->next) {
        if (flight->key.batch != key.batch || flight->key.urgent != key.urgent)
            continue;
        for (uint32_t i = 0; i < flight->count; i++) {
            if (flight->events[i].live && flight->events[i].place == place)
                return true;
        }
    }
    return false;
}

size_t peers_restart(struct peer *peer)
{
    memset(peer->cursors, 0, sizeof peer->cursors);
    peer->forwarded = peer->stored.confirmed;
    return peers_land(peer, NULL);
}

void peers_count_minute(struct peer *peer, int64_t now)
{
    if (now - peer->minute < MINUTE_MS)
        return;
    peer->minute = now;
    peer->plans = 0;
    peer->refusals = 0;
    peer->reports = 0;
    peer->log_entries = 0;
    peer->gaps = 0;
    peer->contained = 0;
}
