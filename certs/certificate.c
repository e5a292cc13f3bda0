#include "certs/certificate.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "certs/claims.h"
#include "certs/x509_part.h"

#define FINGERPRINT_LONGEST (3 * DIGEST_SIZE)

struct certificate_root {
    X509 *x509;
    EVP_PKEY *key;
    uint8_t digest[DIGEST_SIZE];
};

static bool signed_with_ed25519(const X509 *x509)
{
    return X509_get_version(x509) == X509_VERSION_3 && X509_get_signature_nid(x509) == NID_ED25519;
}

enum status certificate_root_parse(struct byte_view der, struct certificate_root **ret_root)
{
    enum status status = STATUS_BAD_CERTIFICATE;
    struct certificate_root *root = calloc(1, sizeof *root);

    if (root == NULL)
        return STATUS_NO_MEMORY;
    root->x509 = x509_part_decode(der);
    if (root->x509 == NULL || !signed_with_ed25519(root->x509))
        goto out;
    root->key = X509_get_pubkey(root->x509);
    if (root->key == NULL || !EVP_PKEY_is_a(root->key, "ED25519"))
        goto out;
    if (X509_check_issued(root->x509, root->x509) != X509_V_OK || X509_verify(root->x509, root->key) != 1)
        goto out;
    if (X509_check_ca(root->x509) != 1 || X509_get_key_usage(root->x509) != (KU_KEY_CERT_SIGN | KU_CRL_SIGN))
        goto out;
    digest_sha256(der, root->digest);
    *ret_root = root;
    return STATUS_OK;
out:
    ERR_clear_error();
    certificate_root_free(&root);
    return status;
}

void certificate_root_free(struct certificate_root **root)
{
    if (root == NULL || *root == NULL)
        return;
    X509_free((*root)->x509);
    EVP_PKEY_free((*root)->key);
    free(*root);
    *root = NULL;
}

const uint8_t *certificate_root_digest(const struct certificate_root *root)
{
    return root->digest;
}

static bool issued_by(X509 *x509, const struct certificate_root *root)
{
    return signed_with_ed25519(x509) && X509_check_issued(root->x509, x509) == X509_V_OK &&
           X509_verify(x509, root->key) == 1;
}

/* Exactly the five extensions of the profile, each once, critical where the profile says so. */
static bool profile_extensions(X509 *x509)
{
    static const struct {
        int nid;
        bool critical;
    } profile[] = {
        {NID_basic_constraints, true},       {NID_key_usage, true},
        {NID_subject_key_identifier, false}, {NID_authority_key_identifier, false},
        {NID_subject_alt_name, false},
    };
    size_t count = sizeof profile / sizeof profile[0];

    if (X509_get_ext_count(x509) != (int)count)
        return false;
    for (size_t i = 0; i < count; i++) {
        int at = X509_get_ext_by_NID(x509, profile[i].nid, -1);
        if (at < 0 || X509_get_ext_by_NID(x509, profile[i].nid, at) >= 0)
            return false;
        if (X509_EXTENSION_get_critical(X509_get_ext(x509, at)) != (int)profile[i].critical)
            return false;
    }
    uint32_t flags = X509_get_extension_flags(x509);
    return (flags & (EXFLAG_INVALID | EXFLAG_CA)) == 0 && X509_get_pathlen(x509) == -1 &&
           X509_get_key_usage(x509) == KU_DIGITAL_SIGNATURE;
}

/* The subject is one common name and nothing else: the member id. */
static bool subject_is(const X509 *x509, const char *member)
{
    const X509_NAME *name = X509_get_subject_name(x509);

    if (X509_NAME_entry_count(name) != 1)
        return false;
    const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, 0);
    const ASN1_STRING *text = X509_NAME_ENTRY_get_data(entry);
    return OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) == NID_commonName &&
           bytes_equal(bytes_of_string(member),
                       bytes_view(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text)));
}

/* The subject key, which Ed25519 takes as a key. */
static bool read_signing(X509 *x509, uint8_t ret_public[static ED25519_PUBLIC_SIZE])
{
    EVP_PKEY *pkey = X509_get0_pubkey(x509);
    struct ed25519_key *key = NULL;
    size_t size = ED25519_PUBLIC_SIZE;

    if (pkey == NULL || !EVP_PKEY_is_a(pkey, "ED25519") ||
        EVP_PKEY_get_raw_public_key(pkey, ret_public, &size) != 1 || size != ED25519_PUBLIC_SIZE)
        return false;
    bool good = ed25519_public(ret_public, &key) == STATUS_OK;
    ed25519_free(&key);
    return good;
}

static bool read_claims(X509 *x509, struct certificate_claims *claims)
{
    struct claims_extras extras = {0};
    const char *reason = NULL;
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    bool good = names != NULL && claims_from_names(names, claims, &extras, &reason) == STATUS_OK &&
                extras.role_given && !extras.renews && claims_check(claims, &reason) == STATUS_OK &&
                subject_is(x509, claims->member);

    GENERAL_NAMES_free(names);
    return good;
}

enum status certificate_parse(struct byte_view der, const struct certificate_root *root,
                              struct certificate **ret)
{
    enum status status = STATUS_BAD_CERTIFICATE;
    struct certificate *certificate = calloc(1, sizeof *certificate);
    X509 *x509 = x509_part_decode(der);

    if (certificate == NULL) {
        status = STATUS_NO_MEMORY;
        goto out;
    }
    if (x509 == NULL || !issued_by(x509, root) || !profile_extensions(x509))
        goto out;
    if (!x509_part_validity(x509, &certificate->not_before, &certificate->not_after) ||
        !read_signing(x509, certificate->claims.signing) || !read_claims(x509, &certificate->claims))
        goto out;
    certificate->der = bytes_buffer(CERTIFICATE_LARGEST);
    bytes_append_view(&certificate->der, der);
    status = certificate->der.status;
    if (status != STATUS_OK)
        goto out;
    digest_sha256(der, certificate->digest);
    certificate_key_id(certificate->claims.sealing, certificate->sealing_id);
    *ret = certificate;
    certificate = NULL;
out:
    if (status != STATUS_OK)
        ERR_clear_error();
    X509_free(x509);
    certificate_free(&certificate);
    return status;
}

void certificate_free(struct certificate **certificate)
{
    if (certificate == NULL || *certificate == NULL)
        return;
    bytes_buffer_free(&(*certificate)->der);
    free(*certificate);
    *certificate = NULL;
}

void certificate_key_id(const uint8_t sealing[static X25519_KEY_SIZE],
                        uint8_t ret_id[static CERTIFICATE_KEY_ID_SIZE])
{
    uint8_t digest[DIGEST_SIZE];

    digest_sha256(bytes_view(sealing, X25519_KEY_SIZE), digest);
    memcpy(ret_id, digest, CERTIFICATE_KEY_ID_SIZE);
}

enum status certificate_fingerprint(const char *text, uint8_t ret_digest[static DIGEST_SIZE])
{
    char digits[2 * DIGEST_SIZE + 1];
    size_t used = 0;
    bool colons = text[0] != 0 && text[1] != 0 && text[2] == ':';

    if (strlen(text) != (colons ? FINGERPRINT_LONGEST - 1 : 2 * DIGEST_SIZE))
        return STATUS_BAD_FORMAT;
    for (size_t i = 0; text[i] != 0; i++) {
        if (colons && i % 3 == 2) {
            if (text[i] != ':')
                return STATUS_BAD_FORMAT;
            continue;
        }
        digits[used++] = text[i];
    }
    digits[used] = 0;
    return bytes_from_hex(digits, ret_digest, DIGEST_SIZE);
}
