#pragma once

#include <jansson.h>

#include "agent/agent.h"
#include "proto/checkpoint.h"

/*
 * What this agent cosigned last of each log, and the forks that it found. It stands twice: in agent.db, and
 * as the floor in FOLDER/witness/ID.floor, which a restored database must not take back; the larger of the
 * two counts. ID is the beginning of the digest of the log's verifier key. Functions block on the disk and
 * return what base/db.h and base/safefile.h return, STATUS_NO_MEMORY or STATUS_CRYPTO.
 */

/* The change of agent.db's layout that makes these tables. */
extern const char witnessed_schema[];

/* The last one, of a log. Freed with witnessed_free. */
struct witnessed {
    struct byte_buffer note;      /* with the log's signature */
    struct checkpoint checkpoint; /* borrows from note */
    int64_t time;
};

void witnessed_free(struct witnessed *witnessed);

/*
 * witnessed_last - what was cosigned last of the log with this verifier key. ret must be empty.
 * STATUS_NOT_FOUND: nothing yet. STATUS_CORRUPT: what stands there is not what was written, or database and
 * floor differ at one size: nothing may be cosigned.
 */
enum status witnessed_last(struct agent *agent, const char *vkey, struct witnessed *ret);

/* witnessed_keep - the floor, then the database, each durably. note must verify. Outside transactions. */
enum status witnessed_keep(struct agent *agent, const char *vkey, struct byte_view note,
                           const struct checkpoint *checkpoint, int64_t now);

#define WITNESSED_FORKS_MAX 16 /* kept of a log: the first ones say most */

/* witnessed_fork - keep both notes for ever. text: one sentence for people. The same two again are not kept.
 * Outside transactions. */
enum status witnessed_fork(struct agent *agent, const char *vkey, int64_t now, const char *text,
                           struct byte_view held, struct byte_view shown);

/* witnessed_next_fork - the first fork that was not handed out yet by this process (*cursor, 0 at first), for
 * a line that people watch; ret_text holds 512. STATUS_NOT_FOUND. */
enum status witnessed_next_fork(struct agent *agent, int64_t *cursor, char ret_text[static 512]);

/* witnessed_forks - [{"at","text","held","shown"}], oldest first, the notes as text; the caller's. */
enum status witnessed_forks(struct agent *agent, json_t **ret);
