#include "certs/role.h"

#include <assert.h>

static const char *const texts[] = {
#define ROLE_STRING(symbol, text) [ROLE_##symbol] = (text),
    ROLE_TABLE(ROLE_STRING)
#undef ROLE_STRING
};

#define ROLE_COUNT (sizeof texts / sizeof texts[0])

const char *role_text(enum role role)
{
    assert((size_t)role < ROLE_COUNT);
    return texts[role];
}

enum status role_parse(struct byte_view text, enum role *ret_role)
{
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        if (bytes_equal(text, bytes_of_string(texts[i]))) {
            *ret_role = (enum role)i;
            return STATUS_OK;
        }
    }
    return STATUS_BAD_FORMAT;
}
