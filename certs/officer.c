#include "certs/officer.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "certs/officer_key.h"
#include "certs/x509_part.h"

#define SCHEME       "concordat://"
#define SCHEME_WIDE  "scheme" /* a host that is no member id: these have a dot */
#define MILLISECONDS 1000

/* ---- names ---- */

static const char *const roles[] = {[OFFICER_DPO] = "dpo", [OFFICER_DESK] = "desk"};

bool officer_id_good(const char *id)
{
    size_t size = strlen(id);

    if (size == 0 || size > OFFICER_ID_LONGEST || id[0] == '.' || id[0] == '-')
        return false;
    return strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789.-") == size;
}

const char *officer_host(const char *agency)
{
    return agency[0] == 0 ? SCHEME_WIDE : agency;
}

void officer_name_format(const struct officer_name *name, char out[static OFFICER_NAME_SIZE])
{
    (void)snprintf(out, OFFICER_NAME_SIZE, SCHEME "%s/%s/%s", officer_host(name->agency), roles[name->role],
                   name->id);
}

/* The text up to the next slash, or to the end. */
static struct byte_view take_segment(struct byte_view *rest)
{
    const uint8_t *slash = rest->size == 0 ? NULL : memchr(rest->data, '/', rest->size);
    size_t size = slash == NULL ? rest->size : (size_t)(slash - rest->data);
    struct byte_view segment = bytes_view(rest->data, size);

    *rest = slash == NULL ? bytes_view(NULL, 0) : bytes_view(slash + 1, rest->size - size - 1);
    return segment;
}

bool officer_name_parse(struct byte_view text, struct officer_name *ret)
{
    struct officer_name name = {.role = OFFICER_DPO};
    const size_t skip = sizeof SCHEME - 1;
    char again[OFFICER_NAME_SIZE];

    if (text.size <= skip || text.size >= OFFICER_NAME_SIZE || memcmp(text.data, SCHEME, skip) != 0)
        return false;
    struct byte_view rest = bytes_view(text.data + skip, text.size - skip);
    struct byte_view host = take_segment(&rest);
    struct byte_view role = take_segment(&rest);
    if (rest.size == 0 || rest.size > OFFICER_ID_LONGEST)
        return false;
    if (!bytes_equal(host, bytes_of_string(SCHEME_WIDE))) {
        if (member_check(host) != STATUS_OK)
            return false;
        memcpy(name.agency, host.data, host.size);
    }
    if (bytes_equal(role, bytes_of_string(roles[OFFICER_DESK])))
        name.role = OFFICER_DESK;
    memcpy(name.id, rest.data, rest.size);
    if (!officer_id_good(name.id))
        return false;
    /* One spelling: what was read is written the same. */
    officer_name_format(&name, again);
    if (!bytes_equal(text, bytes_of_string(again)))
        return false;
    *ret = name;
    return true;
}

/* ---- one certificate ---- */

static const struct profile {
    int nid;
    bool critical;
} leaf_profile[] = {{NID_basic_constraints, true},
                    {NID_key_usage, true},
                    {NID_ext_key_usage, false},
                    {NID_subject_key_identifier, false},
                    {NID_authority_key_identifier, false},
                    {NID_subject_alt_name, false},
                    {NID_undef, false}},
  intermediate_profile[] = {{NID_basic_constraints, true},
                            {NID_key_usage, true},
                            {NID_ext_key_usage, false},
                            {NID_subject_key_identifier, false},
                            {NID_authority_key_identifier, false},
                            {NID_name_constraints, true},
                            {NID_undef, false}};

/* Exactly these extensions, each once. */
static bool has_profile(X509 *x509, const struct profile *profile)
{
    int count = 0;

    for (; profile[count].nid != NID_undef; count++) {
        int at = X509_get_ext_by_NID(x509, profile[count].nid, -1);
        if (at < 0 || X509_get_ext_by_NID(x509, profile[count].nid, at) >= 0 ||
            X509_EXTENSION_get_critical(X509_get_ext(x509, at)) != (int)profile[count].critical)
            return false;
    }
    return X509_get_ext_count(x509) == count && (X509_get_extension_flags(x509) & EXFLAG_INVALID) == 0 &&
           X509_get_extended_key_usage(x509) == XKU_SSL_CLIENT;
}

static struct byte_view uri_of(const GENERAL_NAME *name)
{
    const ASN1_IA5STRING *text = name->type == GEN_URI ? name->d.uniformResourceIdentifier : NULL;

    if (text == NULL)
        return bytes_view(NULL, 0);
    return bytes_view(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
}

/* The one name of an officer. */
static bool read_name(X509 *x509, struct officer_name *ret)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    bool good = names != NULL && sk_GENERAL_NAME_num(names) == 1 &&
                officer_name_parse(uri_of(sk_GENERAL_NAME_value(names, 0)), ret);

    GENERAL_NAMES_free(names);
    return good;
}

/* The one host that an intermediate may name, from its constraints: a member id. */
static bool read_constraint(X509 *x509, struct officer_name *ret)
{
    NAME_CONSTRAINTS *constraints = X509_get_ext_d2i(x509, NID_name_constraints, NULL, NULL);
    bool good = constraints != NULL && sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees) == 1;

    *ret = (struct officer_name){.role = OFFICER_DESK};
    if (good) {
        const GENERAL_SUBTREE *tree = sk_GENERAL_SUBTREE_value(constraints->permittedSubtrees, 0);
        struct byte_view host = uri_of(tree->base);
        good = tree->maximum == NULL && member_check(host) == STATUS_OK;
        if (good)
            memcpy(ret->agency, host.data, host.size);
    }
    NAME_CONSTRAINTS_free(constraints);
    return good;
}

static bool is_intermediate(X509 *x509)
{
    return X509_check_ca(x509) == 1 && X509_get_pathlen(x509) == 0 &&
           has_profile(x509, intermediate_profile) &&
           X509_get_key_usage(x509) == (KU_KEY_CERT_SIGN | KU_CRL_SIGN);
}

static bool is_leaf(X509 *x509)
{
    return (X509_get_extension_flags(x509) & EXFLAG_CA) == 0 && X509_get_pathlen(x509) == -1 &&
           has_profile(x509, leaf_profile) && X509_get_key_usage(x509) == KU_DIGITAL_SIGNATURE;
}

static const char *fault_of(X509 *x509, struct officer_certificate *certificate)
{
    if (X509_get_version(x509) != X509_VERSION_3 || X509_get_signature_nid(x509) != NID_ecdsa_with_SHA256)
        return "it is not a version 3 certificate signed with ECDSA and SHA-256";
    certificate->intermediate = X509_check_ca(x509) != 0;
    if (certificate->intermediate ? !is_intermediate(x509) : !is_leaf(x509))
        return "it does not have the extensions of an officer's certificate";
    if (X509_get0_pubkey(x509) == NULL || !officer_key_point(X509_get0_pubkey(x509), certificate->point))
        return "its key is not an ECDSA P-256 key";
    if (certificate->intermediate && !read_constraint(x509, &certificate->name))
        return "it is not constrained to the officers of one agency";
    if (!certificate->intermediate && !read_name(x509, &certificate->name))
        return "it does not name an officer in exactly one way";
    if (!x509_part_validity(x509, &certificate->not_before, &certificate->not_after))
        return "it has no validity";
    return NULL;
}

enum status officer_certificate_read(struct byte_view der, struct officer_certificate *ret,
                                     const char **ret_reason)
{
    struct officer_certificate certificate = {.intermediate = false};
    X509 *x509 = der.size > OFFICER_CERT_LARGEST ? NULL : x509_part_decode(der);
    const char *fault = x509 == NULL ? "it is not a certificate" : fault_of(x509, &certificate);

    ERR_clear_error();
    X509_free(x509);
    if (fault != NULL) {
        *ret_reason = fault;
        return STATUS_BAD_CERTIFICATE;
    }
    digest_sha256(der, certificate.digest);
    *ret = certificate;
    return STATUS_OK;
}

/* ---- chains ---- */

/* Whether X509_verify_cert accepts the chain under this root alone, at this time, for TLS clients. */
static enum status verify_x509(X509 *leaf, STACK_OF(X509) * others, X509 *root, int64_t now,
                               const char **ret_reason)
{
    enum status status = STATUS_NO_MEMORY;
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();

    if (store == NULL || context == NULL || X509_STORE_add_cert(store, root) != 1 ||
        X509_STORE_CTX_init(context, store, leaf, others) != 1)
        goto out;
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(param, (time_t)(now / MILLISECONDS));
    X509_VERIFY_PARAM_set_depth(param, OFFICER_CHAIN_MAX);
    (void)X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
    if (X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT) != 1)
        goto out;
    if (X509_verify_cert(context) == 1) {
        status = STATUS_OK;
        goto out;
    }
    int error = X509_STORE_CTX_get_error(context);
    bool validity = error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID;
    status = validity ? STATUS_EXPIRED : STATUS_BAD_CERTIFICATE;
    *ret_reason = X509_verify_cert_error_string(error);
out:
    if (status == STATUS_NO_MEMORY)
        *ret_reason = status_text(status);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return status;
}

/* Who may issue whom: the partnership data protection officers, an agency its own desk officers. */
static const char *order_fault(const struct officer_certificate *certificates, size_t n)
{
    if (certificates[0].intermediate)
        return "an intermediate is not an officer";
    if (n == 1)
        return certificates[0].name.role == OFFICER_DPO
                   ? NULL
                   : "a desk officer's certificate is its agency's to issue";
    if (!certificates[1].intermediate)
        return "the second certificate is not an agency's intermediate";
    if (certificates[0].name.role != OFFICER_DESK)
        return "an agency issues desk officers only: data protection officers are the partnership's";
    /* X509_verify_cert has said so too: this is what the constraint is for. */
    if (strcmp(certificates[0].name.agency, certificates[1].name.agency) != 0)
        return "it names another agency than the one that issued it";
    return NULL;
}

static enum status verify_decoded(X509 *const *x509s, size_t n, X509 *root, int64_t now,
                                  const char **ret_reason)
{
    STACK_OF(X509) *others = sk_X509_new_null();
    enum status status = others == NULL ? STATUS_NO_MEMORY : STATUS_OK;

    for (size_t i = 1; status == STATUS_OK && i < n; i++)
        status = sk_X509_push(others, x509s[i]) > 0 ? STATUS_OK : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = verify_x509(x509s[0], others, root, now, ret_reason);
    else
        *ret_reason = status_text(status);
    sk_X509_free(others);
    return status;
}

static enum status verify_chain(const struct byte_view *chain, size_t n, struct byte_view web_root,
                                int64_t now, const char **ret_reason)
{
    X509 *x509s[OFFICER_CHAIN_MAX] = {NULL};
    X509 *root = x509_part_decode(web_root);
    enum status status = STATUS_BAD_CERTIFICATE;

    for (size_t i = 0; i < n; i++)
        x509s[i] = x509_part_decode(chain[i]);
    if (root == NULL)
        *ret_reason = "the partnership's web root cannot be read";
    else
        status = verify_decoded(x509s, n, root, now, ret_reason);
    ERR_clear_error();
    for (size_t i = 0; i < n; i++)
        X509_free(x509s[i]);
    X509_free(root);
    return status;
}

enum status officer_chain_verify(const struct byte_view *chain, size_t n, struct byte_view web_root,
                                 int64_t now, struct officer *ret, const char **ret_reason)
{
    struct officer_certificate certificates[OFFICER_CHAIN_MAX];
    struct officer officer = {.text = ""};
    enum status status = STATUS_OK;

    if (n == 0 || n > OFFICER_CHAIN_MAX) {
        *ret_reason = "a chain has one or two certificates";
        return STATUS_BAD_CERTIFICATE;
    }
    for (size_t i = 0; status == STATUS_OK && i < n; i++)
        status = officer_certificate_read(chain[i], &certificates[i], ret_reason);
    if (status == STATUS_OK)
        status = verify_chain(chain, n, web_root, now, ret_reason);
    if (status != STATUS_OK)
        return status;
    const char *fault = order_fault(certificates, n);
    if (fault != NULL) {
        *ret_reason = fault;
        return STATUS_BAD_CERTIFICATE;
    }
    officer.name = certificates[0].name;
    officer_name_format(&officer.name, officer.text);
    memcpy(officer.certificate, certificates[0].digest, DIGEST_SIZE);
    memcpy(officer.point, certificates[0].point, OFFICER_POINT_SIZE);
    officer.not_after = certificates[0].not_after;
    if (n > 1) {
        memcpy(officer.intermediate, certificates[1].digest, DIGEST_SIZE);
        if (certificates[1].not_after < officer.not_after)
            officer.not_after = certificates[1].not_after;
    }
    *ret = officer;
    return STATUS_OK;
}

enum status officer_verify(const struct byte_view *chain, size_t n, const struct bundle *bundle, int64_t now,
                           struct officer *ret, const char **ret_reason)
{
    struct officer officer;
    enum status status = officer_chain_verify(chain, n, bundle_web_root(bundle), now, &officer, ret_reason);

    if (status != STATUS_OK)
        return status;
    if (bundle_officer_revoked(bundle, officer.certificate)) {
        *ret_reason = "the officer's certificate is revoked";
        return STATUS_REVOKED;
    }
    if (n > 1 && bundle_officer_revoked(bundle, officer.intermediate)) {
        *ret_reason = "the certificate under which the agency issued it is revoked";
        return STATUS_REVOKED;
    }
    *ret = officer;
    return STATUS_OK;
}

bool officer_standing(const struct officer *officer, const struct bundle *bundle, int64_t now)
{
    return now <= officer->not_after && !bundle_officer_revoked(bundle, officer->certificate) &&
           !bundle_officer_revoked(bundle, officer->intermediate);
}

/* ---- signatures ---- */

/* OpenSSL takes an ECDSA signature as DER only. Returns its size, 0 when it cannot be made. */
static size_t signature_der(const uint8_t signature[static OFFICER_SIGNATURE], uint8_t out[static 80])
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, OFFICER_SIGNATURE / 2, NULL);
    BIGNUM *s = BN_bin2bn(signature + OFFICER_SIGNATURE / 2, OFFICER_SIGNATURE / 2, NULL);
    uint8_t *at = out;
    int size = 0;

    if (pair == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1) {
        BN_free(r);
        BN_free(s);
    } else {
        size = i2d_ECDSA_SIG(pair, &at);
    }
    ECDSA_SIG_free(pair);
    return size < 0 ? 0 : (size_t)size;
}

enum status officer_signed(const struct officer *officer, struct byte_view message,
                           const uint8_t signature[static OFFICER_SIGNATURE])
{
    enum status status = STATUS_CRYPTO;
    uint8_t der[80];
    size_t size = signature_der(signature, der);
    EVP_PKEY *key = officer_key_public(officer->point);
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    if (size > 0 && key != NULL && context != NULL &&
        EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1)
        status = EVP_DigestVerify(context, der, size, message.data, message.size) == 1 ? STATUS_OK
                                                                                       : STATUS_BAD_SIGNATURE;
    ERR_clear_error();
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return status;
}
