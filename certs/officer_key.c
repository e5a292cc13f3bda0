#include "certs/officer_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>

#include "certs/x509_part.h"

struct officer_key {
    EVP_PKEY *key;
    struct officer_name name;
    struct byte_buffer chain[OFFICER_CHAIN_MAX];
    size_t n;
};

/* ---- points ---- */

EVP_PKEY *officer_key_public(const uint8_t point[static OFFICER_POINT_SIZE])
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    char group[] = "prime256v1";
    uint8_t copy[OFFICER_POINT_SIZE];

    memcpy(copy, point, sizeof copy);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, sizeof copy),
        OSSL_PARAM_construct_end(),
    };
    if (context != NULL && EVP_PKEY_fromdata_init(context) == 1)
        (void)EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(context);
    return key;
}

bool officer_key_point(const EVP_PKEY *key, uint8_t ret[static OFFICER_POINT_SIZE])
{
    char group[32] = "";
    size_t size = 0;

    return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
           strcmp(group, "prime256v1") == 0 &&
           EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, ret, OFFICER_POINT_SIZE, &size) ==
               1 &&
           size == OFFICER_POINT_SIZE && ret[0] == POINT_CONVERSION_UNCOMPRESSED;
}

/* ---- the file ---- */

static enum status keep(struct officer_key *key, X509 *x509, struct officer_certificate *ret,
                        const char **ret_reason)
{
    struct byte_buffer *der = &key->chain[key->n];
    enum status status = x509_part_der(x509, der);

    if (status == STATUS_OK) {
        key->n++;
        return officer_certificate_read(bytes_buffer_view(der), ret, ret_reason);
    }
    *ret_reason = status_text(status);
    return status;
}

/* The officer's certificate, then an intermediate if there is one. */
static enum status take(struct officer_key *key, X509 *x509, STACK_OF(X509) * others, const char **ret_reason)
{
    struct officer_certificate own;
    struct officer_certificate above;
    enum status status = keep(key, x509, &own, ret_reason);

    if (status == STATUS_OK && own.intermediate) {
        *ret_reason = "it holds an agency's intermediate, not an officer's certificate";
        status = STATUS_BAD_CERTIFICATE;
    }
    if (status == STATUS_OK && others != NULL && sk_X509_num(others) > OFFICER_CHAIN_MAX - 1) {
        *ret_reason = "it holds more certificates than an officer has";
        status = STATUS_BAD_FORMAT;
    }
    for (int i = 0; status == STATUS_OK && others != NULL && i < sk_X509_num(others); i++)
        status = keep(key, sk_X509_value(others, i), &above, ret_reason);
    if (status == STATUS_OK)
        key->name = own.name;
    return status;
}

static PKCS12 *decode(struct byte_view file)
{
    const uint8_t *at = file.data;
    PKCS12 *p12 =
        file.size == 0 || file.size > OFFICER_KEY_LARGEST ? NULL : d2i_PKCS12(NULL, &at, (long)file.size);

    if (p12 != NULL && at != file.data + file.size) {
        PKCS12_free(p12);
        p12 = NULL;
    }
    return p12;
}

/* How often it would have us hash: a file is not to keep us busy for minutes. */
static bool affordable(const PKCS12 *p12)
{
    const ASN1_INTEGER *rounds = NULL;

    PKCS12_get0_mac(NULL, NULL, NULL, &rounds, p12);
    return rounds == NULL || ASN1_INTEGER_get(rounds) <= OFFICER_KEY_ROUNDS;
}

static enum status unlock(struct officer_key *key, PKCS12 *p12, const char *passphrase,
                          const char **ret_reason)
{
    X509 *x509 = NULL;
    STACK_OF(X509) *others = NULL;
    enum status status = STATUS_BAD_FORMAT;

    *ret_reason = "it is not a PKCS #12 file";
    if (p12 == NULL || !affordable(p12))
        return status;
    if (PKCS12_verify_mac(p12, passphrase, -1) != 1) {
        *ret_reason = "the passphrase is not the file's";
        return STATUS_BAD_SEAL;
    }
    if (PKCS12_parse(p12, passphrase, &key->key, &x509, &others) != 1 || key->key == NULL || x509 == NULL)
        *ret_reason = "it does not hold a key and its certificate";
    else if (X509_check_private_key(x509, key->key) != 1)
        *ret_reason = "its key and its certificate do not belong together";
    else
        status = take(key, x509, others, ret_reason);
    X509_free(x509);
    sk_X509_pop_free(others, X509_free);
    return status;
}

enum status officer_key_open(struct byte_view file, const char *passphrase, struct officer_key **ret,
                             const char **ret_reason)
{
    struct officer_key *key = calloc(1, sizeof *key);
    PKCS12 *p12 = decode(file);
    enum status status = STATUS_NO_MEMORY;

    if (key == NULL)
        *ret_reason = status_text(status);
    else
        status = unlock(key, p12, passphrase, ret_reason);
    ERR_clear_error();
    PKCS12_free(p12);
    if (status == STATUS_OK)
        *ret = key;
    else
        officer_key_free(&key);
    return status;
}

void officer_key_free(struct officer_key **key)
{
    if (key == NULL || *key == NULL)
        return;
    EVP_PKEY_free((*key)->key); /* wipes the private half */
    for (size_t i = 0; i < OFFICER_CHAIN_MAX; i++)
        bytes_buffer_free(&(*key)->chain[i]);
    free(*key);
    *key = NULL;
}

const struct officer_name *officer_key_name(const struct officer_key *key)
{
    return &key->name;
}

size_t officer_key_chain(const struct officer_key *key, struct byte_view ret_chain[static OFFICER_CHAIN_MAX])
{
    for (size_t i = 0; i < key->n; i++)
        ret_chain[i] = bytes_buffer_view(&key->chain[i]);
    return key->n;
}

/* ---- signing ---- */

static bool split(const uint8_t *der, size_t size, uint8_t ret[static OFFICER_SIGNATURE])
{
    const uint8_t *at = der;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)size);
    bool ok = pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), ret, OFFICER_SIGNATURE / 2) > 0 &&
              BN_bn2binpad(ECDSA_SIG_get0_s(pair), ret + OFFICER_SIGNATURE / 2, OFFICER_SIGNATURE / 2) > 0;

    ECDSA_SIG_free(pair);
    return ok;
}

enum status officer_key_sign(const struct officer_key *key, struct byte_view message,
                             uint8_t ret_signature[static OFFICER_SIGNATURE])
{
    uint8_t der[80];
    size_t size = sizeof der;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context != NULL && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->key) == 1 &&
              EVP_DigestSign(context, der, &size, message.data, message.size) == 1 &&
              split(der, size, ret_signature);

    ERR_clear_error();
    EVP_MD_CTX_free(context);
    return ok ? STATUS_OK : STATUS_CRYPTO;
}
