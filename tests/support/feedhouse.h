#pragma once

#include <jansson.h>

#include "agent/agent.h"
#include "agent/feeds.h"
#include "agent/prepared.h"

/*
 * An agent in a temporary folder with the shipped catalogue and protocol, a list of people and an outbox, but
 * without broker or certificates: for tests of feeds. Every function fails the test when something does not
 * work.
 */
#define FEEDHOUSE_NOW INT64_C(1796115600000) /* 2026-12-01T09:00:00Z */
#define FEEDHOUSE_DAY INT64_C(86400000)

struct feedhouse {
    char folder[64];
    struct agent agent;
    struct feeds *feeds;
    int64_t now;
    bool on_disk; /* the database */
    bool again;   /* somebody else's folder */
};

struct feedhouse *feedhouse_new(const char *member);

/* feedhouse_new_on_disk - the same with its database in the folder. */
struct feedhouse *feedhouse_new_on_disk(const char *member);

/* feedhouse_at - once more in the folder of a house on disk that is paused; feedhouse_free does not remove
 * it. */
struct feedhouse *feedhouse_at(const char *member, const char *folder);
void feedhouse_free(struct feedhouse **house);

/* feedhouse_reopen - close the feeds and open them again, as after a restart. */
void feedhouse_reopen(struct feedhouse *house);

/* feedhouse_pause - closes feeds and database of a house on disk, until feedhouse_resume: another process may
 * have it meanwhile. */
void feedhouse_pause(struct feedhouse *house);
void feedhouse_resume(struct feedhouse *house);

/* feedhouse_mapping - replaces `from` by `to` in the feed's mapping file. */
void feedhouse_mapping(struct feedhouse *house, const char *feed, const char *from, const char *to);

/* feedhouse_feed - a feed with that mapping; then reopens. */
void feedhouse_feed(struct feedhouse *house, const char *feed, const char *mapping);

/* feedhouse_list - everybody of the sample list is on the scheme. feedhouse_person: one is, or is no longer.
 */
void feedhouse_list(struct feedhouse *house);
void feedhouse_person(struct feedhouse *house, const char *pnc_id, const char *prison_no, bool listed);

/* feedhouse_write - a file in the house's folder; its path is static until the next call. */
const char *feedhouse_write(struct feedhouse *house, const char *name, struct byte_view content);

/* feedhouse_path - FOLDER/feeds/FEED/PART/FILE, static until the next call. */
const char *feedhouse_path(const struct feedhouse *house, const char *feed, const char *part,
                           const char *file);

/* feedhouse_drop - a file into the folder `in`, written and closed. */
void feedhouse_drop(struct feedhouse *house, const char *feed, const char *file, const char *text);

/* feedhouse_pass - that much time goes by, a second at a time. */
void feedhouse_pass(struct feedhouse *house, int64_t milliseconds);

/* feedhouse_count - the files in a folder of a feed. */
size_t feedhouse_count(const struct feedhouse *house, const char *feed, const char *part);

/* feedhouse_import - the page, the caller's; feedhouse_import_text takes the text of the file. */
json_t *feedhouse_import(struct feedhouse *house, const char *feed, const char *path);
json_t *feedhouse_import_text(struct feedhouse *house, const char *feed, const char *text);

/* feedhouse_run - steps until nothing is left to do at this time. */
void feedhouse_run(struct feedhouse *house);

/* feedhouse_number - a number of a page; feedhouse_in: in one of its objects. */
int64_t feedhouse_number(const json_t *page, const char *key);
int64_t feedhouse_in(const json_t *page, const char *object, const char *key);

/* feedhouse_rejected - how many rows the page lists as rejected with that text in the reason. */
size_t feedhouse_rejected(const json_t *page, const char *reason);

/* feedhouse_queued - how many events of a type the outbox has; NULL: of any. */
int64_t feedhouse_queued(struct feedhouse *house, const char *type);

/* feedhouse_event - the newest event of that type about that person (PNC id); its content borrows from
 * storage. */
void feedhouse_event(struct feedhouse *house, const char *type, const char *pnc_id,
                     struct byte_buffer *storage, struct prepared *ret);

/* feedhouse_value - is that the value of the label? NULL: it has none. */
void feedhouse_value(const struct prepared *event, const char *label, const char *value);

/* feedhouse_refuse - the broker has refused all that waits. */
void feedhouse_refuse(struct feedhouse *house);
