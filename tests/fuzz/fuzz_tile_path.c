/* A tile path is refused, or written back byte for byte. */
#include <stdlib.h>
#include <string.h>

#include "proto/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tile_id id;
    char path[TILE_PATH_SIZE];

    if (tile_parse_path(bytes_view(data, size), &id) != STATUS_OK)
        return 0;
    tile_path(&id, path);
    if (!bytes_equal(bytes_of_string(path), bytes_view(data, size)))
        abort();
    return 0;
}
