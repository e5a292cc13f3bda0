#pragma once

#include "proto/log_proof.h"
#include "proto/record.h"

/*
 * An entry of the disclosure log with what is left of its record and a log proof: what a member gets of the
 * broker, keeps, and can show to somebody who has nothing but the log's key. As a file it is a C2SP log proof
 * whose `extra` holds entry and record:
 *
 *     1 ‖ flags ‖ entry (66) ‖ account salt (32) ‖ uint32 length ‖ account part
 *       [‖ personal salt (32) ‖ uint32 length ‖ personal part, if flags has 1]
 *
 * Format: docs/log-format.md, "Log proofs".
 */

#define ENTRY_PROOF_SIZE_MAX LOG_PROOF_SIZE_MAX /* bytes of a file */

struct entry_proof {
    const uint8_t *entry;        /* RECORD_ENTRY_SIZE bytes */
    const uint8_t *account_salt; /* RECORD_SALT_SIZE bytes */
    struct byte_view account;
    const uint8_t *personal_salt; /* NULL: the personal part was erased, or is not shown */
    struct byte_view personal;
};

/* What a verified proof says. Views borrow from the proof and from storage. */
struct entry_proof_told {
    enum record_kind kind;
    uint64_t index;
    struct record_account account;
    bool has_personal;
    struct record_personal personal;
    struct note note; /* signed by the log; whoever cosigned it has not been looked at */
    struct checkpoint checkpoint;
    struct record_storage accounts;
    struct record_storage personals;
};

/*
 * entry_proof_write - appends the file. log_proof is the proof of that entry as the broker gave it, without
 * an extra. Returns STATUS_TOO_LARGE when entry and record do not fit the extra, STATUS_BAD_FORMAT or
 * STATUS_BAD_PROOF for a log_proof that is none, or what appending returned.
 */
enum status entry_proof_write(const struct entry_proof *proof, struct byte_view log_proof,
                              struct byte_buffer *ret);

/*
 * entry_proof_read - takes a file apart; nothing is verified but its form. ret_proof borrows from ret_log,
 * which borrows the checkpoint from bytes. Returns as log_proof_parse, and STATUS_BAD_FORMAT for an extra
 * that is none of ours.
 */
enum status entry_proof_read(struct byte_view bytes, struct log_proof *ret_log,
                             struct entry_proof *ret_proof);

/*
 * entry_proof_verify - that the record is the one that the entry commits to, and that the entry stands in the
 * log at log->index under a checkpoint that the log signed.
 *
 * Returns STATUS_BAD_COMMITMENT, STATUS_BAD_FORMAT (a part that does not decode, or a kind that does not
 * exist), or as log_proof_verify.
 */
enum status entry_proof_verify(const struct entry_proof *proof, const struct log_proof *log,
                               const struct note_key *key, struct entry_proof_told *ret_told);

/*
 * entry_proof_verify_under - the same for a checkpoint that was opened before (checkpoint_open), of exactly
 * the bytes of log->checkpoint, so that many proofs under one cost one signature. ret_told->note is not
 * filled in.
 */
enum status entry_proof_verify_under(const struct entry_proof *proof, const struct log_proof *log,
                                     const struct checkpoint *checkpoint, struct entry_proof_told *ret_told);
