#pragma once

#include <stddef.h>

#include "base/status.h"

/*
 * Where random bytes come from, so that a test can be repeated. Code that makes keys, salts or identifiers
 * takes a source; outside tests it is random_system().
 *
 * fill writes size bytes to out and returns STATUS_OK, or returns another status and leaves nothing to rely
 * on.
 */
struct random_source {
    enum status (*fill)(void *context, void *out, size_t size);
    void *context;
};

/*
 * random_bytes - size bytes from OpenSSL's generator, fit for keys.
 *
 * Returns STATUS_CRYPTO when the generator fails; out is then wiped. May block only early in the machine's
 * boot; thread-safe.
 */
enum status random_bytes(void *out, size_t size);

/* random_fill - size bytes from source; out is wiped when it fails, and the source's status is returned. */
enum status random_fill(const struct random_source *source, void *out, size_t size);

/* random_system - the source behind random_bytes(); static storage. */
const struct random_source *random_system(void);
