#include "agent/onward.h"

#include <stdio.h>
#include <string.h>

#include "agent/inbox_event.h"
#include "agent/membership.h"
#include "policy/decide.h"

struct check {
    struct agent *agent;
    const struct onward *onward;
    const struct protocol *held; /* under which what is looked at came */
    struct draft_reason *reason;
};

const char *onward_source_text(enum draft_source source)
{
    static const char *const texts[] = {NULL, "own records", "sender's leave"};

    return texts[source];
}

/* ---- what the person says ---- */

static enum status mark(const json_t *labels, enum draft_source source, struct draft_value *values,
                        size_t count, struct draft_reason *ret_reason)
{
    json_t *entry = NULL;
    size_t i = 0;

    json_array_foreach(labels, i, entry)
    {
        const char *label = json_string_value(entry);
        size_t at = 0;

        while (label != NULL && at < count && !bytes_equal(values[at].label, bytes_of_string(label)))
            at++;
        if (label == NULL || at == count || values[at].source != DRAFT_UNSAID) {
            (void)snprintf(ret_reason->text, sizeof ret_reason->text,
                           "--own and --leave name a label that is given a value, once: %.64s is not",
                           label == NULL ? "that" : label);
            return STATUS_REFUSED;
        }
        values[at].source = source;
    }
    return STATUS_OK;
}

enum status onward_read(const json_t *request, struct draft_value *values, size_t count,
                        struct draft_reason *ret_reason)
{
    enum status status = mark(json_object_get(request, "own"), DRAFT_OWN, values, count, ret_reason);

    return status == STATUS_OK
               ? mark(json_object_get(request, "leave"), DRAFT_LEAVE, values, count, ret_reason)
               : status;
}

/* ---- what may be known ---- */

/* Equal values of these are seldom a coincidence. */
static bool is_telling(enum kind kind)
{
    switch (kind) {
    case KIND_CRO:
    case KIND_ASN:
    case KIND_CRN:
    case KIND_NHS_NO:
    case KIND_NAME:
    case KIND_CONTACT:
    case KIND_TEXT:
        return true;
    case KIND_DATE:
    case KIND_DATETIME:
    case KIND_PNC_ID:
    case KIND_PRISON_NO:
    case KIND_CODE:
    case KIND_AREA:
    case KIND_MEMBER:
    case KIND_FORCE:
    case KIND_PRISON:
    case KIND_NUMBER:
    case KIND_EVENT:
    case KIND_PSEUDONYM:
    case KIND_LABELS:
        break;
    }
    return false;
}

/* By these everybody names the person; the agent fills them in by itself. */
static bool names_the_person(struct byte_view label)
{
    return bytes_equal(label, bytes_of_string("name")) || bytes_equal(label, bytes_of_string("dob")) ||
           bytes_equal(label, bytes_of_string("pnc_id")) || bytes_equal(label, bytes_of_string("prison_no"));
}

/* Could anybody but the member that told it, and us, be given that label of the new event? */
static bool reaches_others(const struct check *check, uint16_t label, const struct inbox_event *told,
                           bool answers_it)
{
    const struct onward *onward = check->onward;
    const struct protocol *protocol = onward->protocol;
    const struct protocol_pair *pair = protocol_pair_of(protocol, onward->event, onward->class_index);

    for (uint16_t i = 0; i < pair->route_count; i++) {
        const struct protocol_route *route = &protocol->routes[pair->first_route + i];
        const struct protocol_class *to = &protocol->classes[route->to_class];
        struct party_set parties = to->parties;

        if (!label_set_has(&route->labels, label) || (route->relation == RELATION_REFERRER && answers_it) ||
            (route->stopped != POLICY_NONE && to->replaced_by == PROTOCOL_NONE))
            continue; /* an answer goes back to whoever asked */
        if (to->replaced_by != PROTOCOL_NONE)
            parties = party_set_or(parties, &protocol->classes[to->replaced_by].parties);
        for (unsigned k = party_set_next(&parties, 0); k < SET256_END; k = party_set_next(&parties, k + 1)) {
            if (strcmp(protocol->parties[k].id, told->sender) != 0 &&
                strcmp(protocol->parties[k].id, check->agent->settings.member) != 0)
                return true;
        }
    }
    return false;
}

static enum status refuse(const struct check *check, const struct inbox_event *told, struct byte_view label,
                          enum draft_source source)
{
    const bool leave = check->held->onward_leave;
    const int size = (int)label.size;
    const char *text = (const char *)label.data;
    char with_leave[128] = "";

    if (leave)
        (void)snprintf(with_leave, sizeof with_leave, "; with that leave, add --leave %.*s", size, text);
    (void)snprintf(
        check->reason->text, sizeof check->reason->text,
        "%.*s is what %s told you under rule %.*s of %s, which lets %s: %s, and let whoever needs it "
        "ask %s%s; if your own records say so too, add --own %.*s",
        size, text, told->sender, (int)told->rule.size, (const char *)told->rule.data, check->held->id,
        leave ? "it be passed on with the sender's leave only" : "nobody pass it on",
        source == DRAFT_LEAVE ? "nobody can give leave; leave the value out" : "leave it out", told->sender,
        with_leave, size, text);
    return STATUS_REFUSED;
}

/* One value that is to be said, against one event that we were told. */
static enum status compare(const struct check *check, size_t at, const struct inbox_event *told)
{
    const struct prepared *prepared = check->onward->prepared;
    const struct catalogue *catalogue = check->onward->protocol->catalogue;
    const struct byte_view label = prepared->values[at].label;
    const enum draft_source source = check->onward->draft->values[at].source;
    const uint16_t index = catalogue_find_label(catalogue, label);
    const bool answers_it =
        prepared->has_correlation && memcmp(prepared->correlation, told->core.event, CORE_EVENT_SIZE) == 0;

    if (source == DRAFT_OWN || (source == DRAFT_LEAVE && check->held->onward_leave) ||
        index == CATALOGUE_NONE || names_the_person(label) ||
        (!answers_it && !is_telling(catalogue->labels[index].kind)))
        return STATUS_OK;
    for (size_t i = 0; i < told->item_count; i++) {
        if (bytes_equal(told->items[i].label, label) &&
            bytes_equal(told->items[i].value, prepared->values[at].value) &&
            reaches_others(check, index, told, answers_it))
            return refuse(check, told, label, source);
    }
    return STATUS_OK;
}

static enum status compare_all(const struct check *check, const struct inbox_event *told)
{
    enum status status = STATUS_OK;

    if (!told->has_content || (told->state != INBOX_STORED && told->state != INBOX_SUPERSEDED))
        return STATUS_OK;
    for (size_t i = 0; i < check->onward->draft->value_count && status == STATUS_OK; i++)
        status = compare(check, i, told);
    return status;
}

enum status onward_check(struct agent *agent, const struct onward *onward, struct draft_reason *ret_reason)
{
    const struct catalogue_event *type = &onward->protocol->catalogue->events[onward->event];
    struct check check = {.agent = agent, .onward = onward, .reason = ret_reason};
    enum status status = STATUS_OK;

    if (onward->draft->lenient || onward->draft->corrects != NULL || type->effect == EFFECT_OVERRIDE ||
        type->effect == EFFECT_CONFIRM)
        return STATUS_OK;
    for (size_t i = 0; i < agent->membership->protocol_count && status == STATUS_OK; i++) {
        int64_t cursor = 0;

        check.held = agent->membership->protocols[i];
        while (status == STATUS_OK) {
            struct inbox_event told;

            status = inbox_event_about(agent, bytes_of_string(check.held->id), onward->prepared->subject,
                                       &cursor, &told);
            if (status != STATUS_OK)
                break;
            status = compare_all(&check, &told);
            inbox_event_free(&told);
        }
        if (status == STATUS_NOT_FOUND)
            status = STATUS_OK;
    }
    return status;
}
