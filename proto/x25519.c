#include "proto/x25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct x25519_private {
    EVP_PKEY *pkey;
    /* Ready to derive; copied for each use, so that nothing is fetched and threads may share the key. */
    EVP_PKEY_CTX *derive;
    uint8_t public[X25519_KEY_SIZE];
};

struct x25519_public {
    EVP_PKEY *pkey;
    uint8_t raw[X25519_KEY_SIZE];
};

enum status x25519_generate(const struct random_source *random, struct x25519_private **ret_key)
{
    uint8_t raw[X25519_KEY_SIZE];
    enum status status = random_fill(random, raw, sizeof raw);

    if (status == STATUS_OK)
        status = x25519_private(raw, ret_key);
    bytes_wipe(raw, sizeof raw);
    return status;
}

enum status x25519_private(const uint8_t raw[static X25519_KEY_SIZE], struct x25519_private **ret_key)
{
    enum status status = STATUS_CRYPTO;
    size_t size = X25519_KEY_SIZE;
    struct x25519_private *key = calloc(1, sizeof *key);

    if (key == NULL)
        return STATUS_NO_MEMORY;
    key->pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, raw, X25519_KEY_SIZE);
    if (key->pkey == NULL)
        goto out;
    if (EVP_PKEY_get_raw_public_key(key->pkey, key->public, &size) != 1 || size != X25519_KEY_SIZE)
        goto out;
    key->derive = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    if (key->derive == NULL || EVP_PKEY_derive_init(key->derive) != 1)
        goto out;
    *ret_key = key;
    key = NULL;
    status = STATUS_OK;
out:
    x25519_private_free(&key);
    return status;
}

enum status x25519_public(const uint8_t raw[static X25519_KEY_SIZE], struct x25519_public **ret_key)
{
    struct x25519_public *key = calloc(1, sizeof *key);

    if (key == NULL)
        return STATUS_NO_MEMORY;
    memcpy(key->raw, raw, X25519_KEY_SIZE);
    key->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, raw, X25519_KEY_SIZE);
    if (key->pkey == NULL) {
        x25519_public_free(&key);
        return STATUS_CRYPTO;
    }
    *ret_key = key;
    return STATUS_OK;
}

enum status x25519_private_bytes(const struct x25519_private *key, uint8_t ret_raw[static X25519_KEY_SIZE])
{
    size_t size = X25519_KEY_SIZE;

    return EVP_PKEY_get_raw_private_key(key->pkey, ret_raw, &size) == 1 && size == X25519_KEY_SIZE
               ? STATUS_OK
               : STATUS_CRYPTO;
}

const uint8_t *x25519_public_of(const struct x25519_private *key)
{
    return key->public;
}

const uint8_t *x25519_public_bytes(const struct x25519_public *key)
{
    return key->raw;
}

enum status x25519_shared(const struct x25519_private *own, const struct x25519_public *peer,
                          uint8_t ret_secret[static X25519_SECRET_SIZE])
{
    static const uint8_t zeros[X25519_SECRET_SIZE];
    enum status status = STATUS_CRYPTO;
    uint8_t secret[X25519_SECRET_SIZE] = {0};
    size_t size = sizeof secret;

    /* A peer's bad key must not leave an error behind, where TLS code on this thread would find it. */
    ERR_set_mark();
    EVP_PKEY_CTX *derive = EVP_PKEY_CTX_dup(own->derive);
    if (derive == NULL || EVP_PKEY_derive_set_peer(derive, peer->pkey) != 1)
        goto out;
    /* OpenSSL fails on an all-zero result, and only then. */
    if (EVP_PKEY_derive(derive, secret, &size) != 1 || bytes_equal_secret(secret, zeros, sizeof secret)) {
        status = STATUS_BAD_ARGUMENT;
        goto out;
    }
    if (size != sizeof secret)
        goto out;
    memcpy(ret_secret, secret, sizeof secret);
    status = STATUS_OK;
out:
    EVP_PKEY_CTX_free(derive);
    ERR_pop_to_mark();
    bytes_wipe(secret, sizeof secret);
    return status;
}

void x25519_private_free(struct x25519_private **key)
{
    if (*key == NULL)
        return;
    EVP_PKEY_CTX_free((*key)->derive);
    EVP_PKEY_free((*key)->pkey); /* wipes the private key */
    free(*key);
    *key = NULL;
}

void x25519_public_free(struct x25519_public **key)
{
    if (*key == NULL)
        return;
    EVP_PKEY_free((*key)->pkey);
    free(*key);
    *key = NULL;
}
