#pragma once

#include <jansson.h>

#include "base/options.h"

/*
 * calling_ask - a request to the broker that runs on the folder of --dir, and its one answer.
 *
 * request  taken over; NULL is no memory
 * ret      on EXIT_DONE owned by the caller (json_decref)
 *
 * Returns EXIT_DONE, EXIT_REFUSED (it does not run, or said why not) or EXIT_ENVIRONMENT; told on stderr.
 */
int calling_ask(const struct options *options, json_t *request, json_t **ret);
