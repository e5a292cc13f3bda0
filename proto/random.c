#include "proto/random.h"

#include <limits.h>
#include <openssl/rand.h>
#include <stdint.h>

#include "base/bytes.h"

enum status random_bytes(void *out, size_t size)
{
    uint8_t *at = out;

    for (size_t left = size; left > 0;) {
        size_t now = left < INT_MAX ? left : INT_MAX;
        if (RAND_bytes(at, (int)now) != 1) {
            bytes_wipe(out, size);
            return STATUS_CRYPTO;
        }
        at += now;
        left -= now;
    }
    return STATUS_OK;
}

enum status random_fill(const struct random_source *source, void *out, size_t size)
{
    enum status status = source->fill(source->context, out, size);

    if (status != STATUS_OK)
        bytes_wipe(out, size);
    return status;
}

static enum status fill_from_system(void *context, void *out, size_t size)
{
    (void)context;
    return random_bytes(out, size);
}

const struct random_source *random_system(void)
{
    static const struct random_source source = {.fill = fill_from_system};

    return &source;
}
