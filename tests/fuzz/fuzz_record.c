/* Both parts of a log record: what is accepted encodes to the bytes that it came from. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct record_storage storage;
    struct byte_buffer again = bytes_buffer(RECORD_PART_MAX);
    struct byte_view bytes = bytes_view(data, size);
    struct record_account account;
    struct record_personal personal;

    if (record_decode_account(bytes, &storage, &account) == STATUS_OK) {
        enum status status = record_encode_account(&account, &again);
        assert(status == STATUS_OK && bytes_equal(bytes_buffer_view(&again), bytes));
    }
    bytes_buffer_clear(&again);
    if (record_decode_personal(bytes, &storage, &personal) == STATUS_OK) {
        enum status status = record_encode_personal(&personal, &again);
        assert(status == STATUS_OK && bytes_equal(bytes_buffer_view(&again), bytes));
    }
    bytes_buffer_free(&again);
    return 0;
}
