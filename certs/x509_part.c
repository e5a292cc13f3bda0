#include "certs/x509_part.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "proto/random.h"

#define SERIAL_SIZE 16 /* RFC 5280 §4.1.2.2 allows 20 */

int x509_part_no_password(char *out, int size, int writing, void *context)
{
    (void)out, (void)size, (void)writing, (void)context;
    return -1;
}

enum status x509_part_bio(BIO *bio, size_t limit, struct byte_buffer *ret)
{
    char *text = NULL;
    long size = BIO_get_mem_data(bio, &text);
    struct byte_buffer buffer = bytes_buffer(limit);

    bytes_append(&buffer, text, (size_t)size);
    if (buffer.status != STATUS_OK) {
        enum status status = buffer.status;
        bytes_buffer_wipe(&buffer);
        return status;
    }
    *ret = buffer;
    return STATUS_OK;
}

enum status x509_part_key_pem(EVP_PKEY *key, struct byte_buffer *ret)
{
    enum status status = STATUS_CRYPTO;
    BIO *bio = BIO_new(BIO_s_secmem());

    if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1)
        status = x509_part_bio(bio, X509_PART_KEY_LARGEST, ret);
    BIO_free(bio);
    return status;
}

enum status x509_part_der(X509 *x509, struct byte_buffer *ret)
{
    uint8_t *der = NULL;
    struct byte_buffer buffer = bytes_buffer(X509_PART_LARGEST);
    int size = i2d_X509(x509, &der);

    if (size < 0)
        return STATUS_CRYPTO;
    bytes_append(&buffer, der, (size_t)size);
    OPENSSL_free(der);
    if (buffer.status != STATUS_OK)
        return buffer.status;
    *ret = buffer;
    return STATUS_OK;
}

static bool set_serial(X509 *x509)
{
    uint8_t bytes[SERIAL_SIZE];
    BIGNUM *number = NULL;

    if (random_bytes(bytes, sizeof bytes) != STATUS_OK)
        return false;
    bytes[0] |= 0x40; /* never short, so that all look alike; 127 random bits remain */
    number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool ok = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;
    BN_free(number);
    return ok;
}

bool x509_part_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool ok = extension != NULL && X509_add_ext(x509, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

bool x509_part_name(X509_NAME *name, int nid, const char *text)
{
    return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) == 1;
}

bool x509_part_start(X509 *x509, EVP_PKEY *subject_key, int64_t not_before, int64_t not_after)
{
    return X509_set_version(x509, X509_VERSION_3) == 1 && set_serial(x509) &&
           ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)(not_before / 1000)) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)(not_after / 1000)) != NULL &&
           X509_set_pubkey(x509, subject_key) == 1;
}

X509 *x509_part_decode(struct byte_view der)
{
    const uint8_t *at = der.data;
    uint8_t *again = NULL;
    X509 *x509 = NULL;

    if (der.size == 0 || der.size > X509_PART_LARGEST)
        return NULL;
    x509 = d2i_X509(NULL, &at, (long)der.size);
    int size = x509 == NULL ? -1 : i2d_X509(x509, &again);
    if (size < 0 || !bytes_equal(der, bytes_view(again, (size_t)size))) {
        X509_free(x509);
        x509 = NULL;
    }
    OPENSSL_free(again);
    return x509;
}

static bool read_time(const ASN1_TIME *time, int64_t *ret_seconds)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return false;
    *ret_seconds = (int64_t)timegm(&tm);
    return true;
}

bool x509_part_validity(const X509 *x509, int64_t *ret_not_before, int64_t *ret_not_after)
{
    int64_t from = 0;
    int64_t to = 0;

    if (!read_time(X509_get0_notBefore(x509), &from) || !read_time(X509_get0_notAfter(x509), &to) ||
        from < 0 || from >= to)
        return false;
    *ret_not_before = from * 1000;
    *ret_not_after = to * 1000 + 999;
    return true;
}
