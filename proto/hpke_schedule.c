#include "proto/hpke_schedule.h"

#include <assert.h>
#include <string.h>

#include "proto/digest.h"

#define VERSION_LABEL "HPKE-v1"
#define MODE_BASE     0

/* suite_id of RFC 9180 §4.1 (inside the KEM) and §5.1 (outside), as bytes. */
#define SUITE_LONGEST 10
struct suite {
    uint8_t id[SUITE_LONGEST];
    size_t size;
};

static const struct suite kem_suite = {.id = {'K', 'E', 'M', 0x00, 0x20}, .size = 5};

static struct suite suite_of(enum hpke_cipher cipher)
{
    struct suite suite = {.id = {'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01}, .size = SUITE_LONGEST};

    bytes_put_u16(suite.id + 8, (uint16_t)cipher);
    return suite;
}

/* LabeledExtract (RFC 9180 §4) over HKDF-Extract (RFC 5869 §2.2). HMAC takes an empty salt for one of zeros.
 */
static void labeled_extract(struct byte_view salt, const struct suite *suite, const char *label,
                            struct byte_view ikm, uint8_t out[static HPKE_SECRET_SIZE])
{
    const struct byte_view parts[] = {
        bytes_of_string(VERSION_LABEL),
        bytes_view(suite->id, suite->size),
        bytes_of_string(label),
        ikm,
    };

    digest_hmac(salt, parts, sizeof parts / sizeof parts[0], out);
}

/*
 * LabeledExpand (RFC 9180 §4) over HKDF-Expand (RFC 5869 §2.3) for at most one digest: its first block, cut.
 */
static void labeled_expand(const uint8_t prk[static HPKE_SECRET_SIZE], const struct suite *suite,
                           const char *label, struct byte_view info, uint8_t *out, size_t size)
{
    static const uint8_t first_block = 1;
    uint8_t length[2];
    uint8_t block[DIGEST_SIZE];

    assert(size <= sizeof block);
    bytes_put_u16(length, (uint16_t)size);
    const struct byte_view parts[] = {
        bytes_view(length, sizeof length),
        bytes_of_string(VERSION_LABEL),
        bytes_view(suite->id, suite->size),
        bytes_of_string(label),
        info,
        bytes_view(&first_block, 1),
    };
    digest_hmac(bytes_view(prk, HPKE_SECRET_SIZE), parts, sizeof parts / sizeof parts[0], block);
    memcpy(out, block, size);
    bytes_wipe(block, sizeof block);
}

size_t hpke_schedule_key_size(enum hpke_cipher cipher)
{
    return cipher == HPKE_AES_128_GCM ? 16 : 32;
}

void hpke_schedule_derive_key(struct byte_view ikm, uint8_t out_private[static X25519_KEY_SIZE])
{
    uint8_t prk[HPKE_SECRET_SIZE];

    labeled_extract(bytes_view(NULL, 0), &kem_suite, "dkp_prk", ikm, prk);
    labeled_expand(prk, &kem_suite, "sk", bytes_view(NULL, 0), out_private, X25519_KEY_SIZE);
    bytes_wipe(prk, sizeof prk);
}

enum status hpke_schedule_shared_secret(const struct x25519_private *own, const struct x25519_public *peer,
                                        const uint8_t enc[static HPKE_ENC_SIZE],
                                        const uint8_t recipient[static X25519_KEY_SIZE],
                                        uint8_t ret_secret[static HPKE_SECRET_SIZE])
{
    uint8_t dh[X25519_SECRET_SIZE];
    uint8_t prk[HPKE_SECRET_SIZE];
    uint8_t kem_context[HPKE_ENC_SIZE + X25519_KEY_SIZE];
    enum status status = x25519_shared(own, peer, dh);

    if (status != STATUS_OK)
        return status;
    memcpy(kem_context, enc, HPKE_ENC_SIZE);
    memcpy(kem_context + HPKE_ENC_SIZE, recipient, X25519_KEY_SIZE);
    labeled_extract(bytes_view(NULL, 0), &kem_suite, "eae_prk", bytes_view(dh, sizeof dh), prk);
    labeled_expand(prk, &kem_suite, "shared_secret", bytes_view(kem_context, sizeof kem_context), ret_secret,
                   HPKE_SECRET_SIZE);
    bytes_wipe(dh, sizeof dh);
    bytes_wipe(prk, sizeof prk);
    return STATUS_OK;
}

void hpke_schedule_run(enum hpke_cipher cipher, const uint8_t secret[static HPKE_SECRET_SIZE],
                       struct byte_view info, struct hpke_schedule *out)
{
    const struct byte_view nothing = bytes_view(NULL, 0);
    const struct suite suite = suite_of(cipher);
    uint8_t context[1 + 2 * DIGEST_SIZE] = {MODE_BASE}; /* mode, psk_id_hash, info_hash */
    const struct byte_view context_view = bytes_view(context, sizeof context);
    uint8_t prk[HPKE_SECRET_SIZE];

    labeled_extract(nothing, &suite, "psk_id_hash", nothing, context + 1);
    labeled_extract(nothing, &suite, "info_hash", info, context + 1 + DIGEST_SIZE);
    labeled_extract(bytes_view(secret, HPKE_SECRET_SIZE), &suite, "secret", nothing, prk);

    *out = (struct hpke_schedule){.cipher = cipher};
    labeled_expand(prk, &suite, "key", context_view, out->key, hpke_schedule_key_size(cipher));
    labeled_expand(prk, &suite, "base_nonce", context_view, out->base_nonce, sizeof out->base_nonce);
    bytes_wipe(prk, sizeof prk);
}
