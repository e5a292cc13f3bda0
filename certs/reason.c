#include "certs/reason.h"

#include <stdarg.h>
#include <stdio.h>

enum status reason_refuse(struct bundle_reason *reason, enum status status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (reason != NULL)
        vsnprintf(reason->text, sizeof reason->text, format, arguments);
    va_end(arguments);
    return status;
}

enum status reason_status(struct bundle_reason *reason, enum status status)
{
    if (reason != NULL)
        snprintf(reason->text, sizeof reason->text, "%s", status_text(status));
    return status;
}
