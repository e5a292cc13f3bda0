#pragma once

#include <jansson.h>

#include "broker/sessions.h"

/* What `concordat-broker status` shows, as JSON (docs/operations.md). */

struct status_report {
    const char *member;
    const char *endpoint;
    const struct sessions *sessions;
    struct sessions_time time;
};

/* status_report_make - a new object (json_decref), or NULL without memory. pipeline is its answer to status,
 * borrowed; it may be NULL. */
json_t *status_report_make(const struct status_report *report, json_t *pipeline);
