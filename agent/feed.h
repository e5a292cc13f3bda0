#pragma once

#include <jansson.h>

#include "agent/feed_import.h"
#include "agent/feed_watch.h"

struct agent;

/*
 * One feed of an agent: its folder, its mapping file, its files, and what becomes of them.
 */
struct feed {
    struct agent *agent; /* borrowed */
    char name[FEED_NAME_MAX + 1];
    char officer[FEED_NAME_MAX + 16]; /* acting when nobody does: "automatic:NAME" */
    struct feed_mapping *mapping;     /* NULL: it is wrong */
    struct feed_identity mapping_file;
    struct feed_watch watch;
    struct feed_refusal held; /* why the last file, or any file, is not done; "" if none */
};

/* feed_open - make its folders if need be, read its mapping, watch it. A wrong mapping is no failure: held
 * says what is wrong. STATUS_NO_MEMORY, or as base/safefile.h. */
enum status feed_open(struct agent *agent, const char *name, int inotify, struct feed *ret_feed);
void feed_close(struct feed *feed);

/* feed_read_mapping - again if the file is another than the one read last; then held files are tried again.
 * Not while an import of the feed is under way. STATUS_NO_MEMORY. */
enum status feed_read_mapping(struct feed *feed);

/* feed_hold - a file of `in` stays there until it changes or something else does; with a page unless the
 * reason is the same as before. Statuses as base/safefile.h and STATUS_NO_MEMORY, as for the following. */
enum status feed_hold(struct feed *feed, const char *file, const struct feed_refusal *why, bool with_page,
                      int64_t now);

/* feed_write_results - page and rejects of an import that is done or held. ret_page may be NULL. */
enum status feed_write_results(struct feed *feed, const struct feed_import *import, int64_t now,
                               json_t **ret_page);

/* feed_finish - the same, and then the file, if it lies in `in`, goes to done or is held. file: its name
 * there, or NULL. */
enum status feed_finish(struct feed *feed, const struct feed_import *import, const char *file, int64_t now,
                        json_t **ret_page);

/*
 * feed_fail - what comes of a file of `in` that cannot be imported: refused for good, held, or tried again.
 *
 * identity  of the file that was read; NULL: it could not be opened
 *
 * Returns why when neither the file nor the feed is to blame (disk, database, memory).
 */
enum status feed_fail(struct feed *feed, const char *file, enum status why,
                      const struct feed_identity *identity, const struct feed_refusal *refusal, int64_t now);

/* feed_look - at the last extract, as of now and with the list as it is; nothing for feeds without one. */
enum status feed_look(struct feed *feed, int64_t now);

/* feed_status - {"last","rows","rejected","held"}; the caller's, NULL without memory. */
json_t *feed_status(const struct feed *feed);
