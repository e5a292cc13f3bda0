#pragma once

#include "base/bytes.h"
#include "certs/role.h"
#include "proto/digest.h"
#include "proto/ed25519.h"
#include "proto/member.h"
#include "proto/x25519.h"

/*
 * X.509 certificates as Concordat issues and accepts them (RFC 5280, RFC 8410; the profile is in
 * docs/certificates.md). Everything that a certificate says about its holder stands in subjectAltName URIs,
 * so that `openssl x509 -text` shows it.
 */

#define CERTIFICATE_LARGEST      ((size_t)8192) /* of a DER encoding */
#define CERTIFICATE_KEY_ID_SIZE  16
#define CERTIFICATE_VKEY_LARGEST 256 /* of a log's C2SP verifier key, as text */

/* What a certificate, or the request for one, says about its holder. */
struct certificate_claims {
    char member[MEMBER_ID_LENGTH + 1];
    enum role role;
    uint8_t signing[ED25519_PUBLIC_SIZE];    /* the subject key */
    uint8_t transport[X25519_KEY_SIZE];      /* CURVE; agents and brokers, else zeros */
    uint8_t sealing[X25519_KEY_SIZE];        /* HPKE; agents and brokers, else zeros */
    char vkey[CERTIFICATE_VKEY_LARGEST + 1]; /* of the log; brokers and logs, else empty */
};

struct certificate {
    struct byte_buffer der;      /* exact bytes */
    uint8_t digest[DIGEST_SIZE]; /* SHA-256(der) */
    struct certificate_claims claims;
    uint8_t sealing_id[CERTIFICATE_KEY_ID_SIZE];
    int64_t not_before; /* the first and the last millisecond of validity */
    int64_t not_after;
};

/* The partnership's root, against which certificates are checked. */
struct certificate_root;

/*
 * certificate_root_parse - the Ed25519 root from its DER encoding, self-signed and a CA.
 * Freed with certificate_root_free. Returns STATUS_BAD_CERTIFICATE, STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status certificate_root_parse(struct byte_view der, struct certificate_root **ret_root);
void certificate_root_free(struct certificate_root **root);

/* certificate_root_digest - SHA-256 of its DER: the fingerprint that people compare. DIGEST_SIZE bytes, owned
 * by the root. */
const uint8_t *certificate_root_digest(const struct certificate_root *root);

/*
 * certificate_parse - a member's certificate, issued by root and of exactly our profile: no other extension,
 * no second name, no key twice in it. Validity in time and revocation are the directory's matter.
 *
 * ret  freed with certificate_free
 *
 * Returns STATUS_BAD_CERTIFICATE, STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status certificate_parse(struct byte_view der, const struct certificate_root *root,
                              struct certificate **ret);
void certificate_free(struct certificate **certificate);

/* certificate_key_id - the first 16 bytes of SHA-256 of a sealing key, by which sections name it. */
void certificate_key_id(const uint8_t sealing[static X25519_KEY_SIZE],
                        uint8_t ret_id[static CERTIFICATE_KEY_ID_SIZE]);

/*
 * certificate_fingerprint - a digest as people type it: 64 hexadecimal digits of either case, with or without
 * colons between the bytes. Returns STATUS_BAD_FORMAT.
 */
enum status certificate_fingerprint(const char *text, uint8_t ret_digest[static DIGEST_SIZE]);
