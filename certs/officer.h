#pragma once

#include "certs/bundle.h"

/*
 * Officers: people with a certificate of their own. ECDSA P-256 under the partnership's web root, since
 * browsers take no Ed25519 (docs/certificates.md, "Officers").
 *
 * A data protection officer's certificate is issued by the partnership itself, for one agency or for the
 * whole scheme. A desk officer's is issued by the own agency, under an *intermediate* that the partnership
 * gave it and that X.509 name constraints bind to that agency's names. Nothing else is accepted: an
 * intermediate makes no data protection officer.
 */

#define OFFICER_ID_LONGEST   32
#define OFFICER_NAME_SIZE    (sizeof "concordat:///desk/" + MEMBER_ID_LENGTH + OFFICER_ID_LONGEST)
#define OFFICER_CHAIN_MAX    2 /* certificates: the officer's, then the agency's intermediate */
#define OFFICER_CERT_LARGEST ((size_t)4096)
#define OFFICER_POINT_SIZE   65 /* a P-256 public key, uncompressed */
#define OFFICER_SIGNATURE    64 /* ECDSA: r and s, 32 bytes each */

enum officer_role {
    OFFICER_DPO,  /* data protection officer */
    OFFICER_DESK, /* caseworker of an agency */
};

/*
 * Who it is, as the certificate's one subjectAltName says it:
 *
 *   concordat://HOST/ROLE/ID     HOST a member id or "scheme", ROLE "dpo" or "desk"
 *
 * This text is the officer's name everywhere: in queries, in events, in the log. It has a host because X.509
 * constrains no URI without one (RFC 5280 §4.2.1.10).
 */
struct officer_name {
    enum officer_role role;
    char agency[MEMBER_ID_LENGTH + 1]; /* empty: the scheme */
    char id[OFFICER_ID_LONGEST + 1];   /* a-z, 0-9, '.' and '-', beginning with a letter or digit */
};

/* officer_id_good - whether this may be an officer's id. */
bool officer_id_good(const char *id);

/* officer_name_parse - false unless it is such a name, in its one spelling. */
bool officer_name_parse(struct byte_view text, struct officer_name *ret);
void officer_name_format(const struct officer_name *name, char out[static OFFICER_NAME_SIZE]);

/* officer_host - what name constraints and names call an agency; "scheme" for an empty one. */
const char *officer_host(const char *agency);

/* A certificate as it stands, of an officer or an intermediate; on nobody's word but its own. */
struct officer_certificate {
    bool intermediate;
    struct officer_name name; /* of an intermediate the agency alone */
    uint8_t digest[DIGEST_SIZE];
    uint8_t point[OFFICER_POINT_SIZE];
    int64_t not_before;
    int64_t not_after;
};

/*
 * officer_certificate_read - check a certificate against its profile: extensions, key, names.
 * STATUS_BAD_CERTIFICATE with a reason (static text, a clause without a full stop) or STATUS_NO_MEMORY.
 */
enum status officer_certificate_read(struct byte_view der, struct officer_certificate *ret,
                                     const char **ret_reason);

/* What a chain proves. */
struct officer {
    struct officer_name name;
    char text[OFFICER_NAME_SIZE];
    uint8_t certificate[DIGEST_SIZE];
    uint8_t intermediate[DIGEST_SIZE]; /* zeros: issued by the partnership itself */
    uint8_t point[OFFICER_POINT_SIZE];
    int64_t not_after; /* the earliest end in the chain */
};

/*
 * officer_chain_verify - a chain from the officer's certificate up to the web root, which is not part of it.
 * Signatures, validity at now, purpose and name constraints are OpenSSL's X509_verify_cert; the profile, and
 * who may issue whom, ours.
 *
 * Returns STATUS_BAD_CERTIFICATE or STATUS_EXPIRED with a reason, STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status officer_chain_verify(const struct byte_view *chain, size_t n, struct byte_view web_root,
                                 int64_t now, struct officer *ret, const char **ret_reason);

/*
 * officer_verify - the same against a partnership's bundle: also STATUS_REVOKED when the bundle revokes the
 * certificate or its intermediate.
 */
enum status officer_verify(const struct byte_view *chain, size_t n, const struct bundle *bundle, int64_t now,
                           struct officer *ret, const char **ret_reason);

/* officer_standing - whether a verified officer still is one, under a newer bundle or later. */
bool officer_standing(const struct officer *officer, const struct bundle *bundle, int64_t now);

/* officer_signed - whether the officer signed this message (ECDSA P-256 with SHA-256). STATUS_BAD_SIGNATURE
 * or STATUS_CRYPTO. */
enum status officer_signed(const struct officer *officer, struct byte_view message,
                           const uint8_t signature[static OFFICER_SIGNATURE]);
