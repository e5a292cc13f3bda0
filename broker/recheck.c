#include "broker/recheck.h"

#include "broker/verifying.h"

static enum status read_header(struct engine *engine, struct store_place place,
                               const struct batch_held **ret_batch, struct byte_view *ret_header,
                               struct core *ret_core)
{
    const struct batch_held *batch = NULL;
    struct header header;
    enum status status = batches_get(engine->batches, place.batch, &batch);

    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_CORRUPT : status;
    if (place.index < batch->count && batch->headers[place.index].size == 0)
        return STATUS_NOT_FOUND; /* erased */
    if (place.index >= batch->count || header_parse(batch->headers[place.index], &header) != STATUS_OK ||
        core_decode(header.core, ret_core) != STATUS_OK)
        return STATUS_CORRUPT;
    *ret_batch = batch;
    *ret_header = batch->headers[place.index];
    return STATUS_OK;
}

enum status recheck_core(struct engine *engine, struct store_place place, struct core *ret)
{
    const struct batch_held *batch = NULL;
    struct byte_view header;

    return read_header(engine, place, &batch, &header, ret);
}

enum status recheck_event(struct engine *engine, struct store_place place, struct recheck *ret)
{
    const struct batch_held *batch = NULL;
    const ProtobufCMessage *message = NULL;
    struct byte_view opening;
    enum status status = read_header(engine, place, &batch, &ret->header, &ret->core);

    if (status == STATUS_OK)
        status = batches_opening(batch, place.index, &opening);
    if (status != STATUS_OK)
        return status;
    wire_arena_reset(&engine->second_arena);
    engine->second->arena = &engine->second_arena;
    engine->second->rulebook = engine->rulebook;
    status =
        wire_unpack(&wire__opening__descriptor, opening, WIRE_FRAME_LIMIT, &engine->second_arena, &message);
    if (status == STATUS_OK) {
        ret->event = (struct job_event){0};
        verifying_event(engine->second, &ret->core, (const Wire__Opening *)(const void *)message,
                        &ret->event);
    } else if (status != STATUS_NO_MEMORY) {
        status = STATUS_CORRUPT;
    }
    engine->second->arena = NULL;
    engine->second->rulebook = NULL;
    return status;
}
