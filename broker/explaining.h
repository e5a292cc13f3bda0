#pragma once

#include <jansson.h>

#include "broker/index_search.h"

/*
 * All that the broker can say about one entry of its log, one object after the other:
 *
 *   {"entry":ROW}        the entry, as broker/search.h has rows
 *   {"check":{…}}        if it is about an event that is still known: the decision, made again by the
 * protocol that was in force, with sentences (broker/retelling_check.h)
 *   {"row":ROW} …        the other entries of the event, then what happened to it later, each kind in the
 * log's order: delivered, opened, quarantined, recalled, expired, corrected, erased …
 */
struct explaining_options {
    struct index_options index;
    const struct index_scope *scope; /* whose entries may be shown */
    const char *folder;              /* of the broker */
    uint64_t entry;
    const atomic_bool *stop;
};

/*
 * explaining_run - told takes the object over and returns false to end. Returns STATUS_NOT_FOUND when the log
 * has no such entry, or none that may be shown; otherwise what index_search and retelling_run return.
 */
enum status explaining_run(const struct explaining_options *options,
                           bool (*told)(void *context, json_t *object), void *context);
