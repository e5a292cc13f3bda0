#pragma once

#include "certs/certificate.h"

/*
 * Certificate signing requests (PKCS #10, RFC 2986), signed with the Ed25519 key that they present. Of the
 * extensions asked for, only the subjectAltName URIs of certs/claims.h are read; nothing is copied.
 */

#define REQUEST_LARGEST ((size_t)16 << 10) /* of the PEM text */

struct request {
    struct certificate_claims claims; /* a role that is not asked for is agent */
    bool role_given;
    bool renews;
    uint8_t renewal[ED25519_SIGNATURE_SIZE]; /* if renews: by the key before, over the renewal message */
};

/*
 * request_parse - read a request and check that its signature and its keys are good.
 *
 * pem         the file, PEM; borrowed
 * ret_reason  static text, one clause without a full stop, when the status is not STATUS_OK
 *
 * Returns STATUS_TOO_LARGE, STATUS_BAD_FORMAT (not a request), STATUS_BAD_SIGNATURE (not signed with the key
 * that it presents), STATUS_BAD_CERTIFICATE (asks for what no certificate holds; a weak or repeated key),
 * STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status request_parse(struct byte_view pem, struct request *ret, const char **ret_reason);

/*
 * request_make - a request for claims, whose signing key is the public half of seed.
 *
 * renewal  signature over the renewal message by the key before, ED25519_SIGNATURE_SIZE bytes; NULL in a
 *          first request
 * ret_pem  must be empty; freed with bytes_buffer_free
 *
 * Returns STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status request_make(const struct certificate_claims *claims,
                         const uint8_t seed[static ED25519_SEED_SIZE], const uint8_t *renewal,
                         struct byte_buffer *ret_pem);

#define REQUEST_RENEWAL_PREFIX "concordat/renewal/v1"
#define REQUEST_RENEWAL_SIZE   (sizeof REQUEST_RENEWAL_PREFIX + DIGEST_SIZE)

/*
 * request_renewal_message - what the key before signs to vouch for new ones: the prefix and a zero, then
 * SHA-256(canonical(member, role, signing, transport, sealing, vkey)), keys and vkey of the new certificate.
 * Returns STATUS_NO_MEMORY.
 */
enum status request_renewal_message(const struct certificate_claims *claims,
                                    uint8_t ret_message[static REQUEST_RENEWAL_SIZE]);
