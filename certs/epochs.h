#pragma once

#include "certs/certificate.h"
#include "proto/hpke.h"
#include "proto/pseudonym.h"
#include "proto/wire.pb-c.h"

/*
 * Sealing the pseudonym key of an epoch to one agent: HPKE base mode (proto/hpke.h), sequence number 0,
 * info "concordat/pseudonym/v1", aad = canonical(epoch as uint32, member, sealing-key id), plaintext the 32
 * bytes of the key. Opening it proves possession of the sealing key.
 */

#define EPOCHS_SEALED_SIZE (PSEUDONYM_KEY_SIZE + HPKE_TAG_SIZE)

struct epochs_sealed {
    uint8_t enc[HPKE_ENC_SIZE];
    uint8_t sealed[EPOCHS_SEALED_SIZE];
};

/* epochs_seal - to a member's sealing key. Returns STATUS_BAD_ARGUMENT for a key of small order,
 * STATUS_NO_MEMORY or STATUS_CRYPTO. */
enum status epochs_seal(uint32_t epoch, const uint8_t key[static PSEUDONYM_KEY_SIZE], const char *member,
                        const uint8_t sealing[static X25519_KEY_SIZE], struct epochs_sealed *ret);

/* epochs_open - with the sealing key that sealed->key names. Returns STATUS_BAD_SEAL, STATUS_NO_MEMORY or
 * STATUS_CRYPTO. */
enum status epochs_open(uint32_t epoch, const Wire__SealedKey *sealed, const struct x25519_private *own,
                        uint8_t ret_key[static PSEUDONYM_KEY_SIZE]);
