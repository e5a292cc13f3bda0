#pragma once

#include <openssl/x509v3.h>

#include "certs/certificate.h"

/*
 * What a certificate says about its holder, as subjectAltName URIs:
 *
 *   urn:concordat:member:ID      urn:concordat:role:ROLE
 *   urn:concordat:curve:HEX      urn:concordat:sealing:HEX     (agents and brokers)
 *   urn:concordat:log:VKEY                                     (brokers and logs; percent-encoded)
 *   urn:concordat:renews:HEX                                   (requests only: the old key's signature)
 */

/* What stood there beyond the claims themselves. */
struct claims_extras {
    bool role_given;
    bool renews;
    uint8_t renewal[ED25519_SIGNATURE_SIZE];
};

/*
 * claims_to_names - the URIs of claims, in the order above. renewal is NULL except in a request that renews.
 * The caller frees with GENERAL_NAMES_free; NULL when memory ran out.
 */
GENERAL_NAMES *claims_to_names(const struct certificate_claims *claims, const uint8_t *renewal);

/*
 * claims_from_names - the other way round, in any order. claims->signing is not touched; a role that is not
 * given is agent.
 *
 * ret_reason  static text, one clause without a full stop
 *
 * Returns STATUS_BAD_CERTIFICATE for anything that is none of these URIs, stands there twice or is malformed.
 */
enum status claims_from_names(const GENERAL_NAMES *names, struct certificate_claims *claims,
                              struct claims_extras *ret_extras, const char **ret_reason);

/*
 * claims_check - whether the keys are those that the role needs, and all different.
 * Returns STATUS_BAD_CERTIFICATE with a reason as above.
 */
enum status claims_check(const struct certificate_claims *claims, const char **ret_reason);

/* claims_has_transport - whether this role has a transport and a sealing key. */
bool claims_has_transport(enum role role);

/* claims_log_key - the public key in the vkey; STATUS_NOT_FOUND without one, STATUS_BAD_FORMAT,
 * STATUS_NO_MEMORY or STATUS_CRYPTO. */
enum status claims_log_key(const struct certificate_claims *claims,
                           uint8_t ret_public[static ED25519_PUBLIC_SIZE]);

#define CLAIMS_LOG_NAME_LONGEST 160

/* claims_log_name_good - a key name that signed notes can carry (C2SP signed-note) and that fits into a vkey:
 * printable ASCII without spaces and plus signs. */
bool claims_log_name_good(const char *name);

/* claims_format_vkey - the verifier key (proto/note_key.h) of a log; name must be good. Returns
 * STATUS_NO_MEMORY.
 */
enum status claims_format_vkey(const char *name, const struct ed25519_key *key,
                               char ret_vkey[static CERTIFICATE_VKEY_LARGEST + 1]);
