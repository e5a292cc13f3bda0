#include "broker/delivery.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "proto/field.h"

#define FRAME_ROOM (WIRE_FRAME_LIMIT - 1024) /* for events; the rest of a Deliver is short */

/* Field numbers of messages Deliver and Delivered in wire.proto. */
enum { FROM = 1, CERTIFICATE, SIGNATURE, COUNT, EVENTS };
enum { INDEX = 1, HEADER, PATH, SECTION, COUNTER };

/* One slice on its way out. */
struct handing {
    struct engine *engine;
    struct peer *recipient;
    const struct store_slice *slice;
    const struct batch_held *batch;
    struct flight *flight;
    struct byte_buffer *body;
};

static void put_start(const struct handing *self)
{
    const struct peer *sender = peers_number(self->engine->peers, self->slice->sender);

    bytes_buffer_clear(self->body);
    field_put_bytes(self->body, FROM, bytes_of_string(sender->stored.id));
    field_put_bytes(self->body, CERTIFICATE, bytes_view(self->batch->certificate, DIGEST_SIZE));
    field_put_bytes(self->body, SIGNATURE, bytes_view(self->batch->signature, sizeof self->batch->signature));
    field_put_varint(self->body, COUNT, self->batch->count);
}

static size_t put_event(const struct handing *self, const struct store_mark *mark, struct byte_view section)
{
    struct byte_view header = self->batch->headers[mark->index];
    struct digest path[MERKLE_PATH_MAX];
    size_t length = 0;
    size_t size;

    merkle_nodes_path(self->batch->nodes, self->batch->count, mark->index, path, &length);
    size = field_size_varint(INDEX, mark->index) + field_size_bytes(HEADER, header.size) +
           length * field_size_bytes(PATH, DIGEST_SIZE) + field_size_bytes(SECTION, section.size) +
           field_size_varint(COUNTER, mark->counter);
    if (self->body->size + size > FRAME_ROOM)
        return 0;
    field_put_start(self->body, EVENTS, size);
    field_put_varint(self->body, INDEX, mark->index);
    field_put_bytes(self->body, HEADER, header);
    for (size_t i = 0; i < length; i++)
        field_put_bytes(self->body, PATH, bytes_view(path[i].bytes, DIGEST_SIZE));
    field_put_bytes(self->body, SECTION, section);
    field_put_varint(self->body, COUNTER, mark->counter);
    return size;
}

static void note_flight(const struct handing *self, const struct store_mark *mark, size_t place,
                        struct byte_view section)
{
    struct flight_event *event = &self->flight->events[self->flight->count];
    struct byte_view bytes = self->batch->headers[mark->index];

    event->live = true;
    event->place = (uint16_t)place;
    memcpy(event->event, batches_event(bytes), STORE_EVENT_SIZE);
    memcpy(event->header, self->batch->digests[mark->index], DIGEST_SIZE);
    section_digest(section, event->section);
    event->counter = mark->counter;
    event->entry = mark->entry;
    self->flight->count++;
    self->flight->live++;
}

/* Puts as many live events as fit, from *place on; *place is then the first that was not looked at. */
static enum status put_events(struct handing *self, size_t most, size_t *place, size_t *ret_put)
{
    size_t offset = 0;
    size_t put = 0;

    for (size_t i = 0; i < self->slice->count; i++) {
        struct store_mark mark = store_mark_read(self->slice->marks.data + i * STORE_MARK_SIZE);
        struct byte_view section = bytes_view(self->slice->sections.data + offset, mark.size);
        offset += mark.size;
        if (offset > self->slice->sections.size || mark.index >= self->batch->count ||
            (store_mask_get(self->slice->live, i) && self->batch->headers[mark.index].size == 0))
            return STATUS_CORRUPT; /* one that was erased is not live */
        if (i < *place)
            continue;
        if (store_mask_get(self->slice->live, i)) {
            if (put == most || put_event(self, &mark, section) == 0) {
                *place = i;
                *ret_put = put;
                return put == 0 && most > 0 ? STATUS_CORRUPT : STATUS_OK;
            }
            note_flight(self, &mark, i, section);
            put++;
        }
    }
    *place = self->slice->count;
    *ret_put = put;
    return STATUS_OK;
}

static void take_off(struct handing *self, size_t live)
{
    struct peer *recipient = self->recipient;

    self->flight->whole = self->flight->count == live;
    if (recipient->last_flight == NULL)
        recipient->flights = self->flight;
    else
        recipient->last_flight->next = self->flight;
    recipient->last_flight = self->flight;
    recipient->credit -= self->flight->count;
    self->engine->in_flight += self->flight->count;
    self->flight = NULL;
}

/* Hands over one frame of a slice. */
static enum status hand_over(struct engine *engine, struct peer *recipient, const struct store_slice *slice,
                             size_t *place)
{
    struct handing self = {.engine = engine, .recipient = recipient, .slice = slice, .body = &engine->body};
    struct outgoing *frame = NULL;
    size_t room = engine->limits.in_flight - engine->in_flight;
    size_t most = recipient->credit < room ? recipient->credit : room;
    size_t put = 0;
    enum status status = batches_get(engine->batches, slice->key.batch, &self.batch);

    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_CORRUPT : status;
    if (peers_number(engine->peers, slice->sender) == NULL)
        return STATUS_CORRUPT;
    self.flight = calloc(1, sizeof *self.flight + slice->count * sizeof self.flight->events[0]);
    if (self.flight == NULL)
        return STATUS_NO_MEMORY;
    self.flight->key = slice->key;
    self.flight->sender = slice->sender;
    put_start(&self);
    status = put_events(&self, most, place, &put);
    if (status == STATUS_OK && put > 0)
        status = outgoing_frame(recipient->connection, recipient->stored.id, 0, WIRE__FRAME__VERB_DELIVER,
                                bytes_buffer_view(self.body), &frame);
    if (status == STATUS_OK && put > 0) {
        take_off(&self, store_mask_count(slice->live));
        outgoing_put(engine->outgoing, &frame);
    }
    free(self.flight);
    return status;
}

/* The next slice of one urgency; STATUS_NOT_FOUND when all of it is handed over. */
static enum status next_slice(struct engine *engine, struct peer *recipient, bool urgent,
                              struct store_slice *ret_slice)
{
    struct peer_cursor *cursor = &recipient->cursors[urgent ? 0 : 1];
    struct store_slice_key after = {recipient->stored.number, urgent, cursor->batch};
    enum status status;

    if (cursor->drained)
        return STATUS_NOT_FOUND;
    status = store_next_slice(engine->store, after, ret_slice);
    if (status == STATUS_NOT_FOUND)
        cursor->drained = true;
    return status;
}

/* Reading the batch may take the slice's bytes away: then it is read again. */
static enum status hold_batch(struct engine *engine, struct store_slice *slice)
{
    const struct batch_held *batch = NULL;
    enum status status;

    if (batches_has(engine->batches, slice->key.batch))
        return STATUS_OK;
    status = batches_get(engine->batches, slice->key.batch, &batch);
    if (status == STATUS_OK)
        status = store_get_slice(engine->store, slice->key, slice);
    return status == STATUS_NOT_FOUND ? STATUS_CORRUPT : status;
}

static enum status run_slice(struct engine *engine, struct peer *recipient, const struct store_slice *slice)
{
    struct peer_cursor *cursor = &recipient->cursors[slice->key.urgent ? 0 : 1];
    size_t place = cursor->part == slice->key.batch ? cursor->place : 0;
    enum status status = hand_over(engine, recipient, slice, &place);

    if (status != STATUS_OK)
        return status;
    if (slice->key.batch > recipient->handed[slice->key.urgent ? 0 : 1])
        recipient->handed[slice->key.urgent ? 0 : 1] = slice->key.batch;
    if (place < slice->count) {
        cursor->part = slice->key.batch;
        cursor->place = (uint32_t)place;
    } else {
        cursor->batch = slice->key.batch;
        cursor->part = 0;
        cursor->place = 0;
    }
    return STATUS_OK;
}

enum status delivery_run(struct engine *engine, struct peer *recipient)
{
    struct store_slice slice;

    while (recipient->connection != 0 && recipient->credit > 0) {
        if (recipient->cursors[0].drained && recipient->cursors[1].drained)
            return STATUS_OK;
        if (atomic_load(&engine->outgoing->bytes) >= engine->limits.outgoing_bytes ||
            engine->in_flight >= engine->limits.in_flight) {
            engine->starving = true;
            return STATUS_OK;
        }
        enum status status = next_slice(engine, recipient, true, &slice);
        if (status == STATUS_NOT_FOUND)
            status = next_slice(engine, recipient, false, &slice);
        if (status == STATUS_OK)
            status = hold_batch(engine, &slice);
        if (status == STATUS_OK)
            status = run_slice(engine, recipient, &slice);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            return status;
    }
    return STATUS_OK;
}
