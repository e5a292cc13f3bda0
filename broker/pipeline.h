#pragma once

#include "base/bytes.h"
#include "base/clock.h"
#include "certs/bundle.h"

/*
 * What happens to a member's frame once the gate has let it in, in threads of its own:
 *
 *   pipeline_submit -> verify workers -> store thread (decides, one transaction for all that waits) ->
 * pipeline_take
 *
 * Frames are handled in the order in which they were submitted, but for receipts and reports: their order
 * among themselves is kept, and other frames may overtake them. Nothing is answered or delivered before it is
 * committed and synced. All functions but pipeline_start and pipeline_stop belong to the one thread that owns
 * the sockets, and none of them waits for the disk.
 *
 * The gate itself answers Hello and BundleRequest. What else an agent says comes here: PlanRequest, Publish,
 * Fetch, ReceiptBatch, ReportBatch, Cosignature, LogRequest (answered by a thread of its own, proving.h);
 * Query and QueryNext are the gate's own (queries.h). Malformed bytes are answered with Error.
 *
 * Where a test build can be made to die (base/crash.h):
 *   broker.intake            a frame was submitted
 *   broker.verified          a worker is done with a frame
 *   broker.before_group      frames wait, nothing is written yet
 *   broker.before_records    rows and records are written in the open transaction, the log's head is not
 *   broker.before_commit     all is written, nothing committed
 *   broker.after_commit      committed, nobody told
 *   broker.before_sign       the log is about to be signed
 *   broker.after_sign        signed
 *   broker.after_answers     answers are handed to the gate, deliveries are not
 *   broker.after_deliveries  everything of the group is handed to the gate
 */
struct pipeline;
struct keystore;

#define PIPELINE_WORKERS_MAX 16

/* Everything here is a setting; pipeline_limits() gives the usual values. Periods are milliseconds. */
struct pipeline_limits {
    unsigned verify_workers;      /* 2, at most PIPELINE_WORKERS_MAX */
    size_t intake_frames;         /* 4,096 frames submitted and not yet stored */
    size_t intake_bytes;          /* 16 MiB of them */
    size_t group_frames;          /* 1,024 frames in one transaction */
    size_t group_bytes;           /* 16 MiB */
    size_t outgoing_bytes;        /* 16 MiB of frames that the gate has not taken yet; then deliveries wait */
    uint32_t credit;              /* 1,024 events on their way to one member */
    size_t in_flight;             /* 65,536 events on their way to all members */
    uint32_t frames_per_second;   /* 2,000 a member */
    uint32_t plans_per_minute;    /* 60,000 events planned a member */
    uint32_t refusals_per_minute; /* 600 events refused a member; then its publishes are busy */
    uint32_t gaps_per_minute;    /* 60,000 recipients refused of accepted events a member, beyond one of each;
                                    then    its publishes are busy */
    uint32_t reports_per_minute; /* 12,000 reports a member; then it is told to wait */
    uint32_t log_entries_per_minute; /* 12,000 entries with log proofs a member; then it is told to wait */
    uint64_t undelivered_sections;   /* 1,000,000 of one sender's; then its publishes are busy */
    uint64_t disk_floor;             /* 64 MiB free, below which publishes are busy */
    int64_t receipts_wait;           /* 10: what only acknowledges waits at most so long for company */
    int64_t consulted_after;         /* 5 minutes: a plan without a publish */
    int64_t refusal_repeats;         /* 60 s: identical refusals are counted this long */
    int64_t sign_every;              /* 250 */
    int64_t cosign_every; /* 30 s: how often witnesses are offered a checkpoint, unless one is waited for */
    int64_t look_every;   /* 60 s: how often the clocks of undelivered sections are looked at */
    int64_t retention_every; /* a day: how often the log is looked through for what is past its retention */
    int64_t count_every;     /* a day: how often each member's entries are counted in the log; 0: never */
    int64_t remind_every;    /* a day: how often an unconfirmed correction is asked for again */
};

struct pipeline_limits pipeline_limits(void);

struct pipeline_options {
    const char *folder;              /* of the broker */
    const struct keystore *keystore; /* its keys; borrowed until pipeline_stop */
    struct bundle *bundle;           /* in force; borrowed during the call, shared by the pipeline */
    const struct clock *clock;       /* copied */
    struct pipeline_limits limits;
    bool memory; /* keep everything in memory: for tests */
};

/* Why the pipeline did not start, or died: one sentence for people. */
struct pipeline_reason {
    char text[512];
};

/*
 * pipeline_start - open the store and the log in the folder, check them, start the threads. A bundle that is
 * new to the store is logged (bundle loaded, members added and revoked) before anything else.
 *
 * ret  ended with pipeline_stop
 *
 * Returns what opening the databases and the log's start-up check return, STATUS_BAD_FORMAT when the bundle's
 * catalogue or a protocol does not load, STATUS_NO_MEMORY. ret_reason is filled in then. Blocks on the disk.
 */
enum status pipeline_start(const struct pipeline_options *options, struct pipeline **ret,
                           struct pipeline_reason *ret_reason);

/* pipeline_stop - finish what was submitted, sign the log, close everything. Frames not taken are dropped
 * (they will be delivered again). Blocks. Accepts NULL and leaves NULL. */
void pipeline_stop(struct pipeline **pipeline);

/* A frame from a member, as the gate received it. */
struct pipeline_frame {
    uint64_t connection;    /* the gate's own number for it, never 0 and never used again */
    const char *member;     /* who sent it, from the authenticated connection */
    uint64_t request;       /* its number as far as the gate could read it, for an Error; otherwise 0 */
    struct byte_view bytes; /* copied */
};

/*
 * pipeline_submit - hand a frame over.
 *
 * Returns STATUS_BUSY when too much is waiting or the member sends more than its share (answer Error
 * NOT_NOW), STATUS_TOO_LARGE for more than WIRE_FRAME_LIMIT, STATUS_NO_MEMORY or STATUS_CLOSED.
 */
enum status pipeline_submit(struct pipeline *pipeline, const struct pipeline_frame *frame);

/*
 * pipeline_connected - a member said hello on this connection; deliveries go there from now on (after a Fetch
 * gave credit), and no longer to another connection of the same member. Everything on its way that has no
 * receipt yet will be delivered again. checkpoint is the note that the hello showed, copied; or empty.
 * pipeline_disconnected - the connection is gone, or a frame could not be sent on it; unknown ones are
 * ignored.
 * Both keep their place in the order of submitted frames, receipts and reports aside. STATUS_BUSY (tens of
 * thousands wait already), STATUS_NO_MEMORY or STATUS_CLOSED.
 */
enum status pipeline_connected(struct pipeline *pipeline, uint64_t connection, const char *member,
                               struct byte_view checkpoint);
enum status pipeline_disconnected(struct pipeline *pipeline, uint64_t connection);

/*
 * pipeline_incident - something that a member did and that must not happen is logged, once a process for the
 * same member, word and sentence. word is static text (docs/log-format.md, "Kinds"). Errors as the two above.
 */
enum status pipeline_incident(struct pipeline *pipeline, const char *member, const char *word,
                              const char *sentence);

/*
 * pipeline_bundle - a newer bundle, already verified and archived, comes into force: logged, undelivered
 * sections decided again. bundle is shared by the pipeline. Unless STATUS_OK the old bundle stays in force
 * and ret_reason is filled in: STATUS_BAD_FORMAT when its catalogue or a protocol does not load, STATUS_BUSY,
 * STATUS_NO_MEMORY or STATUS_CLOSED. PIPELINE_BUNDLE comes out once it is in force.
 */
enum status pipeline_bundle(struct pipeline *pipeline, struct bundle *bundle,
                            struct pipeline_reason *ret_reason);

/*
 * pipeline_control - a JSON request that needs the store thread; PIPELINE_CONTROL comes out with this token
 * and the JSON answer. STATUS_BUSY, STATUS_NO_MEMORY or STATUS_CLOSED.
 *
 *   {"do":"status"}                                         counters, see docs/operations.md
 *   {"do":"confirm-erasure","event":ID,"officer":TEXT,"how":TEXT,"from":MEMBER?}   an erasure that its sender
 * asked for is done
 *   {"do":"log-query","officer":TEXT,"question":TEXT,"from":MEMBER?,"refused":TEXT?}   logs an `audit-query`
 * entry; {"index":N} once it is committed: only then may the search be answered, or its refusal told
 *   {"do":"lift","officer":TEXT,"event":ID,"from":MEMBER?}  settles a break-glass use that nobody confirmed;
 * logged;
 *                                                           {"lifted":true}
 *   {"do":"aggregate","officer":TEXT,"month":"YYYY-MM","protocol":ID?}  counts for those who get no event;
 * logged;
 *                                                           {"note":TEXT}, a signed note
 * A request that is none of these, or went wrong: {"error":SENTENCE}
 */
enum status pipeline_control(struct pipeline *pipeline, uint64_t token, struct byte_view json);

enum pipeline_kind {
    PIPELINE_FRAME,      /* send bytes on connection */
    PIPELINE_CONTROL,    /* bytes is the JSON answer to token */
    PIPELINE_BUNDLE,     /* the bundle given to pipeline_bundle is in force */
    PIPELINE_CHECKPOINT, /* bytes is the newest checkpoint note, for Welcomes */
    PIPELINE_ALERT,      /* bytes is one sentence that whoever runs the broker must be told at once */
    PIPELINE_FATAL,      /* bytes is one sentence: the process must end with code 3; nothing else will come */
};

/* What comes out. */
struct pipeline_out {
    enum pipeline_kind kind;
    uint64_t connection; /* PIPELINE_FRAME */
    uint64_t token;      /* PIPELINE_CONTROL */
    const char *member;  /* PIPELINE_FRAME: to whom; check it against the live directory before sending */
    struct byte_view bytes;
};

/* pipeline_fd - readable while there is something to take; for poll. Belongs to the pipeline. */
int pipeline_fd(const struct pipeline *pipeline);

/* pipeline_take - up to limit of what comes out, in order, without waiting; returns how many. Each is freed
 * with pipeline_out_free. */
size_t pipeline_take(struct pipeline *pipeline, struct pipeline_out **ret_out, size_t limit);

/* pipeline_out_free - accepts NULL and leaves NULL. */
void pipeline_out_free(struct pipeline *pipeline, struct pipeline_out **out);
