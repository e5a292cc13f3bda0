#include "certs/issuer.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/civil.h"
#include "base/utf8.h"
#include "certs/claims.h"
#include "certs/x509_part.h"

struct issuer {
    EVP_PKEY *key;
    X509 *x509;
};

/* What tells one kind of certificate from another. */
struct shape {
    const char *constraints;
    const char *usage;
    const EVP_MD *md; /* NULL for Ed25519 */
};

bool issuer_name_good(const char *name)
{
    size_t characters = 0;

    for (const uint8_t *c = (const uint8_t *)name; *c != 0; c++)
        characters += (*c & 0xc0) != 0x80;
    return characters > 0 && characters <= ISSUER_NAME_LONGEST && utf8_printable(bytes_of_string(name));
}

static bool add_names(X509 *x509, const struct certificate_claims *claims)
{
    GENERAL_NAMES *names = claims_to_names(claims, NULL);
    bool ok =
        names != NULL && X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;

    GENERAL_NAMES_free(names);
    return ok;
}

/* Issuer, extensions and signature. issuer may be x509 itself. claims NULL for a root. */
static bool finish(X509 *x509, X509 *issuer, EVP_PKEY *issuer_key, const struct shape *shape,
                   const struct certificate_claims *claims)
{
    return X509_set_issuer_name(x509, X509_get_subject_name(issuer)) == 1 &&
           x509_part_extension(x509, issuer, NID_basic_constraints, shape->constraints) &&
           x509_part_extension(x509, issuer, NID_key_usage, shape->usage) &&
           x509_part_extension(x509, issuer, NID_subject_key_identifier, "hash") &&
           x509_part_extension(x509, issuer, NID_authority_key_identifier, "keyid:always") &&
           (claims == NULL || add_names(x509, claims)) && X509_sign(x509, issuer_key, shape->md) > 0;
}

/* Takes key over. */
static enum status make_root(EVP_PKEY *key, const char *name, const char *common_name, int64_t now,
                             unsigned years, const struct shape *shape, struct byte_buffer *ret_key_pem,
                             struct byte_buffer *ret_der)
{
    enum status status = STATUS_CRYPTO;
    X509 *x509 = X509_new();
    struct byte_buffer pem = bytes_buffer(0);
    struct byte_buffer der = bytes_buffer(0);
    struct duration life = {.months = (int32_t)(12 * years)};

    if (!issuer_name_good(name)) {
        status = STATUS_BAD_ARGUMENT;
        goto out;
    }
    if (key == NULL || x509 == NULL ||
        !x509_part_start(x509, key, now - ISSUER_SKEW_MS, civil_add_duration(now, life, 1)))
        goto out;
    X509_NAME *subject = X509_get_subject_name(x509);
    if (!x509_part_name(subject, NID_organizationName, name) ||
        !x509_part_name(subject, NID_commonName, common_name) || !finish(x509, x509, key, shape, NULL))
        goto out;
    status = x509_part_key_pem(key, &pem);
    if (status == STATUS_OK)
        status = x509_part_der(x509, &der);
    if (status != STATUS_OK)
        goto out;
    *ret_key_pem = pem;
    *ret_der = der;
    pem = bytes_buffer(0);
    der = bytes_buffer(0);
out:
    if (status != STATUS_OK)
        ERR_clear_error();
    bytes_buffer_wipe(&pem);
    bytes_buffer_free(&der);
    X509_free(x509);
    EVP_PKEY_free(key);
    return status;
}

enum status issuer_make_root(const char *name, int64_t now, unsigned years, struct byte_buffer *ret_key_pem,
                             struct byte_buffer *ret_der)
{
    const struct shape shape = {"critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign", NULL};

    return make_root(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), name, "Concordat root", now, years, &shape,
                     ret_key_pem, ret_der);
}

enum status issuer_make_web_root(const char *name, int64_t now, unsigned years,
                                 struct byte_buffer *ret_key_pem, struct byte_buffer *ret_der)
{
    const struct shape shape = {"critical,CA:TRUE,pathlen:1", "critical,keyCertSign,cRLSign", EVP_sha256()};

    return make_root(EVP_EC_gen("P-256"), name, "Concordat web root", now, years, &shape, ret_key_pem,
                     ret_der);
}

enum status issuer_load(struct byte_view key_pem, struct byte_view der, struct issuer **ret)
{
    enum status status = STATUS_CORRUPT;
    struct issuer *issuer = calloc(1, sizeof *issuer);
    struct certificate_root *root = NULL;
    const uint8_t *at = der.data;
    BIO *bio = NULL;

    if (issuer == NULL)
        return STATUS_NO_MEMORY;
    if (key_pem.size == 0 || key_pem.size > ISSUER_KEY_LARGEST ||
        certificate_root_parse(der, &root) != STATUS_OK)
        goto out;
    bio = BIO_new_mem_buf(key_pem.data, (int)key_pem.size);
    issuer->key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, x509_part_no_password, NULL);
    issuer->x509 = d2i_X509(NULL, &at, (long)der.size);
    if (issuer->key == NULL || issuer->x509 == NULL || X509_check_private_key(issuer->x509, issuer->key) != 1)
        goto out;
    status = STATUS_OK;
    *ret = issuer;
    issuer = NULL;
out:
    if (status != STATUS_OK)
        ERR_clear_error();
    BIO_free(bio);
    certificate_root_free(&root);
    issuer_free(&issuer);
    return status;
}

void issuer_free(struct issuer **issuer)
{
    if (issuer == NULL || *issuer == NULL)
        return;
    EVP_PKEY_free((*issuer)->key); /* wipes the private half */
    X509_free((*issuer)->x509);
    free(*issuer);
    *issuer = NULL;
}

enum status issuer_issue(const struct issuer *issuer, const struct certificate_claims *claims,
                         int64_t not_before, int64_t not_after, struct byte_buffer *ret_der)
{
    const struct shape shape = {"critical,CA:FALSE", "critical,digitalSignature", NULL};
    enum status status = STATUS_CRYPTO;
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, claims->signing, sizeof claims->signing);
    X509 *x509 = X509_new();

    if (key != NULL && x509 != NULL && x509_part_start(x509, key, not_before, not_after) &&
        x509_part_name(X509_get_subject_name(x509), NID_commonName, claims->member) &&
        finish(x509, issuer->x509, issuer->key, &shape, claims))
        status = x509_part_der(x509, ret_der);
    if (status != STATUS_OK)
        ERR_clear_error();
    X509_free(x509);
    EVP_PKEY_free(key);
    return status;
}

enum status issuer_to_pem(struct byte_view der, struct byte_buffer *ret_pem)
{
    enum status status = STATUS_BAD_FORMAT;
    const uint8_t *at = der.data;
    X509 *x509 = der.size > CERTIFICATE_LARGEST ? NULL : d2i_X509(NULL, &at, (long)der.size);
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio == NULL)
        status = STATUS_NO_MEMORY;
    else if (x509 != NULL && PEM_write_bio_X509(bio, x509) == 1)
        status = x509_part_bio(bio, 2 * CERTIFICATE_LARGEST, ret_pem);
    ERR_clear_error();
    BIO_free(bio);
    X509_free(x509);
    return status;
}

enum status issuer_from_pem(struct byte_view pem, struct byte_buffer *ret_der)
{
    enum status status = STATUS_BAD_FORMAT;
    BIO *bio = NULL;
    X509 *x509 = NULL;

    if (pem.size == 0 || pem.size > 2 * CERTIFICATE_LARGEST)
        return STATUS_BAD_FORMAT;
    bio = BIO_new_mem_buf(pem.data, (int)pem.size);
    x509 = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, x509_part_no_password, NULL);
    if (bio == NULL)
        status = STATUS_NO_MEMORY;
    else if (x509 != NULL)
        status = x509_part_der(x509, ret_der);
    ERR_clear_error();
    X509_free(x509);
    BIO_free(bio);
    return status;
}
