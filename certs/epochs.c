#include "certs/epochs.h"

#include <string.h>

#include "proto/canonical.h"

#define INFO        "concordat/pseudonym/v1"
#define AAD_LARGEST 256

static enum status aad_of(uint32_t epoch, const char *member,
                          const uint8_t id[static CERTIFICATE_KEY_ID_SIZE], struct byte_buffer *ret)
{
    uint8_t number[4];

    *ret = bytes_buffer(AAD_LARGEST);
    bytes_put_u32(number, epoch);
    canonical_append(ret, bytes_view(number, sizeof number));
    canonical_append_string(ret, member);
    canonical_append(ret, bytes_view(id, CERTIFICATE_KEY_ID_SIZE));
    return ret->status;
}

enum status epochs_seal(uint32_t epoch, const uint8_t key[static PSEUDONYM_KEY_SIZE], const char *member,
                        const uint8_t sealing[static X25519_KEY_SIZE], struct epochs_sealed *ret)
{
    struct epochs_sealed out;
    uint8_t id[CERTIFICATE_KEY_ID_SIZE];
    uint64_t sequence = 0;
    struct byte_buffer aad = bytes_buffer(0);
    struct byte_buffer sealed = bytes_buffer(EPOCHS_SEALED_SIZE);
    struct x25519_public *recipient = NULL;
    struct hpke_sender *sender = NULL;
    enum status status = x25519_public(sealing, &recipient);

    certificate_key_id(sealing, id);
    if (status == STATUS_OK)
        status = aad_of(epoch, member, id, &aad);
    if (status == STATUS_OK)
        status = hpke_sender_start(recipient, bytes_of_string(INFO), random_system(), &sender, out.enc);
    if (status == STATUS_OK)
        status = hpke_seal(sender, bytes_buffer_view(&aad), bytes_view(key, PSEUDONYM_KEY_SIZE), &sealed,
                           &sequence);
    if (status == STATUS_OK) {
        memcpy(out.sealed, sealed.data, sizeof out.sealed);
        *ret = out;
    }
    hpke_sender_free(&sender);
    x25519_public_free(&recipient);
    bytes_buffer_free(&sealed);
    bytes_buffer_free(&aad);
    return status;
}

enum status epochs_open(uint32_t epoch, const Wire__SealedKey *sealed, const struct x25519_private *own,
                        uint8_t ret_key[static PSEUDONYM_KEY_SIZE])
{
    enum status status = STATUS_BAD_SEAL;
    struct byte_buffer aad = bytes_buffer(0);
    struct byte_buffer opened = bytes_buffer(PSEUDONYM_KEY_SIZE);
    struct hpke_receiver *receiver = NULL;

    if (sealed->key.len != CERTIFICATE_KEY_ID_SIZE || sealed->enc.len != HPKE_ENC_SIZE ||
        sealed->sealed.len != EPOCHS_SEALED_SIZE)
        goto out;
    status = aad_of(epoch, sealed->member, sealed->key.data, &aad);
    if (status == STATUS_OK)
        status = hpke_receiver_start(own, sealed->enc.data, bytes_of_string(INFO), &receiver);
    if (status == STATUS_OK)
        status = hpke_open_at(receiver, 0, bytes_buffer_view(&aad),
                              bytes_view(sealed->sealed.data, sealed->sealed.len), &opened);
    if (status == STATUS_OK)
        memcpy(ret_key, opened.data, PSEUDONYM_KEY_SIZE);
out:
    hpke_receiver_free(&receiver);
    bytes_buffer_wipe(&opened);
    bytes_buffer_free(&aad);
    return status;
}
