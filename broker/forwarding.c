#include "broker/forwarding.h"

#include <stdatomic.h>
#include <string.h>

#include "broker/forwarded.h"
#include "broker/notices.h"

/* What is the same for every sender whose events a batch of receipts confirms. */
struct forwarding {
    struct engine *engine;
    const struct job *job;
    const struct matching *matching;
    struct byte_view receipts[ENVELOPE_BATCH_MAX];
    struct byte_view head;
};

/* Nothing waits for the sender that would have to come first, and there is somebody to take it. */
static bool goes_at_once(const struct engine *engine, const struct peer *sender)
{
    return sender->connection != 0 && sender->fetched && sender->forwarded == sender->stored.forwarded &&
           atomic_load(&engine->outgoing->bytes) < engine->limits.outgoing_bytes;
}

/* Like an answer: once it is committed, so that it need not be read again. If it is not, peers_restart begins
 * anew. */
static enum status send_at_once(struct engine *engine, struct peer *sender, const struct forwarded *forwarded)
{
    struct outgoing *frame = NULL;
    enum status status;

    bytes_buffer_clear(&engine->body);
    forwarded_frame(forwarded, &engine->body);
    if (engine->body.status != STATUS_OK)
        return engine->body.status;
    status = outgoing_frame(sender->connection, sender->stored.id, 0, WIRE__FRAME__VERB_FORWARDED_RECEIPTS,
                            bytes_buffer_view(&engine->body), &frame);
    if (status == STATUS_OK)
        status = engine_answer(engine, frame);
    if (status == STATUS_OK)
        sender->forwarded = forwarded->id;
    return status;
}

/* The batch's receipts about one sender's events. */
static enum status append_for(const struct forwarding *self, struct peer *sender)
{
    struct engine *engine = self->engine;
    const Wire__ReceiptBatch *batch = self->job->frame->receipts;
    const bool at_once = goes_at_once(engine, sender);
    bool part[ENVELOPE_BATCH_MAX] = {false};
    const struct forwarded forwarded = {.id = sender->stored.forwarded + 1,
                                        .certificate = wire_view(batch->certificate),
                                        .signature = wire_view(batch->signature),
                                        .head = self->head,
                                        .count = batch->n_receipts,
                                        .part = part,
                                        .receipts = self->receipts,
                                        .nodes = self->job->tree->nodes};
    enum status status;

    for (size_t i = 0; i < self->matching->count; i++) {
        const struct matching_one *match = &self->matching->matches[i];
        part[i] = match->found && match->sender == sender->stored.number;
    }
    bytes_buffer_clear(&engine->body);
    forwarded_store(&forwarded, &engine->body);
    if (engine->body.status != STATUS_OK)
        return STATUS_NO_MEMORY;
    status = store_append_forward(engine->store, sender->stored.number, forwarded.id,
                                  bytes_buffer_view(&engine->body));
    if (status != STATUS_OK)
        return status;
    sender->stored.forwarded++;
    sender->dirty = true;
    return at_once ? send_at_once(engine, sender, &forwarded) : STATUS_OK;
}

enum status forwarding_append(struct engine *engine, const struct job *job, const struct matching *matching)
{
    const Wire__ReceiptBatch *batch = job->frame->receipts;
    struct forwarding self = {.engine = engine, .job = job, .matching = matching};
    enum status status;

    bytes_buffer_clear(&engine->scratch);
    wire_pack(&batch->head->base, &engine->scratch);
    self.head = bytes_buffer_view(&engine->scratch);
    status = engine->scratch.status;
    for (size_t i = 0; i < batch->n_receipts; i++)
        self.receipts[i] = wire_view(batch->receipts[i]);
    for (size_t i = 0; status == STATUS_OK && i < matching->count; i++) {
        uint32_t number = matching->matches[i].sender;
        bool first = matching->matches[i].found;
        for (size_t j = 0; first && j < i; j++)
            first = !matching->matches[j].found || matching->matches[j].sender != number;
        struct peer *sender = peers_number(engine->peers, number);
        if (first && sender != NULL)
            status = append_for(&self, sender);
    }
    return status;
}

/* What waits in the store for this member, as a frame. */
static enum status make_frame(struct engine *engine, const struct peer *sender, struct byte_view stored,
                              struct outgoing **ret)
{
    Wire__Frame__VerbCase verb = WIRE__FRAME__VERB_FORWARDED_RECEIPTS;
    struct byte_view body = stored;
    enum status status = STATUS_OK;

    if (notices_are(stored, &body)) {
        verb = WIRE__FRAME__VERB_NOTICES;
    } else if (forwarded_is(stored)) {
        bytes_buffer_clear(&engine->body);
        status = forwarded_restore(stored, &engine->body);
        body = bytes_buffer_view(&engine->body);
    }
    return status == STATUS_OK ? outgoing_frame(sender->connection, sender->stored.id, 0, verb, body, ret)
                               : status;
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
        if (status == STATUS_OK)
            status = make_frame(engine, sender, body, &frame);
        if (status != STATUS_OK)
            return status;
        sender->forwarded = id;
        outgoing_put(engine->outgoing, &frame);
    }
    return STATUS_OK;
}
