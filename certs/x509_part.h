#pragma once

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/bytes.h"

/*
 * Pieces of making and reading X.509 that members' and officers' certificates have in common. Only certs/
 * uses this: it is the one header here that shows OpenSSL's types.
 */

#define X509_PART_LARGEST     ((size_t)8192) /* of a certificate's DER */
#define X509_PART_KEY_LARGEST ((size_t)4096) /* of a private key's PEM */

/* x509_part_start - version, a random serial, validity (milliseconds) and subject key; the names are the
 * caller's. */
bool x509_part_start(X509 *x509, EVP_PKEY *subject_key, int64_t not_before, int64_t not_after);

/* x509_part_extension - one extension, by OpenSSL's text for it. issuer may be x509 itself. */
bool x509_part_extension(X509 *x509, X509 *issuer, int nid, const char *value);

/* x509_part_name - one entry of a name, UTF-8. */
bool x509_part_name(X509_NAME *name, int nid, const char *text);

/* x509_part_der - the encoding; ret must be empty. STATUS_CRYPTO, STATUS_TOO_LARGE or STATUS_NO_MEMORY. */
enum status x509_part_der(X509 *x509, struct byte_buffer *ret);

/* x509_part_bio - what a memory BIO collected; ret must be empty. STATUS_TOO_LARGE or STATUS_NO_MEMORY. */
enum status x509_part_bio(BIO *bio, size_t limit, struct byte_buffer *ret);

/* x509_part_key_pem - a private key as PKCS #8 in PEM, not encrypted; wipe it. */
enum status x509_part_key_pem(EVP_PKEY *key, struct byte_buffer *ret);

/* x509_part_no_password - for PEM readers: never ask at a terminal, an encrypted PEM is not one that we
 * read. */
int x509_part_no_password(char *out, int size, int writing, void *context);

/* x509_part_decode - one certificate that takes up all of der and is its own encoding, or NULL. */
X509 *x509_part_decode(struct byte_view der);

/* x509_part_validity - the first and the last millisecond; false when it is none. */
bool x509_part_validity(const X509 *x509, int64_t *ret_not_before, int64_t *ret_not_after);
