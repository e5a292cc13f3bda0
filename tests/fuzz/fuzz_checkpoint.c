/* A checkpoint's text and a log proof are refused, or written back byte for byte. */
#include <stdlib.h>

#include "proto/log_proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_view bytes = bytes_view(data, size);
    struct byte_buffer again = bytes_buffer(LOG_PROOF_SIZE_MAX);
    struct checkpoint checkpoint;
    static struct log_proof proof;
    struct note note;

    if (note_parse(bytes, &note) == STATUS_OK)
        (void)checkpoint_parse(note.text, &checkpoint);
    if (checkpoint_parse(bytes, &checkpoint) == STATUS_OK) {
        if (checkpoint_format(&checkpoint, &again) != STATUS_OK ||
            !bytes_equal(bytes_buffer_view(&again), bytes))
            abort();
    }
    bytes_buffer_clear(&again);
    if (log_proof_parse(bytes, &proof) == STATUS_OK) {
        if (log_proof_format(&proof, &again) != STATUS_OK || !bytes_equal(bytes_buffer_view(&again), bytes))
            abort();
    }
    bytes_buffer_free(&again);
    return 0;
}
