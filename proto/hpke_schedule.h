#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "proto/x25519.h"

/*
 * What HPKE (RFC 9180) computes before it encrypts anything: DHKEM(X25519, HKDF-SHA256) and the key schedule
 * in base mode with HKDF-SHA256. proto/hpke.h is what others call.
 */

#define HPKE_SECRET_SIZE 32
#define HPKE_ENC_SIZE    X25519_KEY_SIZE
#define HPKE_LONGEST_KEY 32
#define HPKE_NONCE_SIZE  12

/* By their identifiers in RFC 9180 §7.3. Sections use AES-256-GCM; the other proves us by the RFC's own
 * figures. */
enum hpke_cipher {
    HPKE_AES_128_GCM = 0x0001,
    HPKE_AES_256_GCM = 0x0002,
};

/* What the key schedule gives. Secret: wipe it after use. */
struct hpke_schedule {
    enum hpke_cipher cipher;
    uint8_t key[HPKE_LONGEST_KEY]; /* its first hpke_schedule_key_size(cipher) bytes */
    uint8_t base_nonce[HPKE_NONCE_SIZE];
};

/* hpke_schedule_key_size - in bytes: 16 or 32. */
size_t hpke_schedule_key_size(enum hpke_cipher cipher);

/* hpke_schedule_derive_key - DeriveKeyPair of RFC 9180 §7.1.3: a raw X25519 private key from ikm; the caller
 * wipes it. */
void hpke_schedule_derive_key(struct byte_view ikm, uint8_t out_private[static X25519_KEY_SIZE]);

/*
 * hpke_schedule_shared_secret - the shared secret of Encap and Decap (RFC 9180 §4.1); the caller wipes it.
 *
 * own, peer  the sender's ephemeral key and the recipient's, or the recipient's key and the one that enc
 * holds enc        the ephemeral public key as sent recipient  the recipient's public key
 *
 * Returns STATUS_BAD_ARGUMENT when peer is of small order, or STATUS_CRYPTO.
 */
enum status hpke_schedule_shared_secret(const struct x25519_private *own, const struct x25519_public *peer,
                                        const uint8_t enc[static HPKE_ENC_SIZE],
                                        const uint8_t recipient[static X25519_KEY_SIZE],
                                        uint8_t ret_secret[static HPKE_SECRET_SIZE]);

/* hpke_schedule_run - KeySchedule of RFC 9180 §5.1, mode base: no pre-shared key. */
void hpke_schedule_run(enum hpke_cipher cipher, const uint8_t secret[static HPKE_SECRET_SIZE],
                       struct byte_view info, struct hpke_schedule *out);
