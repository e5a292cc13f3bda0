#include "agent/vault.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "proto/digest.h"

#define VAULT_VERSION    1
#define VAULT_SALT_SIZE  16
#define VAULT_TAG_SIZE   16
#define VAULT_NONCE_SIZE 12

static const char seal_label[] = "concordat/vault/seal/v1";
static const char lookup_label[] = "concordat/vault/lookup/v1";

struct vault {
    uint8_t key[VAULT_KEY_SIZE];
    const struct random_source *random;
    EVP_CIPHER *cipher;
    EVP_CIPHER_CTX *context;
};

enum status vault_new(const uint8_t key[static VAULT_KEY_SIZE], const struct random_source *random,
                      struct vault **ret_vault)
{
    struct vault *vault = calloc(1, sizeof *vault);

    if (vault == NULL)
        return STATUS_NO_MEMORY;
    memcpy(vault->key, key, VAULT_KEY_SIZE);
    vault->random = random;
    vault->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    vault->context = EVP_CIPHER_CTX_new();
    if (vault->cipher == NULL || vault->context == NULL) {
        vault_free(&vault);
        return STATUS_CRYPTO;
    }
    *ret_vault = vault;
    return STATUS_OK;
}

void vault_free(struct vault **vault)
{
    if (*vault == NULL)
        return;
    EVP_CIPHER_CTX_free((*vault)->context);
    EVP_CIPHER_free((*vault)->cipher);
    bytes_wipe(*vault, sizeof **vault);
    free(*vault);
    *vault = NULL;
}

/* The key of one sealed value. It seals once, so that its nonce may be fixed. */
static void value_key(const struct vault *vault, const uint8_t *salt, uint8_t out[static DIGEST_SIZE])
{
    const struct byte_view parts[] = {bytes_of_string(seal_label), bytes_view(salt, VAULT_SALT_SIZE)};

    digest_hmac(bytes_view(vault->key, VAULT_KEY_SIZE), parts, 2, out);
}

static bool start(struct vault *vault, const uint8_t *salt, struct byte_view place, int encrypt)
{
    static const uint8_t nonce[VAULT_NONCE_SIZE] = {0};
    uint8_t key[DIGEST_SIZE];
    int length = 0;
    bool ok = false;

    value_key(vault, salt, key);
    ok = EVP_CIPHER_CTX_reset(vault->context) == 1 &&
         EVP_CipherInit_ex2(vault->context, vault->cipher, key, nonce, encrypt, NULL) == 1 &&
         EVP_CipherUpdate(vault->context, NULL, &length, place.data, (int)place.size) == 1;
    bytes_wipe(key, sizeof key);
    return ok;
}

enum status vault_seal(struct vault *vault, struct byte_view place, struct byte_view plaintext,
                       struct byte_buffer *ret)
{
    enum status status = STATUS_CRYPTO;
    const size_t before = ret->size;
    uint8_t salt[VAULT_SALT_SIZE];
    uint8_t *text = NULL;
    int length = 0;
    int last = 0;

    if (ret->status != STATUS_OK)
        return ret->status;
    if (place.size > INT_MAX || plaintext.size > INT_MAX)
        return STATUS_TOO_LARGE;
    status = random_fill(vault->random, salt, sizeof salt);
    if (status != STATUS_OK)
        return status;
    bytes_append_u8(ret, VAULT_VERSION);
    bytes_append(ret, salt, sizeof salt);
    bytes_append_zeros(ret, plaintext.size + VAULT_TAG_SIZE);
    status = ret->status;
    if (status != STATUS_OK)
        goto out;
    status = STATUS_CRYPTO;
    text = ret->data + before + 1 + VAULT_SALT_SIZE;
    if (start(vault, salt, place, 1) &&
        EVP_CipherUpdate(vault->context, text, &length, plaintext.data, (int)plaintext.size) == 1 &&
        EVP_CipherFinal_ex(vault->context, text + length, &last) == 1 &&
        EVP_CIPHER_CTX_ctrl(vault->context, EVP_CTRL_AEAD_GET_TAG, VAULT_TAG_SIZE, text + plaintext.size) ==
            1)
        status = STATUS_OK;
out:
    if (status != STATUS_OK) {
        ret->size = before;
        ret->status = STATUS_OK;
    }
    return status;
}

enum status vault_open(struct vault *vault, struct byte_view place, struct byte_view sealed,
                       struct byte_buffer *ret)
{
    enum status status = STATUS_BAD_SEAL;
    const size_t before = ret->size;
    size_t size = 0;
    const uint8_t *text = NULL;
    uint8_t tag[VAULT_TAG_SIZE];
    int length = 0;
    int last = 0;

    if (ret->status != STATUS_OK)
        return ret->status;
    if (sealed.size < VAULT_OVERHEAD || sealed.size > INT_MAX || place.size > INT_MAX ||
        sealed.data[0] != VAULT_VERSION)
        return STATUS_BAD_SEAL;
    size = sealed.size - VAULT_OVERHEAD;
    text = sealed.data + 1 + VAULT_SALT_SIZE;
    memcpy(tag, text + size, VAULT_TAG_SIZE);
    bytes_append_zeros(ret, size);
    status = ret->status;
    if (status != STATUS_OK)
        goto out;
    status = STATUS_CRYPTO;
    if (!start(vault, sealed.data + 1, place, 0) ||
        (size > 0 && EVP_CipherUpdate(vault->context, ret->data + before, &length, text, (int)size) != 1) ||
        EVP_CIPHER_CTX_ctrl(vault->context, EVP_CTRL_AEAD_SET_TAG, VAULT_TAG_SIZE, tag) != 1)
        goto out;
    status = EVP_CipherFinal_ex(vault->context, tag, &last) == 1 ? STATUS_OK : STATUS_BAD_SEAL;
out:
    if (status != STATUS_OK) {
        if (ret->data != NULL && ret->size > before)
            bytes_wipe(ret->data + before, ret->size - before);
        ret->size = before;
        ret->status = STATUS_OK;
    }
    return status;
}

void vault_lookup(const struct vault *vault, const char *use, struct byte_view value,
                  uint8_t out[static VAULT_LOOKUP_SIZE])
{
    uint8_t sizes[2][4];
    uint8_t whole[DIGEST_SIZE];
    const struct byte_view name = bytes_of_string(use);
    const struct byte_view parts[] = {bytes_of_string(lookup_label), bytes_view(sizes[0], 4), name,
                                      bytes_view(sizes[1], 4), value};

    assert(name.size <= UINT32_MAX && value.size <= UINT32_MAX);
    bytes_put_u32(sizes[0], (uint32_t)name.size);
    bytes_put_u32(sizes[1], (uint32_t)value.size);
    digest_hmac(bytes_view(vault->key, VAULT_KEY_SIZE), parts, 5, whole);
    memcpy(out, whole, VAULT_LOOKUP_SIZE);
}
