#include "proto/receipt.h"

#include <assert.h>
#include <string.h>

#include "proto/canonical.h"
#include "proto/digest.h"
#include "proto/field.h"
#include "proto/member.h"
#include "proto/uuid.h"

/* Field numbers of messages Receipt and ReceiptBatch in wire.proto. */
enum { TO = 1, FROM, EVENT, HEADER, SECTION, OUTCOME, TIME, COUNTER, BUNDLE };
enum { CERTIFICATE = 1, SIGNATURE, RECEIPTS, HEAD };

static bool is_valid(const struct receipt *receipt)
{
    return member_check(receipt->to) == STATUS_OK && member_check(receipt->from) == STATUS_OK &&
           uuid_is_v7(receipt->event) &&
           (receipt->outcome == RECEIPT_STORED || receipt->outcome == RECEIPT_QUARANTINED) &&
           receipt->time >= 0 && receipt->time <= CORE_TIME_MAX && receipt->counter >= 1;
}

enum status receipt_encode(const struct receipt *receipt, struct byte_buffer *ret)
{
    size_t before = ret->size;

    if (!is_valid(receipt))
        return STATUS_BAD_ARGUMENT;
    field_put_bytes(ret, TO, receipt->to);
    field_put_bytes(ret, FROM, receipt->from);
    field_put_bytes(ret, EVENT, bytes_view(receipt->event, sizeof receipt->event));
    field_put_bytes(ret, HEADER, bytes_view(receipt->header, sizeof receipt->header));
    field_put_bytes(ret, SECTION, bytes_view(receipt->section, sizeof receipt->section));
    field_put_varint(ret, OUTCOME, receipt->outcome);
    field_put_varint(ret, TIME, (uint64_t)receipt->time);
    field_put_varint(ret, COUNTER, receipt->counter);
    field_put_bytes(ret, BUNDLE, bytes_view(receipt->bundle, sizeof receipt->bundle));
    if (ret->status != STATUS_OK)
        ret->size = before;
    return ret->status;
}

/* Out of range becomes 0, which is no outcome. */
static enum receipt_outcome read_outcome(struct field_reader *reader)
{
    uint64_t outcome = field_varint(reader, OUTCOME);

    return outcome > RECEIPT_QUARANTINED ? (enum receipt_outcome)0 : (enum receipt_outcome)outcome;
}

enum status receipt_decode(struct byte_view bytes, struct receipt *ret_receipt)
{
    struct receipt receipt = {.time = 0};
    struct field_reader reader = field_reader(bytes);

    if (bytes.size > RECEIPT_SIZE_MAX)
        return STATUS_TOO_LARGE;
    receipt.to = field_bytes(&reader, TO);
    receipt.from = field_bytes(&reader, FROM);
    field_copy(&reader, EVENT, sizeof receipt.event, receipt.event);
    field_copy(&reader, HEADER, sizeof receipt.header, receipt.header);
    field_copy(&reader, SECTION, sizeof receipt.section, receipt.section);
    receipt.outcome = read_outcome(&reader);
    uint64_t time = field_varint(&reader, TIME);
    receipt.time = time > (uint64_t)CORE_TIME_MAX ? -1 : (int64_t)time;
    receipt.counter = field_varint(&reader, COUNTER);
    field_copy(&reader, BUNDLE, sizeof receipt.bundle, receipt.bundle);
    if (field_end(&reader) != STATUS_OK)
        return reader.status;
    if (!is_valid(&receipt))
        return STATUS_BAD_FORMAT;
    *ret_receipt = receipt;
    return STATUS_OK;
}

/* ---- batches ---- */

enum status receipt_batch_build(uint64_t request, const struct batch_signer *signer,
                                const struct ed25519_key *key, const struct byte_view *receipts, size_t count,
                                struct byte_view head, struct byte_buffer *ret)
{
    struct byte_buffer body = bytes_buffer(WIRE_FRAME_LIMIT);
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    enum status status = STATUS_BAD_ARGUMENT;

    if (count == 0 || count > ENVELOPE_BATCH_MAX)
        goto out;
    status = batch_sign(BATCH_PURPOSE_RECEIPTS, key, signer, receipts, count, signature);
    if (status != STATUS_OK)
        goto out;
    field_put_bytes(&body, CERTIFICATE, bytes_view(signer->certificate.bytes, DIGEST_SIZE));
    field_put_bytes(&body, SIGNATURE, bytes_view(signature, sizeof signature));
    for (size_t i = 0; i < count; i++)
        field_put_bytes(&body, RECEIPTS, receipts[i]);
    field_put_bytes(&body, HEAD, head);
    status = body.status;
    if (status != STATUS_OK)
        goto out;
    status = wire_frame_pack(request, WIRE__FRAME__VERB_RECEIPTS, bytes_buffer_view(&body), ret);
out:
    bytes_buffer_free(&body);
    return status;
}

static bool is_signer(ProtobufCBinaryData certificate, const struct batch_signer *signer)
{
    return bytes_equal(wire_view(certificate), bytes_view(signer->certificate.bytes, DIGEST_SIZE));
}

enum status receipt_batch_verify(const Wire__ReceiptBatch *batch, struct byte_view to,
                                 const struct batch_signer *signer, const struct ed25519_key *key,
                                 struct receipt *ret_receipts)
{
    struct byte_view receipts[ENVELOPE_BATCH_MAX];

    assert(batch->n_receipts >= 1 && batch->n_receipts <= ENVELOPE_BATCH_MAX);
    if (!is_signer(batch->certificate, signer))
        return STATUS_UNKNOWN_KEY;
    if (batch->signature.len != ED25519_SIGNATURE_SIZE)
        return STATUS_BAD_SIGNATURE;
    for (size_t i = 0; i < batch->n_receipts; i++)
        receipts[i] = wire_view(batch->receipts[i]);
    enum status status = batch_verify_all(BATCH_PURPOSE_RECEIPTS, key, signer, receipts, batch->n_receipts,
                                          batch->signature.data);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < batch->n_receipts; i++) {
        status = receipt_decode(receipts[i], &ret_receipts[i]);
        if (status != STATUS_OK)
            return status;
        if (!bytes_equal(ret_receipts[i].to, to))
            return STATUS_MISMATCH;
    }
    return STATUS_OK;
}

void receipt_batch_digest(struct byte_view certificate, struct byte_view signature, uint8_t out[static 32])
{
    uint8_t sizes[2][4];

    bytes_put_u32(sizes[0], (uint32_t)certificate.size);
    bytes_put_u32(sizes[1], (uint32_t)signature.size);
    const struct byte_view parts[] = {bytes_view(sizes[0], 4), certificate, bytes_view(sizes[1], 4),
                                      signature};
    digest_sha256_parts(parts, sizeof parts / sizeof parts[0], out);
}

/* Every receipt must lead to one root. */
static enum status forwarded_root(const Wire__ForwardedReceipts *forwarded, struct digest *ret_root)
{
    struct digest common = {{0}};

    for (size_t i = 0; i < forwarded->n_receipts; i++) {
        const Wire__ForwardedReceipt *receipt = forwarded->receipts[i];
        struct digest root;
        enum status status = envelope_path_root(wire_view(receipt->receipt), receipt->index, forwarded->count,
                                                receipt->path, receipt->n_path, &root);
        if (status != STATUS_OK)
            return status;
        if (i > 0 && memcmp(root.bytes, common.bytes, DIGEST_SIZE) != 0)
            return STATUS_BAD_PROOF;
        common = root;
    }
    *ret_root = common;
    return STATUS_OK;
}

enum status receipt_forwarded_verify(const Wire__ForwardedReceipts *forwarded, struct byte_view from,
                                     struct byte_view to, const struct batch_signer *signer,
                                     const struct ed25519_key *key, struct receipt *ret_receipts)
{
    struct digest root;

    assert(forwarded->n_receipts >= 1 && forwarded->n_receipts <= ENVELOPE_BATCH_MAX);
    if (!is_signer(forwarded->certificate, signer))
        return STATUS_UNKNOWN_KEY;
    if (forwarded->signature.len != ED25519_SIGNATURE_SIZE)
        return STATUS_BAD_SIGNATURE;
    enum status status = forwarded_root(forwarded, &root);
    if (status != STATUS_OK)
        return status;
    status = batch_verify_root(BATCH_PURPOSE_RECEIPTS, key, signer, forwarded->count, &root,
                               forwarded->signature.data);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < forwarded->n_receipts; i++) {
        struct receipt *receipt = &ret_receipts[i];
        status = receipt_decode(wire_view(forwarded->receipts[i]->receipt), receipt);
        if (status != STATUS_OK)
            return status;
        if (!bytes_equal(receipt->from, from) || !bytes_equal(receipt->to, to))
            return STATUS_MISMATCH;
    }
    return STATUS_OK;
}

enum status receipt_confirms(const struct receipt *receipt, struct byte_view header, struct byte_view to,
                             struct byte_view section)
{
    uint8_t header_bytes[DIGEST_SIZE];
    uint8_t section_bytes[DIGEST_SIZE];
    struct header parsed;
    struct core core;

    if (header_parse(header, &parsed) != STATUS_OK || core_decode(parsed.core, &core) != STATUS_OK)
        return STATUS_MISMATCH;
    header_digest(header, header_bytes);
    section_digest(section, section_bytes);
    bool same = bytes_equal(receipt->to, to) && bytes_equal(receipt->from, core.from) &&
                memcmp(receipt->event, core.event, sizeof core.event) == 0 &&
                memcmp(receipt->header, header_bytes, DIGEST_SIZE) == 0 &&
                memcmp(receipt->section, section_bytes, DIGEST_SIZE) == 0;
    return same ? STATUS_OK : STATUS_MISMATCH;
}
