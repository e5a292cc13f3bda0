#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "proto/hpke_schedule.h"

#define HPKE_TAG_SIZE 16

/*
 * The cipher of an HPKE context, keyed once and used for many messages (RFC 9180 §5.2). It does not count:
 * that no sequence number seals twice is for the caller to see to (struct hpke_sender does). One thread at a
 * time.
 */
struct hpke_aead;

/* hpke_aead_start - schedule is the caller's to wipe; freed with hpke_aead_free. STATUS_NO_MEMORY or
 * STATUS_CRYPTO. */
enum status hpke_aead_start(const struct hpke_schedule *schedule, struct hpke_aead **ret_aead);

/*
 * hpke_aead_seal - append the ciphertext and its tag, HPKE_TAG_SIZE bytes longer than plaintext, to out,
 * which must not hold aad or plaintext.
 *
 * Returns STATUS_TOO_LARGE, STATUS_NO_MEMORY or STATUS_CRYPTO, with nothing appended.
 */
enum status hpke_aead_seal(struct hpke_aead *aead, uint64_t sequence, struct byte_view aad,
                           struct byte_view plaintext, struct byte_buffer *out);

/*
 * hpke_aead_open - append the plaintext to out, which must not hold aad or ciphertext.
 *
 * Returns STATUS_BAD_SEAL when anything differs from what was sealed, STATUS_TOO_LARGE, STATUS_NO_MEMORY or
 * STATUS_CRYPTO, with nothing appended.
 */
enum status hpke_aead_open(struct hpke_aead *aead, uint64_t sequence, struct byte_view aad,
                           struct byte_view ciphertext, struct byte_buffer *out);

void hpke_aead_free(struct hpke_aead **aead); /* wipes key and nonce */
