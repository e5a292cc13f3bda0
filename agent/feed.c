#include "agent/feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "base/civil.h"
#include "base/safefile.h"
#include "base/yaml_errors.h"

#define MAPPING_MAX ((size_t)256 << 10)

/* ---- opening ------------------------------------------------------------------------------------------ */

static enum status parse_mapping(struct feed *feed, struct byte_view text)
{
    struct yaml_errors *errors = calloc(1, sizeof *errors);
    enum status status = STATUS_NO_MEMORY;

    if (errors == NULL)
        return STATUS_NO_MEMORY;
    status = feed_mapping_load(text, errors, &feed->mapping);
    if (status != STATUS_OK && errors->count > 0)
        (void)snprintf(feed->held.text, sizeof feed->held.text, "feed.yaml:%u:%u: %.240s",
                       errors->list[0].line, errors->list[0].column, errors->list[0].text);
    free(errors);
    return status == STATUS_NO_MEMORY ? status : STATUS_OK;
}

enum status feed_read_mapping(struct feed *feed)
{
    struct byte_buffer text = bytes_buffer(MAPPING_MAX);
    struct feed_identity identity = {.size = -1};
    char path[PATH_MAX];
    enum status status = feed_files_path(feed->agent->folder, feed->name, "feed.yaml", NULL, path);

    if (status != STATUS_OK)
        return status;
    if (feed_files_lstat(path, &identity) == STATUS_OK && feed_files_same(&identity, &feed->mapping_file))
        return STATUS_OK;
    feed_mapping_free(&feed->mapping);
    feed->mapping_file = identity;
    feed->held.text[0] = '\0';
    feed_watch_retry(&feed->watch);
    status = safefile_read_nofollow(path, MAPPING_MAX, &text);
    if (status == STATUS_OK)
        status = parse_mapping(feed, bytes_buffer_view(&text));
    else
        (void)snprintf(feed->held.text, sizeof feed->held.text, "feed.yaml: %s", status_text(status));
    bytes_buffer_free(&text);
    return status == STATUS_NO_MEMORY ? status : STATUS_OK;
}

enum status feed_open(struct agent *agent, const char *name, int inotify, struct feed *ret_feed)
{
    struct feed feed = {.agent = agent};
    char path[PATH_MAX];
    enum status status = STATUS_OK;

    if (!feed_files_name(name))
        return STATUS_BAD_ARGUMENT;
    (void)snprintf(feed.name, sizeof feed.name, "%.*s", FEED_NAME_MAX, name);
    (void)snprintf(feed.officer, sizeof feed.officer, "automatic:%s", feed.name);
    status = feed_files_make(agent->folder, name);
    if (status == STATUS_OK)
        status = feed_read_mapping(&feed);
    if (status == STATUS_OK)
        status = feed_files_path(agent->folder, name, "in", NULL, path);
    if (status == STATUS_OK)
        status = feed_watch_start(path, inotify, &feed.watch);
    if (status == STATUS_OK)
        *ret_feed = feed;
    else
        feed_mapping_free(&feed.mapping);
    return status;
}

void feed_close(struct feed *feed)
{
    feed_mapping_free(&feed->mapping);
    feed_watch_stop(&feed->watch);
}

/* ---- pages -------------------------------------------------------------------------------------------- */

enum status feed_write_results(struct feed *feed, const struct feed_import *import, int64_t now,
                               json_t **ret_page)
{
    const char *folder = feed->agent->folder;
    const struct feed_page *page = feed_import_page(import);
    const struct feed_store *store = feed_import_store(import);
    json_t *json = NULL;
    enum status status = feed_page_json(page, store, feed_import_run(import), &json);

    if (status == STATUS_OK)
        status = feed_files_page(folder, feed->name, page->file, json, now);
    if (status == STATUS_OK)
        status = feed_files_rejects(folder, store, feed_import_run(import), page->file, now);
    if (status == STATUS_OK && ret_page != NULL)
        *ret_page = json_incref(json);
    json_decref(json);
    return status;
}

/* A page for a file that was not read, or not to its end. */
static enum status write_refusal(struct feed *feed, const char *file, const struct feed_refusal *refusal,
                                 int64_t now)
{
    struct feed_page *page = calloc(1, sizeof *page);
    json_t *json = NULL;
    enum status status = STATUS_NO_MEMORY;

    if (page == NULL)
        return STATUS_NO_MEMORY;
    page->feed = feed->name;
    page->at = now;
    page->held = *refusal;
    (void)snprintf(page->file, sizeof page->file, "%s", file);
    status = feed_page_json(page, NULL, 0, &json);
    if (status == STATUS_OK)
        status = feed_files_page(feed->agent->folder, feed->name, file, json, now);
    json_decref(json);
    free(page);
    return status;
}

/* ---- files -------------------------------------------------------------------------------------------- */

enum status feed_hold(struct feed *feed, const char *file, const struct feed_refusal *why, bool with_page,
                      int64_t now)
{
    struct feed_watch_file *held = feed_watch_find(&feed->watch, file);
    const bool again = strcmp(feed->held.text, why->text) == 0;
    const struct feed_refusal copy = *why;

    if (held != NULL)
        held->held = true;
    feed->held = copy;
    return with_page && !again ? write_refusal(feed, file, &copy, now) : STATUS_OK;
}

enum status feed_finish(struct feed *feed, const struct feed_import *import, const char *file, int64_t now,
                        json_t **ret_page)
{
    const struct feed_page *page = feed_import_page(import);
    enum status status = feed_write_results(feed, import, now, ret_page);

    if (status != STATUS_OK)
        return status;
    if (page->held.text[0] != '\0')
        return file != NULL ? feed_hold(feed, file, &page->held, false, now) : STATUS_OK;
    feed->held.text[0] = '\0';
    if (file != NULL)
        status =
            feed_files_move(feed->agent->folder, feed->name, file, "done", feed_import_identity(import), now);
    feed_watch_scan(&feed->watch, now);
    return status;
}

/* Refused for good: out of the way, with a page; what could not be opened stays. */
static enum status refuse_file(struct feed *feed, const char *file, const struct feed_identity *identity,
                               const struct feed_refusal *refusal, int64_t now)
{
    enum status status = STATUS_OK;

    if (identity == NULL)
        return feed_hold(feed, file, refusal, true, now);
    status = write_refusal(feed, file, refusal, now);
    feed->held.text[0] = '\0';
    if (status == STATUS_OK)
        status = feed_files_move(feed->agent->folder, feed->name, file, "rejects", identity, now);
    return status;
}

enum status feed_fail(struct feed *feed, const char *file, enum status why,
                      const struct feed_identity *identity, const struct feed_refusal *refusal, int64_t now)
{
    const struct feed_refusal unreadable = {"the agent may not read the file: mend its permissions"};
    enum status status = why;

    if (why == STATUS_UNSUPPORTED)
        status = refuse_file(feed, file, identity, refusal, now);
    else if (why == STATUS_STALE)
        status = feed_hold(feed, file, refusal, true, now);
    else if (why == STATUS_PERMISSION)
        status = feed_hold(feed, file, &unreadable, true, now);
    else if (why == STATUS_BUSY || why == STATUS_NOT_FOUND)
        status = STATUS_OK;
    feed_watch_scan(&feed->watch, now);
    return status;
}

/* ---- looks -------------------------------------------------------------------------------------------- */

static enum status write_look(const struct feed *feed, const struct feed_job *job)
{
    json_t *json = NULL;
    enum status status = STATUS_OK;

    if (!feed_page_sent(job->page) && job->page->refused == 0)
        return STATUS_OK;
    status = feed_page_json(job->page, NULL, 0, &json);
    if (status == STATUS_OK)
        status = feed_files_page(feed->agent->folder, feed->name, "", json, job->now);
    json_decref(json);
    return status;
}

enum status feed_look(struct feed *feed, int64_t now)
{
    struct feed_job job = {.page = NULL};
    struct feed_refusal refusal = {{0}};
    enum status status = STATUS_OK;

    if (feed->mapping == NULL || feed->mapping->does != FEED_DOES_RELEASES)
        return STATUS_OK;
    status = feed_job_open(feed->agent, feed->name, feed->mapping, feed->officer, now, &job, &refusal);
    if (status == STATUS_STALE || status == STATUS_UNSUPPORTED)
        return STATUS_OK; /* the next file says so */
    if (status != STATUS_OK)
        return status;
    status = feed_import_look(&job);
    if (status == STATUS_OK)
        status = write_look(feed, &job);
    feed_job_close(&job);
    return status;
}

json_t *feed_status(const struct feed *feed)
{
    const struct feed_store store = {.db = feed->agent->db, .vault = feed->agent->vault, .feed = feed->name};
    struct feed_last last = {0};
    char at[CIVIL_TIME_SIZE] = "";

    (void)feed_store_last(&store, &last); /* a failure shows as a feed without files */
    civil_format_time(last.at, at);
    return json_pack("{s:o, s:I, s:I, s:o}", "last", last.at != 0 ? json_string(at) : json_null(), "rows",
                     (json_int_t)last.rows, "rejected", (json_int_t)last.rejected, "held",
                     feed->held.text[0] != '\0' ? json_string(feed->held.text) : json_null());
}
