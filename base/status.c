#include "base/status.h"

#include <stddef.h>

static const char *const texts[] = {
#define STATUS_STRING(symbol, text) [STATUS_##symbol] = (text),
    STATUS_TABLE(STATUS_STRING)
#undef STATUS_STRING
};

const char *status_text(enum status status)
{
    size_t index = (size_t)status;

    return index < sizeof texts / sizeof texts[0] ? texts[index] : "unknown status";
}

/* The table has the machine's first, after OK. */
bool status_of_machine(enum status status)
{
    return status != STATUS_OK && status < STATUS_BAD_FORMAT;
}
