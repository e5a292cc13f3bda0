#include <stddef.h>
#include <stdint.h>

#include "proto/logrow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first two bytes say how many are the records column; the rest is the personal column. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t records = bytes_get_u16(data);
    if (records > size - 2)
        records = size - 2;
    struct logrow row =
        logrow_open(bytes_view(data + 2, records), bytes_view(data + 2 + records, size - 2 - records));
    struct logrow_record record;
    struct logrow_block block;
    while (logrow_next(&row, &record) == STATUS_OK) {
        (void)logrow_verify(&row, &record);
        if (logrow_block(&row, &record, &block) == STATUS_OK && block.size > size)
            __builtin_trap();
    }
    return 0;
}
