#include <stddef.h>
#include <stdint.h>

#include "broker/forwarded.h"
#include "proto/wire_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Receipts as the store keeps them: whatever is read becomes a frame's body, or is found out as damaged. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_buffer body = bytes_buffer((size_t)4 << 20);
    enum status status = forwarded_restore(bytes_view(data, size), &body);

    if (status != STATUS_OK && status != STATUS_CORRUPT && status != STATUS_TOO_LARGE)
        __builtin_trap();
    if (status == STATUS_OK && (body.size == 0 || !forwarded_is(bytes_view(data, size))))
        __builtin_trap();
    bytes_buffer_free(&body);
    return 0;
}
