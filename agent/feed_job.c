#include "agent/feed_job.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/feed_expect.h"
#include "agent/outbox.h"
#include "base/civil.h"
#include "policy/decide.h"

__attribute__((format(printf, 3, 4))) static enum status refuse(struct feed_refusal *ret_refusal,
                                                                enum status status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(ret_refusal->text, sizeof ret_refusal->text, format, arguments);
    va_end(arguments);
    return status;
}

static const char *first_type(const struct feed_mapping *mapping)
{
    switch (mapping->does) {
    case FEED_DOES_RELEASES:
        return "release.planned";
    case FEED_DOES_LIST:
        return "ppo.added";
    case FEED_DOES_EVENTS:
    default:
        return mapping->events[0].type;
    }
}

/* The protocol that the mapping names, or the only one under which we may send what the feed sends. */
static enum status find_protocol(struct feed_job *job, struct feed_refusal *ret_refusal)
{
    const struct membership *membership = job->agent->membership;
    const struct byte_view us = bytes_of_string(job->agent->settings.member);
    const char *type = first_type(job->mapping);
    const uint16_t event = catalogue_find_event(membership->catalogue, bytes_of_string(type));

    if (event == CATALOGUE_NONE)
        return refuse(ret_refusal, STATUS_UNSUPPORTED, "the catalogue in force has no event type %s", type);
    if (job->mapping->protocol != NULL) {
        job->protocol = membership_protocol(membership, bytes_of_string(job->mapping->protocol));
        return job->protocol != NULL
                   ? STATUS_OK
                   : refuse(ret_refusal, STATUS_UNSUPPORTED,
                            "feed.yaml names the protocol %.64s, which the bundle does not have",
                            job->mapping->protocol);
    }
    for (size_t i = 0; i < membership->protocol_count; i++) {
        if (!policy_may_send(membership->protocols[i], us, event))
            continue;
        if (job->protocol != NULL)
            return refuse(ret_refusal, STATUS_UNSUPPORTED,
                          "more than one protocol covers %s: say which in feed.yaml (protocol: ID)", type);
        job->protocol = membership->protocols[i];
    }
    return job->protocol != NULL
               ? STATUS_OK
               : refuse(ret_refusal, STATUS_UNSUPPORTED,
                        "no protocol lets this agency send %s: its owner decides that", type);
}

enum status feed_job_open(struct agent *agent, const char *feed, const struct feed_mapping *mapping,
                          const char *officer, int64_t now, struct feed_job *ret_job,
                          struct feed_refusal *ret_refusal)
{
    struct feed_job job = {.agent = agent,
                           .mapping = mapping,
                           .store = {.db = agent->db, .vault = agent->vault, .feed = feed},
                           .officer = officer,
                           .now = now,
                           .today = civil_day_of(now)};
    enum status status = STATUS_OK;

    if (agent->membership == NULL)
        return refuse(ret_refusal, STATUS_STALE,
                      "this agent has not joined a partnership yet: run concordat-agent join");
    status = find_protocol(&job, ret_refusal);
    if (status == STATUS_OK)
        status = feed_binding_make(mapping, job.protocol, agent->settings.member, &job.binding, ret_refusal);
    if (status != STATUS_OK)
        return status;
    job.page = calloc(1, sizeof *job.page);
    if (job.page == NULL) {
        feed_job_close(&job);
        return STATUS_NO_MEMORY;
    }
    job.page->feed = feed;
    job.page->at = now;
    *ret_job = job;
    return STATUS_OK;
}

void feed_job_close(struct feed_job *job)
{
    feed_binding_free(&job->binding);
    free(job->page);
    job->page = NULL;
}

/* ---- drafts ------------------------------------------------------------------------------------------- */

struct drafting {
    struct draft draft;
    struct draft_value values[DRAFT_VALUES_MAX];
};

static bool has_value(const struct drafting *drafting, struct byte_view label)
{
    for (size_t i = 0; i < drafting->draft.value_count; i++)
        if (bytes_equal(drafting->values[i].label, label))
            return true;
    return false;
}

/* Adds the value if the type carries the label and it has none yet. */
static void add_value(const struct catalogue *catalogue, uint16_t event, struct drafting *drafting,
                      struct byte_view label, struct byte_view value)
{
    const uint16_t index = catalogue_find_label(catalogue, label);

    if (index == CATALOGUE_NONE || catalogue_field(&catalogue->events[event], index) == NULL ||
        drafting->draft.value_count == DRAFT_VALUES_MAX || has_value(drafting, label))
        return;
    drafting->values[drafting->draft.value_count++] = (struct draft_value){.label = label, .value = value};
}

static enum status make_draft(const struct feed_job *job, const struct feed_event_of *event,
                              struct drafting *drafting)
{
    const struct catalogue *catalogue = job->protocol->catalogue;
    const uint16_t type = catalogue_find_event(catalogue, bytes_of_string(event->type));
    struct draft *draft = &drafting->draft;

    if (type == CATALOGUE_NONE)
        return STATUS_NOT_FOUND;
    draft->type = event->type;
    draft->protocol = job->protocol->id;
    draft->officer = job->officer;
    draft->supersedes = event->supersedes;
    draft->lenient = true;
    draft->values = drafting->values;
    draft->subject = event->person != NULL ? DRAFT_PSEUDONYM : DRAFT_PNC;
    if (event->person != NULL)
        draft->pseudonym = event->person->subject;
    else
        draft->id = feed_row_value(event->row, "pnc_id");
    for (size_t i = 0; event->constants != NULL && i < event->constants->count; i++)
        add_value(catalogue, type, drafting, bytes_of_string(event->constants->list[i].label),
                  bytes_of_string(event->constants->list[i].constant));
    if (event->old_date != NULL)
        add_value(catalogue, type, drafting, bytes_of_string("old_date"), bytes_of_string(event->old_date));
    if (event->cause != NULL)
        add_value(catalogue, type, drafting, bytes_of_string("cause"), bytes_of_string(event->cause));
    for (size_t i = 0; i < event->row->count; i++)
        add_value(catalogue, type, drafting, event->row->pairs[i].label, event->row->pairs[i].value);
    return STATUS_OK;
}

static enum status note_expectation(struct feed_job *job, const struct drafting *drafting,
                                    const struct feed_event_of *event)
{
    struct feed_expectation expectation = {.late = false};
    struct feed_page *page = job->page;
    enum status status = feed_expect(job, &drafting->draft, event->person, &expectation);

    if (status != STATUS_OK)
        return status;
    for (unsigned i = party_set_next(&expectation.parties, 0); i < job->protocol->party_count;
         i = party_set_next(&expectation.parties, i + 1))
        feed_page_count(&page->recipients, job->protocol->parties[i].id);
    if (expectation.home_gap)
        feed_page_count(&page->no_party, expectation.home_force);
    if (expectation.late) {
        page->late++;
        if (page->late_line_count < FEED_PAGE_LINES)
            page->late_lines[page->late_line_count++] = event->row->line;
    }
    return STATUS_OK;
}

enum status feed_job_send(struct feed_job *job, const struct feed_event_of *event,
                          uint8_t ret_id[static UUID_SIZE], bool *ret_sent)
{
    struct drafting drafting = {.draft = {.type = NULL}};
    struct draft_reason reason = {{0}};
    enum status status = make_draft(job, event, &drafting);

    if (status == STATUS_NOT_FOUND) {
        feed_page_refuse(job->page, event->row->line, "the catalogue in force does not have the event type");
        *ret_sent = false;
        return STATUS_OK;
    }
    status = outbox_queue(job->agent, &drafting.draft, job->now, ret_id, &reason);
    if (status == STATUS_REFUSED) {
        feed_page_refuse(job->page, event->row->line, reason.text);
        *ret_sent = false;
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status = note_expectation(job, &drafting, event);
    if (status == STATUS_OK)
        *ret_sent = true;
    return status;
}

enum status feed_job_stands(struct feed_job *job, const uint8_t event[static UUID_SIZE], bool *ret_stands)
{
    enum outbox_state state = OUTBOX_DELIVERED;
    enum status status = outbox_state(job->agent, event, &state);

    if (status == STATUS_NOT_FOUND) /* delivered long ago, and cleared away */
        status = STATUS_OK;
    if (status == STATUS_OK)
        *ret_stands = state != OUTBOX_REFUSED;
    return status;
}

bool feed_job_date(const struct feed_row *row, const char *label, int32_t *ret_date)
{
    char text[CIVIL_DATE_SIZE];

    feed_row_text(row, label, text, sizeof text);
    return civil_parse_date(text, ret_date) == STATUS_OK;
}
