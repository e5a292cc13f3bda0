#pragma once

#include "broker/rulebook.h"
#include "broker/store/store.h"

/*
 * The members as the store thread knows them: what is stored of each, and what holds only while it is
 * connected. Grows with the number of members, never with the backlog.
 */

/* Sections of one slice that were handed over together and have no receipt yet. */
struct flight {
    struct flight *next;
    struct store_slice_key key;
    uint32_t sender;
    bool whole;     /* that was all that was live in the slice */
    uint32_t count; /* how many they were */
    uint32_t live;  /* how many have no receipt */
    struct flight_event {
        bool live;
        uint16_t place; /* in the slice */
        uint8_t event[STORE_EVENT_SIZE];
        uint8_t header[DIGEST_SIZE];
        uint8_t section[DIGEST_SIZE];
        uint64_t counter;
        uint64_t entry; /* index in the log of its `disclosed` */
    } events[];
};

/* Where the deliveries of one urgency have got to on this connection. */
struct peer_cursor {
    uint64_t batch; /* up to here everything was handed over */
    uint64_t part;  /* the batch after it that was handed over in part, or 0 */
    uint32_t place; /* the first place of that one which was not */
    bool drained;   /* nothing was there when last looked for */
};

/* How far a member has been told something on this connection, by sender and event. */
struct peer_telling {
    bool due; /* there may be more */
    uint32_t sender;
    uint8_t event[STORE_EVENT_SIZE];
};

struct peer {
    struct store_member stored;
    bool dirty;
    const struct directory_entry *entry; /* its current certificate when last looked up; see peers_entry */
    uint64_t connection;                 /* 0: not connected */
    uint32_t credit;
    struct peer_cursor cursors[2]; /* urgent first */
    struct flight *flights;        /* in the order of handing over */
    struct flight *last_flight;
    uint64_t handed[2];  /* the highest batch ever handed over since the broker started; urgent first */
    bool confirmed_more; /* stored.confirmed went on, not yet written down */
    bool fetched;        /* it has said on this connection where it stands */
    uint64_t forwarded;  /* id of the last receipt batch handed over on this connection */
    struct peer_telling recalls;
    struct peer_telling replans;
    int64_t minute; /* when the counts below began */
    uint32_t plans;
    uint32_t refusals;
    uint32_t reports;
    uint32_t log_entries;
    uint32_t gaps;        /* recipients refused of accepted events, as far as they count */
    uint32_t contained;   /* frames that could not be handled */
    int64_t told_refused; /* when it was last told that it is refused too much */
};

struct peers;

/* peers_load - all that the store knows. Freed with peers_free. Returns what the store returns. */
enum status peers_load(struct store *store, struct peers **ret);
void peers_free(struct peers **peers);

/* peers_reload - take back whatever was not committed. */
enum status peers_reload(struct peers *peers, struct store *store);

/* peers_save - write those that changed, within a transaction. */
enum status peers_save(struct peers *peers, struct store *store);

/* peers_find - a member by id; NULL when the store has never counted it. */
struct peer *peers_find(struct peers *peers, struct byte_view id);

/* peers_take - the same, counting it from now on; NULL without memory or beyond STORE_NUMBER_MAX. */
struct peer *peers_take(struct peers *peers, struct byte_view id);

/* peers_number - by number; NULL when there is none. */
struct peer *peers_number(struct peers *peers, uint32_t number);

/* peers_connection - who is on that connection; NULL: nobody. */
struct peer *peers_connection(struct peers *peers, uint64_t connection);

/* peers_count, peers_at - all of them, by position. */
size_t peers_count(const struct peers *peers);
struct peer *peers_at(struct peers *peers, size_t position);

/* peers_entry - the current certificate of a member at now; NULL when none is usable. */
const struct directory_entry *peers_entry(struct peer *peer, const struct rulebook *rulebook, int64_t now);

/* peers_forget_entries - after a bundle came into force. */
void peers_forget_entries(struct peers *peers);

/* peers_land - forget one flight, or (NULL) all; the number of events that were on their way is given back.
 */
size_t peers_land(struct peer *peer, struct flight *flight);

/*
 * peers_settle - no receipt is waited for any more for these places of a slice.
 *
 * ret_whole  whether a flight held all that was live in the slice and none of it is left
 *
 * Returns how many events are no longer on their way.
 */
size_t peers_settle(struct peer *peer, struct store_slice_key key,
                    const uint8_t places[static STORE_MASK_SIZE], bool *ret_whole);

/* peers_count_minute - begin the counts of a minute anew when the last one is over. */
void peers_count_minute(struct peer *peer, int64_t now);
/* peers_flies - whether this place of a slice was handed over on the present connection and has no receipt.
 */
bool peers_flies(const struct peer *peer, struct store_slice_key key, size_t place);

/* peers_restart - everything without a receipt will be handed over again. Gives back what peers_land does. */
size_t peers_restart(struct peer *peer);
