#pragma once

#include "base/status.h"

/* Why something was not taken, in one sentence for people, without a full stop. */
struct bundle_reason {
    char text[256];
};

/* reason_refuse - fills in the reason, which may be NULL, and returns status. */
enum status reason_refuse(struct bundle_reason *reason, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* reason_status - the same with the status's own text. */
enum status reason_status(struct bundle_reason *reason, enum status status);
