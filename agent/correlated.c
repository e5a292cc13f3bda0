#include "agent/correlated.h"

#include <stdio.h>
#include <string.h>

#include "agent/inbox_event.h"
#include "agent/outbox_row.h"
#include "proto/labels.h"

static bool is_target(const struct plan *plan)
{
    const struct byte_view *target = prepared_find(&plan->prepared, bytes_of_string("target"));
    char id[UUID_TEXT_SIZE];

    uuid_format(plan->prepared.correlation, id);
    return target != NULL && bytes_equal(*target, bytes_of_string(id));
}

/* What a question that we were sent is for. */
static void read_asked(const struct catalogue *catalogue, const struct inbox_event *event,
                       struct facts_correlated *ret)
{
    ret->asks = ret->event != CATALOGUE_NONE && catalogue->events[ret->event].asked != CATALOGUE_NONE;
    for (size_t i = 0; i < event->item_count && ret->asks; i++) {
        if (bytes_equal(event->items[i].label, bytes_of_string(CATALOGUE_ASKED)))
            (void)catalogue_parse_labels(catalogue, CATALOGUE_NONE, event->items[i].value, &ret->asked, NULL);
    }
}

static enum status find_received(struct agent *agent, const struct plan *plan, struct facts_correlated *ret)
{
    struct inbox_event event;
    enum status status = inbox_event_find(agent, plan->prepared.correlation, &event);

    if (status != STATUS_OK)
        return status;
    if (event.has_content && bytes_equal(event.core.protocol, plan->prepared.protocol) &&
        (event.state == INBOX_STORED || event.state == INBOX_SUPERSEDED)) {
        memcpy(ret->from, event.sender, sizeof ret->from);
        ret->event = catalogue_find_event(agent->membership->catalogue, event.core.type);
        ret->same_subject = memcmp(event.core.subject, plan->prepared.subject, CORE_SUBJECT_SIZE) == 0;
        ret->disclosed_to_us = true;
        ret->is_target = is_target(plan);
        read_asked(agent->membership->catalogue, &event, ret);
    }
    inbox_event_free(&event);
    return STATUS_OK;
}

static enum status find_sent(struct agent *agent, const struct plan *plan, struct facts_correlated *ret)
{
    struct byte_buffer kept = bytes_buffer(PREPARED_SIZE_MAX);
    struct prepared prepared;
    enum status status = outbox_row_content(agent, plan->prepared.correlation, &kept);

    if (status == STATUS_OK)
        status = prepared_decode(bytes_buffer_view(&kept), &prepared);
    if (status == STATUS_OK && bytes_equal(prepared.protocol, plan->prepared.protocol)) {
        (void)snprintf(ret->from, sizeof ret->from, "%s", agent->settings.member);
        ret->event = catalogue_find_event(agent->membership->catalogue, prepared.type);
        ret->same_subject = memcmp(prepared.subject, plan->prepared.subject, CORE_SUBJECT_SIZE) == 0;
    }
    bytes_buffer_wipe(&kept);
    return status;
}

enum status correlated_asked(struct agent *agent, const struct catalogue *catalogue,
                             const uint8_t question[static UUID_SIZE], struct facts_correlated *ret)
{
    struct byte_buffer kept = bytes_buffer(PREPARED_SIZE_MAX);
    struct prepared prepared;
    const struct byte_view *asked = NULL;
    enum status status = outbox_row_content(agent, question, &kept);

    *ret = (struct facts_correlated){.event = CATALOGUE_NONE};
    if (status == STATUS_OK)
        status = prepared_decode(bytes_buffer_view(&kept), &prepared);
    if (status == STATUS_OK) {
        ret->event = catalogue_find_event(catalogue, prepared.type);
        ret->asks = ret->event != CATALOGUE_NONE && catalogue->events[ret->event].asked != CATALOGUE_NONE;
        asked = ret->asks ? prepared_find(&prepared, bytes_of_string(CATALOGUE_ASKED)) : NULL;
    }
    if (asked != NULL)
        (void)catalogue_parse_labels(catalogue, CATALOGUE_NONE, *asked, &ret->asked, NULL);
    bytes_buffer_wipe(&kept);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- corrections ---- */

static bool grants_to(const Wire__Plan *answer, const char *member)
{
    for (size_t i = 0; i < answer->n_grants; i++)
        if (strcmp(answer->grants[i]->to, member) == 0)
            return true;
    return false;
}

/* Who was told what of it: everybody whose receipt we hold, and whoever else the broker says may have it. */
static enum status add_told(struct agent *agent, const struct plan *plan, const uint8_t *event,
                            const Wire__Plan *answer, struct policy_target *target)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(agent->db,
                     "SELECT s.recipient, s.labels, s.state FROM outbox_section AS s JOIN outbox AS"
                     " o ON o.id = s.outbox WHERE o.event = ? AND o.state IN (2, 3)"
                     " ORDER BY s.recipient",
                     &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    while ((status = db_step(statement, &row)) == STATUS_OK && row) {
        const char *member = db_column_text(statement, 0);
        const int64_t state = db_column_int64(statement, 2);
        const uint16_t party = protocol_find_party(plan->protocol, bytes_of_string(member));
        struct byte_view rest = bytes_of_string(db_column_text(statement, 1));
        struct byte_view name;

        if (party == PROTOCOL_NONE || target->count == POLICY_RECIPIENTS_MAX ||
            (state != OUTBOX_STORED && state != OUTBOX_QUARANTINED && !grants_to(answer, member)))
            continue;
        target->parties[target->count] = party;
        target->labels[target->count] = (struct label_set){{0}};
        while (labels_next(&rest, &name)) {
            const uint16_t label = catalogue_find_label(agent->membership->catalogue, name);

            if (label != CATALOGUE_NONE)
                label_set_add(&target->labels[target->count], label);
        }
        target->count++;
    }
    return status;
}

static enum status find_target(struct agent *agent, const struct plan *plan, const Wire__Plan *answer,
                               struct facts_correlated *ret)
{
    struct byte_buffer kept = bytes_buffer(PREPARED_SIZE_MAX);
    struct prepared prepared;
    uint8_t event[UUID_SIZE];
    enum status status = STATUS_NOT_FOUND;

    if (agent->membership->catalogue->events[plan->request.event].corrects == CORRECTION_NONE)
        return STATUS_OK;
    if (prepared_target(&plan->prepared, event))
        status = outbox_row_content(agent, event, &kept);
    if (status == STATUS_OK)
        status = prepared_decode(bytes_buffer_view(&kept), &prepared);
    if (status == STATUS_OK) {
        ret->has_target = true;
        ret->target = (struct policy_target){
            .from = plan->request.from,
            .event = catalogue_find_event(agent->membership->catalogue, prepared.type),
            .same_subject = memcmp(prepared.subject, plan->prepared.subject, CORE_SUBJECT_SIZE) == 0,
            .same_protocol = bytes_equal(prepared.protocol, plan->prepared.protocol)};
        status = add_told(agent, plan, event, answer, &ret->target);
    }
    bytes_buffer_wipe(&kept);
    return status == STATUS_NOT_FOUND || status == STATUS_CORRUPT ? STATUS_OK : status;
}

enum status correlated_find(struct agent *agent, const struct plan *plan, const Wire__Plan *answer,
                            struct facts_correlated *ret)
{
    enum status status = STATUS_NOT_FOUND;

    *ret = (struct facts_correlated){.event = CATALOGUE_NONE};
    if (plan->prepared.has_correlation)
        status = find_received(agent, plan, ret);
    if (plan->prepared.has_correlation && status == STATUS_NOT_FOUND)
        status = find_sent(agent, plan, ret);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        status = find_target(agent, plan, answer, ret);
    return status;
}

enum status correlated_already(struct agent *agent, const struct plan *plan, struct party_set *ret)
{
    struct db_statement *statement = NULL;
    struct party_set already = {{0}};
    bool row = false;
    enum status status = STATUS_OK;

    if (plan->prepared.has_repeats)
        status =
            db_statement(agent->db,
                         "SELECT s.recipient FROM outbox_section AS s JOIN outbox AS o ON o.id = s.outbox"
                         " WHERE (o.event = ?1 OR o.repeats = ?1) AND o.state IN (2, 3) AND s.state < 3",
                         &statement);
    if (status == STATUS_OK && statement != NULL) {
        db_bind_blob(statement, 1, bytes_view(plan->prepared.repeats, UUID_SIZE));
        while ((status = db_step(statement, &row)) == STATUS_OK && row) {
            const uint16_t party =
                protocol_find_party(plan->protocol, bytes_of_string(db_column_text(statement, 0)));

            if (party != PROTOCOL_NONE)
                party_set_add(&already, party);
        }
    }
    if (status == STATUS_OK)
        *ret = already;
    return status;
}
