#pragma once

#include "agent/agent.h"
#include "agent/draft.h"
#include "agent/outbox.h"
#include "agent/session.h"
#include "policy/decide.h"
#include "proto/core.h"
#include "proto/digest.h"
#include "proto/merkle.h"
#include "proto/wire_codec.h"
#include "tests/support/partnership.h"

/*
 * Real agents in folders of their own, and a broker in memory that plans, accepts and delivers with the
 * shipped protocol, and that can be told to misbehave. No sockets: frames go from queue to queue until
 * nothing moves. Every function fails the test when something does not work.
 */
enum postroom_member {
    POSTROOM_POLICE,
    POSTROOM_DOVEGATE,
    POSTROOM_PROBATION,
    POSTROOM_DRUGS,
    POSTROOM_MEMBERS
};

#define POSTROOM_EVENTS 128
#define POSTROOM_PEOPLE 16
#define POSTROOM_QUEUE  1024
#define POSTROOM_PNC    "2003/9391423N"
#define POSTROOM_ADULT  "1971-09-16"

/* How the broker misbehaves. All zero: it does not. */
struct postroom_faults {
    bool widen;            /* every plan grants probation another label */
    bool narrow;           /* every plan leaves the last grant out */
    bool hide_grounds;     /* plans show none */
    bool break_grounds;    /* one bit of each ground's header is changed */
    bool hide_ages;        /* grounds do not show the attribute juvenile */
    bool other_subject;    /* grounds of another person are shown */
    unsigned stale;        /* so many outcomes are STALE */
    unsigned busy;         /* so many are BUSY */
    unsigned lose_answers; /* so many PublishAnswers are lost after committing */
    bool deliver_twice;
    bool flip_section;   /* one bit of each delivered section */
    bool forge_receipts; /* one bit of each forwarded receipt */
    bool hold_receipts;  /* none is forwarded */
};

struct postroom_event {
    enum postroom_member from;
    struct core core;
    struct byte_buffer header; /* core borrows it */
    struct byte_buffer opening;
    uint8_t certificate[32];
    uint8_t signature[64];
    uint32_t index;
    uint32_t count;
    struct digest path[MERKLE_PATH_MAX];
    size_t path_length;
    int64_t committed;
    size_t section_count;
    enum postroom_member to[POSTROOM_MEMBERS];
    struct byte_buffer sections[POSTROOM_MEMBERS];
    bool delivered[POSTROOM_MEMBERS]; /* handed out on this connection */
    bool receipted[POSTROOM_MEMBERS];
};

struct postroom {
    struct partnership *partnership;
    struct keystore *broker;
    struct agent *agents[POSTROOM_MEMBERS];
    struct session *sessions[POSTROOM_MEMBERS];
    char folders[POSTROOM_MEMBERS][256];
    bool connected[POSTROOM_MEMBERS];
    uint32_t credit[POSTROOM_MEMBERS];
    int64_t now;
    struct postroom_faults faults;
    struct membership *rules; /* the broker's own copy */
    struct wire_arena arena;
    size_t queued;
    struct {
        enum postroom_member from;
        struct byte_buffer bytes;
    } queue[POSTROOM_QUEUE];
    size_t event_count;
    struct postroom_event events[POSTROOM_EVENTS];
    size_t people_count;
    struct {
        uint8_t subject[CORE_SUBJECT_SIZE];
        struct register_state state;
    } people[POSTROOM_PEOPLE];
    uint64_t receipt_batches;
    size_t publishes; /* frames of each kind that came */
    size_t plans;
    size_t receipts;
    size_t reports;
    struct policy_decision decision;
};

struct postroom *postroom_open(void); /* everybody joined and connected */
void postroom_close(struct postroom **room);

/* postroom_run - until nothing moves, time passing as agents wait for it, at most an hour. */
void postroom_run(struct postroom *room);

void postroom_connect(struct postroom *room, enum postroom_member member);
void postroom_disconnect(struct postroom *room, enum postroom_member member);

/* postroom_restart - the agent's process dies and starts again (disconnected and connected). */
void postroom_restart(struct postroom *room, enum postroom_member member);

/* postroom_bundle - the next bundle comes into force at the broker. edits of the shipped protocol, or NULL.
 */
struct policy_edit;
void postroom_bundle(struct postroom *room, const struct policy_edit *edits);

/* postroom_send - a frame from the broker. */
void postroom_send(struct postroom *room, enum postroom_member to, const Wire__Frame *frame);

/*
 * postroom_queue - queue an event about the person with that PNC id, or in answer to re (16 bytes). values:
 * "strand=catch_convict;name=A Person". STATUS_OK or STATUS_REFUSED, then postroom_reason says why.
 */
enum status postroom_queue(struct postroom *room, enum postroom_member from, const char *type,
                           const char *pnc, const uint8_t *re, const char *values,
                           uint8_t ret_event[static UUID_SIZE]);
const char *postroom_reason(void);

/* postroom_publish - queued and run; expects it to be queued. */
void postroom_publish(struct postroom *room, enum postroom_member from, const char *type, const char *values,
                      uint8_t ret_event[static UUID_SIZE]);

/* postroom_list - police list the person of POSTROOM_PNC, born on POSTROOM_ADULT; probation's inbox etc.
 * follow.
 */
void postroom_list(struct postroom *room);

/* postroom_state - of an event of that member. */
enum outbox_state postroom_state(struct postroom *room, enum postroom_member member,
                                 const uint8_t event[static UUID_SIZE]);

/* postroom_inbox - the inbox as text, one line an event: "TYPE STATE LABEL,LABEL\n". Static storage. */
const char *postroom_inbox(struct postroom *room, enum postroom_member member);

/* postroom_incidents - how many incidents an agent has that hold this text. */
size_t postroom_incidents(struct postroom *room, enum postroom_member member, const char *text);
