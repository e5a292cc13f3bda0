#pragma once

#include "broker/checkpoints.h"
#include "proto/member.h"

/*
 * What witnesses did to the log's checkpoints, beside the last one in checkpoint.db (layout 2): the
 * checkpoint that is being cosigned, the last that the quorum cosigned, what each witness cosigned last, and
 * forks that were found. Writing needs the fence (STATUS_FORKED without). All functions block on the disk and
 * may return what base/db.h returns.
 */

/* The change of checkpoint.db's layout that makes these tables. */
extern const char cosigned_schema[];

#define COSIGNED_NOTE_LIMIT ((size_t)16384) /* as WIRE_NOTE_MAX: a note goes over the wire */

enum cosigned_which {
    COSIGNED_OFFERED = 1, /* the checkpoint offered last, with the cosignatures that came */
    COSIGNED_FINAL = 2,   /* the newest that had a quorum, with all of its cosignatures */
};

/* cosigned_read - as checkpoints_read; time is when it was offered. */
enum status cosigned_read(struct checkpoints *checkpoints, enum cosigned_which which,
                          struct byte_buffer *note, struct checkpoints_entry *ret);

/* What one witness cosigned last. */
struct cosigned_last {
    uint64_t size;
    int64_t time;
};

/* cosigned_last - STATUS_NOT_FOUND when it never did. */
enum status cosigned_last(struct checkpoints *checkpoints, const char *member, struct cosigned_last *ret);

/*
 * cosigned_put - a cosignature came: in one transaction the note with it, as the one offered and, if it is
 * final now, as the final one, and what its witness cosigned last.
 */
enum status cosigned_put(struct checkpoints *checkpoints, const struct checkpoints_entry *offered, bool final,
                         const char *member, int64_t now);

/* A fork: two notes of our own key that no one log can have signed. */
struct cosigned_fork {
    int64_t found;
    const char *member;     /* who showed it */
    const char *text;       /* one sentence for people */
    struct byte_view shown; /* the note that was shown */
    struct byte_view ours;  /* our own last one */
};

/* cosigned_add_fork - keep the evidence. From then on the log is not opened any more (logbook_open). */
enum status cosigned_add_fork(struct checkpoints *checkpoints, const struct cosigned_fork *fork);

/* cosigned_fork - the sentence of the first one into text, which is overwritten; STATUS_NOT_FOUND: none. */
enum status cosigned_fork(struct checkpoints *checkpoints, struct byte_buffer *text);
