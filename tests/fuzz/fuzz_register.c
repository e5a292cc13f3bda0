/* What is stored of a person: refused as damaged, or fit to be asked about, and written as it stays. */
#include <stdlib.h>

#include "policy/register.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_buffer written = bytes_buffer(REGISTER_ENCODED_MAX);
    struct byte_buffer again = bytes_buffer(REGISTER_ENCODED_MAX);
    struct register_state state;
    struct register_state merged;

    if (register_decode(bytes_view(data, size), &state) == STATUS_OK) {
        register_encode(&state, &written);
        if (register_decode(bytes_buffer_view(&written), &merged) != STATUS_OK)
            abort();
        register_encode(&merged, &again);
        if (again.status != STATUS_OK || !bytes_equal(bytes_buffer_view(&written), bytes_buffer_view(&again)))
            abort();
        if (data[0] == written.data[0] && !bytes_equal(bytes_buffer_view(&written), bytes_view(data, size)))
            abort(); /* of the version that is written there is one form only */
        register_merge(&state, &state, &merged);
        for (uint16_t i = 0; i < state.consent_count; i++)
            (void)register_consented(&state, i, 0);
    }
    bytes_buffer_free(&written);
    bytes_buffer_free(&again);
    return 0;
}
