#pragma once

#include <jansson.h>
#include <limits.h>
#include <sys/types.h>

#include "agent/feed_store.h"

/*
 * The folder of a feed: FOLDER/feeds/NAME/{feed.yaml,in,done,rejects,pages}.
 * Statuses are those of base/safefile.h.
 */
#define FEED_NAME_MAX 64

/* feed_files_name - is that a name that a feed may have: lower-case letters, digits and dashes? */
bool feed_files_name(const char *name);

/* feed_files_path - FOLDER/feeds/NAME/PART (and /FILE, unless NULL) into out. STATUS_BAD_ARGUMENT: too long.
 */
enum status feed_files_path(const char *folder, const char *name, const char *part, const char *file,
                            char out[static PATH_MAX]);

/* feed_files_make - the folders of a feed; those that are there stay. */
enum status feed_files_make(const char *folder, const char *name);

/* Which file it is, and whether it has been written to since. */
struct feed_identity {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};
bool feed_files_same(const struct feed_identity *a, const struct feed_identity *b);

/*
 * feed_files_open - for reading; a regular file only, and no symbolic link. Never waits.
 * STATUS_UNSUPPORTED when it is something else.
 */
enum status feed_files_open(const char *path, int *ret_fd, struct feed_identity *ret_identity);

/* feed_files_stat - of an open file, or of a path that is not followed. */
enum status feed_files_stat(int fd, struct feed_identity *ret_identity);
enum status feed_files_lstat(const char *path, struct feed_identity *ret_identity);

/*
 * feed_files_move - a file of `in` that is done with, into FOLDER/feeds/NAME/PART under a name that begins
 * with the time; nothing is replaced. A file that is not the same any more stays where it is (STATUS_OK).
 */
enum status feed_files_move(const char *folder, const char *name, const char *file, const char *part,
                            const struct feed_identity *identity, int64_t now);

/* feed_files_rejects - rejects/FILE.rejects.csv with line, column and reason of every rejected row; none is
 * written when there are none. */
enum status feed_files_rejects(const char *folder, const struct feed_store *store, int64_t run,
                               const char *file, int64_t now);

/* feed_files_page - pages/TIME-FILE.txt; file "" for a look. */
enum status feed_files_page(const char *folder, const char *name, const char *file, const json_t *page,
                            int64_t now);
