#pragma once

#include "proto/entry_proof.h"

/*
 * One page for paper about one disclosure: what it says, and the commands by which anybody can check it with
 * openssl and a POSIX shell alone. The commands stand in one block that can be run as it is, in an empty
 * folder; whatever does not hold ends it with an error.
 */

enum proof_page_form { PROOF_PAGE_TEXT, PROOF_PAGE_HTML };

/*
 * proof_page_write - of a proof that was verified (entry_proof_verify) with the log's key. Returns
 * STATUS_BAD_FORMAT for a checkpoint whose signature cannot be found, or what appending returned.
 */
enum status proof_page_write(const struct entry_proof *proof, const struct log_proof *log,
                             const struct entry_proof_told *told, const struct note_key *key,
                             enum proof_page_form form, struct byte_buffer *ret);
