#pragma once

#include "broker/batches.h"
#include "broker/glass.h"
#include "broker/holding.h"
#include "broker/incidents.h"
#include "broker/index.h"
#include "broker/job.h"
#include "broker/logbook.h"
#include "broker/outgoing.h"
#include "broker/peers.h"
#include "broker/plans.h"
#include "broker/proving.h"
#include "broker/records.h"
#include "broker/repeats.h"
#include "broker/signing.h"
#include "broker/subjects.h"
#include "broker/tally.h"
#include "broker/witnessing.h"
#include "policy/decide.h"

/*
 * The store thread's state, and the order in which one group of frames is handled: decide and write each,
 * commit once, then answer and deliver. Everything here belongs to that one thread.
 *
 * Functions that handle a job return STATUS_OK whenever the frame was dealt with, whatever was answered; any
 * other status ends the group: STATUS_NO_SPACE and STATUS_NO_MEMORY roll it back and answer "busy", the rest
 * is fatal.
 */
#define ENGINE_OLD_HEADS 8

struct engine {
    struct pipeline_limits limits;
    const char *folder;
    struct store *store;
    struct logbook *logbook;
    struct signing *signing; /* NULL: this thread signs */
    struct index *index;     /* NULL: none */
    struct outgoing_queue *outgoing;
    struct rulebook *rulebook;
    struct party_set active[BUNDLE_PROTOCOLS_MAX];
    int64_t active_until; /* when certificates are looked at again */
    struct peers *peers;
    struct subjects *subjects;
    struct batches *batches;
    struct plans *plans;
    struct repeats *repeats;
    struct glass *glass;
    struct tally *tally;
    struct proving *proving; /* NULL: in memory */
    struct witnessing *witnessing;
    struct incidents incidents;
    uint64_t next_batch;
    uint64_t started_after; /* the last batch before this process; who was handed it is not known */
    bool confirmed_more;    /* senders have confirmed forwarded receipts since that was last written down */
    size_t in_flight;       /* events handed over without a receipt, to all */
    int64_t now;            /* of this group; never goes back */
    bool disk_full;
    bool erasing_last;      /* the last step of an erasure was begun */
    bool forgetting;        /* something was erased: the write-ahead log is to be emptied */
    bool starving;          /* deliveries wait for the gate to take what there is */
    int64_t contained_told; /* when it was last said that something due could not be done */
    bool bundle_due;        /* the rulebook in force could not be written down yet */
    int64_t disk_looked;
    int64_t last_signed;
    int64_t count_at;   /* when members' entries are counted again; 0: to be looked up */
    bool unsigned_told; /* that the log cannot be signed */
    char problem[320];  /* why the process must end although the store is well; empty: it need not */
    uint64_t told_size; /* the checkpoint note that the gate has: its size, and its bytes */
    size_t told_bytes;
    int64_t looked; /* when the last round through the clocks of undelivered sections began */
    bool looking;   /* it is under way, and got to */
    struct store_slice_key look_after;
    int64_t new_log_at; /* when a new log began, while what it lost may still be published again; 0: not */
    size_t head_count;  /* of bundles under which that was sealed */
    uint8_t heads[ENGINE_OLD_HEADS][DIGEST_SIZE];
    struct holding holding; /* of the database's file, while it is copied */
    bool expiring;          /* a round of retention through the log is under way; */
    int64_t expiring_since;
    bool expired_last; /* its last step was begun */
    uint64_t accepted;
    uint64_t refused;
    uint64_t delivered;

    /* This group's. */
    bool writing;         /* a transaction is open */
    struct job *handling; /* under way; NULL: none */
    uint64_t feed_first;
    struct outgoing **answers; /* to be handed over after the commit */
    size_t answer_count;
    size_t answer_room;

    /* Room to work in. */
    struct records records;
    struct policy_decision *decision;
    uint64_t target_entry; /* of a correction: the `accepted` entry of the event that it is about */
    uint32_t correlated;   /* number of the sender of the event that was found to be answered; 0: none */
    struct byte_buffer scratch;
    struct byte_buffer body;
    struct job *second; /* for events that are looked at again; its arena is that job's own */
    struct wire_arena second_arena;
};

struct engine_options {
    const struct pipeline_limits *limits;
    const char *folder; /* NULL: in memory, no disk to fill */
    struct store *store;
    struct logbook *logbook;
    struct index *index;
    struct outgoing_queue *outgoing;
    struct rulebook *rulebook; /* shared */
    int64_t now;
};

/* engine_new - everything borrowed but the rulebook; logs a bundle that the store has not seen. Freed with
 * engine_free. Returns what the store and the log return. */
enum status engine_new(const struct engine_options *options, struct engine **ret);
void engine_free(struct engine **engine);

/*
 * engine_group - handle these jobs in order, in one transaction, then answer and deliver. Keeps nothing of
 * them. Returns STATUS_OK also for a group that was answered "busy" as a whole; anything else is fatal.
 */
enum status engine_group(struct engine *engine, struct job **jobs, size_t count, int64_t now);

/* engine_tick - what is due at now without a frame: plans that nobody followed, refusals that were counted,
 * deliveries that waited, the log's signature. Errors as engine_group. */
enum status engine_tick(struct engine *engine, int64_t now);

/* engine_close - before the end: log what is pending, sign the log. Errors as engine_group. */
enum status engine_close(struct engine *engine, int64_t now);

/* engine_write - make sure that a transaction is open. */
enum status engine_write(struct engine *engine);

/* engine_answer - keep an answer until the group is committed. engine_answer_frame: one to a job's sender. */
enum status engine_answer(struct engine *engine, struct outgoing *outgoing);
enum status engine_answer_frame(struct engine *engine, const struct job *job, Wire__Frame__VerbCase verb,
                                struct byte_view body);
enum status engine_answer_error(struct engine *engine, const struct job *job, Wire__ErrorCode code,
                                const char *text);

/* engine_records - begin a row of log records; then records_add …, then engine_append. */
struct records *engine_records(struct engine *engine, const uint8_t *salts, size_t salt_count);
enum status engine_append(struct engine *engine);

/* engine_active - the parties of a protocol that have a usable certificate. */
const struct party_set *engine_active(const struct engine *engine, const struct rulebook_protocol *protocol);
