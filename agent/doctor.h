#pragma once

#include <jansson.h>

#include "agent/agent.h"

/*
 * What is well and what is not with an agent, and what to do about it: `concordat doctor`. Nothing is changed
 * and nothing is sent.
 */

#define DOCTOR_LEVELS(X)                                                                                     \
    X(GOOD, "good")                                                                                          \
    X(WARNING, "warning") /* it works; somebody should act before it does not */                             \
    X(BAD, "bad")         /* something does not work */

enum doctor_level {
#define DOCTOR_LEVEL(symbol, text) DOCTOR_##symbol,
    DOCTOR_LEVELS(DOCTOR_LEVEL)
#undef DOCTOR_LEVEL
};

/* What only the running process knows. */
struct doctor_link {
    bool running;        /* false: the folder is looked at without its agent */
    bool connected;      /* the broker has answered our hello */
    const char *trouble; /* why not, for people; NULL: not known */
    bool has_skew;
    int64_t skew; /* milliseconds that the broker's clock was ahead of ours when it answered */
};

/*
 * doctor_examine - {"worst": level, "findings": [{"check", "level", "text", "remedy": text or null}]}, one
 * finding at least for each check; the caller's.
 *
 * The checks: agent, folder, keys, certificate, bundle, protocol, broker, clock, disk, queue, log, trial.
 * Returns STATUS_NO_MEMORY, or what the database returned.
 */
enum status doctor_examine(struct agent *agent, const struct doctor_link *link, int64_t now, json_t **ret);
