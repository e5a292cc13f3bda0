#include "proto/kind_reason.h"

#include <stdarg.h>
#include <stdio.h>

enum status kind_reason_set(struct kind_reason *ret_reason, enum status status, const char *format, ...)
{
    va_list arguments;

    if (ret_reason == NULL)
        return status;
    va_start(arguments, format);
    vsnprintf(ret_reason->text, sizeof ret_reason->text, format, arguments);
    va_end(arguments);
    return status;
}
