#pragma once

#include <openssl/evp.h>

#include "certs/officer.h"

/*
 * An officer's own key: the PKCS #12 file that was handed out, and signing with it. Points and keys of P-256
 * as both officer.c and officer_issue.c need them.
 */

#define OFFICER_KEY_LARGEST ((size_t)64 << 10) /* of a PKCS #12 file */
#define OFFICER_KEY_ROUNDS  2000000            /* of its key derivation, at most */

struct officer_key;

/*
 * officer_key_open - read a PKCS #12 file: one key, its certificate and, under an agency, the intermediate.
 *
 * Returns STATUS_BAD_SEAL when the passphrase is wrong, STATUS_BAD_FORMAT or STATUS_BAD_CERTIFICATE with a
 * reason (static text), STATUS_NO_MEMORY. ret is freed with officer_key_free, which wipes the key.
 */
enum status officer_key_open(struct byte_view p12, const char *passphrase, struct officer_key **ret,
                             const char **ret_reason);
void officer_key_free(struct officer_key **key);

/* What it says about its officer, on its own word. */
const struct officer_name *officer_key_name(const struct officer_key *key);

/* officer_key_chain - the certificates, the officer's first; borrowed. Returns how many. */
size_t officer_key_chain(const struct officer_key *key, struct byte_view ret_chain[static OFFICER_CHAIN_MAX]);

/* officer_key_sign - ECDSA P-256 with SHA-256, as r and s. STATUS_CRYPTO. */
enum status officer_key_sign(const struct officer_key *key, struct byte_view message,
                             uint8_t ret_signature[static OFFICER_SIGNATURE]);

/* officer_key_public - a key from its point, EVP_PKEY_free; NULL when it is none on the curve. */
EVP_PKEY *officer_key_public(const uint8_t point[static OFFICER_POINT_SIZE]);

/* officer_key_point - the uncompressed point; false unless it is a P-256 key on the named curve. */
bool officer_key_point(const EVP_PKEY *key, uint8_t ret[static OFFICER_POINT_SIZE]);
