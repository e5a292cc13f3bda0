#include "broker/telling.h"

#include <stdatomic.h>
#include <string.h>

#include "proto/field.h"

#define FRAME_ITEMS 256

/* Field numbers of messages Recall, RecallItem and Replan in wire.proto. */
enum { ITEMS = 1 };
enum { FROM = 1, EVENT, REASON };
enum { EVENTS = 1 };

static void put_recall(struct byte_buffer *body, const char *from, const struct store_recall *recall)
{
    field_put_start(body, ITEMS,
                    field_size_bytes(FROM, strlen(from)) + field_size_bytes(EVENT, STORE_EVENT_SIZE) +
                        field_size_bytes(REASON, strlen(recall->reason)));
    field_put_bytes(body, FROM, bytes_of_string(from));
    field_put_bytes(body, EVENT, bytes_view(recall->event, STORE_EVENT_SIZE));
    field_put_bytes(body, REASON, bytes_of_string(recall->reason));
}

enum status telling_recall(struct engine *engine, const struct store_recall *recall)
{
    const struct peer *recipient = peers_number(engine->peers, recall->recipient);
    const struct peer *sender = peers_number(engine->peers, recall->sender);
    struct outgoing *frame = NULL;
    enum status status = store_put_recall(engine->store, recall);

    if (status != STATUS_OK || recipient->connection == 0)
        return status;
    bytes_buffer_clear(&engine->body);
    put_recall(&engine->body, sender->stored.id, recall);
    status = outgoing_frame(recipient->connection, recipient->stored.id, 0, WIRE__FRAME__VERB_RECALL,
                            bytes_buffer_view(&engine->body), &frame);
    return status == STATUS_OK ? engine_answer(engine, frame) : status;
}

/* So that this event is told as well, whatever was told already. */
static void move_back(struct peer_telling *telling, const uint8_t event[static STORE_EVENT_SIZE])
{
    telling->due = true;
    if (memcmp(telling->event, event, STORE_EVENT_SIZE) < 0)
        return;
    memcpy(telling->event, event, STORE_EVENT_SIZE);
    for (size_t i = STORE_EVENT_SIZE; i-- > 0 && telling->event[i]-- == 0;)
        ;
}

enum status telling_replan(struct engine *engine, struct peer *sender,
                           const uint8_t event[static STORE_EVENT_SIZE])
{
    enum status status = engine_write(engine);

    if (status == STATUS_OK)
        status = store_put_replan(engine->store, sender->stored.number, event);
    if (status == STATUS_OK)
        move_back(&sender->replans, event);
    return status;
}

void telling_start(struct peer *peer)
{
    peer->recalls = (struct peer_telling){.due = true};
    peer->replans = (struct peer_telling){.due = true};
}

/* One frame while it is filled. */
struct telling {
    struct engine *engine;
    struct peer_telling *cursor;
    size_t count;
};

static enum status tell_recall(void *context, const struct store_recall *recall)
{
    struct telling *telling = context;
    const struct peer *sender = peers_number(telling->engine->peers, recall->sender);

    if (sender == NULL)
        return STATUS_CORRUPT;
    if (telling->count == FRAME_ITEMS)
        return STATUS_BUSY;
    put_recall(&telling->engine->body, sender->stored.id, recall);
    telling->cursor->sender = recall->sender;
    memcpy(telling->cursor->event, recall->event, STORE_EVENT_SIZE);
    telling->count++;
    return telling->engine->body.status;
}

static enum status tell_replan(void *context, const uint8_t event[static STORE_EVENT_SIZE])
{
    struct telling *telling = context;

    if (telling->count == FRAME_ITEMS)
        return STATUS_BUSY;
    field_put_bytes(&telling->engine->body, EVENTS, bytes_view(event, STORE_EVENT_SIZE));
    memcpy(telling->cursor->event, event, STORE_EVENT_SIZE);
    telling->count++;
    return telling->engine->body.status;
}

static enum status next_frame(struct engine *engine, const struct peer *peer, Wire__Frame__VerbCase verb,
                              struct telling *telling)
{
    struct store_recall after = {.recipient = peer->stored.number, .sender = telling->cursor->sender};

    memcpy(after.event, telling->cursor->event, STORE_EVENT_SIZE);
    bytes_buffer_clear(&engine->body);
    return verb == WIRE__FRAME__VERB_RECALL
               ? store_each_recall(engine->store, &after, tell_recall, telling)
               : store_each_replan(engine->store, peer->stored.number, after.event, tell_replan, telling);
}

/* Tells all that there is of one kind, as long as there is room. */
static enum status run(struct engine *engine, const struct peer *peer, Wire__Frame__VerbCase verb,
                       struct peer_telling *cursor)
{
    while (cursor->due) {
        struct telling telling = {.engine = engine, .cursor = cursor};
        struct outgoing *frame = NULL;
        if (atomic_load(&engine->outgoing->bytes) >= engine->limits.outgoing_bytes) {
            engine->starving = true;
            return STATUS_OK;
        }
        enum status status = next_frame(engine, peer, verb, &telling);
        if (status != STATUS_OK && status != STATUS_BUSY)
            return status;
        cursor->due = status == STATUS_BUSY;
        if (telling.count == 0)
            return STATUS_OK;
        status = outgoing_frame(peer->connection, peer->stored.id, 0, verb, bytes_buffer_view(&engine->body),
                                &frame);
        if (status != STATUS_OK)
            return status;
        outgoing_put(engine->outgoing, &frame);
    }
    return STATUS_OK;
}

enum status telling_run(struct engine *engine, struct peer *peer)
{
    enum status status;

    if (peer->connection == 0)
        return STATUS_OK;
    status = run(engine, peer, WIRE__FRAME__VERB_RECALL, &peer->recalls);
    /* Replans after all that the sender is told of its sections, on which its own decision rests. */
    if (status == STATUS_OK && peer->forwarded == peer->stored.forwarded)
        status = run(engine, peer, WIRE__FRAME__VERB_REPLAN, &peer->replans);
    return status;
}
