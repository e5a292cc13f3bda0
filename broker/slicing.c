#include "broker/slicing.h"

#include <string.h>

/* What one recipient gets of a batch, in one urgency, as it is put together. */
struct slicing {
    struct store_slice slice;
    struct byte_buffer *marks;
    struct byte_buffer *sections;
};

static void add(struct slicing *self, const struct envelope_published_event *event, size_t index,
                struct byte_view section, const struct judging_part *part)
{
    uint8_t bytes[STORE_MARK_SIZE];
    struct store_mark mark = {.index = (uint16_t)index,
                              .size = (uint32_t)section.size,
                              .counter = part->counter,
                              .entry = part->entry,
                              .rests_on = part->rests_on,
                              .deadline = part->deadline,
                              .until = part->until};

    memcpy(mark.tag, event->core.subject + 4, STORE_TAG_SIZE);
    store_mark_write(&mark, bytes);
    bytes_append(self->marks, bytes, sizeof bytes);
    bytes_append_view(self->sections, section);
    store_mask_set(self->slice.live, self->slice.count++);
}

static enum status append(struct engine *engine, struct slicing *self, struct peer *recipient,
                          struct peer *sender)
{
    enum status status;

    if (self->slice.count == 0)
        return STATUS_OK;
    if (self->marks->status != STATUS_OK || self->sections->status != STATUS_OK)
        return STATUS_NO_MEMORY;
    self->slice.marks = bytes_buffer_view(self->marks);
    self->slice.sections = bytes_buffer_view(self->sections);
    status = store_append_slice(engine->store, &self->slice);
    recipient->cursors[self->slice.key.urgent ? 0 : 1].drained = false;
    sender->stored.undelivered += self->slice.count;
    return status;
}

/* One slice of the publish, either its urgent events or the others. next counts each event's sections so far.
 */
static enum status append_one(struct engine *engine, const struct job *job, uint64_t batch,
                              struct peer *sender, const struct judging *events, const Wire__Slice *wire,
                              const uint8_t *next, bool urgent)
{
    struct peer *recipient = peers_take(engine->peers, bytes_of_string(wire->to));
    struct slicing self = {.marks = &engine->scratch, .sections = &engine->body};

    if (recipient == NULL)
        return STATUS_NO_MEMORY;
    bytes_buffer_clear(self.marks);
    bytes_buffer_clear(self.sections);
    self.slice.key = (struct store_slice_key){recipient->stored.number, urgent, batch};
    self.slice.sender = sender->stored.number;
    for (size_t i = 0; i < wire->n_indexes; i++) {
        size_t index = wire->indexes[i];
        const struct judging_part *part = &events[index].parts[next[index]];
        if (events[index].fate == JUDGING_ACCEPTED && part->urgent == urgent)
            add(&self, &job->published.events[index], index, wire_view(wire->sections[i]), part);
    }
    return append(engine, &self, recipient, sender);
}

enum status slicing_append(struct engine *engine, const struct job *job, uint64_t batch, struct peer *sender,
                           const struct judging *events)
{
    const Wire__Publish *publish = job->frame->publish;
    uint8_t next[STORE_BATCH_EVENTS] = {0};
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < publish->n_slices; i++) {
        const Wire__Slice *slice = publish->slices[i];
        status = append_one(engine, job, batch, sender, events, slice, next, true);
        if (status == STATUS_OK)
            status = append_one(engine, job, batch, sender, events, slice, next, false);
        for (size_t j = 0; j < slice->n_indexes; j++)
            next[slice->indexes[j]]++;
    }
    return status;
}
