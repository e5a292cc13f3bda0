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

#define INCIDENTS_TEXT 512

/* incidents_next - the text of the next one after *cursor, which moves on; STATUS_NOT_FOUND when there is
 * none. incidents_last: where to begin, so that only new ones come. */
enum status incidents_next(struct db *db, int64_t *cursor, char ret_text[static INCIDENTS_TEXT]);
enum status incidents_last(struct db *db, int64_t *ret_cursor);

/* incidents_list - [{"at","text","times"}], newest first; the caller's. STATUS_NO_MEMORY, or as base/db.h. */
enum status incidents_list(struct db *db, json_t **ret);
