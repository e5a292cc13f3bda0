#pragma once

#include <jansson.h>

#include "base/options.h"

/*
 * calling_ask - a request to the broker that runs on the folder of --dir, and its one answer.
 *
 * subject  what a refusal is about, such as a file: named in front of it
 * request  taken over; NULL is no memory
 * ret      on EXIT_DONE owned by the caller (json_decref)
 *
 * Returns EXIT_DONE, EXIT_REFUSED (it does not run, or said why not) or EXIT_ENVIRONMENT; told on stderr.
 */
int calling_ask(const struct options *options, const char *subject, json_t *request, json_t **ret);
