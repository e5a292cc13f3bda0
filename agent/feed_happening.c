#include "agent/feed_happening.h"

#include "agent/agent.h"

/* By the PNC id, or by the prison number when the row has no PNC id. */
static enum status find_person(const struct feed_job *job, const struct feed_row *row, struct person *ret)
{
    const struct byte_view pnc_id = feed_row_value(row, "pnc_id");
    const struct byte_view prison_no = feed_row_value(row, "prison_no");

    if (pnc_id.size > 0)
        return people_by_pnc(job->agent->people, job->protocol->id, pnc_id, ret);
    return prison_no.size > 0 ? people_by_prison_no(job->agent->people, job->protocol->id, prison_no, ret)
                              : STATUS_NOT_FOUND;
}

enum status feed_happening_concerns(struct feed_job *job, const struct feed_row *row, bool *ret_concerns)
{
    struct person person = {.listed = false};
    enum status status = find_person(job, row, &person);

    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        *ret_concerns = status == STATUS_OK && person.listed;
    bytes_wipe(&person, sizeof person);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status send(struct feed_job *job, const struct feed_row *row, const struct person *person)
{
    const struct feed_event_of event = {
        .type = job->mapping->events[row->event].type, .row = row, .person = person};
    uint8_t id[UUID_SIZE];
    bool sent = false;
    enum status status = feed_job_send(job, &event, id, &sent);

    if (status == STATUS_OK && sent)
        job->page->notices++;
    else if (status == STATUS_OK)
        status = feed_store_unsee(&job->store, row);
    return status;
}

enum status feed_happening_send(struct feed_job *job, const struct feed_row *row)
{
    struct person person = {.listed = false};
    bool is_new = false;
    enum status status = find_person(job, row, &person);

    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && !person.listed)) {
        status = STATUS_OK;
        goto out;
    }
    if (status != STATUS_OK)
        goto out;
    job->page->on_scheme++;
    status = feed_store_see(&job->store, row, job->now, &is_new);
    if (status != STATUS_OK)
        goto out;
    if (is_new)
        status = send(job, row, &person);
    else
        job->page->unchanged++;
out:
    bytes_wipe(&person, sizeof person);
    return status;
}
