#pragma once

#include "broker/router.h"
#include "proto/digest.h"

/*
 * What the gate remembers of each member: the one connection on which it said hello, and how much it may
 * still ask for. One record a member, for as long as the process lives. No sockets; one thread. Times are
 * milliseconds of a clock that does not jump.
 */

#define ROSTER_MAX 65535

/* Answers that cost the gate something (bundle parts, hellos, errors): so many at once, so many a second. */
#define ROSTER_BURST      128
#define ROSTER_PER_SECOND 16
#define ROSTER_REFUSALS   16 /* told that it is too much so often, then nothing more */

#define ROSTER_LOOKS 60 /* officers' questions a minute: each is an entry in the log */

enum roster_state {
    ROSTER_UNBOUND, /* nobody said hello, or what was said no longer holds */
    ROSTER_BOUND,   /* route and connection are good */
    ROSTER_LOST, /* a frame could not be sent: the peer is to be told, as soon as it reads, to say hello again
                  */
};

struct roster_peer {
    char member[MEMBER_ID_LENGTH + 1];
    enum roster_state state;
    uint8_t route[ROUTER_ROUTE_SIZE]; /* bound or lost */
    uint64_t connection;              /* bound: what the pipeline knows it by; else 0 */
    uint8_t certificate[DIGEST_SIZE]; /* bound: by which it connected */
    uint64_t serial;                  /* bound: of the bundle that it showed */
    int64_t since;                    /* bound: when it said hello */
    bool refused; /* route `refused_route` was told that it is not allowed here any more */
    uint8_t refused_route[ROUTER_ROUTE_SIZE];
    int64_t thousandths; /* of answers that it may still have */
    int64_t refilled;
    int64_t looks_since; /* when the minute of these looks began */
    unsigned looks;
};

struct roster;

/* roster_new - ret is freed with roster_free. STATUS_NO_MEMORY. */
enum status roster_new(struct roster **ret);
void roster_free(struct roster **roster);

/*
 * roster_get - the record of an authenticated member, made if there is none. Pointers stay valid.
 * STATUS_NO_MEMORY, or STATUS_BUSY beyond ROSTER_MAX.
 */
enum status roster_get(struct roster *roster, const char *member, int64_t elapsed, struct roster_peer **ret);

/* roster_find - the record of a member, or NULL. */
struct roster_peer *roster_find(const struct roster *roster, const char *member);

/* roster_by_connection - the bound peer with this number, or NULL. */
struct roster_peer *roster_by_connection(const struct roster *roster, uint64_t connection);

/* roster_by_route - the bound or lost peer on this route, or NULL. Looks through all of them. */
struct roster_peer *roster_by_route(const struct roster *roster,
                                    const uint8_t route[static ROUTER_ROUTE_SIZE]);

/* roster_on - whether the peer is bound and this is its route. */
bool roster_on(const struct roster_peer *peer, const uint8_t route[static ROUTER_ROUTE_SIZE]);

/*
 * roster_bind - a verified hello. The peer must not be bound. Gives it a connection number that was never
 * used and never will be.
 */
void roster_bind(struct roster *roster, struct roster_peer *peer,
                 const uint8_t route[static ROUTER_ROUTE_SIZE], const uint8_t certificate[static DIGEST_SIZE],
                 uint64_t serial, int64_t elapsed);

/* roster_unbind - to ROSTER_UNBOUND or ROSTER_LOST. Returns the connection's number, 0 when it was not bound.
 */
uint64_t roster_unbind(struct roster *roster, struct roster_peer *peer, enum roster_state state);

/* roster_refuse - whether this route has yet to be told that its member is not allowed: true once. */
bool roster_refuse(struct roster_peer *peer, const uint8_t route[static ROUTER_ROUTE_SIZE]);

enum roster_share {
    ROSTER_SERVE,  /* within its share */
    ROSTER_REFUSE, /* beyond it: say so */
    ROSTER_IGNORE, /* far beyond it */
};

/* roster_spend - one answer of the gate's own. */
enum roster_share roster_spend(struct roster_peer *peer, int64_t elapsed);

/* roster_look - one officer's question through this member; false beyond ROSTER_LOOKS a minute. */
bool roster_look(struct roster_peer *peer, int64_t elapsed);

/* roster_count, roster_at - every record, in the order in which they came. */
size_t roster_count(const struct roster *roster);
struct roster_peer *roster_at(const struct roster *roster, size_t index);

/* roster_bound - how many are bound. */
size_t roster_bound(const struct roster *roster);
