#pragma once

#include "certs/certificate.h"

/*
 * Making roots and issuing certificates: the authority's side of certs/certificate.h. All encodings are given
 * back in buffers that must be empty, to be freed with bytes_buffer_free, private keys with
 * bytes_buffer_wipe.
 */

#define ISSUER_NAME_LONGEST 64 /* characters of a partnership's name (RFC 5280, ub-organization-name) */
#define ISSUER_KEY_LARGEST  ((size_t)4096)  /* of a private key's PEM */
#define ISSUER_SKEW_MS      INT64_C(300000) /* how long before now a validity begins: clocks differ */

/* A root with its private key. */
struct issuer;

/* issuer_name_good - whether a partnership's name is 1 to 64 characters of UTF-8 without control characters.
 */
bool issuer_name_good(const char *name);

/*
 * issuer_make_root - a new Ed25519 key and its self-signed certificate (CA, path length 0), valid for so many
 * years from now. Returns STATUS_BAD_ARGUMENT for a bad name, STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status issuer_make_root(const char *name, int64_t now, unsigned years, struct byte_buffer *ret_key_pem,
                             struct byte_buffer *ret_der);

/* issuer_make_web_root - the same with ECDSA P-256 and path length 1, for web servers and officers: browsers
 * accept no Ed25519. */
enum status issuer_make_web_root(const char *name, int64_t now, unsigned years,
                                 struct byte_buffer *ret_key_pem, struct byte_buffer *ret_der);

/*
 * issuer_load - a root made by issuer_make_root. Freed with issuer_free, which wipes the key.
 * Returns STATUS_CORRUPT when key or certificate cannot be read or do not belong together, or
 * STATUS_NO_MEMORY.
 */
enum status issuer_load(struct byte_view key_pem, struct byte_view der, struct issuer **ret);
void issuer_free(struct issuer **issuer);

/*
 * issuer_issue - a member's certificate. claims must have passed claims_check.
 *
 * not_before, not_after  milliseconds; the certificate holds whole seconds
 *
 * Returns STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status issuer_issue(const struct issuer *issuer, const struct certificate_claims *claims,
                         int64_t not_before, int64_t not_after, struct byte_buffer *ret_der);

/* issuer_to_pem, issuer_from_pem - one certificate between DER and PEM. STATUS_BAD_FORMAT, STATUS_NO_MEMORY.
 */
enum status issuer_to_pem(struct byte_view der, struct byte_buffer *ret_pem);
enum status issuer_from_pem(struct byte_view pem, struct byte_buffer *ret_der);
