#include "broker/grounds.h"

#include <stdlib.h>

#include "proto/field.h"

/* Field numbers of messages Ground and Plan in wire.proto. */
enum { HEADER = 1, CERTIFICATE, SIGNATURE, INDEX, COUNT, PATH, OPENING, COMMITTED };
enum { PLAN_GROUNDS = 5 };

/* Appends the opening as far as decisions rest on it: who plans has no right to see the rest. */
static void put_opening(const struct engine *engine, const struct policy_request *request,
                        const Wire__Opening *opening, struct byte_buffer *ret)
{
    const struct catalogue *catalogue = engine->rulebook->catalogue;
    const struct catalogue_event *type = &catalogue->events[request->event];
    Wire__OpenedAttribute *shown[CORE_ATTRIBUTES_MAX];
    Wire__Opening part = WIRE__OPENING__INIT;

    part.attributes = shown;
    for (size_t i = 0; i < opening->n_attributes; i++) {
        uint16_t label = catalogue_find_label(catalogue, bytes_of_string(opening->attributes[i]->id));

        if (register_reads(type, catalogue_attribute_at(type, label)))
            shown[part.n_attributes++] = opening->attributes[i];
    }
    wire_pack(&part.base, ret);
}

enum status grounds_append(struct engine *engine, const struct job *job, struct store_place place)
{
    const Wire__Publish *publish = job->frame->publish;
    const struct envelope_published_event *event = &job->published.events[place.index];
    struct byte_buffer *ground = &engine->scratch;
    struct digest path[MERKLE_PATH_MAX];
    size_t length = 0;

    bytes_buffer_clear(ground);
    bytes_buffer_clear(&engine->body);
    merkle_batch_path(job->published.tree, place.index, path, &length);
    put_opening(engine, &job->events[place.index].request, event->opening, &engine->body);
    if (engine->body.status != STATUS_OK)
        return engine->body.status;
    field_put_bytes(ground, HEADER, event->header_bytes);
    field_put_bytes(ground, CERTIFICATE, wire_view(publish->certificate));
    field_put_bytes(ground, SIGNATURE, wire_view(publish->signature));
    field_put_varint(ground, INDEX, place.index);
    field_put_varint(ground, COUNT, job->published.count);
    for (size_t i = 0; i < length; i++)
        field_put_bytes(ground, PATH, bytes_view(path[i].bytes, DIGEST_SIZE));
    field_put_bytes(ground, OPENING, bytes_buffer_view(&engine->body));
    field_put_varint(ground, COMMITTED, (uint64_t)engine->now);
    if (ground->status != STATUS_OK)
        return ground->status;
    /* An event may set several facts, and is kept once. */
    struct byte_view kept;
    enum status status = store_get_ground(engine->store, place, &kept);
    if (status != STATUS_NOT_FOUND)
        return status;
    return store_append_ground(engine->store, place, bytes_buffer_view(ground));
}

enum status grounds_put(struct engine *engine, const struct subject *subject, uint32_t bits,
                        struct byte_buffer *plan)
{
    struct store_place places[REGISTER_GROUNDS + SUBJECTS_MERGED_MAX];
    size_t count = 0;
    struct byte_view ground;

    for (size_t i = 0; i < REGISTER_GROUNDS; i++) {
        if ((bits >> i & 1) != 0 && subject->grounds[i].set)
            places[count++] = subject->grounds[i].place;
    }
    for (size_t i = 0; bits != 0 && i < subject->merged_count; i++)
        places[count++] = subject->merged[i];
    qsort(places, count, sizeof places[0], subjects_compare_places);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && subjects_compare_places(&places[i - 1], &places[i]) == 0)
            continue;
        enum status status = store_get_ground(engine->store, places[i], &ground);
        if (status == STATUS_NOT_FOUND)
            continue; /* erased: whoever plans is not shown it, and decides without it */
        if (status != STATUS_OK)
            return status;
        field_put_bytes(plan, PLAN_GROUNDS, ground);
    }
    return STATUS_OK;
}
