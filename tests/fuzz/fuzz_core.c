/* A core that is accepted is a Core of the schema and encodes to the bytes that it came from. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/core.h"
#include "proto/wire_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_arena arena = wire_arena(WIRE_ARENA_FRAME);
    struct byte_buffer again = bytes_buffer(CORE_SIZE_MAX);
    const ProtobufCMessage *message;
    struct byte_view bytes = bytes_view(data, size);
    struct core core;

    if (core_decode(bytes, &core) == STATUS_OK) {
        enum status status = wire_unpack(&wire__core__descriptor, bytes, CORE_SIZE_MAX, &arena, &message);
        assert(status == STATUS_OK);
        status = core_encode(&core, &again);
        assert(status == STATUS_OK && bytes_equal(bytes_buffer_view(&again), bytes));
    }
    wire_arena_free(&arena);
    bytes_buffer_free(&again);
    return 0;
}
