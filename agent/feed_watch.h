#pragma once

#include "agent/feed_files.h"

/*
 * The folder `in` of one feed: which files lie there, and which are complete. A file is complete when its
 * writer was seen to close it or to move it in, or when its size and time stood still for FEED_WATCH_STILL_MS
 * between two looks. Hidden files and the names that programs give to files while they arrive are left alone.
 */
#define FEED_WATCH_STILL_MS INT64_C(2000)
#define FEED_WATCH_FILES    256 /* looked at together; more follow when these are done */

struct feed_watch_file {
    char name[256];
    struct feed_identity identity;
    int64_t since; /* its identity is this since then */
    bool complete; /* seen closed or moved in */
    bool held;     /* done with for now: not before it changes or feed_watch_retry is called */
};

struct feed_watch {
    char path[PATH_MAX];
    int descriptor; /* of inotify; -1: not watched */
    size_t count;
    struct feed_watch_file *files; /* FEED_WATCH_FILES of them, on the heap */
};

/* feed_watch_arriving - is that the name of a file that is still on its way, or not meant for us? */
bool feed_watch_arriving(const char *name);

/* feed_watch_start - path: of the folder; inotify: the descriptor that also watches it. Works without inotify
 * too (-1), by looks alone. STATUS_NO_MEMORY or STATUS_BAD_ARGUMENT. feed_watch_stop frees. */
enum status feed_watch_start(const char *path, int inotify, struct feed_watch *ret_watch);
void feed_watch_stop(struct feed_watch *watch);

/* feed_watch_event - inotify saw that file of the folder closed or moved in. */
void feed_watch_event(struct feed_watch *watch, const char *name, int64_t now);

/* feed_watch_scan - look at the whole folder. What has gone is forgotten. */
void feed_watch_scan(struct feed_watch *watch, int64_t now);

/* feed_watch_ready - the complete file that was written first; NULL: none. */
struct feed_watch_file *feed_watch_ready(struct feed_watch *watch, int64_t now);

/* feed_watch_find - by name; NULL if it was not seen. */
struct feed_watch_file *feed_watch_find(struct feed_watch *watch, const char *name);

/* feed_watch_waiting - is there a file that may become complete by standing still? */
bool feed_watch_waiting(const struct feed_watch *watch);

/* feed_watch_retry - look at the held files again. */
void feed_watch_retry(struct feed_watch *watch);
