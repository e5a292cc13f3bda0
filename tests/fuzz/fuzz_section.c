/* A section that is accepted encodes to the bytes that it came from; a receipt likewise. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/receipt.h"
#include "proto/section.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_buffer again = bytes_buffer(SECTION_SIZE_MAX);
    struct byte_view bytes = bytes_view(data, size);
    struct section section;
    struct receipt receipt;

    if (section_decode(bytes, &section) == STATUS_OK) {
        enum status status = section_encode(&section, &again);
        assert(status == STATUS_OK && bytes_equal(bytes_buffer_view(&again), bytes));
    }
    bytes_buffer_clear(&again);
    if (receipt_decode(bytes, &receipt) == STATUS_OK) {
        enum status status = receipt_encode(&receipt, &again);
        assert(status == STATUS_OK && bytes_equal(bytes_buffer_view(&again), bytes));
    }
    bytes_buffer_free(&again);
    return 0;
}
