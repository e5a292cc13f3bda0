#include "broker/search.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/utf8.h"
#include "broker/retelling.h"
#include "broker/search_row.h"
#include "proto/member.h"
#include "proto/pseudonym.h"

#define WAITING_MAX 64 /* rows found and not taken yet; then the thread waits */
#define TEXT_MAX    128

/* A request taken apart; query's views point into it. */
struct question {
    bool retell; /* past decisions for a replay, instead of entries */
    struct index_query query;
    struct pseudonym subject;
    char member[TEXT_MAX];
    char type[TEXT_MAX];
    char outcome[TEXT_MAX];
};

struct search {
    struct index_options options;
    char *path;
    char *store_path;
    struct question question;
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

/* ---- requests ---- */

__attribute__((format(printf, 2, 3))) static enum status refuse(struct search_reason *reason,
                                                                const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(reason->text, sizeof reason->text, format, arguments);
    va_end(arguments);
    return STATUS_BAD_ARGUMENT;
}

static enum status take_text(const char *key, const json_t *value, char out[static TEXT_MAX],
                             struct byte_view *ret_view, struct search_reason *reason)
{
    size_t size = json_string_length(value);

    if (!json_is_string(value) || size == 0 || size >= TEXT_MAX || strlen(json_string_value(value)) != size ||
        !utf8_printable(bytes_of_string(json_string_value(value))))
        return refuse(reason, "\"%s\" must be a text of 1 to %d bytes on one line", key, TEXT_MAX - 1);
    memcpy(out, json_string_value(value), size + 1);
    *ret_view = bytes_view(out, size);
    return STATUS_OK;
}

static enum status take_subject(const json_t *value, struct question *question, struct search_reason *reason)
{
    if (!json_is_string(value) || pseudonym_parse(json_string_value(value), &question->subject) != STATUS_OK)
        return refuse(
            reason,
            "\"subject\" must be a pseudonym, as concordat subject prints it: 1-<64 hexadecimal digits>");
    question->query.subject = bytes_view(question->subject.bytes, sizeof question->subject.bytes);
    return STATUS_OK;
}

static enum status take_time(const char *key, const json_t *value, int64_t *ret_time,
                             struct search_reason *reason)
{
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    int32_t date = 0;
    int64_t time = 0;

    if (civil_parse_date(text, &date) == STATUS_OK)
        time = civil_time_of_day_start(date);
    else if (civil_parse_time(text, &time) != STATUS_OK)
        return refuse(reason, "\"%s\" must be a date or a time as 2026-12-01 or 2026-12-01T09:00:00Z", key);
    if (time <= 0)
        return refuse(reason, "\"%s\" must be after 1970-01-01", key);
    *ret_time = time;
    return STATUS_OK;
}

static enum status take_limit(const json_t *value, uint64_t *ret_limit, struct search_reason *reason)
{
    if (!json_is_integer(value) || json_integer_value(value) <= 0)
        return refuse(reason, "\"limit\" must be a whole number from 1");
    *ret_limit = (uint64_t)json_integer_value(value);
    return STATUS_OK;
}

static enum status take_member(const char *key, const json_t *value, struct question *question,
                               struct search_reason *reason)
{
    struct index_query *query = &question->query;

    if (strcmp(key, "do") == 0)
        return STATUS_OK;
    if (question->retell && strcmp(key, "since") != 0 && strcmp(key, "until") != 0)
        return refuse(reason, "a replay export has no \"%.40s\"", key);
    if (strcmp(key, "subject") == 0)
        return take_subject(value, question, reason);
    if (strcmp(key, "member") == 0)
        return take_text(key, value, question->member, &query->member, reason);
    if (strcmp(key, "type") == 0)
        return take_text(key, value, question->type, &query->type, reason);
    if (strcmp(key, "outcome") == 0)
        return take_text(key, value, question->outcome, &query->outcome, reason);
    if (strcmp(key, "since") == 0)
        return take_time(key, value, &query->since, reason);
    if (strcmp(key, "until") == 0)
        return take_time(key, value, &query->until, reason);
    if (strcmp(key, "limit") == 0)
        return take_limit(value, &query->limit, reason);
    return refuse(reason, "a search has no \"%.40s\"", key);
}

static bool is_retelling(const json_t *request)
{
    const char *what = json_string_value(json_object_get(request, "do"));

    return what != NULL && strcmp(what, "replay-export") == 0;
}

/* Fills the question in place, as its views point into it. */
static enum status parse(const json_t *request, struct question *question, struct search_reason *reason)
{
    void *at =
        json_object_iter((json_t *)(uintptr_t)request); /* jansson iterates only over what is not const */

    *question = (struct question){.retell = is_retelling(request)};
    while (at != NULL) {
        enum status status =
            take_member(json_object_iter_key(at), json_object_iter_value(at), question, reason);
        if (status != STATUS_OK)
            return status;
        at = json_object_iter_next((json_t *)(uintptr_t)request, at);
    }
    return STATUS_OK;
}

enum status search_check(const json_t *request, struct search_reason *ret_reason)
{
    struct question question;

    return parse(request, &question, ret_reason);
}

void search_question(const json_t *request, struct byte_buffer *ret_text)
{
    static const char *const keys[] = {"subject", "member", "type", "outcome", "since", "until", "limit"};
    size_t before = ret_text->size;

    if (is_retelling(request))
        bytes_append_string(ret_text, "replay-export");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *value = json_object_get(request, keys[i]);
        const char *space = ret_text->size > before ? " " : "";
        if (json_is_string(value))
            bytes_append_format(ret_text, "%s%s=%s", space, keys[i], json_string_value(value));
        else if (json_is_integer(value))
            bytes_append_format(ret_text, "%s%s=%" JSON_INTEGER_FORMAT, space, keys[i],
                                json_integer_value(value));
    }
    if (ret_text->size == before)
        bytes_append_string(ret_text, "everything");
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
    return put_json(context, search_row_json(hit));
}

static enum status retell(struct search *search)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(search->store_path, '/');
    const struct retelling_options options = {.folder = folder,
                                              .store_path = search->store_path,
                                              .since = search->question.query.since,
                                              .until = search->question.query.until,
                                              .stop = &search->stop};

    if (slash == NULL || snprintf(folder, sizeof folder, "%.*s", (int)(slash - search->store_path),
                                  search->store_path) >= (int)sizeof folder)
        return STATUS_BAD_ARGUMENT;
    return retelling_run(&options, put_json, search);
}

static void *run(void *context)
{
    struct search *search = context;
    enum status status = search->question.retell ? retell(search)
                                                 : index_search(&search->options, &search->scope,
                                                                &search->question.query, put_row, search);

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
    if (search->question.retell)
        return refuse(reason, "past decisions can be asked for by who may see everything only");
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

    if (search == NULL)
        return refuse(ret_reason, "out of memory"), STATUS_NO_MEMORY;
    search->fd = -1;
    status = parse(request, &search->question, ret_reason);
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
        (void)refuse(ret_reason, "the search could not be started: %s", status_text(status));
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
        (void)refuse(ret_reason, "the search failed: %s", status_text(status));
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
