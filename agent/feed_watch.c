#include "agent/feed_watch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

bool feed_watch_arriving(const char *name)
{
    static const char *const endings[] = {".part",       ".partial",  ".tmp", ".temp", ".filepart",
                                          ".crdownload", ".download", ".swp", ".lock", "~"};
    const size_t size = strlen(name);

    if (name[0] == '.' || name[0] == '~' || size == 0)
        return true;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        const size_t ending = strlen(endings[i]);

        if (size >= ending && strcasecmp(name + size - ending, endings[i]) == 0)
            return true;
    }
    return false;
}

enum status feed_watch_start(const char *path, int inotify, struct feed_watch *ret_watch)
{
    struct feed_watch watch = {.descriptor = -1};

    if (strlen(path) >= sizeof watch.path)
        return STATUS_BAD_ARGUMENT;
    (void)snprintf(watch.path, sizeof watch.path, "%s", path);
    watch.files = calloc(FEED_WATCH_FILES, sizeof *watch.files);
    if (watch.files == NULL)
        return STATUS_NO_MEMORY;
    if (inotify >= 0)
        watch.descriptor =
            inotify_add_watch(inotify, path, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR | IN_EXCL_UNLINK);
    *ret_watch = watch;
    return STATUS_OK;
}

void feed_watch_stop(struct feed_watch *watch)
{
    free(watch->files);
    watch->files = NULL;
    watch->count = 0;
}

struct feed_watch_file *feed_watch_find(struct feed_watch *watch, const char *name)
{
    for (size_t i = 0; i < watch->count; i++)
        if (strcmp(watch->files[i].name, name) == 0)
            return &watch->files[i];
    return NULL;
}

/* The file as it is now; NULL when it is nothing to read or there is no room for it yet. */
static struct feed_watch_file *look(struct feed_watch *watch, const char *name, int64_t now)
{
    char path[PATH_MAX];
    struct feed_identity identity;
    struct feed_watch_file *file = feed_watch_find(watch, name);
    const int size = snprintf(path, sizeof path, "%s/%s", watch->path, name);

    if (feed_watch_arriving(name) || strlen(name) >= sizeof file->name || size <= 0 || size >= PATH_MAX ||
        feed_files_lstat(path, &identity) != STATUS_OK)
        return NULL;
    if (file == NULL) {
        if (watch->count == FEED_WATCH_FILES)
            return NULL;
        file = &watch->files[watch->count++];
        *file = (struct feed_watch_file){.identity = identity, .since = now};
        (void)snprintf(file->name, sizeof file->name, "%s", name);
    } else if (!feed_files_same(&file->identity, &identity)) {
        file->identity = identity;
        file->since = now;
        file->complete = file->held = false;
    }
    return file;
}

void feed_watch_event(struct feed_watch *watch, const char *name, int64_t now)
{
    struct feed_watch_file *file = look(watch, name, now);

    if (file != NULL)
        file->complete = true;
}

static void forget_gone(struct feed_watch *watch)
{
    size_t kept = 0;

    for (size_t i = 0; i < watch->count; i++) {
        char path[PATH_MAX];
        struct feed_identity identity;
        const int size = snprintf(path, sizeof path, "%s/%s", watch->path, watch->files[i].name);

        if (size > 0 && size < PATH_MAX && feed_files_lstat(path, &identity) == STATUS_OK)
            watch->files[kept++] = watch->files[i];
    }
    watch->count = kept;
}

void feed_watch_scan(struct feed_watch *watch, int64_t now)
{
    DIR *folder = opendir(watch->path);
    struct dirent *entry = NULL;

    forget_gone(watch);
    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL)
        (void)look(watch, entry->d_name, now);
    (void)closedir(folder);
}

static bool is_earlier(const struct feed_watch_file *a, const struct feed_watch_file *b)
{
    const struct timespec *x = &a->identity.changed;
    const struct timespec *y = &b->identity.changed;

    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec;
    if (x->tv_nsec != y->tv_nsec)
        return x->tv_nsec < y->tv_nsec;
    return strcmp(a->name, b->name) < 0;
}

struct feed_watch_file *feed_watch_ready(struct feed_watch *watch, int64_t now)
{
    struct feed_watch_file *first = NULL;

    for (size_t i = 0; i < watch->count; i++) {
        struct feed_watch_file *file = &watch->files[i];
        const bool complete = file->complete || now - file->since >= FEED_WATCH_STILL_MS;

        if (complete && !file->held && (first == NULL || is_earlier(file, first)))
            first = file;
    }
    return first;
}

bool feed_watch_waiting(const struct feed_watch *watch)
{
    for (size_t i = 0; i < watch->count; i++)
        if (!watch->files[i].complete && !watch->files[i].held)
            return true;
    return false;
}

void feed_watch_retry(struct feed_watch *watch)
{
    for (size_t i = 0; i < watch->count; i++)
        watch->files[i].held = false;
}
