#pragma once

#include <jansson.h>

#include "base/db.h"

/*
 * What a person at this agency should know of: a fork of the bundle, a plan wider than the protocol, an event
 * in quarantine, a receipt that is none. The newest INCIDENTS_KEPT are kept; the same text again only counts.
 * Texts name no values.
 */
extern const char incidents_schema[];

#define INCIDENTS_KEPT 200

/* incidents_add - outside or inside a transaction. Returns what base/db.h returns. */
enum status incidents_add(struct db *db, int64_t now, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* incidents_list - [{"at","text","times"}], newest first; the caller's. STATUS_NO_MEMORY, or as base/db.h. */
enum status incidents_list(struct db *db, json_t **ret);
