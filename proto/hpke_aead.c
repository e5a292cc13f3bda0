#include "proto/hpke_aead.h"

#include <limits.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

struct hpke_aead {
    EVP_CIPHER_CTX *context; /* holds the expanded key; each message sets its nonce */
    uint8_t base_nonce[HPKE_NONCE_SIZE];
};

/* Fetched once; they live as long as the process. */
static EVP_CIPHER *aes_128_gcm;
static EVP_CIPHER *aes_256_gcm;

static void fetch_ciphers(void)
{
    aes_128_gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

/* NULL when the library lacks it. */
static const EVP_CIPHER *cipher_of(enum hpke_cipher cipher)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (pthread_once(&once, fetch_ciphers) != 0)
        return NULL;
    return cipher == HPKE_AES_128_GCM ? aes_128_gcm : aes_256_gcm;
}

enum status hpke_aead_start(const struct hpke_schedule *schedule, struct hpke_aead **ret_aead)
{
    enum status status = STATUS_NO_MEMORY;
    const EVP_CIPHER *cipher = cipher_of(schedule->cipher);
    struct hpke_aead *aead = calloc(1, sizeof *aead);

    if (aead == NULL)
        goto out;
    for (size_t i = 0; i < HPKE_NONCE_SIZE; i++)
        aead->base_nonce[i] = schedule->base_nonce[i];
    aead->context = EVP_CIPHER_CTX_new();
    if (aead->context == NULL)
        goto out;
    status = STATUS_CRYPTO;
    if (cipher == NULL || EVP_EncryptInit_ex2(aead->context, cipher, schedule->key, NULL, NULL) != 1)
        goto out;
    *ret_aead = aead;
    aead = NULL;
    status = STATUS_OK;
out:
    hpke_aead_free(&aead);
    return status;
}

/* ComputeNonce of RFC 9180 §5.2: the base nonce, exclusive-or'ed with the big-endian sequence number. */
static void compute_nonce(const struct hpke_aead *aead, uint64_t sequence,
                          uint8_t out[static HPKE_NONCE_SIZE])
{
    uint8_t number[HPKE_NONCE_SIZE] = {0};

    bytes_put_u64(number + HPKE_NONCE_SIZE - 8, sequence);
    for (size_t i = 0; i < HPKE_NONCE_SIZE; i++)
        out[i] = aead->base_nonce[i] ^ number[i];
}

/* Sets the nonce and feeds aad, then text into out; 1 encrypts, 0 decrypts. EVP counts in int. */
static bool run_cipher(struct hpke_aead *aead, int encrypt, uint64_t sequence, struct byte_view aad,
                       struct byte_view text, uint8_t *out)
{
    uint8_t nonce[HPKE_NONCE_SIZE];
    int size = 0;

    compute_nonce(aead, sequence, nonce);
    if (EVP_CipherInit_ex2(aead->context, NULL, NULL, nonce, encrypt, NULL) != 1)
        return false;
    if (aad.size > 0 && EVP_CipherUpdate(aead->context, NULL, &size, aad.data, (int)aad.size) != 1)
        return false;
    return text.size == 0 || EVP_CipherUpdate(aead->context, out, &size, text.data, (int)text.size) == 1;
}

/* Room for size bytes at the end of out, or out's failure. */
static enum status make_room(struct byte_buffer *out, struct byte_view aad, size_t size)
{
    if (aad.size > INT_MAX || size > INT_MAX)
        return STATUS_TOO_LARGE;
    bytes_append_zeros(out, size);
    return out->status;
}

/* Takes back what was appended since the buffer held size bytes. */
static void take_back(struct byte_buffer *out, size_t size)
{
    if (out->size > size)
        bytes_wipe(out->data + size, out->size - size);
    out->size = size;
}

enum status hpke_aead_seal(struct hpke_aead *aead, uint64_t sequence, struct byte_view aad,
                           struct byte_view plaintext, struct byte_buffer *out)
{
    const size_t start = out->size;
    uint8_t nothing[1];
    int size = 0;

    if (plaintext.size > INT_MAX - HPKE_TAG_SIZE)
        return STATUS_TOO_LARGE;
    enum status status = make_room(out, aad, plaintext.size + HPKE_TAG_SIZE);
    if (status != STATUS_OK)
        return status;
    uint8_t *tag = out->data + start + plaintext.size;
    if (!run_cipher(aead, 1, sequence, aad, plaintext, out->data + start) ||
        EVP_EncryptFinal_ex(aead->context, nothing, &size) != 1 ||
        EVP_CIPHER_CTX_ctrl(aead->context, EVP_CTRL_AEAD_GET_TAG, HPKE_TAG_SIZE, tag) != 1) {
        take_back(out, start);
        return STATUS_CRYPTO;
    }
    return STATUS_OK;
}

enum status hpke_aead_open(struct hpke_aead *aead, uint64_t sequence, struct byte_view aad,
                           struct byte_view ciphertext, struct byte_buffer *out)
{
    const size_t start = out->size;
    uint8_t tag[HPKE_TAG_SIZE];
    uint8_t nothing[1];
    int size = 0;

    if (ciphertext.size < HPKE_TAG_SIZE)
        return STATUS_BAD_SEAL;
    const struct byte_view text = bytes_view(ciphertext.data, ciphertext.size - HPKE_TAG_SIZE);
    enum status status = make_room(out, aad, text.size);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < sizeof tag; i++)
        tag[i] = ciphertext.data[text.size + i];
    status = STATUS_CRYPTO;
    if (!run_cipher(aead, 0, sequence, aad, text, text.size > 0 ? out->data + start : NULL) ||
        EVP_CIPHER_CTX_ctrl(aead->context, EVP_CTRL_AEAD_SET_TAG, HPKE_TAG_SIZE, tag) != 1)
        goto out;
    /* Only now is it known whether the plaintext is anybody's. */
    status = EVP_DecryptFinal_ex(aead->context, nothing, &size) == 1 ? STATUS_OK : STATUS_BAD_SEAL;
out:
    if (status != STATUS_OK)
        take_back(out, start);
    return status;
}

void hpke_aead_free(struct hpke_aead **aead)
{
    if (*aead == NULL)
        return;
    EVP_CIPHER_CTX_free((*aead)->context); /* wipes the expanded key */
    bytes_wipe(*aead, sizeof **aead);
    free(*aead);
    *aead = NULL;
}
