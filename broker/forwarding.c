#include "broker/forwarding.h"

#include <stdatomic.h>
#include <string.h>

#include "broker/notices.h"
#include "proto/field.h"

/* Field numbers of messages ForwardedReceipts and ForwardedReceipt in wire.proto. */
enum { ID = 1, CERTIFICATE, SIGNATURE, COUNT, RECEIPTS, HEAD };
enum { INDEX = 1, RECEIPT, PATH };

static void put_receipt(const struct job *job, size_t index, struct byte_buffer *body)
{
    struct byte_view receipt = wire_view(job->frame->receipts->receipts[index]);
    struct digest path[MERKLE_PATH_MAX];
    size_t length = 0;

    merkle_batch_path(job->tree, index, path, &length);
    field_put_start(body, RECEIPTS,
                    field_size_varint(INDEX, index) + field_size_bytes(RECEIPT, receipt.size) +
                        length * field_size_bytes(PATH, DIGEST_SIZE));
    field_put_varint(body, INDEX, index);
    field_put_bytes(body, RECEIPT, receipt);
    for (size_t i = 0; i < length; i++)
        field_put_bytes(body, PATH, bytes_view(path[i].bytes, DIGEST_SIZE));
}

/* The batch's receipts about one sender's events. */
static enum status append_for(struct engine *engine, const struct job *job, const struct matching *matching,
                              struct peer *sender)
{
    const Wire__ReceiptBatch *batch = job->frame->receipts;
    struct byte_buffer *body = &engine->body;
    struct byte_buffer *head = &engine->scratch;
    enum status status;

    bytes_buffer_clear(body);
    bytes_buffer_clear(head);
    wire_pack(&batch->head->base, head);
    field_put_varint(body, ID, sender->stored.forwarded + 1);
    field_put_bytes(body, CERTIFICATE, wire_view(batch->certificate));
    field_put_bytes(body, SIGNATURE, wire_view(batch->signature));
    field_put_varint(body, COUNT, batch->n_receipts);
    for (size_t i = 0; i < matching->count; i++) {
        if (matching->matches[i].found && matching->matches[i].sender == sender->stored.number)
            put_receipt(job, i, body);
    }
    field_put_bytes(body, HEAD, bytes_buffer_view(head));
    if (body->status != STATUS_OK || head->status != STATUS_OK)
        return STATUS_NO_MEMORY;
    status = store_append_forward(engine->store, sender->stored.number, sender->stored.forwarded + 1,
                                  bytes_buffer_view(body));
    if (status == STATUS_OK) {
        sender->stored.forwarded++;
        sender->dirty = true;
    }
    return status;
}

enum status forwarding_append(struct engine *engine, const struct job *job, const struct matching *matching)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < matching->count; i++) {
        uint32_t number = matching->matches[i].sender;
        bool first = matching->matches[i].found;
        for (size_t j = 0; first && j < i; j++)
            first = !matching->matches[j].found || matching->matches[j].sender != number;
        struct peer *sender = peers_number(engine->peers, number);
        if (first && sender != NULL)
            status = append_for(engine, job, matching, sender);
    }
    return status;
}

enum status forwarding_run(struct engine *engine, struct peer *sender)
{
    while (sender->connection != 0 && sender->fetched && sender->forwarded < sender->stored.forwarded) {
        struct outgoing *frame = NULL;
        struct byte_view body;
        uint64_t id = 0;
        if (atomic_load(&engine->outgoing->bytes) >= engine->limits.outgoing_bytes) {
            engine->starving = true;
            return STATUS_OK;
        }
        enum status status =
            store_next_forward(engine->store, sender->stored.number, sender->forwarded, &id, &body);
        if (status == STATUS_NOT_FOUND) {
            sender->forwarded = sender->stored.forwarded;
            return STATUS_OK;
        }
        Wire__Frame__VerbCase verb = WIRE__FRAME__VERB_FORWARDED_RECEIPTS;
        if (status == STATUS_OK && notices_are(body, &body))
            verb = WIRE__FRAME__VERB_NOTICES;
        if (status == STATUS_OK)
            status = outgoing_frame(sender->connection, sender->stored.id, 0, verb, body, &frame);
        if (status != STATUS_OK)
            return status;
        sender->forwarded = id;
        outgoing_put(engine->outgoing, &frame);
    }
    return STATUS_OK;
}
