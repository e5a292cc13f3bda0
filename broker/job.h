#pragma once

#include "base/mailbox.h"
#include "broker/rulebook.h"
#include "policy/request.h"
#include "proto/envelope.h"
#include "proto/receipt.h"

/*
 * What passes between the pipeline's threads: a frame with what a verify worker found out about it, or a word
 * from the gate that keeps its place among the frames.
 */
enum job_kind {
    JOB_FRAME,
    JOB_CONNECTED,
    JOB_DISCONNECTED,
    JOB_BUNDLE,   /* rulebook comes into force */
    JOB_CONTROL,  /* bytes is a JSON request */
    JOB_INCIDENT, /* error is its word, bytes its sentence */
    JOB_WAKE,     /* nothing but a reason to look round */
};

/*
 * Order is kept within a lane, and not between them: what only acknowledges may be overtaken. A receipt can
 * always be late, so nothing rests on its order among other frames.
 */
enum job_lane {
    JOB_LANE_MAIN,
    JOB_LANE_RECEIPTS, /* receipts and reports */
    JOB_LANES,
};

/* An event as policy sees it, before any fact about its subject is looked at. */
struct job_event {
    const struct rulebook_protocol *protocol; /* NULL: not in the bundle */
    const char *problem;                      /* why it can never be accepted; NULL: nothing found */
    struct policy_request request;            /* when there is no problem */
    const struct job_section *sections;       /* one a part; publishes only */
};

/* A section's outside, compared with nothing yet. */
struct job_section {
    struct label_set labels;
    const char *problem; /* labels unknown, out of order, or a size that no content has; or NULL */
};

struct job {
    enum job_kind kind;
    enum job_lane lane;
    uint64_t sequence; /* in its lane */
    struct job *later; /* in the intake, or in the list of those that wait for their turn */
    uint64_t connection;
    uint64_t token;
    uint64_t request; /* of a frame, as the gate read it */
    char member[MEMBER_ID_LENGTH + 1];
    struct byte_buffer bytes;
    struct rulebook *rulebook; /* that it was verified under; of JOB_BUNDLE: the new one */

    /* What the worker found; all of it lives in the arena. */
    struct wire_arena *arena;
    const Wire__Frame *frame; /* NULL when it does not even unpack */
    const char *error;        /* the frame as a whole is answered with this sentence; or NULL */
    Wire__ErrorCode error_code;
    const struct directory_entry *signer; /* of a publish, receipts or reports */
    struct envelope_published published;
    struct core *cores;           /* of a plan request's items */
    struct job_event *events;     /* of a publish or plan request */
    struct receipt *receipts;     /* of a receipt batch */
    struct merkle_batch *tree;    /* over the receipts or reports */
    uint8_t digest[DIGEST_SIZE];  /* of the signed receipt or report batch */
    const Wire__Report **reports; /* of a report batch */
    size_t why_room;              /* bytes for what the answer to a publish says about one event */
    size_t at;                    /* the event of a publish that is under way, while one is */
    unsigned contained;           /* how often handling it had to be given up: containing.h */
    const char *contained_why;    /* status_text of the last time */
    uint8_t *salts;               /* fresh random bytes, RECORD_SALT_SIZE each */
    size_t salt_count;
};

/* job_new - an empty one. STATUS_NO_MEMORY. */
enum status job_new(enum job_kind kind, struct job **ret);

/* job_free - lets go of everything but the arena, which the caller has given back; accepts NULL. */
void job_free(struct job **job);
