#pragma once

#include "certs/officer.h"

/*
 * Issuing officers' certificates: the partnership's side with its web root, an agency's with the intermediate
 * that it was given. Encodings come in buffers that must be empty, freed with bytes_buffer_free, private keys
 * and PKCS #12 with bytes_buffer_wipe.
 */

#define OFFICER_ISSUE_REQUEST_LARGEST ((size_t)16 << 10) /* of a request's PEM */

/* A certificate that may issue, with its private key. */
struct officer_issuer;

/*
 * officer_issuer_load - the web root (agency NULL) or an agency's intermediate, and its key. The chain's
 * part that goes into what it issues is the intermediate itself. Freed with officer_issuer_free, which wipes
 * the key. STATUS_CORRUPT when they cannot be read, do not belong together or may not issue;
 * STATUS_NO_MEMORY.
 */
enum status officer_issuer_load(struct byte_view key_pem, struct byte_view der, struct officer_issuer **ret);
void officer_issuer_free(struct officer_issuer **issuer);

/*
 * officer_issue - a new key, a certificate for it, and both with the chain as PKCS #12 (AES-256-CBC, PBKDF2
 * with HMAC-SHA-256) under a passphrase. Validity is clamped to the issuer's own.
 *
 * ret_der  the certificate, for the book; ret_p12 what the officer gets
 *
 * Returns STATUS_BAD_ARGUMENT when this issuer may not issue that name, STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status officer_issue(const struct officer_issuer *issuer, const struct officer_name *name,
                          int64_t not_before, int64_t not_after, const char *passphrase,
                          struct byte_buffer *ret_der, struct byte_buffer *ret_p12);

/* officer_issue_intermediate - for an agency and the key of its request; by the web root only. Errors as
 * officer_issue. */
enum status officer_issue_intermediate(const struct officer_issuer *issuer, const char *agency,
                                       const uint8_t point[static OFFICER_POINT_SIZE], int64_t not_before,
                                       int64_t not_after, struct byte_buffer *ret_der);

/* officer_issue_key - a new P-256 key as PKCS #8 in PEM. STATUS_NO_MEMORY or STATUS_CRYPTO. */
enum status officer_issue_key(struct byte_buffer *ret_key_pem);

/* officer_request_make - PKCS #10 in PEM: the key, and the agency as common name. STATUS_CORRUPT for a key
 * that is none, STATUS_NO_MEMORY or STATUS_CRYPTO. */
enum status officer_request_make(struct byte_view key_pem, const char *agency, struct byte_buffer *ret_pem);

/* What a request asks for. Nothing else of it is copied. */
struct officer_request {
    char agency[MEMBER_ID_LENGTH + 1];
    uint8_t point[OFFICER_POINT_SIZE];
};

/*
 * officer_request_read - check form, key and signature. STATUS_TOO_LARGE, STATUS_BAD_FORMAT or
 * STATUS_BAD_SIGNATURE with a reason (static text), or STATUS_NO_MEMORY.
 */
enum status officer_request_read(struct byte_view pem, struct officer_request *ret, const char **ret_reason);

/* One line of a revocation list. */
struct officer_revoked {
    struct byte_view der; /* the certificate */
    int64_t at;
};

/* officer_issue_crl - what this issuer has revoked, as an X.509 CRL in PEM (RFC 5280 §5), for programs other
 * than ours. STATUS_BAD_ARGUMENT for a certificate that it did not issue, STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status officer_issue_crl(const struct officer_issuer *issuer, const struct officer_revoked *revoked,
                              size_t n, int64_t now, int64_t next, struct byte_buffer *ret_pem);
