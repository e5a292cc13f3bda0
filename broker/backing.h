#pragma once

#include <jansson.h>

#include "broker/engine.h"

/*
 * backing_control - what a backup under way wants of the store thread:
 *
 *   {"do":"backup","officer":TEXT}                        → {"hold":N,"ready":false}
 *   {"do":"backup","officer":TEXT,"hold":N}               → {"hold":N,"ready":…}; once it is ready the file
 * stands still: "entries":N, "checkpoint":NOTE
 *   {"do":"backup","officer":TEXT,"hold":N,"key":TEXT}    → {"held":true}: it was copied whole; logged
 *   {"do":"backup","officer":TEXT,"hold":N,"drop":true}   → {"held":false}
 *
 * or {"error":SENTENCE}. ret is the caller's; NULL is no memory. Errors as handlers of control requests.
 */
enum status backing_control(struct engine *engine, const json_t *request, json_t **ret);
