/* Frames of the local socket: whatever is read can be written and reads back the same. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/local_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const json_t *message)
{
    struct byte_buffer frame = bytes_buffer(LOCAL_WIRE_FRAME);
    json_t *again = NULL;
    size_t used = 0;
    enum status status = local_wire_append(&frame, message);

    /* Numbers may take more room written in full. */
    assert(status == STATUS_OK || status == STATUS_TOO_LARGE);
    if (status == STATUS_OK) {
        status = local_wire_read(bytes_buffer_view(&frame), &used, &again);
        assert(status == STATUS_OK && used == frame.size && json_equal(message, again));
    }
    json_decref(again);
    bytes_buffer_free(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_view rest = bytes_view(data, size);

    for (;;) {
        json_t *message = NULL;
        size_t used = 0;
        if (local_wire_read(rest, &used, &message) != STATUS_OK || message == NULL)
            return 0;
        assert(used >= LOCAL_WIRE_HEAD && used <= rest.size);
        check_round_trip(message);
        json_decref(message);
        rest = bytes_view(rest.data + used, rest.size - used);
    }
}
