#include "agent/feed_list.h"

#include <string.h>

#include "agent/agent.h"
#include "agent/feed_hold.h"

#define ROW_STORAGE ((size_t)1 << 20)

struct list {
    struct feed_job *job;
    struct byte_buffer row_storage;
    struct byte_buffer told_storage;
    struct feed_row row;
    struct feed_told told;
};

static void open_list(struct list *list, struct feed_job *job)
{
    list->job = job;
    list->row_storage = bytes_buffer(ROW_STORAGE);
    list->told_storage = bytes_buffer(ROW_STORAGE);
}

static void close_list(struct list *list)
{
    bytes_buffer_wipe(&list->row_storage);
    bytes_buffer_wipe(&list->told_storage);
}

/* Whether the person told of is nowhere in the file, not even in a rejected row. */
static enum status is_gone(struct list *list, bool *ret_gone)
{
    bool has = false;
    enum status status =
        feed_store_has(&list->job->store, list->job->run, feed_row_value(&list->told.row, "pnc_id"),
                       feed_row_value(&list->told.row, "prison_no"), &has);

    if (status == STATUS_OK)
        *ret_gone = !has;
    return status;
}

enum status feed_list_hold(struct feed_job *job, bool *ret_hold)
{
    struct list list = {.job = NULL};
    int64_t cursor = 0;
    int64_t known = 0;
    int64_t missing = 0;
    enum status status = STATUS_OK;

    open_list(&list, job);
    while (status == STATUS_OK) {
        bool gone = false;

        status = feed_store_next_told(&job->store, &cursor, &list.told_storage, &list.told);
        if (status == STATUS_OK)
            status = is_gone(&list, &gone);
        known += status == STATUS_OK;
        missing += status == STATUS_OK && gone;
    }
    close_list(&list);
    if (status != STATUS_NOT_FOUND)
        return status;
    *ret_hold = feed_hold_check(job, known, missing);
    return STATUS_OK;
}

/* ---- rows --------------------------------------------------------------------------------------------- */

static enum status add(struct list *list, const uint8_t digest[static VAULT_LOOKUP_SIZE], bool told)
{
    struct feed_job *job = list->job;
    const struct byte_view identity = feed_row_value(&list->row, "pnc_id");
    const struct feed_event_of event = {
        .type = "ppo.added", .row = &list->row, .supersedes = told ? list->told.event : NULL};
    struct feed_told next = {.row = list->row};
    bool sent = false;
    enum status status = feed_job_send(job, &event, next.event, &sent);

    if (status != STATUS_OK || !sent)
        return status;
    memcpy(next.digest, digest, VAULT_LOOKUP_SIZE);
    if (told)
        job->page->changed++;
    else
        job->page->notices++;
    return feed_store_tell(&job->store, identity, &next);
}

static enum status look_at_row(struct list *list)
{
    struct feed_job *job = list->job;
    uint8_t digest[VAULT_LOOKUP_SIZE];
    bool stands = false;
    enum status status = feed_store_digest(&job->store, &list->row, digest);

    job->page->on_scheme++;
    if (status == STATUS_OK)
        status = feed_store_told(&job->store, feed_row_value(&list->row, "pnc_id"), &list->told_storage,
                                 &list->told);
    if (status == STATUS_NOT_FOUND)
        return add(list, digest, false);
    if (status == STATUS_OK)
        status = feed_job_stands(job, list->told.event, &stands);
    if (status != STATUS_OK)
        return status;
    if (stands && memcmp(digest, list->told.digest, VAULT_LOOKUP_SIZE) == 0) {
        job->page->unchanged++;
        return STATUS_OK;
    }
    return add(list, digest, stands);
}

/* ---- rows that have gone ------------------------------------------------------------------------------ */

static enum status remove_person(struct list *list)
{
    struct feed_job *job = list->job;
    struct person person = {.listed = false};
    struct feed_event_of event = {.type = "ppo.removed",
                                  .row = &list->told.row,
                                  .constants = &job->mapping->gone,
                                  .supersedes = list->told.event};
    uint8_t id[UUID_SIZE];
    bool sent = false;
    enum status status = people_by_pnc(job->agent->people, job->protocol->id,
                                       feed_row_value(&list->told.row, "pnc_id"), &person);

    if (status == STATUS_OK)
        event.person = &person;
    else if (status != STATUS_NOT_FOUND)
        return status;
    status = feed_job_send(job, &event, id, &sent);
    bytes_wipe(&person, sizeof person);
    if (status != STATUS_OK || !sent)
        return status;
    job->page->cancelled++;
    return feed_store_forget(&job->store, list->told.id);
}

static enum status look_at_told(struct list *list, int64_t nameless)
{
    bool gone = false;
    bool stands = false;
    enum status status = is_gone(list, &gone);

    if (status == STATUS_OK)
        status = feed_job_stands(list->job, list->told.event, &stands);
    if (status != STATUS_OK || !gone)
        return status;
    if (nameless > 0) {
        list->job->page->kept++;
        return STATUS_OK;
    }
    return stands ? remove_person(list) : feed_store_forget(&list->job->store, list->told.id);
}

enum status feed_list_apply(struct feed_job *job)
{
    struct list list = {.job = NULL};
    struct feed_counts counts = {0};
    uint64_t line = 0;
    int64_t cursor = 0;
    enum status status = feed_store_counts(&job->store, job->run, &counts);

    open_list(&list, job);
    while (status == STATUS_OK) {
        status = feed_store_next_good(&job->store, job->run, &line, &list.row_storage, &list.row);
        if (status == STATUS_OK)
            status = look_at_row(&list);
    }
    if (status == STATUS_NOT_FOUND)
        status = STATUS_OK;
    while (status == STATUS_OK) {
        status = feed_store_next_told(&job->store, &cursor, &list.told_storage, &list.told);
        if (status == STATUS_OK)
            status = look_at_told(&list, counts.nameless);
    }
    close_list(&list);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
