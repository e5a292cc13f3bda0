/* What an auditor remembered of a log is refused, or written again byte for byte. */
#include <stdlib.h>

#include "audit/remembered.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_buffer again = bytes_buffer(REMEMBERED_MAX);
    struct remembered remembered;

    if (remembered_init(&remembered) != STATUS_OK)
        return 0;
    if (remembered_parse(bytes_view(data, size), &remembered) == STATUS_OK &&
        (remembered_write(&remembered, &again) != STATUS_OK ||
         !bytes_equal(bytes_buffer_view(&again), bytes_view(data, size))))
        abort();
    remembered_free(&remembered);
    bytes_buffer_free(&again);
    return 0;
}
