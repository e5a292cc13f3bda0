#pragma once

#include <jansson.h>

#include "base/bytes.h"

struct agent;

/*
 * Feeds: files that the agency's systems write, turned into events row by row. The daemon calls these, all
 * outside a transaction; feeds call outbox_queue() and people_watch().
 *
 *   FOLDER/feeds/NAME/{feed.yaml,in,done,rejects,pages}
 *
 * A file that is complete in `in` is imported, its page and the rows to mend are written, and it goes to
 * `done`; one that is refused as a whole goes to `rejects`. A file that is held (an empty one, one from which
 * too many rows have gone, or any before a list of people has come) stays in `in`, and its page says why.
 */
extern const char feeds_schema[];

struct feeds;

/* One sentence for people. */
struct feeds_reason {
    char text[320];
};

/* feeds_init - at `init`: the folders and mapping files that a member of this class starts with. */
enum status feeds_init(const char *folder, const char *member);

/*
 * feeds_open - agent is borrowed; reads every mapping file.
 *
 * ret_reason  the first mapping file that is wrong, or "": such a feed takes no files until it is mended
 *
 * Returns STATUS_NO_MEMORY, STATUS_IO, or what base/db.h returns.
 */
enum status feeds_open(struct agent *agent, struct feeds **ret_feeds, struct feeds_reason *ret_reason);
void feeds_close(struct feeds **feeds);

/* feeds_fd - readable when there is something to do before the time that feeds_step gave. */
int feeds_fd(const struct feeds *feeds);

/*
 * feeds_step - what there is to do: files that are complete, the daily look, the look after a list change.
 * Bounded work a call. *ret_next: when to call again at the latest, milliseconds as now; also set on failure.
 */
enum status feeds_step(struct feeds *feeds, int64_t now, int64_t *ret_next);

/*
 * feeds_import - one file at once, also one from outside the folder, which stays where it is.
 *
 * path      absolute
 * ret_page  the page as JSON (docs/feeds.md); the caller's (json_decref). It has "held" when nothing was sent
 *           because a person must look first
 *
 * STATUS_NOT_FOUND (no such feed or file), STATUS_REFUSED (a reason: the file as a whole, no list yet), or
 * what the disk returned.
 */
enum status feeds_import(struct feeds *feeds, const char *name, const char *path, const char *officer,
                         int64_t now, json_t **ret_page, struct feeds_reason *ret_reason);

/* feeds_accept - the same, however many of the known rows have gone (--accept-missing). */
enum status feeds_accept(struct feeds *feeds, const char *name, const char *path, const char *officer,
                         int64_t now, json_t **ret_page, struct feeds_reason *ret_reason);

/* feeds_page_text - the same page for people; appends. */
void feeds_page_text(const json_t *page, struct byte_buffer *ret);

/* feeds_status - an object by feed: {"last","rows","rejected","held"}; the caller's, NULL without memory. */
json_t *feeds_status(const struct feeds *feeds);
