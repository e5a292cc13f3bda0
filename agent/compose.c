#include "agent/compose.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/onward.h"
#include "base/civil.h"
#include "policy/decide.h"
#include "proto/items.h"
#include "proto/kind.h"
#include "proto/wire_check.h"

/* What is being put together. Values lie in storage by offset until nothing moves it any more. */
struct compose {
    struct agent *agent;
    const struct draft *draft;
    const struct protocol *protocol;
    const struct catalogue *catalogue;
    const struct catalogue_event *event;
    uint16_t event_index;
    uint16_t class_index;
    int64_t now;
    unsigned year;
    struct byte_buffer *storage;
    struct prepared *prepared;
    size_t offsets[DRAFT_VALUES_MAX];
    struct draft_reason *reason;
};

static enum status refuse(struct draft_reason *ret_reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum status refuse(struct draft_reason *ret_reason, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(ret_reason->text, sizeof ret_reason->text, format, arguments);
    va_end(arguments);
    return STATUS_REFUSED;
}

static unsigned year_of(int64_t now)
{
    char text[CIVIL_TIME_SIZE];
    unsigned year = 0;

    civil_format_time(now, text);
    (void)sscanf(text, "%4u", &year);
    return year;
}

struct label_set compose_grantable(const struct protocol *protocol, uint16_t event, uint16_t class_index)
{
    const struct protocol_pair *pair = protocol_pair_of(protocol, event, class_index);
    struct label_set labels = {{0}};

    for (uint16_t i = 0; i < pair->route_count; i++) {
        const struct protocol_route *route = &protocol->routes[pair->first_route + i];

        if (route->stopped == POLICY_NONE)
            labels = label_set_or(labels, &route->labels);
    }
    return labels;
}

/* ---- type and protocol ----------------------------------------------------------------------------------
 */

static bool may_send(const struct compose *compose, const struct protocol *protocol)
{
    return policy_may_send(protocol, bytes_of_string(compose->agent->settings.member), compose->event_index);
}

static enum status not_ours(struct compose *compose)
{
    return refuse(
        compose->reason,
        "%s may not send %s under %s: no rule lets its class do so; the protocol's owner decides that",
        compose->agent->settings.member, compose->event->type,
        compose->draft->protocol != NULL ? compose->draft->protocol : "any protocol of the partnership");
}

/* What takes away is taken under a protocol that has ended too. */
static bool in_force(const struct compose *compose, const struct protocol *protocol)
{
    return protocol_in_force(protocol, compose->now) || catalogue_takes_away(compose->event);
}

static enum status not_in_force(struct compose *compose, const struct protocol *protocol)
{
    char from[CIVIL_TIME_SIZE];
    char until[CIVIL_TIME_SIZE];

    civil_format_time(protocol->in_force_from, from);
    civil_format_time(protocol->in_force_until, until);
    return refuse(compose->reason,
                  "%s is not in force (%.10s until before %.10s): nothing is disclosed under it",
                  protocol->id, from, until);
}

static enum status find_protocol(struct compose *compose)
{
    const struct membership *membership = compose->agent->membership;
    const struct protocol *ended = NULL;
    const char *id = compose->draft->protocol;

    if (id != NULL) {
        compose->protocol = membership_protocol(membership, bytes_of_string(id));
        if (compose->protocol == NULL)
            return refuse(compose->reason,
                          "the partnership has no protocol \"%.64s\": `concordat status` lists them", id);
        if (!may_send(compose, compose->protocol))
            return not_ours(compose);
        return in_force(compose, compose->protocol) ? STATUS_OK : not_in_force(compose, compose->protocol);
    }
    for (size_t i = 0; i < membership->protocol_count; i++) {
        if (!may_send(compose, membership->protocols[i]))
            continue;
        if (!in_force(compose, membership->protocols[i])) {
            ended = membership->protocols[i];
            continue;
        }
        if (compose->protocol != NULL)
            return refuse(compose->reason, "%s is covered by %s and by %s: say which with --protocol",
                          compose->event->type, compose->protocol->id, membership->protocols[i]->id);
        compose->protocol = membership->protocols[i];
    }
    if (compose->protocol == NULL && ended != NULL)
        return not_in_force(compose, ended);
    return compose->protocol != NULL ? STATUS_OK : not_ours(compose);
}

static enum status find_type(struct compose *compose)
{
    const struct membership *membership = compose->agent->membership;
    enum status status = STATUS_OK;
    uint16_t party = PROTOCOL_NONE;

    if (membership == NULL)
        return refuse(compose->reason,
                      "this agent has not joined a partnership yet: run concordat-agent join");
    compose->catalogue = membership->catalogue;
    compose->event_index = catalogue_find_event(compose->catalogue, bytes_of_string(compose->draft->type));
    if (compose->event_index == CATALOGUE_NONE)
        return refuse(compose->reason, "the catalogue has no event type \"%.64s\"", compose->draft->type);
    compose->event = &compose->catalogue->events[compose->event_index];
    status = find_protocol(compose);
    if (status != STATUS_OK)
        return status;
    party = protocol_find_party(compose->protocol, bytes_of_string(compose->agent->settings.member));
    if (party == PROTOCOL_NONE)
        return not_ours(compose);
    compose->class_index = compose->protocol->parties[party].class_index;
    compose->prepared->type = bytes_of_string(compose->event->type);
    compose->prepared->protocol = bytes_of_string(compose->protocol->id);
    return STATUS_OK;
}

/* ---- the person -------------------------------------------------------------------------------------------
 */

/* The pseudonym under the epoch in which we know the person, or else under the newest. */
static enum status known_pseudonym(struct agent *agent, enum pseudonym_kind kind, struct byte_view id,
                                   struct pseudonym *ret_subject)
{
    const struct byte_view member =
        kind == PSEUDONYM_KIND_LOCAL ? bytes_of_string(agent->settings.member) : bytes_view(NULL, 0);
    enum status status = STATUS_NOT_FOUND;

    for (size_t i = agent->membership->epoch_count; i > 0; i--) {
        struct person person;

        status = membership_pseudonym(agent->membership, i - 1, kind, member, id, ret_subject);
        if (status != STATUS_OK)
            return status;
        status = people_by_subject(agent->people, NULL, ret_subject, &person);
        bytes_wipe(&person, sizeof person);
        if (status != STATUS_NOT_FOUND)
            return status;
    }
    return membership_pseudonym(agent->membership, agent->membership->epoch_count - 1, kind, member, id,
                                ret_subject);
}

static enum status pnc_subject(struct agent *agent, struct byte_view written, int64_t now,
                               struct pseudonym *ret_subject, struct draft_reason *ret_reason)
{
    char pnc_id[KIND_VALUE_SIZE];
    struct kind_reason why = {0};
    struct person person;
    enum status status = STATUS_OK;

    if (kind_canonical(KIND_PNC_ID, NULL, year_of(now), written, pnc_id, sizeof pnc_id, &why) != STATUS_OK)
        return refuse(ret_reason, "the subject is not a PNC id: %s", why.text);
    status = people_by_pnc(agent->people, NULL, bytes_of_string(pnc_id), &person);
    if (status == STATUS_OK) {
        *ret_subject = person.subject;
        bytes_wipe(&person, sizeof person);
    } else if (status == STATUS_NOT_FOUND) {
        status = known_pseudonym(agent, PSEUDONYM_KIND_PNC, bytes_of_string(pnc_id), ret_subject);
    }
    bytes_wipe(pnc_id, sizeof pnc_id);
    return status;
}

enum status compose_subject(struct agent *agent, const struct draft *draft, int64_t now,
                            struct pseudonym *ret_subject, struct draft_reason *ret_reason)
{
    if (agent->membership == NULL || agent->membership->epoch_count == 0)
        return refuse(ret_reason, "this agent has not joined a partnership yet: run concordat-agent join");
    switch (draft->subject) {
    case DRAFT_PSEUDONYM:
        *ret_subject = draft->pseudonym;
        return STATUS_OK;
    case DRAFT_LOCAL:
        if (draft->id.size == 0 || draft->id.size > ITEMS_VALUE_MAX)
            return refuse(ret_reason, "a reference of our own for a person must have 1 to %d characters",
                          ITEMS_VALUE_MAX);
        return known_pseudonym(agent, PSEUDONYM_KIND_LOCAL, draft->id, ret_subject);
    case DRAFT_PNC:
    default:
        return pnc_subject(agent, draft->id, now, ret_subject, ret_reason);
    }
}

/* ---- values
 * ------------------------------------------------------------------------------------------------ */

static const char *place_name(bool attribute)
{
    return attribute ? "an attribute (--attr)" : "an item (--item)";
}

/* As the type carries it; a corrected value is as the type that it corrects carries it. */
static const struct catalogue_field *field_of(const struct compose *compose, uint16_t label)
{
    uint16_t corrected = CATALOGUE_NONE;

    if (compose->draft->corrects == NULL || catalogue_attribute_at(compose->event, label) != CATALOGUE_NONE ||
        !label_set_has(&compose->event->carried, label))
        return catalogue_field(compose->event, label);
    corrected = catalogue_find_event(compose->catalogue, bytes_of_string(compose->draft->corrects));
    return corrected == CATALOGUE_NONE ? NULL
                                       : catalogue_field(&compose->catalogue->events[corrected], label);
}

/* Finds the label in the type, and that the caller said rightly where it stands. */
static enum status find_field(struct compose *compose, const struct draft_value *value,
                              const struct catalogue_field **ret_field)
{
    const char *type = compose->event->type;
    const int size = (int)(value->label.size > 64 ? 64 : value->label.size);
    const char *label = (const char *)value->label.data;
    const uint16_t index = catalogue_find_label(compose->catalogue, value->label);
    const struct catalogue_field *field = index == CATALOGUE_NONE ? NULL : field_of(compose, index);
    bool attribute = false;

    if (index == CATALOGUE_NONE)
        return refuse(compose->reason, "the catalogue has no label \"%.*s\"", size, label);
    if (field == NULL)
        return refuse(compose->reason, "%s does not carry %.*s: leave it out", type, size, label);
    attribute = catalogue_attribute_at(compose->event, index) != CATALOGUE_NONE;
    if (attribute && (index == compose->event->attributes[compose->event->held].label ||
                      index == compose->event->attributes[compose->event->juvenile].label))
        return refuse(compose->reason, "%.*s is worked out by the agent: leave it out", size, label);
    if (value->place != DRAFT_ANYWHERE && attribute != (value->place == DRAFT_ATTRIBUTE))
        return refuse(compose->reason, "in %s, %.*s is %s", type, size, label, place_name(attribute));
    *ret_field = field;
    return STATUS_OK;
}

/* Sealed items that nobody may have are refused to people, who may not know; feeds keep them. */
static enum status check_grantable(struct compose *compose, uint16_t label)
{
    struct label_set grantable =
        compose_grantable(compose->protocol, compose->event_index, compose->class_index);

    if (compose->draft->lenient || compose->draft->corrects != NULL || label_set_has(&grantable, label) ||
        catalogue_attribute_at(compose->event, label) != CATALOGUE_NONE)
        return STATUS_OK;
    return refuse(compose->reason, "no rule of %s lets anybody have %s of %s from %s: leave it out",
                  compose->protocol->id, compose->catalogue->labels[label].label, compose->event->type,
                  compose->agent->settings.member);
}

static enum status add_value(struct compose *compose, const struct catalogue_field *field,
                             struct byte_view written)
{
    struct prepared *prepared = compose->prepared;
    const struct catalogue_label *label = &compose->catalogue->labels[field->label];
    const struct kind_limits limits = {.max_length = label->max_length,
                                       .codes = field->codes != NULL ? field->codes->values : NULL,
                                       .code_count = field->codes != NULL ? field->codes->count : 0};
    char value[KIND_VALUE_SIZE];
    struct kind_reason why = {0};
    enum status status = STATUS_OK;

    if (prepared_find(prepared, bytes_of_string(label->label)) != NULL)
        return refuse(compose->reason, "%s is given twice", label->label);
    if (prepared->value_count == DRAFT_VALUES_MAX)
        return refuse(compose->reason, "more than %d values in one event", DRAFT_VALUES_MAX);
    if (kind_canonical(label->kind, &limits, compose->year, written, value, sizeof value, &why) != STATUS_OK)
        return refuse(compose->reason, "%s: %s", label->label, why.text);
    if (strlen(value) > ITEMS_VALUE_MAX)
        return refuse(compose->reason, "%s: longer than %d bytes", label->label, ITEMS_VALUE_MAX);
    compose->offsets[prepared->value_count] = compose->storage->size;
    prepared->values[prepared->value_count].label = bytes_of_string(label->label);
    prepared->values[prepared->value_count].value.size = strlen(value);
    prepared->values[prepared->value_count].source = DRAFT_UNSAID;
    prepared->value_count++;
    bytes_append_string(compose->storage, value);
    status = compose->storage->status;
    bytes_wipe(value, sizeof value);
    return status;
}

static enum status add_given(struct compose *compose)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; i < compose->draft->value_count && status == STATUS_OK; i++) {
        const struct draft_value *value = &compose->draft->values[i];
        const struct catalogue_field *field = NULL;

        status = find_field(compose, value, &field);
        if (status == STATUS_OK)
            status = check_grantable(compose, field->label);
        if (status == STATUS_OK)
            status = add_value(compose, field, value->value);
        if (status == STATUS_OK)
            compose->prepared->values[compose->prepared->value_count - 1].source = value->source;
    }
    return status;
}

static enum status fill_in(struct compose *compose, const char *label, const char *value)
{
    const uint16_t index = catalogue_find_label(compose->catalogue, bytes_of_string(label));
    const struct catalogue_field *field =
        index == CATALOGUE_NONE ? NULL : catalogue_field(compose->event, index);

    if (field == NULL || value[0] == '\0' || prepared_find(compose->prepared, bytes_of_string(label)) != NULL)
        return STATUS_OK;
    return add_value(compose, field, bytes_of_string(value));
}

/* Rules are overridden by officers on duty only, and in the role that they have. */
static enum status check_duty(struct compose *compose)
{
    const char *role = compose->draft->duty_role;
    const struct byte_view *given = NULL;

    if (compose->event->effect != EFFECT_OVERRIDE)
        return STATUS_OK;
    for (size_t i = 0; i < compose->draft->value_count; i++) {
        if (bytes_equal(compose->draft->values[i].label, bytes_of_string("duty_role")))
            given = &compose->draft->values[i].value;
    }
    if (role == NULL || (given != NULL && !bytes_equal(*given, bytes_of_string(role))))
        return refuse(compose->reason,
                      "only an officer on duty may send %s: agent.json says who is (\"duty\")",
                      compose->event->type);
    return fill_in(compose, "duty_role", role);
}

static enum status add_known(struct compose *compose, const struct pseudonym *subject)
{
    struct person person = {0};
    enum status status = people_by_subject(compose->agent->people, compose->protocol->id, subject, &person);

    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = fill_in(compose, "name", person.name);
    if (status == STATUS_OK)
        status = fill_in(compose, "dob", person.dob);
    if (status == STATUS_OK)
        status = fill_in(compose, "pnc_id", person.pnc_id);
    if (status == STATUS_OK)
        status = fill_in(compose, "prison_no", person.prison_no);
    bytes_wipe(&person, sizeof person);
    return status;
}

/* Who the event is about, by the id that names the person, when the type carries it and nobody gave it. */
static enum status add_subject_id(struct compose *compose)
{
    char pnc_id[256];

    if (compose->draft->subject != DRAFT_PNC || compose->draft->id.size >= sizeof pnc_id)
        return STATUS_OK;
    memcpy(pnc_id, compose->draft->id.data, compose->draft->id.size);
    pnc_id[compose->draft->id.size] = '\0';
    return fill_in(compose, "pnc_id", pnc_id);
}

/* ---- the rest
 * ---------------------------------------------------------------------------------------------- */

static enum status set_references(struct compose *compose)
{
    const struct draft *draft = compose->draft;
    struct prepared *prepared = compose->prepared;
    int32_t date = 0;

    if (draft->officer == NULL || !wire_check_officer(bytes_of_string(draft->officer)))
        return refuse(compose->reason, "the acting officer must be 1 to %d printable characters",
                      WIRE_OFFICER_MAX);
    prepared->officer = bytes_of_string(draft->officer);
    if (draft->effective != NULL) {
        if (civil_parse_date(draft->effective, &date) != STATUS_OK)
            return refuse(compose->reason, "the effective date must be written YYYY-MM-DD");
        prepared->effective = bytes_of_string(draft->effective);
    }
    prepared->has_correlation = draft->correlation != NULL;
    prepared->has_supersedes = draft->supersedes != NULL;
    if (draft->correlation != NULL)
        memcpy(prepared->correlation, draft->correlation, CORE_EVENT_SIZE);
    if (draft->supersedes != NULL)
        memcpy(prepared->supersedes, draft->supersedes, CORE_EVENT_SIZE);
    return STATUS_OK;
}

enum status compose_event(struct agent *agent, const struct draft *draft, int64_t now,
                          struct byte_buffer *storage, struct prepared *ret_prepared,
                          struct draft_reason *ret_reason)
{
    struct prepared prepared = {0};
    struct pseudonym subject = {{0}};
    struct compose compose = {.agent = agent,
                              .draft = draft,
                              .storage = storage,
                              .prepared = &prepared,
                              .now = now,
                              .year = year_of(now),
                              .reason = ret_reason};
    enum status status = find_type(&compose);

    if (status == STATUS_OK)
        status = compose_subject(agent, draft, now, &subject, ret_reason);
    if (status == STATUS_OK)
        status = add_given(&compose);
    if (status == STATUS_OK)
        status = check_duty(&compose);
    if (status == STATUS_OK && draft->corrects == NULL)
        status = add_known(&compose, &subject);
    if (status == STATUS_OK && draft->corrects == NULL)
        status = add_subject_id(&compose);
    if (status == STATUS_OK)
        status = set_references(&compose);
    if (status != STATUS_OK)
        return status;
    memcpy(prepared.subject, subject.bytes, CORE_SUBJECT_SIZE);
    for (size_t i = 0; i < prepared.value_count; i++)
        prepared.values[i].value.data = storage->data + compose.offsets[i];
    status = onward_check(agent,
                          &(struct onward){.draft = draft,
                                           .prepared = &prepared,
                                           .protocol = compose.protocol,
                                           .event = compose.event_index,
                                           .class_index = compose.class_index},
                          ret_reason);
    if (status == STATUS_OK)
        *ret_prepared = prepared;
    return status;
}
