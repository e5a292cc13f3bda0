#pragma once

#include "base/bytes.h"
#include "base/status.h"
#include "proto/digest.h"

struct engine;
struct job;

/*
 * Entries of kind `incident` in the log, and a line for whoever runs the broker. What one member does again
 * and again is logged once a process, so that nobody can fill the log this way.
 */

#define INCIDENTS_REMEMBERED 256

struct incidents {
    size_t count;
    size_t next;
    uint8_t seen[INCIDENTS_REMEMBERED][DIGEST_SIZE];
};

struct incident {
    const char *member;      /* who showed or did it */
    const char *outcome;     /* one word, for ever: docs/log-format.md, "Kinds" */
    const char *text;        /* one sentence for people */
    const char *once;        /* tells two of one member and outcome apart; NULL: they count as one */
    struct byte_view detail; /* what proves it, at most RECORD_DETAIL_SIZE bytes, else left out; or empty */
};

/* incidents_log - within a group. Returns what appending to the log returns. */
enum status incidents_log(struct engine *engine, const struct incident *incident);

/* incidents_handle - what the gate saw (JOB_INCIDENT). */
enum status incidents_handle(struct engine *engine, const struct job *job);

/* incidents_forget - the group was rolled back: what it logged may be logged again. */
void incidents_forget(struct incidents *incidents);
