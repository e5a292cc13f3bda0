#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "proto/hpke_aead.h"
#include "proto/random.h"
#include "proto/x25519.h"

/*
 * HPKE (RFC 9180) in base mode: DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, AES-256-GCM 0x0002.
 * Anybody can seal to a public key; who did is for the batch signature to say. One thread at a time for each
 * context.
 */

/* A context seals at most this many messages: a sealing run is much shorter, and the cipher's own bound far
 * away. */
#define HPKE_MOST_SEALS ((uint64_t)65536)

/* What one sealing run seals to one recipient with. It lives in memory only: kept and restored, it could seal
 * two messages under one number, which lays both open. */
struct hpke_sender;

/* What opens everything that was sealed under one enc. */
struct hpke_receiver;

/*
 * hpke_sender_start - SetupBaseS of RFC 9180 §5.1.1 with a fresh ephemeral key.
 *
 * recipient  borrowed during the call
 * info       binds the use; both sides must give the same
 * random     gives X25519_KEY_SIZE bytes, from which the ephemeral key is derived (§7.1.3)
 * ret_enc    the ephemeral public key, to be sent beside every message
 *
 * Returns STATUS_BAD_ARGUMENT when recipient is of small order, STATUS_NO_MEMORY, STATUS_CRYPTO or what
 * random returns. ret_sender is freed with hpke_sender_free.
 */
enum status hpke_sender_start(const struct x25519_public *recipient, struct byte_view info,
                              const struct random_source *random, struct hpke_sender **ret_sender,
                              uint8_t ret_enc[static HPKE_ENC_SIZE]);

/*
 * hpke_seal - append ciphertext and tag, HPKE_TAG_SIZE bytes longer than plaintext, to out, which must not
 * hold aad or plaintext; ret_sequence is the number to send beside it. Numbers start at 0 and rise by one; a
 * failure uses one up too.
 *
 * Returns STATUS_EXPIRED after HPKE_MOST_SEALS numbers (start another context), STATUS_TOO_LARGE,
 * STATUS_NO_MEMORY or STATUS_CRYPTO, with nothing appended.
 */
enum status hpke_seal(struct hpke_sender *sender, struct byte_view aad, struct byte_view plaintext,
                      struct byte_buffer *out, uint64_t *ret_sequence);

/*
 * hpke_receiver_start - SetupBaseR of RFC 9180 §5.1.1. own is borrowed during the call.
 *
 * Returns STATUS_BAD_SEAL when no honest sender makes such an enc, STATUS_NO_MEMORY or STATUS_CRYPTO.
 * ret_receiver is freed with hpke_receiver_free.
 */
enum status hpke_receiver_start(const struct x25519_private *own, const uint8_t enc[static HPKE_ENC_SIZE],
                                struct byte_view info, struct hpke_receiver **ret_receiver);

/*
 * hpke_open_at - append the plaintext of the message sealed under sequence to out, which must not hold aad or
 * ciphertext. In any order, any number of times.
 *
 * Returns STATUS_BAD_SEAL when key, enc, info, sequence, aad or ciphertext are not those of one sealing,
 * STATUS_TOO_LARGE, STATUS_NO_MEMORY or STATUS_CRYPTO, with nothing appended.
 */
enum status hpke_open_at(struct hpke_receiver *receiver, uint64_t sequence, struct byte_view aad,
                         struct byte_view ciphertext, struct byte_buffer *out);

void hpke_sender_free(struct hpke_sender **sender); /* both wipe */
void hpke_receiver_free(struct hpke_receiver **receiver);
