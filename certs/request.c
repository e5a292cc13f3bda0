#include "certs/request.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "certs/claims.h"
#include "proto/canonical.h"

static bool read_signing(X509_REQ *csr, uint8_t ret_public[static ED25519_PUBLIC_SIZE])
{
    EVP_PKEY *pkey = X509_REQ_get0_pubkey(csr);
    size_t size = ED25519_PUBLIC_SIZE;

    return pkey != NULL && EVP_PKEY_is_a(pkey, "ED25519") &&
           EVP_PKEY_get_raw_public_key(pkey, ret_public, &size) == 1 && size == ED25519_PUBLIC_SIZE;
}

/* An X25519 key of small order makes every secret zero: what is sealed to it, everybody can open. */
static enum status check_exchange_key(const uint8_t key[static X25519_KEY_SIZE])
{
    struct x25519_private *ours = NULL;
    struct x25519_public *theirs = NULL;
    uint8_t secret[X25519_SECRET_SIZE];
    enum status status = x25519_generate(random_system(), &ours);

    if (status == STATUS_OK)
        status = x25519_public(key, &theirs);
    if (status == STATUS_OK)
        status = x25519_shared(ours, theirs, secret);
    bytes_wipe(secret, sizeof secret);
    x25519_public_free(&theirs);
    x25519_private_free(&ours);
    return status == STATUS_BAD_ARGUMENT ? STATUS_BAD_CERTIFICATE : status;
}

static enum status check_keys(const struct certificate_claims *claims, const char **ret_reason)
{
    struct ed25519_key *key = NULL;
    enum status status = ed25519_public(claims->signing, &key);

    ed25519_free(&key);
    if (status == STATUS_BAD_FORMAT)
        status = STATUS_BAD_CERTIFICATE;
    if (status == STATUS_OK && claims_has_transport(claims->role)) {
        status = check_exchange_key(claims->transport);
        if (status == STATUS_OK)
            status = check_exchange_key(claims->sealing);
    }
    if (status != STATUS_OK)
        *ret_reason = status == STATUS_BAD_CERTIFICATE ? "one of its keys is weak" : status_text(status);
    return status;
}

/* The names that the request asks for; NULL without any, or when they are asked for twice. */
static GENERAL_NAMES *requested_names(X509_REQ *csr)
{
    GENERAL_NAMES *names = NULL;
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(csr);

    if (extensions != NULL)
        names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return names;
}

static enum status read_request(X509_REQ *csr, struct request *ret, const char **ret_reason)
{
    enum status status = STATUS_BAD_CERTIFICATE;
    struct request request = {0};
    struct claims_extras extras = {0};
    GENERAL_NAMES *names = NULL;

    if (!read_signing(csr, request.claims.signing)) {
        *ret_reason = "its key is not an Ed25519 key";
        goto out;
    }
    if (X509_REQ_verify(csr, X509_REQ_get0_pubkey(csr)) != 1) {
        *ret_reason = "it is not signed with the key that it presents";
        status = STATUS_BAD_SIGNATURE;
        goto out;
    }
    names = requested_names(csr);
    if (names == NULL) {
        *ret_reason = "it asks for no subjectAltName, or for several";
        goto out;
    }
    status = claims_from_names(names, &request.claims, &extras, ret_reason);
    if (status == STATUS_OK)
        status = claims_check(&request.claims, ret_reason);
    if (status == STATUS_OK)
        status = check_keys(&request.claims, ret_reason);
    if (status != STATUS_OK)
        goto out;
    request.role_given = extras.role_given;
    request.renews = extras.renews;
    memcpy(request.renewal, extras.renewal, sizeof request.renewal);
    *ret = request;
out:
    GENERAL_NAMES_free(names);
    return status;
}

/* Never ask at a terminal: an encrypted PEM is not one that we read. */
static int no_password(char *out, int size, int writing, void *context)
{
    (void)out, (void)size, (void)writing, (void)context;
    return -1;
}

enum status request_parse(struct byte_view pem, struct request *ret, const char **ret_reason)
{
    enum status status = STATUS_OK;
    X509_REQ *csr = NULL;
    BIO *bio = NULL;

    if (pem.size > REQUEST_LARGEST) {
        *ret_reason = "it is larger than any request";
        return STATUS_TOO_LARGE;
    }
    bio = BIO_new_mem_buf(pem.size == 0 ? "" : (const void *)pem.data, (int)pem.size);
    csr = bio == NULL ? NULL : PEM_read_bio_X509_REQ(bio, NULL, no_password, NULL);
    if (csr == NULL) {
        *ret_reason = bio == NULL ? status_text(STATUS_NO_MEMORY) : "it is not a PEM certificate request";
        status = bio == NULL ? STATUS_NO_MEMORY : STATUS_BAD_FORMAT;
    } else {
        status = read_request(csr, ret, ret_reason);
    }
    ERR_clear_error();
    X509_REQ_free(csr);
    BIO_free(bio);
    return status;
}

/* Puts the one extension that we ask for into the request. */
static bool ask_for_names(X509_REQ *csr, const struct certificate_claims *claims, const uint8_t *renewal)
{
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    GENERAL_NAMES *names = claims_to_names(claims, renewal);
    bool ok = names != NULL &&
              X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1 &&
              X509_REQ_add_extensions(csr, extensions) == 1;

    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    GENERAL_NAMES_free(names);
    return ok;
}

static bool name_subject(X509_REQ *csr, const char *member)
{
    return X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(csr), NID_commonName, MBSTRING_UTF8,
                                      (const unsigned char *)member, -1, -1, 0) == 1;
}

enum status request_make(const struct certificate_claims *claims,
                         const uint8_t seed[static ED25519_SEED_SIZE], const uint8_t *renewal,
                         struct byte_buffer *ret_pem)
{
    enum status status = STATUS_CRYPTO;
    struct byte_buffer pem = bytes_buffer(REQUEST_LARGEST);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_SIZE);
    X509_REQ *csr = X509_REQ_new();
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;

    if (key == NULL || csr == NULL || bio == NULL)
        goto out;
    if (X509_REQ_set_version(csr, X509_REQ_VERSION_1) != 1 || !name_subject(csr, claims->member) ||
        X509_REQ_set_pubkey(csr, key) != 1 || !ask_for_names(csr, claims, renewal))
        goto out;
    if (X509_REQ_sign(csr, key, NULL) <= 0 || PEM_write_bio_X509_REQ(bio, csr) != 1)
        goto out;
    long size = BIO_get_mem_data(bio, &text);
    bytes_append(&pem, text, (size_t)size);
    status = pem.status;
    if (status == STATUS_OK) {
        *ret_pem = pem;
        pem = bytes_buffer(0);
    }
out:
    if (status != STATUS_OK)
        ERR_clear_error();
    bytes_buffer_free(&pem);
    BIO_free(bio);
    X509_REQ_free(csr);
    EVP_PKEY_free(key);
    return status;
}

enum status request_renewal_message(const struct certificate_claims *claims,
                                    uint8_t ret_message[static REQUEST_RENEWAL_SIZE])
{
    struct byte_buffer text = bytes_buffer(4096);

    canonical_append_string(&text, claims->member);
    canonical_append_string(&text, role_text(claims->role));
    canonical_append(&text, bytes_view(claims->signing, sizeof claims->signing));
    canonical_append(&text, bytes_view(claims->transport, sizeof claims->transport));
    canonical_append(&text, bytes_view(claims->sealing, sizeof claims->sealing));
    canonical_append_string(&text, claims->vkey);
    enum status status = text.status;
    if (status == STATUS_OK) {
        memcpy(ret_message, REQUEST_RENEWAL_PREFIX, sizeof REQUEST_RENEWAL_PREFIX);
        digest_sha256(bytes_buffer_view(&text), ret_message + sizeof REQUEST_RENEWAL_PREFIX);
    }
    bytes_buffer_free(&text);
    return status;
}
