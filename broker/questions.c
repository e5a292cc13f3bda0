#include "broker/questions.h"

#include <string.h>

#include "proto/wire_codec.h"

/* The value under that label, or an empty view. */
static struct byte_view value_of(const Wire__Opening *opening, const char *label)
{
    for (size_t i = 0; i < opening->n_attributes; i++) {
        if (strcmp(opening->attributes[i]->id, label) == 0)
            return bytes_of_string(opening->attributes[i]->value);
    }
    return bytes_view(NULL, 0);
}

enum status questions_facts(const struct catalogue *catalogue, const struct batch_held *batch, uint32_t index,
                            struct policy_facts *facts)
{
    struct wire_arena arena = wire_arena(WIRE_ARENA_FRAME);
    const ProtobufCMessage *message = NULL;
    struct byte_view opening;
    enum status status;

    facts->correlated_asks = facts->correlated_event < catalogue->event_count &&
                             catalogue->events[facts->correlated_event].asked != CATALOGUE_NONE;
    if (!facts->correlated_asks)
        return STATUS_OK;
    status = batches_opening(batch, index, &opening);
    if (status == STATUS_OK)
        status = wire_unpack(&wire__opening__descriptor, opening, WIRE_FRAME_LIMIT, &arena, &message);
    /* What the catalogue no longer has was asked in vain; an answer then tells nothing. */
    if (status == STATUS_OK)
        (void)catalogue_parse_labels(catalogue, CATALOGUE_NONE,
                                     value_of((const Wire__Opening *)(const void *)message, CATALOGUE_ASKED),
                                     &facts->correlated_asked, NULL);
    wire_arena_free(&arena);
    return status == STATUS_OK || status == STATUS_NO_MEMORY ? status : STATUS_CORRUPT;
}
