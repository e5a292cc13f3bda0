#pragma once

#include "base/bytes.h"
#include "proto/random.h"

/*
 * Values at rest. Whatever an agent keeps about people is sealed under the storage key of its key store, so
 * that its database says nothing without its keys. A value is bound to its place: sealed for one, it opens
 * for no other. Not thread-safe.
 *
 * Format: u8 1 ‖ salt (16) ‖ AES-256-GCM ciphertext ‖ tag (16), under
 * key = HMAC-SHA-256(storage key, "concordat/vault/seal/v1" ‖ salt), nonce 0 (each key seals once), and the
 * place as additional data.
 */

#define VAULT_KEY_SIZE    32
#define VAULT_LOOKUP_SIZE 16
#define VAULT_OVERHEAD    33 /* bytes that sealing adds */

struct vault;

/* vault_new - key is copied; random is borrowed. Freed with vault_free, which wipes. STATUS_NO_MEMORY or
 * STATUS_CRYPTO. */
enum status vault_new(const uint8_t key[static VAULT_KEY_SIZE], const struct random_source *random,
                      struct vault **ret_vault);
void vault_free(struct vault **vault);

/*
 * vault_seal - appends the sealed form of plaintext. place names where it is kept: the table and what tells
 * the row, such as "inbox" ‖ event id. STATUS_CRYPTO, what random returned, or what appending returned, with
 * nothing appended.
 */
enum status vault_seal(struct vault *vault, struct byte_view place, struct byte_view plaintext,
                       struct byte_buffer *ret);

/*
 * vault_open - appends the plaintext; the caller wipes it (bytes_buffer_wipe). STATUS_BAD_SEAL when it was
 * not sealed by this vault for this place, STATUS_CRYPTO, or what appending returned, with nothing appended.
 */
enum status vault_open(struct vault *vault, struct byte_view place, struct byte_view sealed,
                       struct byte_buffer *ret);

/*
 * vault_lookup - what an index holds instead of a value: the first 16 bytes of
 * HMAC-SHA-256(storage key, "concordat/vault/lookup/v1" ‖ canonical(use, value)). use keeps indexes apart:
 * "pnc_id", "prison_no".
 */
void vault_lookup(const struct vault *vault, const char *use, struct byte_view value,
                  uint8_t out[static VAULT_LOOKUP_SIZE]);
