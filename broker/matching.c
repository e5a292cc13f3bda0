#include "broker/matching.h"

#include <string.h>

/* ---- what is on its way on this connection ---- */

/* Receipts mostly come in the order of delivery: the search goes on after the one found last. */
struct position {
    struct flight *flight; /* NULL: before the first */
    size_t place;
};

static bool is_at(const struct position *position, uint32_t sender, const uint8_t *event)
{
    const struct flight_event *candidate = &position->flight->events[position->place];

    return position->flight->sender == sender && candidate->live &&
           memcmp(candidate->event, event, STORE_EVENT_SIZE) == 0;
}

/* From position on to the end. */
static bool scan(struct position *position, uint32_t sender, const uint8_t *event)
{
    for (struct flight *flight = position->flight; flight != NULL; flight = flight->next) {
        size_t first = flight == position->flight ? position->place : 0;
        for (size_t place = first; place < flight->count; place++) {
            struct position here = {flight, place};
            if (is_at(&here, sender, event)) {
                *position = here;
                return true;
            }
        }
    }
    return false;
}

static bool find_flight(const struct peer *recipient, uint32_t sender, const uint8_t *event,
                        struct position *position)
{
    struct position start = {recipient->flights, 0};

    if (position->flight != NULL && scan(position, sender, event))
        return true;
    if (!scan(&start, sender, event))
        return false;
    *position = start;
    return true;
}

static bool agrees(const struct receipt *receipt, const uint8_t *header, const uint8_t *section,
                   uint64_t counter)
{
    return memcmp(receipt->header, header, DIGEST_SIZE) == 0 &&
           memcmp(receipt->section, section, DIGEST_SIZE) == 0 && receipt->counter == counter;
}

static enum status match_flight(const struct receipt *receipt, const struct position *position,
                                struct matching_one *ret)
{
    const struct flight *flight = position->flight;
    const struct flight_event *event = &flight->events[position->place];

    if (!agrees(receipt, event->header, event->section, event->counter))
        return STATUS_MISMATCH;
    *ret = (struct matching_one){true, flight->sender, flight->key, event->place, event->entry};
    return STATUS_OK;
}

/* ---- what was handed over earlier ---- */

static enum status match_slice(const struct receipt *receipt, const struct batch_held *batch, uint32_t index,
                               const struct store_slice *slice, struct matching_one *ret)
{
    size_t offset = 0;

    for (size_t i = 0; i < slice->count; i++) {
        struct store_mark mark = store_mark_read(slice->marks.data + i * STORE_MARK_SIZE);
        uint8_t section[DIGEST_SIZE];
        size_t at = offset;
        offset += mark.size;
        if (mark.index != index || !store_mask_get(slice->live, i))
            continue;
        if (offset > slice->sections.size)
            return STATUS_CORRUPT;
        section_digest(bytes_view(slice->sections.data + at, mark.size), section);
        if (!agrees(receipt, batch->digests[index], section, mark.counter))
            return STATUS_MISMATCH;
        *ret = (struct matching_one){true, slice->sender, slice->key, i, mark.entry};
        return STATUS_OK;
    }
    return STATUS_OK;
}

static enum status match_stored(struct engine *engine, const struct receipt *receipt, uint32_t sender,
                                const struct peer *recipient, struct matching_one *ret)
{
    const struct batch_held *batch = NULL;
    struct store_place event;
    struct store_slice slice;
    enum status status = batches_find(engine->batches, sender, receipt->event, &event);

    if (status == STATUS_OK)
        status = batches_get(engine->batches, event.batch, &batch);

    for (int urgent = 0; status == STATUS_OK && !ret->found && urgent < 2; urgent++) {
        struct store_slice_key key = {recipient->stored.number, urgent != 0, event.batch};
        status = store_get_slice(engine->store, key, &slice);
        if (status == STATUS_OK)
            status = match_slice(receipt, batch, event.index, &slice, ret);
        else if (status == STATUS_NOT_FOUND)
            status = STATUS_OK;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static bool seen(const struct matching *matching, const struct matching_one *one)
{
    for (size_t i = 0; i < matching->count; i++) {
        const struct matching_one *other = &matching->matches[i];
        if (other->found && other->place == one->place && other->key.batch == one->key.batch &&
            other->key.urgent == one->key.urgent)
            return true;
    }
    return false;
}

enum status matching_find(struct engine *engine, const struct job *job, struct peer *recipient,
                          struct matching *ret)
{
    struct position position = {NULL, 0};
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < job->frame->receipts->n_receipts; i++) {
        const struct receipt *receipt = &job->receipts[i];
        const struct peer *sender = peers_find(engine->peers, receipt->from);
        struct matching_one one = {0};
        if (sender != NULL && find_flight(recipient, sender->stored.number, receipt->event, &position))
            status = match_flight(receipt, &position, &one);
        else if (sender != NULL)
            status = match_stored(engine, receipt, sender->stored.number, recipient, &one);
        if (one.found && seen(ret, &one))
            one.found = false;
        ret->matches[i] = one;
        ret->count = i + 1;
        ret->found += one.found;
    }
    return status;
}

/* ---- taking it out ---- */

/* The places of one slice that are confirmed leave the queue, and are no longer on their way. */
static enum status settle_slice(struct engine *engine, struct peer *recipient, struct store_slice_key key,
                                const uint8_t places[static STORE_MASK_SIZE])
{
    bool whole = false;

    engine->in_flight -= peers_settle(recipient, key, places, &whole);
    return whole ? store_drop_slice(engine->store, key) : store_take_out(engine->store, key, places);
}

enum status matching_settle(struct engine *engine, struct peer *recipient, const struct matching *matching)
{
    bool done[ENVELOPE_BATCH_MAX] = {false};
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < matching->count; i++) {
        const struct matching_one *first = &matching->matches[i];
        struct peer *sender = peers_number(engine->peers, first->sender);
        uint8_t places[STORE_MASK_SIZE] = {0};
        size_t count = 0;
        if (!first->found || done[i] || sender == NULL)
            continue;
        for (size_t j = i; j < matching->count; j++) {
            const struct matching_one *one = &matching->matches[j];
            if (!one->found || one->key.batch != first->key.batch || one->key.urgent != first->key.urgent)
                continue;
            store_mask_set(places, one->place);
            done[j] = true;
            count++;
        }
        sender->stored.undelivered -= count < sender->stored.undelivered ? count : sender->stored.undelivered;
        sender->dirty = true;
        status = settle_slice(engine, recipient, first->key, places);
    }
    return status;
}
