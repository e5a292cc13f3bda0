#include "agent/feeds.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/feed.h"
#include "agent/feed_install.h"
#include "base/civil.h"
#include "base/safefile.h"

#define FEEDS_MAX        32
#define SCAN_MS          INT64_C(60000)
#define SETTLE_MS        INT64_C(500)   /* after a list change, so that many make one look */
#define RETRY_MS         INT64_C(30000) /* after a failure of disk or database */
#define SEEN_DAYS        400            /* rows of events are remembered this long */
#define CHECKPOINT_PAGES 1000

const char feeds_schema[] = FEED_STORE_SCHEMA;

struct feeds {
    struct agent *agent;
    int epoll;
    int inotify;
    int wake; /* eventfd */
    int64_t next_scan;
    int64_t next_look;
    bool changed; /* the list of people has */
    bool more_to_sweep;
    size_t count;
    struct feed feeds[FEEDS_MAX];
    struct feed_import *import; /* of a file in a folder, under way */
    struct feed *importing;
    char import_file[256];
};

enum status feeds_init(const char *folder, const char *member)
{
    return feed_install(folder, member);
}

void feeds_page_text(const json_t *page, struct byte_buffer *ret)
{
    feed_page_text(page, ret);
}

/* ---- opening ------------------------------------------------------------------------------------------ */

static enum status add_feed(struct feeds *feeds, const char *name, struct feeds_reason *ret_reason)
{
    struct feed *feed = &feeds->feeds[feeds->count];
    enum status status = feed_open(feeds->agent, name, feeds->inotify, feed);

    if (status != STATUS_OK)
        return status;
    if (feed->mapping == NULL && ret_reason->text[0] == '\0')
        (void)snprintf(ret_reason->text, sizeof ret_reason->text, "feed %s: %.240s", feed->name,
                       feed->held.text);
    feeds->count++;
    return STATUS_OK;
}

static enum status find_feeds(struct feeds *feeds, struct feeds_reason *ret_reason)
{
    char path[PATH_MAX];
    struct dirent *entry = NULL;
    DIR *folder = NULL;
    enum status status = STATUS_OK;
    const int size = snprintf(path, sizeof path, "%s/feeds", feeds->agent->folder);

    if (size <= 0 || size >= (int)sizeof path)
        return STATUS_BAD_ARGUMENT;
    folder = opendir(path);
    if (folder == NULL)
        return errno == ENOENT ? STATUS_OK : safefile_status(errno);
    while (status == STATUS_OK && (entry = readdir(folder)) != NULL)
        if (feed_files_name(entry->d_name) && feeds->count < FEEDS_MAX)
            status = add_feed(feeds, entry->d_name, ret_reason);
    (void)closedir(folder);
    return status;
}

/* Who leaves the list is forgotten: a new listing is told of anew. Then everybody is looked at again. */
static void on_people_changed(void *context, const struct person *before, const struct person *after)
{
    struct feeds *feeds = context;
    const struct feed_store store = {.db = feeds->agent->db, .vault = feeds->agent->vault, .feed = ""};
    const uint64_t one = 1;

    if (before->listed && !after->listed) {
        /* A failure ends the transaction that we are in, which tells its owner. */
        (void)feed_store_forget_person(&store, bytes_view(after->subject.bytes, PSEUDONYM_SIZE));
        if (before->pnc_id[0] != '\0')
            (void)feed_store_forget_person(&store, bytes_of_string(before->pnc_id));
    }
    feeds->changed = true;
    (void)!write(feeds->wake, &one, sizeof one);
}

static enum status abandon(struct feeds *feeds)
{
    const struct feed_store store = {.db = feeds->agent->db, .vault = feeds->agent->vault, .feed = ""};
    enum status status = db_begin(store.db);

    if (status != STATUS_OK)
        return status;
    status = feed_store_abandon(&store);
    if (status == STATUS_OK)
        return db_commit(store.db);
    db_rollback(store.db);
    return status;
}

static bool poll_on(const struct feeds *feeds, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};

    return epoll_ctl(feeds->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static enum status open_descriptors(struct feeds *feeds)
{
    feeds->epoll = epoll_create1(EPOLL_CLOEXEC);
    feeds->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    feeds->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK); /* without it, looks alone will do */
    if (feeds->epoll < 0 || feeds->wake < 0 || !poll_on(feeds, feeds->wake) ||
        (feeds->inotify >= 0 && !poll_on(feeds, feeds->inotify)))
        return safefile_status(errno);
    return STATUS_OK;
}

enum status feeds_open(struct agent *agent, struct feeds **ret_feeds, struct feeds_reason *ret_reason)
{
    struct feeds *feeds = calloc(1, sizeof *feeds);
    enum status status = STATUS_NO_MEMORY;

    if (feeds == NULL)
        return STATUS_NO_MEMORY;
    ret_reason->text[0] = '\0';
    feeds->agent = agent;
    feeds->epoll = feeds->inotify = feeds->wake = -1;
    feeds->more_to_sweep = true;
    status = open_descriptors(feeds);
    if (status == STATUS_OK)
        status = abandon(feeds);
    if (status == STATUS_OK)
        status = find_feeds(feeds, ret_reason);
    if (status != STATUS_OK)
        goto out;
    people_watch(agent->people, on_people_changed, feeds);
    *ret_feeds = feeds;
    feeds = NULL;
out:
    feeds_close(&feeds);
    return status;
}

void feeds_close(struct feeds **feeds)
{
    if (*feeds == NULL)
        return;
    people_watch((*feeds)->agent->people, NULL, NULL);
    feed_import_close(&(*feeds)->import);
    for (size_t i = 0; i < (*feeds)->count; i++)
        feed_close(&(*feeds)->feeds[i]);
    if ((*feeds)->inotify >= 0)
        (void)close((*feeds)->inotify);
    if ((*feeds)->wake >= 0)
        (void)close((*feeds)->wake);
    if ((*feeds)->epoll >= 0)
        (void)close((*feeds)->epoll);
    free(*feeds);
    *feeds = NULL;
}

int feeds_fd(const struct feeds *feeds)
{
    return feeds->epoll;
}

/* ---- files in the folders ----------------------------------------------------------------------------- */

static void end_import(struct feeds *feeds)
{
    feed_import_close(&feeds->import);
    feeds->importing = NULL;
    feeds->more_to_sweep = true;
}

static enum status step_import(struct feeds *feeds, int64_t now)
{
    struct feed_refusal refusal = {{0}};
    struct feed_identity identity;
    struct feed *feed = feeds->importing;
    bool done = false;
    enum status status = feed_import_step(feeds->import, &done, &refusal);

    if (status == STATUS_OK && !done)
        return STATUS_OK;
    identity = *feed_import_identity(feeds->import);
    if (status != STATUS_OK)
        status = feed_fail(feed, feeds->import_file, status, &identity, &refusal, now);
    else
        status = feed_finish(feed, feeds->import, feeds->import_file, now, NULL);
    end_import(feeds);
    return status;
}

static enum status open_file(struct feeds *feeds, struct feed *feed, int64_t now,
                             struct feed_refusal *ret_refusal)
{
    char path[PATH_MAX];
    const struct feed_import_options options = {.agent = feeds->agent,
                                                .feed = feed->name,
                                                .mapping = feed->mapping,
                                                .path = path,
                                                .file = feeds->import_file,
                                                .officer = feed->officer};
    enum status status = feed_files_path(feeds->agent->folder, feed->name, "in", feeds->import_file, path);

    return status == STATUS_OK ? feed_import_open(&options, now, &feeds->import, ret_refusal) : status;
}

static enum status start_file(struct feeds *feeds, struct feed *feed, const struct feed_watch_file *file,
                              int64_t now)
{
    const struct feed_identity identity = file->identity;
    struct feed_refusal refusal = {{0}};
    enum status status = feed_read_mapping(feed);

    if (status != STATUS_OK)
        return status;
    memcpy(feeds->import_file, file->name, sizeof feeds->import_file);
    if (feed->mapping == NULL)
        return feed_hold(feed, feeds->import_file, &feed->held, false, now);
    status = open_file(feeds, feed, now, &refusal);
    if (status != STATUS_OK)
        return feed_fail(feed, feeds->import_file, status, NULL, &refusal, now);
    feeds->importing = feed;
    if (!feed_files_same(feed_import_identity(feeds->import),
                         &identity)) { /* not the one that was complete */
        end_import(feeds);
        feed_watch_scan(&feed->watch, now);
    }
    return STATUS_OK;
}

/* *ret_started: there was a file to begin with. */
static enum status start_next(struct feeds *feeds, int64_t now, bool *ret_started)
{
    for (size_t i = 0; i < feeds->count; i++) {
        const struct feed_watch_file *file = feed_watch_ready(&feeds->feeds[i].watch, now);

        if (file == NULL)
            continue;
        *ret_started = true;
        return start_file(feeds, &feeds->feeds[i], file, now);
    }
    *ret_started = false;
    return STATUS_OK;
}

/* ---- watching ----------------------------------------------------------------------------------------- */

static void on_inotify(struct feeds *feeds, const struct inotify_event *event, int64_t now)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0)
        feeds->next_scan = 0;
    if (event->len == 0)
        return;
    for (size_t i = 0; i < feeds->count; i++)
        if (feeds->feeds[i].watch.descriptor == event->wd)
            feed_watch_event(&feeds->feeds[i].watch, event->name, now);
}

static void drain(struct feeds *feeds, int64_t now)
{
    union {
        struct inotify_event event;
        char bytes[4096];
    } buffer;
    uint64_t count = 0;
    ssize_t size = 0;

    (void)!read(feeds->wake, &count, sizeof count);
    while (feeds->inotify >= 0 && (size = read(feeds->inotify, &buffer, sizeof buffer)) > 0) {
        for (ssize_t at = 0; at < size;) {
            const struct inotify_event *event = (const struct inotify_event *)(buffer.bytes + at);

            on_inotify(feeds, event, now);
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
}

/* Looks at the folders, and whether a mapping file was mended. An import under way uses its own. */
static enum status scan(struct feeds *feeds, int64_t now)
{
    bool waiting = false;

    if (now < feeds->next_scan)
        return STATUS_OK;
    for (size_t i = 0; i < feeds->count; i++) {
        struct feed *feed = &feeds->feeds[i];
        enum status status = feeds->importing == feed ? STATUS_OK : feed_read_mapping(feed);

        if (status != STATUS_OK)
            return status;
        feed_watch_scan(&feed->watch, now);
        waiting = waiting || feed_watch_waiting(&feed->watch);
    }
    feeds->next_scan = now + (waiting ? FEED_WATCH_STILL_MS / 2 : SCAN_MS);
    return STATUS_OK;
}

/* ---- the step ----------------------------------------------------------------------------------------- */

/* The list has changed: one look soon, and those that wait for a list again. */
static void note_change(struct feeds *feeds, int64_t now)
{
    if (!feeds->changed)
        return;
    feeds->changed = false;
    if (now + SETTLE_MS < feeds->next_look)
        feeds->next_look = now + SETTLE_MS;
    for (size_t i = 0; i < feeds->count; i++)
        feed_watch_retry(&feeds->feeds[i].watch);
}

static enum status look_if_due(struct feeds *feeds, int64_t now)
{
    enum status status = STATUS_OK;

    note_change(feeds, now);
    if (now < feeds->next_look)
        return STATUS_OK;
    for (size_t i = 0; i < feeds->count && status == STATUS_OK; i++)
        status = feed_look(&feeds->feeds[i], now);
    feeds->next_look = status == STATUS_OK ? civil_time_of_day_start(civil_day_of(now) + 1) : now + RETRY_MS;
    return status;
}

static enum status sweep(struct feeds *feeds, int64_t now)
{
    const struct feed_store store = {.db = feeds->agent->db, .vault = feeds->agent->vault, .feed = ""};
    const int64_t until = now - SEEN_DAYS * CIVIL_DAY_MS;
    enum status status = STATUS_OK;

    if (!feeds->more_to_sweep)
        return STATUS_OK;
    status = db_begin(store.db);
    if (status != STATUS_OK)
        return status;
    status = feed_store_sweep(&store, until, &feeds->more_to_sweep);
    if (status == STATUS_OK)
        return db_commit(store.db);
    db_rollback(store.db);
    return status;
}

/* A large file must not grow the write-ahead log beyond reason. */
static enum status checkpoint(struct feeds *feeds)
{
    enum status status = STATUS_OK;

    if (db_wal_pages(feeds->agent->db) < CHECKPOINT_PAGES)
        return STATUS_OK;
    status = db_checkpoint(feeds->agent->db, false);
    return status == STATUS_BUSY ? STATUS_OK : status;
}

static enum status work(struct feeds *feeds, int64_t now, bool *ret_more)
{
    bool started = false;
    enum status status = STATUS_OK;

    if (feeds->import != NULL) {
        *ret_more = true;
        return step_import(feeds, now);
    }
    status = look_if_due(feeds, now);
    if (status == STATUS_OK)
        status = start_next(feeds, now, &started);
    if (status == STATUS_OK && !started)
        status = sweep(feeds, now);
    *ret_more = started || feeds->more_to_sweep;
    return status;
}

enum status feeds_step(struct feeds *feeds, int64_t now, int64_t *ret_next)
{
    bool more = false;
    enum status status = STATUS_OK;

    drain(feeds, now);
    status = scan(feeds, now);
    if (status == STATUS_OK)
        status = work(feeds, now, &more);
    if (status == STATUS_OK)
        status = checkpoint(feeds);
    *ret_next = feeds->next_scan < feeds->next_look ? feeds->next_scan : feeds->next_look;
    if (status != STATUS_OK)
        *ret_next = now + RETRY_MS;
    else if (more)
        *ret_next = now;
    return status;
}

/* ---- import by hand ----------------------------------------------------------------------------------- */

/* The name of the file if it lies in the feed's own folder `in`; otherwise NULL. */
static const char *name_within(const struct feed *feed, const char *path)
{
    const size_t size = strlen(feed->watch.path);

    return strncmp(path, feed->watch.path, size) == 0 && path[size] == '/' &&
                   strchr(path + size + 1, '/') == NULL
               ? path + size + 1
               : NULL;
}

static enum status run_import(struct feeds *feeds, struct feed_import *import, struct feed_refusal *refusal)
{
    bool done = false;
    enum status status = STATUS_OK;

    while (status == STATUS_OK && !done) {
        status = feed_import_step(import, &done, refusal);
        if (status == STATUS_OK)
            status = checkpoint(feeds);
    }
    return status;
}

static enum status refuse_import(enum status status, const struct feed_refusal *refusal,
                                 struct feeds_reason *ret_reason)
{
    if (status != STATUS_STALE && status != STATUS_UNSUPPORTED && status != STATUS_BUSY)
        return status;
    (void)snprintf(ret_reason->text, sizeof ret_reason->text, "%s", refusal->text);
    return STATUS_REFUSED;
}

static enum status import_file(struct feeds *feeds, struct feed *feed,
                               const struct feed_import_options *options, int64_t now, json_t **ret_page,
                               struct feed_refusal *refusal)
{
    struct feed_import *import = NULL;
    enum status status = feed_import_open(options, now, &import, refusal);

    if (status == STATUS_OK)
        status = run_import(feeds, import, refusal);
    if (status == STATUS_OK)
        status = feed_finish(feed, import, name_within(feed, options->path), now, ret_page);
    feed_import_close(&import);
    feeds->more_to_sweep = true;
    return status;
}

/* Finishes what is under way, and reads the mapping if it has changed. */
static enum status prepare(struct feeds *feeds, struct feed *feed, int64_t now)
{
    enum status status = STATUS_OK;

    while (feeds->import != NULL && status == STATUS_OK)
        status = step_import(feeds, now);
    return status == STATUS_OK ? feed_read_mapping(feed) : status;
}

static struct feed *find_feed(struct feeds *feeds, const char *name)
{
    for (size_t i = 0; i < feeds->count; i++)
        if (strcmp(feeds->feeds[i].name, name) == 0)
            return &feeds->feeds[i];
    return NULL;
}

static enum status import(struct feeds *feeds, const char *name, struct feed_import_options *options,
                          int64_t now, json_t **ret_page, struct feeds_reason *ret_reason)
{
    struct feed *feed = find_feed(feeds, name);
    const char *slash = strrchr(options->path, '/');
    struct feed_refusal refusal = {{0}};
    enum status status = STATUS_OK;

    if (feed == NULL) {
        (void)snprintf(ret_reason->text, sizeof ret_reason->text, "there is no feed \"%.64s\"", name);
        return STATUS_NOT_FOUND;
    }
    status = prepare(feeds, feed, now);
    if (status != STATUS_OK)
        return status;
    if (feed->mapping == NULL)
        return refuse_import(STATUS_UNSUPPORTED, &feed->held, ret_reason);
    options->agent = feeds->agent;
    options->feed = feed->name;
    options->mapping = feed->mapping;
    options->file = slash != NULL ? slash + 1 : options->path;
    status = import_file(feeds, feed, options, now, ret_page, &refusal);
    if (status == STATUS_NOT_FOUND || status == STATUS_PERMISSION)
        (void)snprintf(ret_reason->text, sizeof ret_reason->text, "%.200s: %s", options->file,
                       status_text(status));
    return refuse_import(status, &refusal, ret_reason);
}

enum status feeds_import(struct feeds *feeds, const char *name, const char *path, const char *officer,
                         int64_t now, json_t **ret_page, struct feeds_reason *ret_reason)
{
    struct feed_import_options options = {.path = path, .officer = officer};

    return import(feeds, name, &options, now, ret_page, ret_reason);
}

enum status feeds_accept(struct feeds *feeds, const char *name, const char *path, const char *officer,
                         int64_t now, json_t **ret_page, struct feeds_reason *ret_reason)
{
    struct feed_import_options options = {.path = path, .officer = officer, .accept_missing = true};

    return import(feeds, name, &options, now, ret_page, ret_reason);
}

json_t *feeds_status(const struct feeds *feeds)
{
    json_t *all = json_object();

    for (size_t i = 0; i < feeds->count && all != NULL; i++) {
        if (json_object_set_new(all, feeds->feeds[i].name, feed_status(&feeds->feeds[i])) != 0) {
            json_decref(all);
            all = NULL;
        }
    }
    return all;
}
