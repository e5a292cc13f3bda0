#include "broker/search.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "broker/explaining.h"
#include "broker/protocol_rows.h"
#include "broker/retelling.h"
#include "broker/search_row.h"
#include "proto/member.h"

#define WAITING_MAX 64 /* rows found and not taken yet; then the thread waits */

struct search {
    struct index_options options;
    char *path;
    char *store_path;
    struct search_question question;
    struct index_scope scope; /* its view points into agency */
    char agency[MEMBER_ID_LENGTH + 1];
    int fd;
    bool threaded;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t room;
    atomic_bool stop;
    /* under the mutex */
    json_t *waiting[WAITING_MAX];
    size_t first;
    size_t count;
    uint64_t found;
    bool done;
    enum status status; /* once done */
};

static enum status refuse(struct search_reason *reason, const char *sentence)
{
    (void)snprintf(reason->text, sizeof reason->text, "%s", sentence);
    return STATUS_BAD_ARGUMENT;
}

static void say_failed(struct search_reason *reason, const char *what, enum status status)
{
    (void)snprintf(reason->text, sizeof reason->text, "%s: %s", what, status_text(status));
}

/* ---- the thread ---- */

static void tell(struct search *search)
{
    const uint64_t one = 1;

    /* The counter cannot overflow: the owner resets it, and there are few waiting. */
    while (write(search->fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

/* Waits for room; takes the row over. */
static bool put_json(void *context, json_t *row)
{
    struct search *search = context;

    (void)pthread_mutex_lock(&search->mutex);
    while (!atomic_load(&search->stop) && search->count == WAITING_MAX)
        (void)pthread_cond_wait(&search->room, &search->mutex);
    bool go_on = !atomic_load(&search->stop) && row != NULL;
    if (row == NULL)
        search->status = STATUS_NO_MEMORY;
    if (go_on) {
        search->waiting[(search->first + search->count) % WAITING_MAX] = row;
        search->count++;
        search->found++;
        row = NULL;
    }
    (void)pthread_mutex_unlock(&search->mutex);
    json_decref(row);
    if (go_on)
        tell(search);
    return go_on;
}

static bool put_row(void *context, const struct index_hit *hit)
{
    const struct search *search = context;

    return put_json(context, search_row_json(hit, search->question.fields));
}

static enum status retell(struct search *search, const char *folder, enum retelling_what what)
{
    const struct retelling_options options = {.what = what,
                                              .folder = folder,
                                              .store_path = search->store_path,
                                              .since = search->question.query.since,
                                              .until = search->question.query.until,
                                              .stop = &search->stop};

    return retelling_run(&options, put_json, search);
}

static enum status explain(struct search *search, const char *folder)
{
    const struct explaining_options options = {.index = search->options,
                                               .scope = &search->scope,
                                               .folder = folder,
                                               .entry = search->question.entry,
                                               .stop = &search->stop};

    return explaining_run(&options, put_json, search);
}

static enum status answer(struct search *search)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(search->store_path, '/');

    if (slash == NULL || snprintf(folder, sizeof folder, "%.*s", (int)(slash - search->store_path),
                                  search->store_path) >= (int)sizeof folder)
        return STATUS_BAD_ARGUMENT;
    switch (search->question.what) {
    case SEARCH_ENTRIES:
        break;
    case SEARCH_RETELL:
        return retell(search, folder, RETELLING_DECISIONS);
    case SEARCH_CHECK:
        return retell(search, folder, RETELLING_CHECKS);
    case SEARCH_REGISTER:
        return retell(search, folder, RETELLING_REGISTER);
    case SEARCH_PROTOCOLS:
        return protocol_rows(folder, put_json, search);
    case SEARCH_EXPLAIN:
        return explain(search, folder);
    }
    return index_search(&search->options, &search->scope, &search->question.query, put_row, search);
}

static void *run(void *context)
{
    struct search *search = context;
    enum status status = answer(search);

    (void)pthread_mutex_lock(&search->mutex);
    if (search->status == STATUS_OK)
        search->status = status;
    search->done = true;
    (void)pthread_mutex_unlock(&search->mutex);
    tell(search);
    return NULL;
}

static enum status start(struct search *search)
{
    if (pthread_mutex_init(&search->mutex, NULL) != 0)
        return STATUS_IO;
    if (pthread_cond_init(&search->room, NULL) == 0) {
        if (pthread_create(&search->thread, NULL, run, search) == 0) {
            search->threaded = true;
            return STATUS_OK;
        }
        (void)pthread_cond_destroy(&search->room);
    }
    (void)pthread_mutex_destroy(&search->mutex);
    return STATUS_IO;
}

static enum status take_scope(struct search *search, const struct index_scope *scope,
                              struct search_reason *reason)
{
    if (scope->everything) {
        search->scope.everything = true;
        return STATUS_OK;
    }
    if (search_question_needs_everything(search->question.what))
        return refuse(reason, "this can be asked by who may see everything only");
    if (scope->agency.size == 0 || scope->agency.size > MEMBER_ID_LENGTH)
        return refuse(reason, "the search could not be started: nobody said whose entries it may show");
    memcpy(search->agency, scope->agency.data, scope->agency.size);
    search->scope.agency = bytes_view(search->agency, scope->agency.size);
    return STATUS_OK;
}

enum status search_start(const struct index_options *options, const struct index_scope *scope,
                         const json_t *request, struct search **ret, struct search_reason *ret_reason)
{
    struct search *search = calloc(1, sizeof *search);
    enum status status = STATUS_NO_MEMORY;

    if (search == NULL) {
        say_failed(ret_reason, "the search could not be started", status);
        return status;
    }
    search->fd = -1;
    status = search_question_parse(request, &search->question, ret_reason);
    if (status == STATUS_OK)
        status = take_scope(search, scope, ret_reason);
    if (status != STATUS_OK)
        goto out;
    search->question.query.stop = &search->stop;
    search->path = options->path == NULL ? NULL : strdup(options->path);
    search->store_path = strdup(options->store_path);
    search->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    status = search->fd < 0 ? STATUS_IO : STATUS_OK;
    if (search->store_path == NULL || (options->path != NULL && search->path == NULL))
        status = STATUS_NO_MEMORY;
    search->options = (struct index_options){.path = search->path, .store_path = search->store_path};
    if (status == STATUS_OK)
        status = start(search);
    if (status != STATUS_OK)
        say_failed(ret_reason, "the search could not be started", status);
out:
    if (status == STATUS_OK)
        *ret = search;
    else
        search_stop(&search);
    return status;
}

int search_fd(const struct search *search)
{
    return search->fd;
}

static json_t *take_waiting(struct search *search)
{
    json_t *row = search->waiting[search->first];

    search->first = (search->first + 1) % WAITING_MAX;
    search->count--;
    (void)pthread_cond_signal(&search->room);
    return row;
}

enum status search_take(struct search *search, json_t **ret_reply, bool *ret_last,
                        struct search_reason *ret_reason)
{
    enum status status = STATUS_OK;
    json_t *reply = NULL;
    uint64_t told = 0;

    (void)pthread_mutex_lock(&search->mutex);
    bool last = search->count == 0 && search->done;
    if (search->count > 0)
        reply = take_waiting(search);
    else if (!search->done)
        status = STATUS_BUSY;
    else if (search->status != STATUS_OK)
        status = search->status;
    else
        reply = json_pack("{s:I}", "found", (json_int_t)search->found);
    /* Under the mutex, so that nothing put meanwhile goes untold. */
    if (status == STATUS_BUSY)
        (void)!read(search->fd, &told, sizeof told);
    (void)pthread_mutex_unlock(&search->mutex);
    if (status == STATUS_OK && reply == NULL)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK) {
        *ret_reply = reply;
        *ret_last = last;
    } else if (status != STATUS_BUSY) {
        say_failed(ret_reason,
                   search->question.what == SEARCH_EXPLAIN ? "the log cannot explain that entry"
                                                           : "the search failed",
                   status);
    }
    return status;
}

void search_stop(struct search **search)
{
    struct search *stopping = *search;

    if (stopping == NULL)
        return;
    if (stopping->threaded) {
        (void)pthread_mutex_lock(&stopping->mutex);
        atomic_store(&stopping->stop, true);
        (void)pthread_cond_signal(&stopping->room);
        (void)pthread_mutex_unlock(&stopping->mutex);
        (void)pthread_join(stopping->thread, NULL);
        while (stopping->count > 0)
            json_decref(take_waiting(stopping));
        (void)pthread_cond_destroy(&stopping->room);
        (void)pthread_mutex_destroy(&stopping->mutex);
    }
    if (stopping->fd >= 0)
        (void)close(stopping->fd);
    free(stopping->path);
    free(stopping->store_path);
    free(stopping);
    *search = NULL;
}
