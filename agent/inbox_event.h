#pragma once

#include "agent/inbox.h"
#include "proto/items.h"

/* One event as it is kept; borrows `kept`. */
struct inbox_event {
    int64_t id;
    enum inbox_state state;
    enum arrival_reason reason;
    bool late;
    bool opened;            /* a person has looked at it */
    int64_t acknowledge_by; /* urgent; otherwise 0 */
    int64_t acknowledged;   /* when, or 0 */
    int64_t escalated;      /* when, or 0 */
    bool is_corrected;
    uint8_t correction[UUID_SIZE]; /* the last event that corrected, retracted or erased it */
    bool has_successor;
    uint8_t successor[UUID_SIZE]; /* the event of the same sender that replaces it */
    int64_t received;
    int64_t until;
    char sender[MEMBER_ID_LENGTH + 1];
    uint8_t header[HEADER_DIGEST_SIZE];
    bool has_content; /* core, rule and labels are there */
    struct core core;
    struct byte_view rule;
    size_t label_count;
    struct byte_view labels[ITEMS_MAX];
    size_t item_count; /* 0 in quarantine */
    struct item items[ITEMS_MAX];
    struct byte_buffer kept; /* secret */
};

/* inbox_event_next - the event after the cursor in the order of arrival; *cursor 0 at first. STATUS_NOT_FOUND
 * at the end, STATUS_BAD_SEAL or STATUS_CORRUPT, or as base/db.h. Freed with inbox_event_free. */
enum status inbox_event_next(struct agent *agent, int64_t *cursor, struct inbox_event *ret);

/* inbox_event_find - by event id, whoever sent it. Errors as inbox_event_next. */
enum status inbox_event_find(struct agent *agent, const uint8_t event[static UUID_SIZE],
                             struct inbox_event *ret);

/* inbox_event_of - the same of one sender. */
enum status inbox_event_of(struct agent *agent, struct byte_view sender,
                           const uint8_t event[static UUID_SIZE], struct inbox_event *ret);

/* inbox_event_person - by what rows about a person under a protocol are found. */
void inbox_event_person(const struct agent *agent, struct byte_view protocol,
                        const uint8_t subject[static CORE_SUBJECT_SIZE],
                        uint8_t out[static VAULT_LOOKUP_SIZE]);

/* inbox_event_about - as inbox_event_next, of those about that person under that protocol. */
enum status inbox_event_about(struct agent *agent, struct byte_view protocol,
                              const uint8_t subject[static CORE_SUBJECT_SIZE], int64_t *cursor,
                              struct inbox_event *ret);

/* inbox_event_empty - nothing is kept of it, and of what corrected it, but that it was here (INBOX_RECALLED).
 * inbox_event_empty_corrections: only the latter. Inside a transaction. */
enum status inbox_event_empty_corrections(struct agent *agent, const struct inbox_event *event);
enum status inbox_event_empty(struct agent *agent, const struct inbox_event *event);

void inbox_event_free(struct inbox_event *event); /* wipes */

/* inbox_event_opened - a person looked at it: reported once for each officer and day. Inside a transaction.
 */
enum status inbox_event_opened(struct agent *agent, const struct inbox_event *event, const char *officer,
                               int64_t now);

/* inbox_event_acknowledged - somebody says that they took note of it, without opening it: reported once.
 * Inside a transaction. STATUS_REFUSED for what is in quarantine or was recalled. */
enum status inbox_event_acknowledged(struct agent *agent, const struct inbox_event *event,
                                     const char *officer, int64_t now);

/* What stands in the inbox: rows by enum inbox_state; those late by our own comparison; urgent ones that
 * nobody has opened or acknowledged. */
struct inbox_counts {
    int64_t by_state[INBOX_STATES];
    int64_t late;
    int64_t unacknowledged;
};
enum status inbox_event_counts(struct agent *agent, struct inbox_counts *ret);
