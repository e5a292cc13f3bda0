/* Items that are accepted encode to the plaintext that they came from. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/items.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_buffer again = bytes_buffer(ITEMS_SIZE_MAX);
    struct items *items = NULL;

    if (items_decode(bytes_view(data, size), &items) == STATUS_OK) {
        enum status status = items_encode(items->list, items->count, &again);
        assert(status == STATUS_OK && bytes_equal(bytes_buffer_view(&again), bytes_view(data, size)));
    }
    items_free(&items);
    bytes_buffer_free(&again);
    return 0;
}
