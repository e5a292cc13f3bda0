/* Any bytes as a line of the erasure journal: refused, or written again as just those bytes. */
#include <stdlib.h>
#include <string.h>

#include "broker/backup_manifest.h"
#include "broker/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct journal_line line;
    struct backup_manifest manifest;
    struct byte_buffer out = bytes_buffer(256);

    if (journal_parse(bytes_view(data, size), &line) == STATUS_OK) {
        journal_format(&line, &out);
        if (out.status != STATUS_OK || out.size != size + 1 || out.data[size] != '\n')
            abort();
        for (size_t i = 0; i < size; i++) {
            if (data[i] != out.data[i] && (data[i] < 'A' || data[i] > 'F')) /* digits of either case */
                abort();
        }
    }
    if (backup_manifest_parse(bytes_view(data, size), &manifest) == STATUS_OK)
        bytes_buffer_free(&manifest.checkpoint);
    bytes_buffer_free(&out);
    return 0;
}
