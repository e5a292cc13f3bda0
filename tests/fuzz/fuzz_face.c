#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "broker/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the gate sees at the front of a frame is what unpacking finds, for every frame that unpacks. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_arena arena = wire_arena(WIRE_ARENA_FRAME);
    struct frame_face face = {0};
    const Wire__Frame *frame = NULL;
    enum status peeked = frame_peek(bytes_view(data, size), &face);

    if (wire_frame_unpack(bytes_view(data, size), &arena, &frame) == STATUS_OK &&
        (peeked != STATUS_OK || face.version != frame->version || face.request != frame->request ||
         face.verb != (uint32_t)frame->verb_case))
        abort();
    wire_arena_free(&arena);
    return 0;
}
