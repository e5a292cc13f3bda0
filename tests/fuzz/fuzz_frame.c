/* What the broker and agents do with a frame before they believe anything in it. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/core.h"
#include "proto/header.h"
#include "proto/receipt.h"
#include "proto/section.h"
#include "proto/wire_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode_publish(const Wire__Publish *publish)
{
    struct header header;
    struct core core;
    struct section section;

    for (size_t i = 0; i < publish->n_headers; i++) {
        if (header_parse(wire_view(publish->headers[i]), &header) == STATUS_OK)
            (void)core_decode(header.core, &core);
    }
    for (size_t i = 0; i < publish->n_slices; i++) {
        for (size_t j = 0; j < publish->slices[i]->n_sections; j++)
            (void)section_decode(wire_view(publish->slices[i]->sections[j]), &section);
    }
}

static void decode_receipts(const Wire__ReceiptBatch *batch)
{
    struct receipt receipt;

    for (size_t i = 0; i < batch->n_receipts; i++)
        (void)receipt_decode(wire_view(batch->receipts[i]), &receipt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_arena arena = wire_arena(WIRE_ARENA_FRAME);
    struct byte_buffer again = bytes_buffer(WIRE_FRAME_LIMIT);
    const Wire__Frame *frame;
    const char *reason;

    if (wire_frame_unpack(bytes_view(data, size), &arena, &frame) != STATUS_OK)
        goto out;
    wire_pack(&frame->base, &again);
    assert(bytes_equal(bytes_buffer_view(&again), bytes_view(data, size)));
    if (wire_check_frame(frame, &reason) != STATUS_OK)
        goto out;
    if (frame->verb_case == WIRE__FRAME__VERB_PUBLISH)
        decode_publish(frame->publish);
    if (frame->verb_case == WIRE__FRAME__VERB_RECEIPTS)
        decode_receipts(frame->receipts);
out:
    wire_arena_free(&arena);
    bytes_buffer_free(&again);
    return 0;
}
