#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "certs/archive.h"
#include "certs/keystore.h"
#include "proto/envelope.h"

/*
 * A load for the real broker: senders and recipients with real certificates in one process. Senders and
 * recipients are two threads; what they share are the two atomic arrays of times and a counter.
 */

#define LOAD_SENDERS_MAX 16
#define LOAD_RECIPIENTS  3

struct load_options {
    const char *root;     /* folder of the partnership: agents/ID */
    const char *endpoint; /* of the broker */
    const char *pnc;      /* whom the events are about */
    size_t senders;
    size_t events;  /* in all; a multiple of senders * batch */
    size_t batch;   /* events in a frame */
    size_t window;  /* events of one sender that wait for their outcome */
    size_t backlog; /* sections accepted and not yet receipted, beyond which nobody sends; 0: no cap */
    double rate;    /* open loop: events a second of all senders; 0: as fast as the window allows */
    bool live;      /* seal while running, not beforehand */
    bool whole;     /* nobody sends before everything sent has come to all recipients */
};

/* One member as this process plays it. */
struct load_party {
    const char *member;
    struct keystore *keystore;
    const struct directory_entry *entry;
    struct batch_signer signer;
    void *socket;
};

struct load {
    struct load_options options;
    struct bundle *bundle;
    void *context;
    struct load_party senders[LOAD_SENDERS_MAX];
    struct load_party recipients[LOAD_RECIPIENTS]; /* ascending by member */
    uint8_t subject[36];
    uint64_t run;               /* seconds since the epoch: later runs have greater event ids */
    int64_t *sent;              /* by event number: nanoseconds, monotonic; written by the senders' thread */
    int64_t *confirmed;         /* when its outcome came; likewise */
    int64_t *delivered;         /* when its last section came; written by the recipients' thread */
    _Atomic uint64_t receipted; /* sections whose receipts the broker has stored */
    _Atomic uint64_t arrived;   /* events that all recipients have */
    _Atomic bool failed;
    int wake;             /* eventfd: something was received or receipted */
    int64_t spent_before; /* processor nanoseconds of this process before the first event */
    size_t frame_bytes;   /* of one event on its way in, on average */
};

/* load_fail - say why on stderr and end the run. */
void load_fail(struct load *load, const char *what, const char *detail);

/* load_now - monotonic nanoseconds. */
int64_t load_now(void);

/* load_spent - processor time of this process so far, all threads, nanoseconds. */
int64_t load_spent(void);

/* load_open - reads this member's keys and the bundle, connects, and is welcomed by the broker. False after
 * load_fail. */
bool load_open(struct load *load, const char *member, struct load_party *party);

/* load_events - build event numbers first .. first + n - 1 of a sender as one Publish frame. */
enum status load_events(struct load *load, const struct load_party *sender, uint64_t first, size_t n,
                        struct hpke_sender *const *contexts, uint8_t (*enc)[32], struct byte_buffer *ret);

/* load_send, load_receive - the two threads. */
void *load_send(void *load);
void *load_receive(void *load);

/* load_number - the event number that load_events wrote into an event id. */
uint64_t load_number(const uint8_t event[static 16]);
