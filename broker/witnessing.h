#pragma once

#include "broker/logbook.h"
#include "certs/witnesses.h"
#include "proto/wire_codec.h"

/*
 * The witnesses of the log, as the broker sees them: which checkpoint they are offered, who cosigned it,
 * which is the newest that a quorum cosigned, and whether anybody shows a checkpoint of our own key that this
 * log cannot have signed. Knows no sockets and no frames: broker/cosigning.h does. It belongs to the store
 * thread.
 *
 *     last signed ── every cosign_every, or when a final one is wanted ──> offered ── quorum ──> final
 *
 * After a start nothing may be signed until more than n - k + f witnesses have said hello and none of them,
 * nor anybody else, has shown a checkpoint that is not in our log: whoever was restored from an old copy
 * learns it then. Only notes that bear the log's own signature count, so nobody else can stop the log.
 *
 * witnessing_new, witnessing_adopt and witnessing_cosignature use checkpoint.db: never while a signature is
 * under way in another thread (broker/signature.h).
 *
 * Functions return what base/db.h returns, STATUS_NO_MEMORY, STATUS_CRYPTO, STATUS_CORRUPT (the log's tiles)
 * or STATUS_FORKED (somebody else holds checkpoint.db now); all of these but STATUS_NO_SPACE and
 * STATUS_NO_MEMORY mean that the process must end.
 *
 * Crash points: witnessing.offered, witnessing.taken, witnessing.stored.
 */
struct witnessing;

/* witnessing_new - logbook is borrowed. What was cosigned before comes from checkpoint.db; the bundle is not
 * needed afterwards. ret is freed with witnessing_free. */
enum status witnessing_new(struct logbook *logbook, const struct bundle *bundle, int64_t every,
                           struct witnessing **ret);
void witnessing_free(struct witnessing **witnessing);

/* witnessing_adopt - other witnesses may be in force now: which checkpoints are final is looked at again. */
enum status witnessing_adopt(struct witnessing *witnessing, const struct bundle *bundle);

/* witnessing_may_sign - see above; stays true once it was. */
bool witnessing_may_sign(struct witnessing *witnessing);

/* What came of a hello or a cosignature. */
enum witnessing_outcome {
    WITNESSING_FINE,
    WITNESSING_BAD_NOTE,      /* a checkpoint that our key did not sign was shown; ignored */
    WITNESSING_BAD_SIGNATURE, /* a cosignature that does not verify; ignored */
    WITNESSING_REFUSED,       /* a witness does not cosign, and shows nothing that says why */
    WITNESSING_FORKED,        /* our key signed something that is not in this log: it must stop */
};

struct witnessing_word {
    enum witnessing_outcome outcome;
    char text[320]; /* one sentence for people; empty when all is fine */
};

/* witnessing_hello - a member said hello on this connection and showed this note (empty: none). Also for
 * members who are no witnesses. ret_word is filled in with STATUS_OK. */
enum status witnessing_hello(struct witnessing *witnessing, const char *member, uint64_t connection,
                             struct byte_view note, struct witnessing_word *ret_word);
void witnessing_gone(struct witnessing *witnessing, uint64_t connection);

/* witnessing_expects - whether a cosignature of what is offered may still come from that member: of others,
 * and of more than one, nothing is to be looked at. */
bool witnessing_expects(const struct witnessing *witnessing, const char *member);

/* witnessing_cosignature - what a witness answered to an offer. STATUS_NO_SPACE: it could not be kept, and is
 * asked for again later. */
enum status witnessing_cosignature(struct witnessing *witnessing, const char *member,
                                   const Wire__Cosignature *cosignature, int64_t now,
                                   struct witnessing_word *ret_word);

/* An offer to be sent. */
struct witnessing_offer {
    uint64_t connection;
    const char *member;
    struct byte_view body; /* an encoded CheckpointOffer; until the next call */
};

/* witnessing_step - begins a new offer when one is due; to be called before witnessing_next. */
enum status witnessing_step(struct witnessing *witnessing, int64_t now);

/* witnessing_next - the next offer to send; STATUS_NOT_FOUND: none. */
enum status witnessing_next(struct witnessing *witnessing, struct witnessing_offer *ret);

/* A checkpoint note to give out. */
struct witnessing_note {
    uint64_t size;
    struct digest root;
    struct byte_view note; /* borrowed until the store thread's next turn */
};

/*
 * witnessing_final - the newest checkpoint that the quorum of the bundle in force has cosigned, with the
 * log's signature and all cosignatures that came; with no witness named, the newest that was signed. What it
 * covers is final, everything newer provisional. STATUS_NOT_FOUND: there is none yet.
 */
enum status witnessing_final(const struct witnessing *witnessing, struct witnessing_note *ret);

/* witnessing_newest - the newest that was signed, with the cosignatures that it has. */
struct witnessing_note witnessing_newest(const struct witnessing *witnessing);

/* witnessing_want - somebody waits for a final checkpoint of at least this size: the witnesses are offered
 * one as soon as it is signed, not only after cosign_every. */
void witnessing_want(struct witnessing *witnessing, uint64_t size);

/* How a witness stands, for status. */
struct witnessing_state {
    const char *member;
    bool connected;
    bool heard;       /* said hello since the start */
    uint64_t size;    /* of what it cosigned last; 0: nothing */
    int64_t time;     /* when that came in */
    bool current;     /* it cosigned the checkpoint offered last */
    uint64_t refused; /* since the start, as the next */
    uint64_t bad;     /* cosignatures that did not verify */
};

struct witnessing_summary {
    size_t count;
    uint32_t quorum;
    uint32_t dishonest;
    size_t heard; /* of them said hello since the start */
    bool may_sign;
    uint64_t offered;   /* size; 0: nothing yet */
    size_t cosigned;    /* how many cosigned that */
    uint64_t bad_notes; /* shown in hellos */
};

struct witnessing_summary witnessing_summary(const struct witnessing *witnessing);
struct witnessing_state witnessing_state(const struct witnessing *witnessing, size_t index);
