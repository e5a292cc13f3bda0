#include "certs/head.h"

#include <string.h>

#include "base/civil.h"
#include "certs/bundle.h"
#include "proto/batch.h"
#include "proto/wire_codec.h"

static bool take_digest(ProtobufCBinaryData field, uint8_t ret_digest[static DIGEST_SIZE])
{
    if (field.len != DIGEST_SIZE)
        return false;
    memcpy(ret_digest, field.data, DIGEST_SIZE);
    return true;
}

static bool zeros(const uint8_t digest[static DIGEST_SIZE])
{
    static const uint8_t nothing[DIGEST_SIZE];

    return memcmp(digest, nothing, DIGEST_SIZE) == 0;
}

static bool take_head(const Wire__BundleHead *message, struct head *head)
{
    if (message->serial == 0 || message->not_before > CIVIL_TIME_MAX || message->not_after > CIVIL_TIME_MAX)
        return false;
    head->serial = message->serial;
    head->not_before = (int64_t)message->not_before;
    head->not_after = (int64_t)message->not_after;
    if (head->not_after <= head->not_before ||
        head->not_after - head->not_before > BUNDLE_LONGEST_DAYS * CIVIL_DAY_MS)
        return false;
    return take_digest(message->body, head->body) && take_digest(message->previous, head->previous) &&
           take_digest(message->root, head->root) && zeros(head->previous) == (head->serial == 1);
}

enum status head_decode(struct byte_view bytes, struct head *ret)
{
    struct head head = {0};
    const ProtobufCMessage *message = NULL;
    struct wire_arena arena = wire_arena((size_t)128 << 10);
    enum status status = wire_unpack(&wire__bundle_head__descriptor, bytes, HEAD_LARGEST, &arena, &message);

    if (status == STATUS_OK && !take_head((const Wire__BundleHead *)message, &head))
        status = STATUS_BAD_FORMAT;
    if (status == STATUS_OK) {
        digest_sha256(bytes, head.digest);
        *ret = head;
    }
    wire_arena_free(&arena);
    return status;
}

void head_encode(const struct head *head, struct byte_buffer *ret)
{
    Wire__BundleHead message = WIRE__BUNDLE_HEAD__INIT;

    message.serial = head->serial;
    message.not_before = (uint64_t)head->not_before;
    message.not_after = (uint64_t)head->not_after;
    message.body = wire_data(bytes_view(head->body, sizeof head->body));
    message.previous = wire_data(bytes_view(head->previous, sizeof head->previous));
    message.root = wire_data(bytes_view(head->root, sizeof head->root));
    wire_pack(&message.base, ret);
}

static struct batch_signer signer_of(const uint8_t root[static DIGEST_SIZE],
                                     const uint8_t certificate[static DIGEST_SIZE])
{
    struct batch_signer signer;

    memcpy(signer.root.bytes, root, DIGEST_SIZE);
    memcpy(signer.certificate.bytes, certificate, DIGEST_SIZE);
    return signer;
}

enum status head_sign(struct byte_view bytes, const uint8_t root[static DIGEST_SIZE],
                      const uint8_t certificate[static DIGEST_SIZE], const struct ed25519_key *key,
                      uint8_t ret_signature[static ED25519_SIGNATURE_SIZE])
{
    struct batch_signer signer = signer_of(root, certificate);

    return batch_sign(BATCH_PURPOSE_BUNDLE, key, &signer, &bytes, 1, ret_signature);
}

/* The authority whose signature this is, or NULL. */
static const struct directory_entry *who_signed(const Wire__HeadSignature *signature, struct byte_view bytes,
                                                const struct head *head, const struct directory *directory,
                                                const struct directory *also, int64_t time)
{
    if (signature->certificate.len != DIGEST_SIZE || signature->signature.len != ED25519_SIGNATURE_SIZE)
        return NULL;
    const uint8_t *certificate = signature->certificate.data;
    const struct directory_entry *entry = directory_by_certificate(directory, certificate);
    const struct directory_entry *later = also == NULL ? NULL : directory_by_certificate(also, certificate);
    if (!directory_usable(entry, time) || entry->role != ROLE_AUTHORITY)
        return NULL;
    if (later != NULL && later->revoked_at != DIRECTORY_NEVER)
        return NULL;
    struct batch_signer signer = signer_of(head->root, certificate);
    if (batch_verify_all(BATCH_PURPOSE_BUNDLE, entry->signing, &signer, &bytes, 1,
                         signature->signature.data) != STATUS_OK)
        return NULL;
    return entry;
}

size_t head_signers(const Wire__SignedHead *signed_head, const struct head *head,
                    const struct directory *directory, const struct directory *also, int64_t time)
{
    const struct directory_entry *found[HEAD_SIGNATURES_MAX];
    struct byte_view bytes = wire_view(signed_head->head);
    size_t n = 0;

    if (signed_head->n_signatures > HEAD_SIGNATURES_MAX)
        return 0;
    for (size_t i = 0; i < signed_head->n_signatures; i++) {
        const struct directory_entry *entry =
            who_signed(signed_head->signatures[i], bytes, head, directory, also, time);
        size_t same = 0;
        while (entry != NULL && same < n && strcmp(found[same]->member, entry->member) != 0)
            same++;
        if (entry != NULL && same == n)
            found[n++] = entry;
    }
    return n;
}
