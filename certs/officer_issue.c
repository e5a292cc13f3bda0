#include "certs/officer_issue.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/officer_key.h"
#include "certs/x509_part.h"

#define MILLISECONDS 1000
#define ROUNDS       200000 /* of PBKDF2 */

struct officer_issuer {
    EVP_PKEY *key;
    X509 *x509;
    char agency[MEMBER_ID_LENGTH + 1]; /* of an intermediate; empty: the web root */
    int64_t not_before;
    int64_t not_after;
};

/* ---- the issuer ---- */

static EVP_PKEY *read_key(struct byte_view pem)
{
    BIO *bio =
        pem.size == 0 || pem.size > X509_PART_KEY_LARGEST ? NULL : BIO_new_mem_buf(pem.data, (int)pem.size);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, x509_part_no_password, NULL);

    BIO_free(bio);
    return key;
}

/* A root signs itself; an intermediate is what its profile says. */
static bool may_issue(struct officer_issuer *issuer, struct byte_view der)
{
    struct officer_certificate certificate;
    const char *reason = NULL;

    if (X509_self_signed(issuer->x509, 1) == 1)
        return X509_check_ca(issuer->x509) == 1;
    if (officer_certificate_read(der, &certificate, &reason) != STATUS_OK || !certificate.intermediate)
        return false;
    memcpy(issuer->agency, certificate.name.agency, sizeof issuer->agency);
    return true;
}

enum status officer_issuer_load(struct byte_view key_pem, struct byte_view der, struct officer_issuer **ret)
{
    struct officer_issuer *issuer = calloc(1, sizeof *issuer);
    enum status status = STATUS_CORRUPT;

    if (issuer == NULL)
        return STATUS_NO_MEMORY;
    issuer->key = read_key(key_pem);
    issuer->x509 = x509_part_decode(der);
    if (issuer->key != NULL && issuer->x509 != NULL && EVP_PKEY_is_a(issuer->key, "EC") &&
        X509_check_private_key(issuer->x509, issuer->key) == 1 && may_issue(issuer, der) &&
        x509_part_validity(issuer->x509, &issuer->not_before, &issuer->not_after))
        status = STATUS_OK;
    if (status == STATUS_OK) {
        *ret = issuer;
        return STATUS_OK;
    }
    ERR_clear_error();
    officer_issuer_free(&issuer);
    return status;
}

void officer_issuer_free(struct officer_issuer **issuer)
{
    if (issuer == NULL || *issuer == NULL)
        return;
    EVP_PKEY_free((*issuer)->key); /* wipes the private half */
    X509_free((*issuer)->x509);
    free(*issuer);
    *issuer = NULL;
}

/* ---- certificates ---- */

/* Two entries, the second never like a host's name: some software holds common names to constraints too. */
static bool name_subject(X509 *x509, const char *host, const char *common_name)
{
    X509_NAME *name = X509_get_subject_name(x509);

    return x509_part_name(name, NID_organizationName, host) &&
           x509_part_name(name, NID_commonName, common_name);
}

static bool begin(const struct officer_issuer *issuer, X509 *x509, EVP_PKEY *key, int64_t not_before,
                  int64_t not_after)
{
    int64_t from = not_before < issuer->not_before ? issuer->not_before : not_before;
    int64_t to = not_after > issuer->not_after ? issuer->not_after : not_after;

    return from < to && x509_part_start(x509, key, from, to) &&
           X509_set_issuer_name(x509, X509_get_subject_name(issuer->x509)) == 1;
}

static bool add_common(const struct officer_issuer *issuer, X509 *x509, const char *constraints,
                       const char *usage)
{
    return x509_part_extension(x509, issuer->x509, NID_basic_constraints, constraints) &&
           x509_part_extension(x509, issuer->x509, NID_key_usage, usage) &&
           x509_part_extension(x509, issuer->x509, NID_ext_key_usage, "clientAuth") &&
           x509_part_extension(x509, issuer->x509, NID_subject_key_identifier, "hash") &&
           x509_part_extension(x509, issuer->x509, NID_authority_key_identifier, "keyid:always");
}

static bool add_uri(X509 *x509, const char *uri)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    GENERAL_NAME *name = a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_URI, uri, 0);
    bool ok = names != NULL && name != NULL && sk_GENERAL_NAME_push(names, name) > 0;

    if (!ok)
        GENERAL_NAME_free(name);
    ok = ok && X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
    GENERAL_NAMES_free(names);
    return ok;
}

static bool push_subtree(STACK_OF(GENERAL_SUBTREE) * trees, int type, const void *data, int size)
{
    GENERAL_SUBTREE *tree = GENERAL_SUBTREE_new();
    ASN1_STRING *text = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();

    if (tree == NULL || text == NULL || ASN1_STRING_set(text, data, size) != 1 ||
        sk_GENERAL_SUBTREE_push(trees, tree) <= 0) {
        GENERAL_SUBTREE_free(tree);
        ASN1_STRING_free(text);
        return false;
    }
    GENERAL_NAME_set0_value(tree->base, type, text);
    return true;
}

/* URIs of this one host; no DNS names and no addresses at all. */
static bool add_constraints(X509 *x509, const char *agency)
{
    static const uint8_t everywhere[32] = {0};
    NAME_CONSTRAINTS *constraints = NAME_CONSTRAINTS_new();
    bool ok = constraints != NULL &&
              (constraints->permittedSubtrees = sk_GENERAL_SUBTREE_new_null()) != NULL &&
              (constraints->excludedSubtrees = sk_GENERAL_SUBTREE_new_null()) != NULL &&
              push_subtree(constraints->permittedSubtrees, GEN_URI, agency, (int)strlen(agency)) &&
              push_subtree(constraints->excludedSubtrees, GEN_DNS, "", 0) &&
              push_subtree(constraints->excludedSubtrees, GEN_IPADD, everywhere, 8) &&
              push_subtree(constraints->excludedSubtrees, GEN_IPADD, everywhere, 32) &&
              X509_add1_ext_i2d(x509, NID_name_constraints, constraints, 1, X509V3_ADD_DEFAULT) == 1;

    NAME_CONSTRAINTS_free(constraints);
    return ok;
}

static bool may_name(const struct officer_issuer *issuer, const struct officer_name *name)
{
    if (!officer_id_good(name->id) ||
        (name->agency[0] != 0 && member_check(bytes_of_string(name->agency)) != STATUS_OK))
        return false;
    if (issuer->agency[0] == 0)
        return name->role == OFFICER_DPO;
    return name->role == OFFICER_DESK && strcmp(name->agency, issuer->agency) == 0;
}

static bool make_leaf(const struct officer_issuer *issuer, X509 *x509, EVP_PKEY *key,
                      const struct officer_name *name, int64_t not_before, int64_t not_after)
{
    char uri[OFFICER_NAME_SIZE];
    char common_name[sizeof "officer " + OFFICER_ID_LONGEST];

    officer_name_format(name, uri);
    (void)snprintf(common_name, sizeof common_name, "officer %s", name->id);
    return begin(issuer, x509, key, not_before, not_after) &&
           name_subject(x509, officer_host(name->agency), common_name) &&
           add_common(issuer, x509, "critical,CA:FALSE", "critical,digitalSignature") && add_uri(x509, uri) &&
           X509_sign(x509, issuer->key, EVP_sha256()) > 0;
}

/* Key, certificate and, of an agency, its intermediate. Only the key is secret, and encrypted. */
static enum status make_p12(const struct officer_issuer *issuer, X509 *x509, EVP_PKEY *key,
                            const char *passphrase, struct byte_buffer *ret)
{
    enum status status = STATUS_CRYPTO;
    uint8_t *encoded = NULL;
    STACK_OF(X509) *others = sk_X509_new_null();
    PKCS12 *p12 = NULL;

    if (others == NULL || (issuer->agency[0] != 0 && sk_X509_push(others, issuer->x509) <= 0))
        goto out;
    p12 =
        PKCS12_create(passphrase, "Concordat officer", key, x509, others, NID_aes_256_cbc, -1, ROUNDS, -1, 0);
    if (p12 == NULL || PKCS12_set_mac(p12, passphrase, -1, NULL, 0, ROUNDS, EVP_sha256()) != 1)
        goto out;
    int size = i2d_PKCS12(p12, &encoded);
    if (size <= 0)
        goto out;
    *ret = bytes_buffer(OFFICER_KEY_LARGEST);
    bytes_append(ret, encoded, (size_t)size);
    status = ret->status;
out:
    OPENSSL_free(encoded);
    PKCS12_free(p12);
    sk_X509_free(others);
    return status;
}

enum status officer_issue(const struct officer_issuer *issuer, const struct officer_name *name,
                          int64_t not_before, int64_t not_after, const char *passphrase,
                          struct byte_buffer *ret_der, struct byte_buffer *ret_p12)
{
    enum status status = STATUS_CRYPTO;
    EVP_PKEY *key = NULL;
    X509 *x509 = X509_new();
    struct byte_buffer der = bytes_buffer(0);
    struct byte_buffer p12 = bytes_buffer(0);

    if (!may_name(issuer, name)) {
        status = STATUS_BAD_ARGUMENT;
        goto out;
    }
    key = EVP_EC_gen("P-256");
    if (x509 == NULL || key == NULL || !make_leaf(issuer, x509, key, name, not_before, not_after))
        goto out;
    status = x509_part_der(x509, &der);
    if (status == STATUS_OK)
        status = make_p12(issuer, x509, key, passphrase, &p12);
    if (status != STATUS_OK)
        goto out;
    *ret_der = der;
    *ret_p12 = p12;
    der = bytes_buffer(0);
    p12 = bytes_buffer(0);
out:
    ERR_clear_error();
    bytes_buffer_free(&der);
    bytes_buffer_wipe(&p12);
    X509_free(x509);
    EVP_PKEY_free(key);
    return status;
}

enum status officer_issue_intermediate(const struct officer_issuer *issuer, const char *agency,
                                       const uint8_t point[static OFFICER_POINT_SIZE], int64_t not_before,
                                       int64_t not_after, struct byte_buffer *ret_der)
{
    enum status status = STATUS_CRYPTO;
    EVP_PKEY *key = NULL;
    X509 *x509 = X509_new();

    if (issuer->agency[0] != 0 || member_check(bytes_of_string(agency)) != STATUS_OK) {
        X509_free(x509);
        return STATUS_BAD_ARGUMENT;
    }
    key = officer_key_public(point);
    if (x509 != NULL && key != NULL && begin(issuer, x509, key, not_before, not_after) &&
        name_subject(x509, agency, "Concordat officers") &&
        add_common(issuer, x509, "critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign") &&
        add_constraints(x509, agency) && X509_sign(x509, issuer->key, EVP_sha256()) > 0)
        status = x509_part_der(x509, ret_der);
    ERR_clear_error();
    X509_free(x509);
    EVP_PKEY_free(key);
    return status;
}

enum status officer_issue_key(struct byte_buffer *ret_key_pem)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    enum status status = key == NULL ? STATUS_CRYPTO : x509_part_key_pem(key, ret_key_pem);

    ERR_clear_error();
    EVP_PKEY_free(key);
    return status;
}

/* ---- requests ---- */

enum status officer_request_make(struct byte_view key_pem, const char *agency, struct byte_buffer *ret_pem)
{
    enum status status = STATUS_CRYPTO;
    EVP_PKEY *key = read_key(key_pem);
    X509_REQ *csr = X509_REQ_new();
    BIO *bio = BIO_new(BIO_s_mem());

    if (key == NULL)
        status = STATUS_CORRUPT;
    else if (csr != NULL && bio != NULL && X509_REQ_set_version(csr, X509_REQ_VERSION_1) == 1 &&
             x509_part_name(X509_REQ_get_subject_name(csr), NID_commonName, agency) &&
             X509_REQ_set_pubkey(csr, key) == 1 && X509_REQ_sign(csr, key, EVP_sha256()) > 0 &&
             PEM_write_bio_X509_REQ(bio, csr) == 1)
        status = x509_part_bio(bio, OFFICER_ISSUE_REQUEST_LARGEST, ret_pem);
    ERR_clear_error();
    BIO_free(bio);
    X509_REQ_free(csr);
    EVP_PKEY_free(key);
    return status;
}

/* The common name, which must be all of the subject, and a member id. */
static bool read_agency(const X509_REQ *csr, char ret[static MEMBER_ID_LENGTH + 1])
{
    const X509_NAME *name = X509_REQ_get_subject_name(csr);

    if (X509_NAME_entry_count(name) != 1)
        return false;
    const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, 0);
    const ASN1_STRING *text = X509_NAME_ENTRY_get_data(entry);
    struct byte_view view = bytes_view(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
    if (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) != NID_commonName || member_check(view) != STATUS_OK)
        return false;
    memset(ret, 0, MEMBER_ID_LENGTH + 1);
    memcpy(ret, view.data, view.size);
    return true;
}

static enum status read_csr(X509_REQ *csr, struct officer_request *ret, const char **ret_reason)
{
    struct officer_request request;
    EVP_PKEY *key = X509_REQ_get0_pubkey(csr);

    if (key == NULL || !officer_key_point(key, request.point)) {
        *ret_reason = "its key is not an ECDSA P-256 key";
        return STATUS_BAD_FORMAT;
    }
    if (X509_REQ_verify(csr, key) != 1) {
        *ret_reason = "it is not signed with the key that it presents";
        return STATUS_BAD_SIGNATURE;
    }
    if (!read_agency(csr, request.agency)) {
        *ret_reason = "its subject is not one common name with the agency's member id";
        return STATUS_BAD_FORMAT;
    }
    *ret = request;
    return STATUS_OK;
}

enum status officer_request_read(struct byte_view pem, struct officer_request *ret, const char **ret_reason)
{
    enum status status = STATUS_BAD_FORMAT;
    X509_REQ *csr = NULL;
    BIO *bio = NULL;

    if (pem.size > OFFICER_ISSUE_REQUEST_LARGEST) {
        *ret_reason = "it is larger than any request";
        return STATUS_TOO_LARGE;
    }
    bio = BIO_new_mem_buf(pem.size == 0 ? "" : (const void *)pem.data, (int)pem.size);
    csr = bio == NULL ? NULL : PEM_read_bio_X509_REQ(bio, NULL, x509_part_no_password, NULL);
    if (bio == NULL) {
        status = STATUS_NO_MEMORY;
        *ret_reason = status_text(status);
    } else if (csr == NULL) {
        *ret_reason = "it is not a PEM certificate request";
    } else {
        status = read_csr(csr, ret, ret_reason);
    }
    ERR_clear_error();
    X509_REQ_free(csr);
    BIO_free(bio);
    return status;
}

/* ---- revocation lists ---- */

static bool set_time(X509_CRL *crl, int (*set)(X509_CRL *, const ASN1_TIME *), int64_t time)
{
    ASN1_TIME *value = ASN1_TIME_set(NULL, (time_t)(time / MILLISECONDS));
    bool ok = value != NULL && set(crl, value) == 1;

    ASN1_TIME_free(value);
    return ok;
}

static bool add_number(X509_CRL *crl, int64_t now)
{
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    bool ok = number != NULL && ASN1_INTEGER_set_int64(number, now / MILLISECONDS) == 1 &&
              X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, X509V3_ADD_DEFAULT) == 1;

    ASN1_INTEGER_free(number);
    return ok;
}

static enum status add_line(const struct officer_issuer *issuer, X509_CRL *crl,
                            const struct officer_revoked *line)
{
    X509 *x509 = x509_part_decode(line->der);
    X509_REVOKED *revoked = X509_REVOKED_new();
    ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)(line->at / MILLISECONDS));
    enum status status = STATUS_BAD_ARGUMENT;

    if (x509 != NULL && X509_verify(x509, issuer->key) == 1) {
        status = revoked != NULL && at != NULL &&
                         X509_REVOKED_set_serialNumber(revoked, X509_get_serialNumber(x509)) == 1 &&
                         X509_REVOKED_set_revocationDate(revoked, at) == 1 &&
                         X509_CRL_add0_revoked(crl, revoked) == 1
                     ? STATUS_OK
                     : STATUS_CRYPTO;
        if (status == STATUS_OK)
            revoked = NULL; /* the list's now */
    }
    ASN1_TIME_free(at);
    X509_REVOKED_free(revoked);
    X509_free(x509);
    return status;
}

static bool sign_crl(const struct officer_issuer *issuer, X509_CRL *crl)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer->x509, NULL, NULL, crl, 0);
    X509_EXTENSION *key_id =
        X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
    bool ok = key_id != NULL && X509_CRL_add_ext(crl, key_id, -1) == 1;

    X509_EXTENSION_free(key_id);
    return ok && X509_CRL_sort(crl) == 1 && X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0;
}

enum status officer_issue_crl(const struct officer_issuer *issuer, const struct officer_revoked *revoked,
                              size_t n, int64_t now, int64_t next, struct byte_buffer *ret_pem)
{
    enum status status = STATUS_CRYPTO;
    X509_CRL *crl = X509_CRL_new();
    BIO *bio = BIO_new(BIO_s_mem());

    if (crl != NULL && bio != NULL && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->x509)) == 1 &&
        set_time(crl, X509_CRL_set1_lastUpdate, now) && set_time(crl, X509_CRL_set1_nextUpdate, next) &&
        add_number(crl, now))
        status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < n; i++)
        status = add_line(issuer, crl, &revoked[i]);
    if (status == STATUS_OK && (!sign_crl(issuer, crl) || PEM_write_bio_X509_CRL(bio, crl) != 1))
        status = STATUS_CRYPTO;
    if (status == STATUS_OK)
        status = x509_part_bio(bio, (size_t)4 << 20, ret_pem);
    ERR_clear_error();
    BIO_free(bio);
    X509_CRL_free(crl);
    return status;
}
