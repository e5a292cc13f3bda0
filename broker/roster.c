#include "broker/roster.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_BITS 16 /* of a connection number: which record it belongs to */
#define FIRST     64
#define FULL      (ROSTER_BURST * 1000) /* thousandths of an answer */

struct roster {
    struct roster_peer **records;
    size_t count;
    size_t capacity;
    uint16_t
        *table; /* index + 1 of a record by the hash of its member; 0: free. Twice capacity, a power of 2 */
    uint64_t bindings;
    size_t bound;
};

/* FNV-1a: ids come from certificates that the authority issued, so nobody chooses them to collide. */
static size_t hash(const char *member)
{
    uint64_t value = 0xcbf29ce484222325u;

    for (const char *c = member; *c != '\0'; c++)
        value = (value ^ (uint8_t)*c) * 0x100000001b3u;
    return (size_t)(value ^ (value >> 32));
}

/* Where the member stands in the table, or where it would. */
static uint16_t *place_of(const struct roster *roster, const char *member)
{
    size_t mask = 2 * roster->capacity - 1;
    size_t place = hash(member) & mask;

    while (roster->table[place] != 0 &&
           strcmp(roster->records[roster->table[place] - 1]->member, member) != 0)
        place = (place + 1) & mask;
    return &roster->table[place];
}

static enum status grow(struct roster *roster)
{
    size_t capacity = roster->capacity == 0 ? FIRST : 2 * roster->capacity;
    struct roster_peer **records = realloc(roster->records, capacity * sizeof(struct roster_peer *));

    if (records == NULL)
        return STATUS_NO_MEMORY;
    roster->records = records;
    uint16_t *table = calloc(2 * capacity, sizeof table[0]);
    if (table == NULL)
        return STATUS_NO_MEMORY;
    free(roster->table);
    roster->table = table;
    roster->capacity = capacity;
    for (size_t i = 0; i < roster->count; i++)
        *place_of(roster, roster->records[i]->member) = (uint16_t)(i + 1);
    return STATUS_OK;
}

enum status roster_new(struct roster **ret)
{
    struct roster *roster = calloc(1, sizeof *roster);
    enum status status = roster == NULL ? STATUS_NO_MEMORY : grow(roster);

    if (status == STATUS_OK)
        *ret = roster;
    else
        roster_free(&roster);
    return status;
}

void roster_free(struct roster **roster)
{
    if (*roster == NULL)
        return;
    for (size_t i = 0; i < (*roster)->count; i++)
        free((*roster)->records[i]);
    free((*roster)->records);
    free((*roster)->table);
    free(*roster);
    *roster = NULL;
}

enum status roster_get(struct roster *roster, const char *member, int64_t elapsed, struct roster_peer **ret)
{
    uint16_t *place = place_of(roster, member);

    if (*place != 0) {
        *ret = roster->records[*place - 1];
        return STATUS_OK;
    }
    if (roster->count == ROSTER_MAX)
        return STATUS_BUSY;
    if (roster->count == roster->capacity) {
        if (grow(roster) != STATUS_OK)
            return STATUS_NO_MEMORY;
        place = place_of(roster, member);
    }
    struct roster_peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        return STATUS_NO_MEMORY;
    (void)snprintf(peer->member, sizeof peer->member, "%s", member);
    peer->thousandths = FULL;
    peer->refilled = elapsed;
    roster->records[roster->count++] = peer;
    *place = (uint16_t)roster->count;
    *ret = peer;
    return STATUS_OK;
}

struct roster_peer *roster_find(const struct roster *roster, const char *member)
{
    uint16_t place = *place_of(roster, member);

    return place == 0 ? NULL : roster->records[place - 1];
}

struct roster_peer *roster_by_connection(const struct roster *roster, uint64_t connection)
{
    size_t index = connection & ((1u << SLOT_BITS) - 1);

    if (connection == 0 || index >= roster->count || roster->records[index]->connection != connection)
        return NULL;
    return roster->records[index];
}

struct roster_peer *roster_by_route(const struct roster *roster,
                                    const uint8_t route[static ROUTER_ROUTE_SIZE])
{
    for (size_t i = 0; i < roster->count; i++) {
        struct roster_peer *peer = roster->records[i];
        if (peer->state != ROSTER_UNBOUND && memcmp(peer->route, route, ROUTER_ROUTE_SIZE) == 0)
            return peer;
    }
    return NULL;
}

bool roster_on(const struct roster_peer *peer, const uint8_t route[static ROUTER_ROUTE_SIZE])
{
    return peer->state == ROSTER_BOUND && memcmp(peer->route, route, ROUTER_ROUTE_SIZE) == 0;
}

void roster_bind(struct roster *roster, struct roster_peer *peer,
                 const uint8_t route[static ROUTER_ROUTE_SIZE], const uint8_t certificate[static DIGEST_SIZE],
                 uint64_t serial, int64_t elapsed)
{
    size_t index = (size_t)(*place_of(roster, peer->member) - 1);

    assert(peer->state != ROSTER_BOUND && roster->records[index] == peer);
    peer->state = ROSTER_BOUND;
    peer->connection = (++roster->bindings << SLOT_BITS) | index;
    memcpy(peer->route, route, ROUTER_ROUTE_SIZE);
    memcpy(peer->certificate, certificate, DIGEST_SIZE);
    peer->serial = serial;
    peer->since = elapsed;
    peer->refused = false;
    roster->bound++;
}

uint64_t roster_unbind(struct roster *roster, struct roster_peer *peer, enum roster_state state)
{
    uint64_t connection = peer->connection;

    assert(state != ROSTER_BOUND);
    if (peer->state == ROSTER_BOUND)
        roster->bound--;
    peer->state = state;
    peer->connection = 0;
    return connection;
}

bool roster_refuse(struct roster_peer *peer, const uint8_t route[static ROUTER_ROUTE_SIZE])
{
    if (peer->refused && memcmp(peer->refused_route, route, ROUTER_ROUTE_SIZE) == 0)
        return false;
    peer->refused = true;
    memcpy(peer->refused_route, route, ROUTER_ROUTE_SIZE);
    return true;
}

enum roster_share roster_spend(struct roster_peer *peer, int64_t elapsed)
{
    int64_t passed = elapsed - peer->refilled;

    if (passed > 0) {
        if (passed > FULL)
            peer->thousandths = FULL;
        else
            peer->thousandths += passed * ROSTER_PER_SECOND;
        if (peer->thousandths > FULL)
            peer->thousandths = FULL;
        peer->refilled = elapsed;
    }
    if (peer->thousandths <= -ROSTER_REFUSALS * 1000)
        return ROSTER_IGNORE;
    enum roster_share share = peer->thousandths >= 1000 ? ROSTER_SERVE : ROSTER_REFUSE;
    peer->thousandths -= 1000;
    return share;
}

size_t roster_count(const struct roster *roster)
{
    return roster->count;
}

struct roster_peer *roster_at(const struct roster *roster, size_t index)
{
    assert(index < roster->count);
    return roster->records[index];
}

size_t roster_bound(const struct roster *roster)
{
    return roster->bound;
}

bool roster_look(struct roster_peer *peer, int64_t elapsed)
{
    if (peer->looks == 0 || elapsed - peer->looks_since >= 60000) {
        peer->looks_since = elapsed;
        peer->looks = 0;
    }
    if (peer->looks >= ROSTER_LOOKS)
        return false;
    peer->looks++;
    return true;
}
