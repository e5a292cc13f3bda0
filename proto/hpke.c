#include "proto/hpke.h"

#include <stdlib.h>
#include <string.h>

struct hpke_sender {
    struct hpke_aead *aead;
    uint64_t next;
};

struct hpke_receiver {
    struct hpke_aead *aead;
};

/* From two keys to a keyed cipher: what sender and receiver do alike. */
static enum status start_aead(const struct x25519_private *own, const struct x25519_public *peer,
                              const uint8_t enc[static HPKE_ENC_SIZE],
                              const uint8_t recipient[static X25519_KEY_SIZE], struct byte_view info,
                              struct hpke_aead **ret_aead)
{
    uint8_t secret[HPKE_SECRET_SIZE];
    struct hpke_schedule schedule;
    enum status status = hpke_schedule_shared_secret(own, peer, enc, recipient, secret);

    if (status != STATUS_OK)
        return status;
    hpke_schedule_run(HPKE_AES_256_GCM, secret, info, &schedule);
    status = hpke_aead_start(&schedule, ret_aead);
    bytes_wipe(secret, sizeof secret);
    bytes_wipe(&schedule, sizeof schedule);
    return status;
}

static enum status make_ephemeral(const struct random_source *random, struct x25519_private **ret_key)
{
    uint8_t ikm[X25519_KEY_SIZE];
    uint8_t raw[X25519_KEY_SIZE];
    enum status status = random_fill(random, ikm, sizeof ikm);

    if (status != STATUS_OK)
        return status;
    hpke_schedule_derive_key(bytes_view(ikm, sizeof ikm), raw);
    status = x25519_private(raw, ret_key);
    bytes_wipe(ikm, sizeof ikm);
    bytes_wipe(raw, sizeof raw);
    return status;
}

enum status hpke_sender_start(const struct x25519_public *recipient, struct byte_view info,
                              const struct random_source *random, struct hpke_sender **ret_sender,
                              uint8_t ret_enc[static HPKE_ENC_SIZE])
{
    struct x25519_private *ephemeral = NULL;
    struct hpke_sender *sender = calloc(1, sizeof *sender);
    enum status status = STATUS_NO_MEMORY;

    if (sender == NULL)
        goto out;
    status = make_ephemeral(random, &ephemeral);
    if (status != STATUS_OK)
        goto out;
    const uint8_t *enc = x25519_public_of(ephemeral);
    status = start_aead(ephemeral, recipient, enc, x25519_public_bytes(recipient), info, &sender->aead);
    if (status != STATUS_OK)
        goto out;
    memcpy(ret_enc, enc, HPKE_ENC_SIZE);
    *ret_sender = sender;
    sender = NULL;
out:
    x25519_private_free(&ephemeral);
    hpke_sender_free(&sender);
    return status;
}

enum status hpke_seal(struct hpke_sender *sender, struct byte_view aad, struct byte_view plaintext,
                      struct byte_buffer *out, uint64_t *ret_sequence)
{
    if (sender->next >= HPKE_MOST_SEALS)
        return STATUS_EXPIRED;
    /* Taken before it is used: whatever fails from here on, no other message gets this number. */
    uint64_t sequence = sender->next++;
    enum status status = hpke_aead_seal(sender->aead, sequence, aad, plaintext, out);
    if (status == STATUS_OK)
        *ret_sequence = sequence;
    return status;
}

enum status hpke_receiver_start(const struct x25519_private *own, const uint8_t enc[static HPKE_ENC_SIZE],
                                struct byte_view info, struct hpke_receiver **ret_receiver)
{
    struct x25519_public *peer = NULL;
    struct hpke_receiver *receiver = calloc(1, sizeof *receiver);
    enum status status = STATUS_NO_MEMORY;

    if (receiver == NULL)
        goto out;
    status = x25519_public(enc, &peer);
    if (status != STATUS_OK)
        goto out;
    status = start_aead(own, peer, enc, x25519_public_of(own), info, &receiver->aead);
    if (status == STATUS_BAD_ARGUMENT)
        status = STATUS_BAD_SEAL;
    if (status != STATUS_OK)
        goto out;
    *ret_receiver = receiver;
    receiver = NULL;
out:
    x25519_public_free(&peer);
    hpke_receiver_free(&receiver);
    return status;
}

enum status hpke_open_at(struct hpke_receiver *receiver, uint64_t sequence, struct byte_view aad,
                         struct byte_view ciphertext, struct byte_buffer *out)
{
    return hpke_aead_open(receiver->aead, sequence, aad, ciphertext, out);
}

void hpke_sender_free(struct hpke_sender **sender)
{
    if (*sender == NULL)
        return;
    hpke_aead_free(&(*sender)->aead);
    free(*sender);
    *sender = NULL;
}

void hpke_receiver_free(struct hpke_receiver **receiver)
{
    if (*receiver == NULL)
        return;
    hpke_aead_free(&(*receiver)->aead);
    free(*receiver);
    *receiver = NULL;
}
