/* The first byte is the width. An entry bundle is refused, or written back byte for byte. */
#include <stdlib.h>

#include "proto/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_view entries[TILE_WIDTH];

    if (size == 0)
        return 0;
    size_t width = (size_t)data[0] + 1;
    struct byte_view bundle = bytes_view(data + 1, size - 1);
    if (tile_parse_bundle(bundle, width, entries) != STATUS_OK)
        return 0;
    struct byte_buffer again = bytes_buffer(TILE_BUNDLE_MAX);
    for (size_t i = 0; i < width; i++) {
        if (tile_append_entry(&again, entries[i]) != STATUS_OK)
            abort();
    }
    if (!bytes_equal(bytes_buffer_view(&again), bundle))
        abort();
    bytes_buffer_free(&again);
    return 0;
}
