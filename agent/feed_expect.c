#include "agent/feed_expect.h"

#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "base/civil.h"
#include "policy/decide.h"
#include "proto/labels.h"

struct expecting {
    const struct feed_job *job;
    struct policy_request request;
    struct policy_facts facts;
    struct register_state state;
    struct policy_decision decision;
    struct byte_buffer held;
};

static struct byte_view value_of(const struct draft *draft, const char *label)
{
    for (size_t i = 0; i < draft->value_count; i++)
        if (bytes_equal(draft->values[i].label, bytes_of_string(label)))
            return draft->values[i].value;
    return bytes_view(NULL, 0);
}

/* Juvenile as the outbox will work it out from the date of birth. */
static const char *juvenile_of(const struct feed_job *job, struct byte_view dob)
{
    char text[CIVIL_DATE_SIZE] = "";
    int32_t born = 0;

    if (dob.size >= sizeof text)
        return "unknown";
    if (dob.size > 0)
        memcpy(text, dob.data, dob.size);
    if (civil_parse_date(text, &born) != STATUS_OK)
        return "unknown";
    return civil_add_duration(civil_time_of_day_start(born), job->protocol->juvenile_until, 1) <= job->now
               ? "no"
               : "yes";
}

/* The attributes, and as `held` the sealed items, that the draft has. */
static enum status make_request(struct expecting *expecting, const struct draft *draft,
                                const struct person *person)
{
    const struct catalogue *catalogue = expecting->job->protocol->catalogue;
    struct policy_request *request = &expecting->request;
    const struct catalogue_event *event = NULL;
    struct label_set held = {{0}};
    struct byte_view dob = value_of(draft, "dob");
    const char *purpose = NULL;

    request->event = catalogue_find_event(catalogue, bytes_of_string(draft->type));
    request->from = bytes_of_string(expecting->job->agent->settings.member);
    if (request->event == CATALOGUE_NONE)
        return STATUS_NOT_FOUND;
    event = &catalogue->events[request->event];
    purpose = policy_purpose(expecting->job->protocol, request->from, request->event);
    request->purpose = bytes_of_string(purpose != NULL ? purpose : "");
    request->occurred = request->created = expecting->job->now;
    request->effective = REQUEST_NO_DATE;
    request->supersedes = draft->supersedes != NULL;
    for (size_t i = 0; i < draft->value_count; i++) {
        const uint16_t label = catalogue_find_label(catalogue, draft->values[i].label);
        const uint16_t at = label == CATALOGUE_NONE ? label : catalogue_attribute_at(event, label);

        if (at != CATALOGUE_NONE)
            request->attributes[at] = draft->values[i].value;
        else if (label != CATALOGUE_NONE)
            label_set_add(&held, label);
    }
    if (dob.size == 0 && person != NULL)
        dob = bytes_of_string(person->dob);
    catalogue_format_labels(catalogue, &held, &expecting->held);
    request->attributes[event->held] = bytes_buffer_view(&expecting->held);
    request->attributes[event->juvenile] = bytes_of_string(juvenile_of(expecting->job, dob));
    return request_read(catalogue, request, NULL);
}

static void copy(char *out, size_t size, const char *text)
{
    const size_t length = strnlen(text, size - 1);

    memset(out, 0, size);
    memcpy(out, text, length);
}

/* What is known of the person, and what the row says where the list says nothing. */
static void make_facts(struct expecting *expecting, const struct draft *draft, const struct person *person)
{
    const struct protocol *protocol = expecting->job->protocol;
    const struct directory *directory = expecting->job->agent->membership->directory;
    struct register_entry *entry = &expecting->state.entry;
    const struct byte_view home = value_of(draft, "home_force");

    register_init(&expecting->state);
    for (uint16_t i = 0; i < protocol->party_count; i++)
        if (directory == NULL ||
            directory_by_member(directory, protocol->parties[i].id, expecting->job->now) != NULL)
            party_set_add(&expecting->facts.active, i);
    expecting->facts.correlated_event = CATALOGUE_NONE;
    expecting->facts.person = &expecting->state;
    if (person == NULL)
        return;
    entry->listed = true;
    entry->listed_at = 0;
    entry->review_due = CIVIL_DATE_MAX - 1000;
    entry->juvenile = expecting->request.juvenile;
    copy(entry->strand, sizeof entry->strand, person->strand);
    copy(entry->area, sizeof entry->area, person->area);
    if (home.size == 2)
        memcpy(entry->home_force, home.data, 2);
}

static void decide(struct expecting *expecting, struct feed_expectation *ret)
{
    struct party_set parties = {{0}};

    policy_decide(expecting->job->protocol, &expecting->facts, &expecting->request, expecting->job->now,
                  &expecting->decision);
    for (size_t i = 0; i < expecting->decision.recipient_count; i++) {
        party_set_add(&parties, expecting->decision.recipients[i].party);
        ret->late = ret->late || expecting->decision.recipients[i].late;
    }
    ret->parties = parties;
}

/* The same for every area: who is left is a recipient wherever the person lives. */
static void decide_everywhere(struct expecting *expecting, struct feed_expectation *ret)
{
    const struct protocol *protocol = expecting->job->protocol;
    struct register_entry *entry = &expecting->state.entry;

    decide(expecting, ret);
    if (expecting->facts.person == NULL || !entry->listed || entry->area[0] != '\0')
        return;
    for (uint16_t i = 0; i < protocol->area_count; i++) {
        struct party_set before = ret->parties;

        copy(entry->area, sizeof entry->area, protocol->areas[i]);
        decide(expecting, ret);
        if (i > 0)
            ret->parties = party_set_and(before, &ret->parties);
    }
}

/* Whether some route of the event goes to the home force, and that force is a party. */
static void check_home(const struct expecting *expecting, const struct draft *draft,
                       struct feed_expectation *ret)
{
    const struct protocol *protocol = expecting->job->protocol;
    const struct byte_view home = value_of(draft, "home_force");
    const uint16_t party = protocol_find_party(protocol, expecting->request.from);
    const struct protocol_pair *pair = NULL;
    bool named = false;

    if (home.size != 2 || party == PROTOCOL_NONE)
        return;
    pair = protocol_pair_of(protocol, expecting->request.event, protocol->parties[party].class_index);
    for (uint16_t i = 0; i < pair->route_count; i++)
        named = named || protocol->routes[pair->first_route + i].relation == RELATION_HOME_FORCE;
    memcpy(ret->home_force, home.data, 2);
    ret->home_gap =
        named && protocol->force_party[(home.data[0] - '0') * 10 + (home.data[1] - '0')] == PROTOCOL_NONE;
}

enum status feed_expect(const struct feed_job *job, const struct draft *draft, const struct person *person,
                        struct feed_expectation *ret)
{
    struct expecting *expecting = calloc(1, sizeof *expecting);
    struct feed_expectation expectation = {.late = false};
    enum status status = STATUS_NO_MEMORY;

    if (expecting == NULL)
        return STATUS_NO_MEMORY;
    expecting->job = job;
    expecting->held = bytes_buffer(LABELS_SIZE);
    status = make_request(expecting, draft, person);
    if (status == STATUS_OK) {
        make_facts(expecting, draft, person);
        decide_everywhere(expecting, &expectation);
        check_home(expecting, draft, &expectation);
    }
    bytes_buffer_free(&expecting->held);
    bytes_wipe(expecting, sizeof *expecting);
    free(expecting);
    if (status == STATUS_NO_MEMORY)
        return status;
    *ret = expectation; /* what cannot be said here, the outbox and the broker will say */
    return STATUS_OK;
}
