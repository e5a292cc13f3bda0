/* A key file of any of the four sorts is refused as damaged, or is what writing its keys gives. */
#include <stdlib.h>

#include "certs/keyfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Digits of keys may be written in either case. */
static void must_be(const struct byte_buffer *again, struct byte_view text)
{
    if (again->status != STATUS_OK || again->size != text.size)
        abort();
    for (size_t i = 0; i < text.size; i++) {
        if ((again->data[i] | 0x20) != (text.data[i] | 0x20))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_view text = bytes_view(data, size);
    struct byte_buffer again = bytes_buffer(KEYFILE_LARGEST);
    struct keyfile_set set = {0};
    struct keyfile_log log = {0};
    uint8_t storage[32];

    if (keyfile_parse_set(text, &set) == STATUS_OK)
        keyfile_format_set(&set, &again);
    else if (keyfile_parse_log(text, &log) == STATUS_OK)
        keyfile_format_log(&log, &again);
    else if (keyfile_parse_storage(text, storage) == STATUS_OK)
        keyfile_format_storage(storage, &again);
    else if (keyfile_parse_witness(text, storage) == STATUS_OK)
        keyfile_format_witness(storage, &again);
    else
        text = bytes_view(NULL, 0);
    must_be(&again, text);
    keyfile_clear(&set);
    bytes_buffer_wipe(&again);
    return 0;
}
