#pragma once

#include "agent/agent.h"
#include "agent/arrival.h"
#include "proto/wire_codec.h"

/*
 * The inbox: what others told us, sealed at rest, each event once. A row stays as a tombstone when its
 * contents are gone (recalled), until its retention ends.
 */
extern const char inbox_schema[];

enum inbox_state {
    INBOX_STORED,
    INBOX_QUARANTINED,
    INBOX_RECALLED,
    INBOX_SUPERSEDED,
    INBOX_RETRACTED, /* its sender took it back: the contents are gone */
    INBOX_ERASED,    /* the same, because the person's data had to be erased */
};
#define INBOX_STATES 6

/* inbox_state_text - "stored" …; static storage. */
const char *inbox_state_text(enum inbox_state state);

/*
 * inbox_store - keep one verified event as it was judged, and what follows from it: the receipt for it, the
 * list of people, what it supersedes, a report when it goes into quarantine. Inside a transaction. An event
 * that is here already only gets its receipt again.
 *
 * from  the member that the delivery names and whose signature was verified
 */
enum status inbox_store(struct agent *agent, struct byte_view from, const struct envelope_delivered *event,
                        const struct arrival *arrival, int64_t now);

/* inbox_known - is an event of this sender here already? */
enum status inbox_known(struct agent *agent, struct byte_view from, const uint8_t event[static UUID_SIZE],
                        bool *ret_known);

/* inbox_escalated - the broker says that nobody here has acknowledged this urgent event in time: flagged, and
 * an alert for our duty contact. Inside a transaction. */
enum status inbox_escalated(struct agent *agent, struct byte_view from, const uint8_t event[static UUID_SIZE],
                            int64_t at);

/* inbox_receipted - the broker has stored our receipt for it. Inside a transaction. */
enum status inbox_receipted(struct agent *agent, struct byte_view from, const uint8_t event[static UUID_SIZE],
                            int64_t now);

/* inbox_recall - delete what we hold of an event, keep a tombstone, report it done. What was receipted more
 * than a day ago is no longer on its way: it stays, and that is told (incidents). Inside a transaction. */
enum status inbox_recall(struct agent *agent, struct byte_view from, const uint8_t event[static UUID_SIZE],
                         int64_t now);

/* inbox_removed - the person left the protocol's list: what we hold ends when the protocol says, counted from
 * now, unless it ends earlier by its rule. Inside a transaction. */
enum status inbox_removed(struct agent *agent, struct byte_view protocol,
                          const uint8_t subject[static CORE_SUBJECT_SIZE], int64_t now);

/* inbox_forget - delete what has reached the end of its retention. Inside a transaction. */
enum status inbox_forget(struct agent *agent, int64_t now);
