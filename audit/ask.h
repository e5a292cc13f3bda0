#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"

/*
 * Asking the running broker, which logs the look before it answers.
 */

/* What became of a question. */
enum ask_result {
    ASK_DONE,
    ASK_REFUSED,     /* the broker would not; *reason says why */
    ASK_NOT_RUNNING, /* nobody serves the socket */
    ASK_BROKEN,      /* the socket or the answer failed, or whoever took the rows */
};

#define ASK_REASON_SIZE 512

struct ask_taker {
    enum status (*row)(void *context, const json_t *row); /* another status than STATUS_OK ends it */
    void *context;
};

/*
 * ask_broker - send the request to the broker of this folder and hand over each row as it comes; the last
 * reply, how many there were, is no row. reason is filled in unless ASK_DONE.
 */
enum ask_result ask_broker(const char *folder, const json_t *request, const struct ask_taker *taker,
                           char reason[static ASK_REASON_SIZE]);
