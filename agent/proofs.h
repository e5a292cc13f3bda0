#pragma once

#include <jansson.h>

#include "agent/agent.h"
#include "proto/entry_proof.h"

/*
 * Our own entries of the broker's log, with their proofs, and the events of which the proof is still owed.
 * Only what was verified is kept (agent/reconcile.h). What is about a person is sealed, and goes when the
 * event is erased or its retention ends; the account part, the entry and the proof stay for `proof_days`.
 */
extern const char proofs_schema[];

/* As what the log counts us. Of proofs from logs before the present one (a broker that was restored opens a
 * new one) 10 is added for each log since. */
enum proofs_role {
    PROOFS_SENT = 1,     /* accepted and refused, by our number as sender */
    PROOFS_RECEIVED = 2, /* disclosed, by our number as recipient */
};
#define PROOFS_LOG_AGO 10

/* proofs_other_log - the log is another from now on: its numbers begin anew, what the old one owed it will
 * never prove, and what it proved stays. Inside a transaction. */
enum status proofs_other_log(struct agent *agent);

/* Which event: role, the other member (of a sent one empty), id. Borrowed. */
struct proofs_event {
    enum proofs_role role;
    struct byte_view member;
    const uint8_t *id; /* UUID_SIZE bytes */
};

/* ---- what is owed ---- */

/* A proof that the broker owes us. */
struct proofs_due {
    uint64_t counter; /* as told with the delivery; 0: not told */
    bool has_index;
    uint64_t index; /* in the log, as told with the outcome */
};

/* proofs_owe - from now on a proof of this event is owed. Inside a transaction. Again is harmless, unless it
 * was owed under another number: STATUS_MISMATCH. */
enum status proofs_owe(struct agent *agent, const struct proofs_event *event, const struct proofs_due *due,
                       int64_t now);

/* proofs_owed - what was told about it. STATUS_NOT_FOUND when no proof of it is owed (any more). */
enum status proofs_owed(struct agent *agent, const struct proofs_event *event, struct proofs_due *ret);

/* proofs_settle - the proof is here: nothing is owed any more once it is final. Inside a transaction. */
enum status proofs_settle(struct agent *agent, const struct proofs_event *event, bool final);

/* ---- what is here ---- */

/* What is kept of one entry; the views borrow from the database until its next use. */
struct proofs_row {
    enum proofs_role role;
    uint64_t counter;
    uint64_t index;
    enum record_kind kind;
    int64_t time;
    struct byte_view member; /* the other side */
    const uint8_t *event;    /* NULL: not known, as it was erased before we had it */
    bool final;
    bool met; /* the event is, or was, in our outbox or inbox */
    const uint8_t *entry;
    const uint8_t *account_salt;
    struct byte_view account;
    const uint8_t *personal_salt; /* NULL: none */
    struct byte_view personal;
    struct byte_view log_proof; /* as the broker gave it */
};

/* proofs_keep - a new one, or a newer proof of the same entry. Inside a transaction. STATUS_BAD_PROOF for a
 * log_proof that is none. */
enum status proofs_keep(struct agent *agent, const struct proofs_row *row);

/* What of a kept one is asked for often. */
struct proofs_brief {
    uint64_t counter;
    uint64_t index;
    int64_t time;
    bool final;
    bool met;
    uint8_t entry[RECORD_ENTRY_SIZE];
};

/* proofs_at - by number; proofs_before, proofs_after: the nearest other number on that side; proofs_of: by
 * event. STATUS_NOT_FOUND. */
enum status proofs_at(struct agent *agent, enum proofs_role role, uint64_t counter, struct proofs_brief *ret);
enum status proofs_before(struct agent *agent, enum proofs_role role, uint64_t counter,
                          struct proofs_brief *ret);
enum status proofs_after(struct agent *agent, enum proofs_role role, uint64_t counter,
                         struct proofs_brief *ret);
enum status proofs_of(struct agent *agent, const struct proofs_event *event, struct proofs_brief *ret);

/* proofs_read - all of one; ret_row borrows from *ret_bytes, which the caller wipes. STATUS_NOT_FOUND,
 * STATUS_BAD_SEAL, STATUS_CORRUPT. */
enum status proofs_read(struct agent *agent, enum proofs_role role, uint64_t counter,
                        struct byte_buffer *ret_bytes, struct proofs_row *ret_row);

/* proofs_met - the event of this one came after its proof. Inside a transaction. */
enum status proofs_met(struct agent *agent, enum proofs_role role, uint64_t counter);

/* proofs_next - the number to ask from: the lowest whose proof is provisional, or the highest that we have,
 * so that the log shows that one again; 1 at first. */
enum status proofs_next(struct agent *agent, enum proofs_role role, uint64_t *ret_counter);

/* proofs_forget_person - the personal parts and salts of every entry about this event go, and with them what
 * their commitments could be opened with. Inside a transaction; nothing happens when there is none. For
 * erasure, and for the end of a received event's retention. */
enum status proofs_forget_person(struct agent *agent, const struct proofs_event *event);

/* proofs_purge - what is older than the agency's `proof_days`. Inside a transaction. */
enum status proofs_purge(struct agent *agent, int64_t now);
