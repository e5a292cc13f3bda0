#pragma once

#include "certs/bundle.h"
#include "proto/checkpoint.h"

/*
 * The witnesses that a bundle names: members who cosign the log's checkpoints (C2SP tlog-cosignature), each
 * with a key of its own (certs/keystore.h), whose name is the member's id.
 *
 * Of n witnesses up to f may be dishonest, and a checkpoint is final once k have cosigned it. Two quorums
 * share more than f witnesses, so an honest one, if 2k > n + f. Of more than n - k + f witnesses one at least
 * is honest and belongs to the last quorum, whichever that was.
 */

#define WITNESSES_MAX 32

/* witnesses_good_quorum - none at all (n, k and f are 0), or at most WITNESSES_MAX with k <= n and
 * 2k > n + f. */
bool witnesses_good_quorum(size_t n, uint32_t k, uint32_t f);

/* witnesses_least_quorum - the smallest k for which that holds; above n if there is none; 0 for n = 0. */
uint32_t witnesses_least_quorum(size_t n, uint32_t f);

/* witnesses_good_key - whether a verifier key is one that this member can be named with: of the type that
 * cosigns, under the member's id, written as it would be written here. */
bool witnesses_good_key(const char *member, const char *vkey);

struct witnesses;

/* witnesses_new - those of a bundle, which is not needed afterwards; several threads may use them. ret is
 * freed with witnesses_free. STATUS_NO_MEMORY or STATUS_CRYPTO; STATUS_BAD_FORMAT only for a bundle that was
 * never read. */
enum status witnesses_new(const struct bundle *bundle, struct witnesses **ret);
void witnesses_free(struct witnesses **witnesses);

size_t witnesses_count(const struct witnesses *witnesses);
const char *witnesses_member(const struct witnesses *witnesses, size_t index);
const struct note_key *witnesses_key(const struct witnesses *witnesses, size_t index);

/* witnesses_find - the index of a member; witnesses_count() when it is none. */
size_t witnesses_find(const struct witnesses *witnesses, const char *member);

uint32_t witnesses_quorum(const struct witnesses *witnesses);    /* k */
uint32_t witnesses_dishonest(const struct witnesses *witnesses); /* f */

/* witnesses_final - whether so many cosignatures make a checkpoint final; always without witnesses. */
bool witnesses_final(const struct witnesses *witnesses, size_t count);

/* witnesses_heard - whether so many witnesses that said hello are more than n - k + f; always without
 * witnesses. */
bool witnesses_heard(const struct witnesses *witnesses, size_t count);

/*
 * witnesses_signed - which of them cosigned an opened checkpoint. Each is looked at by itself: a cosignature
 * that does not verify is none, and takes nothing from the others.
 *
 * ret_signed  witnesses_count() elements
 * ret_count   of how many a cosignature verifies
 * ret_bad     how many bear their name and do not verify; may be NULL
 *
 * STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status witnesses_signed(const struct witnesses *witnesses, const struct note *note,
                             struct note_signed *ret_signed, size_t *ret_count, size_t *ret_bad);
