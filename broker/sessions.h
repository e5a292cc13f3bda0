#pragma once

#include "broker/pipeline.h"
#include "broker/roster.h"
#include "broker/say.h"
#include "proto/wire_codec.h"

/*
 * What members send, and what is sent to them: each message is traced to a certificate that is usable in the
 * live directory at that moment, hellos and bundle requests are answered here, everything else goes to the
 * pipeline, and what comes out of it goes to the connection on which its member said hello. One thread;
 * nothing waits.
 */
struct sessions;

/* Numbers since the start, for status. */
struct sessions_counters {
    uint64_t admitted;    /* handshakes */
    uint64_t turned_away; /* handshakes: unknown, revoked or expired keys */
    uint64_t received;    /* messages */
    uint64_t submitted;   /* of them to the pipeline */
    uint64_t busy;        /* of them answered NOT_NOW */
    uint64_t refused;     /* of them malformed, before a hello, or not allowed */
    uint64_t sent;        /* frames of the pipeline that left */
    uint64_t unsent;      /* frames of the pipeline whose peer did not read, or was gone */
};

struct sessions_options {
    struct router *router;     /* borrowed */
    struct pipeline *pipeline; /* borrowed */
    struct bundle *bundle;     /* in force; shared */
    uint32_t credit;           /* the largest, for Welcome */
    struct say *say;           /* borrowed */
};

/* The two clocks of a turn: dates, and what never jumps (milliseconds each). */
struct sessions_time {
    int64_t now;
    int64_t elapsed;
};

/* sessions_new - ret is freed with sessions_free. STATUS_NO_MEMORY. */
enum status sessions_new(const struct sessions_options *options, struct sessions **ret);
void sessions_free(struct sessions **sessions);

/* sessions_admit - answer up to limit handshakes. */
void sessions_admit(struct sessions *sessions, struct sessions_time time, size_t limit);

/* sessions_receive - handle up to limit messages. Returns how many there were. */
size_t sessions_receive(struct sessions *sessions, struct sessions_time time, size_t limit);

/* sessions_send - a PIPELINE_FRAME on its way out. */
void sessions_send(struct sessions *sessions, struct sessions_time time, const struct pipeline_out *out);

/* A Query or QueryNext, checked in its form and within the member's share. */
struct sessions_query {
    uint64_t connection;
    const char *member;
    const Wire__Frame *frame; /* valid during the call */
};
typedef void sessions_take_query(void *context, struct sessions_time time,
                                 const struct sessions_query *asked);

/* sessions_on_query - to whom they go; without, they are answered UNSUPPORTED. */
void sessions_on_query(struct sessions *sessions, sessions_take_query *take, void *context);

/* sessions_adopt - from now on this bundle says who may connect and speak; shared. Who may not any more is
 * told, and forgotten. */
void sessions_adopt(struct sessions *sessions, struct sessions_time time, struct bundle *bundle);

/* sessions_checkpoint - the newest checkpoint note of the log, copied: Welcomes carry it from now on. */
void sessions_checkpoint(struct sessions *sessions, struct byte_view note);

/* sessions_announce - an unasked Welcome with the bundle in force to every member that said hello. */
void sessions_announce(struct sessions *sessions, struct sessions_time time);

/* sessions_tick - about once a second: tell those whom a frame did not reach to say hello again. */
void sessions_tick(struct sessions *sessions, struct sessions_time time);

struct bundle *sessions_bundle(const struct sessions *sessions);
const struct sessions_counters *sessions_counters(const struct sessions *sessions);
const struct roster *sessions_roster(const struct sessions *sessions);
