#pragma once

#include "proto/checkpoint.h"
#include "proto/merkle.h"

/*
 * Log proofs (C2SP tlog-proof v1): that an entry stands in a log at an index, to be verified offline.
 *
 *     c2sp.org/tlog-proof@v1\n[extra <base64>\n]index <i>\n<base64 of a hash>\n … \n<signed checkpoint>
 */

#define LOG_PROOF_EXTRA_MAX 4096
#define LOG_PROOF_SIZE_MAX  (NOTE_SIZE_MAX + 10240) /* bytes of a proof as text, at most */

struct log_proof {
    size_t extra_size;                  /* 0: none */
    uint8_t extra[LOG_PROOF_EXTRA_MAX]; /* of the application; vouched for by nobody */
    uint64_t index;
    size_t path_length; /* exactly what RFC 6962 has for the index and the checkpoint's size */
    struct digest path[MERKLE_PATH_MAX];
    struct byte_view checkpoint; /* the signed note, verbatim; borrowed */
};

/*
 * log_proof_parse - ret_proof borrows from bytes. Nothing is verified but the form: the checkpoint's too, and
 * that the path has the right length. Returns STATUS_BAD_FORMAT or STATUS_BAD_PROOF (an index not in the
 * tree, a wrong length).
 */
enum status log_proof_parse(struct byte_view bytes, struct log_proof *ret_proof);

/*
 * log_proof_format - appends what log_proof_parse reads. Returns STATUS_BAD_ARGUMENT for a proof that it
 * would refuse, STATUS_TOO_LARGE or STATUS_NO_MEMORY; out may then hold part of it.
 */
enum status log_proof_format(const struct log_proof *proof, struct byte_buffer *out);

/*
 * log_proof_verify - that the log signed the checkpoint and the leaf stands in it at the index. Cosignatures
 * are then counted with checkpoint_witnessed on ret_note (which may be NULL; both outputs borrow as the proof
 * does). Returns as checkpoint_open, or STATUS_BAD_PROOF.
 */
enum status log_proof_verify(const struct log_proof *proof, const struct digest *leaf,
                             const struct note_key *log, struct note *ret_note,
                             struct checkpoint *ret_checkpoint);
