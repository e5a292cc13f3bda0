#include "agent/arrival.h"

#include <stdlib.h>
#include <string.h>

#include "agent/allowed.h"
#include "agent/correlated.h"
#include "agent/inbox_event.h"
#include "policy/decide.h"

#define DEFAULT_RETENTION_DAYS 366 /* of the trace of what no rule covers */

/* ---- opening
 * ------------------------------------------------------------------------------------------------ */

struct arrival_opener {
    const struct keystore *keystore;
    struct section_opener *opener; /* for the key used last */
};

enum status arrival_opener_new(const struct keystore *keystore, struct arrival_opener **ret_opener)
{
    struct arrival_opener *opener = calloc(1, sizeof *opener);

    if (opener == NULL)
        return STATUS_NO_MEMORY;
    opener->keystore = keystore;
    *ret_opener = opener;
    return STATUS_OK;
}

void arrival_opener_reset(struct arrival_opener *opener)
{
    section_opener_free(&opener->opener);
}

void arrival_opener_free(struct arrival_opener **opener)
{
    if (*opener == NULL)
        return;
    section_opener_free(&(*opener)->opener);
    free(*opener);
    *opener = NULL;
}

static enum status open_section(struct arrival_opener *opener, const struct envelope_delivered *event,
                                struct items **ret_items)
{
    const uint8_t *id = event->section.key;
    const struct x25519_private *key = NULL;
    enum status status = STATUS_OK;

    if (opener->opener == NULL ||
        memcmp(section_opener_key_id(opener->opener), id, SECTION_KEY_ID_SIZE) != 0) {
        key = keystore_opening(opener->keystore, id);
        if (key == NULL)
            return STATUS_UNKNOWN_KEY;
        section_opener_free(&opener->opener);
        status = section_opener_new(key, &opener->opener);
    }
    return status == STATUS_OK ? section_open(opener->opener, &event->section, event->core_digest, ret_items)
                               : status;
}

/* ---- what the rule grants us
 * ----------------------------------------------------------------------------------- */

/* A correction under its rule: what it may carry depends on the event that it is about. */
static bool follows(const struct protocol *protocol, uint16_t event, uint16_t from, struct byte_view rule)
{
    const struct protocol_pair *pair = protocol_pair_of(protocol, event, from);

    return pair->rule != PROTOCOL_NONE && protocol->rules[pair->rule].follows &&
           bytes_equal(bytes_of_string(protocol->rules[pair->rule].id), rule);
}

static bool labels_allowed(const struct catalogue *catalogue, const struct section *section,
                           const struct label_set *granted)
{
    struct byte_view rest = section->labels;
    struct byte_view label = {0};
    unsigned last = 0;
    bool first = true;

    while (section_next_label(&rest, &label)) {
        const uint16_t index = catalogue_find_label(catalogue, label);

        if (index == CATALOGUE_NONE || !label_set_has(granted, index) || (!first && index <= last))
            return false;
        last = index;
        first = false;
    }
    return true;
}

static bool values_right(const struct catalogue *catalogue, uint16_t event, const struct items *items)
{
    for (size_t i = 0; i < items->count; i++)
        if (catalogue->events[event].corrects != CORRECTION_VALUES &&
            catalogue_check_value(catalogue, event, catalogue_find_label(catalogue, items->list[i].label),
                                  items->list[i].value, NULL) != STATUS_OK)
            return false;
    return true; /* corrected values are judged by the type that they correct */
}

/* ---- corrections
 * ---------------------------------------------------------------------------------------------- */

/* Only what the same sender told us before, and as that event's type says it. */
static bool corrects_rightly(const struct membership *membership, uint16_t type, const struct items *items,
                             const struct inbox_event *original)
{
    const struct catalogue *catalogue = membership->catalogue;
    const uint16_t corrected =
        original->has_content ? catalogue_find_event(catalogue, original->core.type) : CATALOGUE_NONE;

    for (size_t i = 0; i < items->count; i++) {
        const uint16_t label = catalogue_find_label(catalogue, items->list[i].label);
        bool told = false;

        if (catalogue_attribute_at(&catalogue->events[type], label) != CATALOGUE_NONE) {
            if (catalogue_check_value(catalogue, type, label, items->list[i].value, NULL) != STATUS_OK)
                return false;
            continue;
        }
        for (size_t k = 0; k < original->label_count; k++)
            told = told || bytes_equal(original->labels[k], items->list[i].label);
        if (!told || corrected == CATALOGUE_NONE ||
            catalogue_check_value(catalogue, corrected, label, items->list[i].value, NULL) != STATUS_OK)
            return false;
    }
    return true;
}

static bool holds(const struct inbox_event *event, struct byte_view label)
{
    for (size_t i = 0; i < event->item_count; i++)
        if (bytes_equal(event->items[i].label, label))
            return true;
    return false;
}

/* Of what we hold no more there is nothing to put right, and nothing new to keep. */
static void drop_values(const struct catalogue *catalogue, uint16_t type, const struct inbox_event *original,
                        struct items *items)
{
    size_t kept = 0;

    for (size_t i = 0; i < items->count; i++) {
        const uint16_t label = catalogue_find_label(catalogue, items->list[i].label);

        if (catalogue_attribute_at(&catalogue->events[type], label) != CATALOGUE_NONE ||
            holds(original, items->list[i].label))
            items->list[kept++] = items->list[i];
    }
    items->count = kept;
}

static bool is_gone(const struct inbox_event *event)
{
    return !event->has_content && (event->state == INBOX_RECALLED || event->state == INBOX_RETRACTED ||
                                   event->state == INBOX_ERASED);
}

static enum status judge_correction(struct agent *agent, const struct membership *membership, uint16_t type,
                                    const struct envelope_delivered *event, struct arrival *arrival)
{
    const struct byte_view *target = items_find(arrival->items, "target");
    struct inbox_event original = {.has_content = false};
    enum status status = STATUS_OK;

    arrival->corrects = membership->catalogue->events[type].corrects;
    arrival->reason = ARRIVAL_TARGET;
    if (target == NULL || uuid_parse(*target, arrival->target) != STATUS_OK)
        return STATUS_OK;
    status = inbox_event_of(agent, event->core.from, arrival->target, &original);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    if (status == STATUS_OK && is_gone(&original))
        drop_values(membership->catalogue, type, &original, arrival->items);
    if (corrects_rightly(membership, type, arrival->items, &original) &&
        (!original.has_content || memcmp(original.core.subject, event->core.subject, CORE_SUBJECT_SIZE) == 0))
        arrival->reason = ARRIVAL_NONE;
    if (original.has_content)
        drop_values(membership->catalogue, type, &original, arrival->items);
    inbox_event_free(&original);
    return STATUS_OK;
}

/* ---- answers to questions of ours
 * ------------------------------------------------------------------------------- */

/* An answer that tells more than we asked is none that we may have. */
static enum status within_question(struct agent *agent, const struct membership *membership, uint16_t type,
                                   const struct envelope_delivered *event, bool *ret_within)
{
    struct facts_correlated question;
    enum status status;

    *ret_within = true;
    if (!event->core.has_correlation)
        return STATUS_OK;
    status = correlated_asked(agent, membership->catalogue, event->core.correlation, &question);
    if (status == STATUS_OK && question.asks && type != question.event)
        *ret_within = labels_allowed(membership->catalogue, &event->section, &question.asked);
    return status;
}

/* ---- late
 * ------------------------------------------------------------------------------------------------------ */

/* When the rule wanted it here; INT64_MAX without a clock or without the date that it counts from. */
static int64_t deadline(const struct membership *membership, uint16_t event,
                        const struct protocol_route *route, const struct core *core,
                        const struct items *items)
{
    const struct catalogue *catalogue = membership->catalogue;
    const struct byte_view *value = NULL;
    char text[CIVIL_DATE_SIZE];
    int32_t date = 0;

    if (route->clock == CLOCK_NONE)
        return INT64_MAX;
    if (route->clock == CLOCK_WITHIN)
        return policy_deadline(route, core->created, 0);
    value = items_find(
        items, catalogue->labels[catalogue->events[event].attributes[route->clock_attribute].label].label);
    if (value == NULL || value->size >= sizeof text)
        return INT64_MAX;
    memcpy(text, value->data, value->size);
    text[value->size] = '\0';
    if (civil_parse_date(text, &date) != STATUS_OK)
        return INT64_MAX;
    return policy_deadline(route, core->created, date);
}

/* ---- the judgement
 * --------------------------------------------------------------------------------------------- */

static enum arrival_reason open_and_check(const struct membership *membership, struct arrival_opener *opener,
                                          uint16_t type, const struct envelope_delivered *event,
                                          enum status *ret_status, struct items **ret_items)
{
    struct items *items = NULL;
    const enum status status = open_section(opener, event, &items);

    *ret_status = STATUS_OK;
    switch ((int)status) {
    case STATUS_OK:
        break;
    case STATUS_NO_MEMORY:
    case STATUS_CRYPTO:
        *ret_status = status;
        return ARRIVAL_SEAL;
    case STATUS_UNKNOWN_KEY:
    case STATUS_BAD_SEAL:
        return ARRIVAL_SEAL;
    default:
        return ARRIVAL_CONTENT;
    }
    if (!values_right(membership->catalogue, type, items)) {
        items_free(&items);
        return ARRIVAL_KIND;
    }
    *ret_items = items;
    return ARRIVAL_NONE;
}

static enum arrival_reason find_rule(const struct agent *agent, const struct membership *membership,
                                     const struct envelope_delivered *event, uint16_t type,
                                     const struct protocol **ret_protocol, struct allowed *ret_allowed)
{
    const struct protocol *protocol = membership_protocol(membership, event->core.protocol);
    uint16_t from = PROTOCOL_NONE;
    uint16_t us = PROTOCOL_NONE;

    if (type == CATALOGUE_NONE)
        return ARRIVAL_TYPE;
    if (protocol == NULL)
        return ARRIVAL_SENDER;
    from = protocol_find_party(protocol, event->core.from);
    us = protocol_find_party(protocol, bytes_of_string(agent->settings.member));
    if (from == PROTOCOL_NONE || us == PROTOCOL_NONE)
        return ARRIVAL_SENDER;
    *ret_protocol = protocol;
    allowed_find(protocol, type, protocol->parties[from].class_index, protocol->parties[us].class_index,
                 event->section.rule, ret_allowed);
    if (follows(protocol, type, protocol->parties[from].class_index, event->section.rule)) {
        ret_allowed->any = true;
        ret_allowed->labels = membership->catalogue->events[type].carried;
    }
    if (!ret_allowed->any)
        return ARRIVAL_RULE;
    return labels_allowed(membership->catalogue, &event->section, &ret_allowed->labels) ? ARRIVAL_NONE
                                                                                        : ARRIVAL_LABELS;
}

/* Made before the person left the list, and by now nothing is held of that any more. */
static bool left_long_ago(struct agent *agent, const struct protocol *protocol, const struct core *core,
                          int64_t now)
{
    struct pseudonym subject;
    struct person person;
    bool gone = false;

    memcpy(subject.bytes, core->subject, PSEUDONYM_SIZE);
    if (!protocol->has_after_removal ||
        people_by_subject(agent->people, protocol->id, &subject, &person) != STATUS_OK)
        return false;
    gone = !person.listed && core->created <= person.removed_at &&
           civil_add_duration(person.removed_at, protocol->after_removal, 1) <= now;
    bytes_wipe(&person, sizeof person);
    return gone;
}

static enum status judge_consents(struct agent *agent, const struct protocol *protocol,
                                  const struct envelope_delivered *event, const struct allowed *allowed,
                                  struct arrival *arrival)
{
    struct label_set standing = {{0}};
    bool stands = false;
    enum status status = allowed_standing(agent, protocol, &event->core, allowed, &stands, &standing);

    if (!stands || !labels_allowed(protocol->catalogue, &event->section, &standing))
        arrival->reason = ARRIVAL_CONSENT;
    return status;
}

enum status arrival_judge(struct agent *agent, const struct membership *membership,
                          struct arrival_opener *opener, const struct envelope_delivered *event, int64_t now,
                          struct arrival *ret_arrival)
{
    const uint16_t type = catalogue_find_event(membership->catalogue, event->core.type);
    const struct protocol *protocol = NULL;
    struct allowed allowed = {0};
    struct duration retention = {0, DEFAULT_RETENTION_DAYS * CIVIL_DAY_MS};
    struct arrival arrival = {0};
    enum status status = STATUS_OK;
    bool within = true;

    arrival.reason = find_rule(agent, membership, event, type, &protocol, &allowed);
    if (protocol != NULL)
        (void)policy_retention(protocol, event->section.rule, &retention);
    arrival.until = civil_add_duration(now, retention, 1);
    /* Whatever we had of it, its trace included, is gone by now: it must not come back. */
    if (arrival.reason == ARRIVAL_NONE && (civil_add_duration(event->core.created, retention, 1) <= now ||
                                           left_long_ago(agent, protocol, &event->core, now)))
        arrival.reason = ARRIVAL_OLD;
    if (arrival.reason == ARRIVAL_NONE) {
        status = within_question(agent, membership, type, event, &within);
        if (status != STATUS_OK)
            return status;
        if (!within)
            arrival.reason = ARRIVAL_LABELS;
    }
    if (arrival.reason == ARRIVAL_NONE)
        arrival.reason = open_and_check(membership, opener, type, event, &status, &arrival.items);
    if (arrival.reason == ARRIVAL_NONE && allowed.route != NULL)
        status = judge_consents(agent, protocol, event, &allowed, &arrival);
    if (status == STATUS_OK && arrival.reason == ARRIVAL_NONE &&
        membership->catalogue->events[type].corrects != CORRECTION_NONE)
        status = judge_correction(agent, membership, type, event, &arrival);
    if (status != STATUS_OK || arrival.reason != ARRIVAL_NONE)
        items_free(&arrival.items);
    if (status != STATUS_OK)
        return status;
    if (arrival.reason == ARRIVAL_NONE && allowed.route != NULL) {
        arrival.effect = membership->catalogue->events[type].effect;
        if (protocol->rules[allowed.route->rule].urgent)
            arrival.acknowledge_by =
                civil_add_duration(event->core.created, protocol->rules[allowed.route->rule].acknowledge, 1);
        arrival.late = now > deadline(membership, type, allowed.route, &event->core, arrival.items);
    }
    *ret_arrival = arrival;
    return STATUS_OK;
}

struct arrival arrival_failed(int64_t now)
{
    return (struct arrival){.reason = ARRIVAL_FAILED, .until = now + DEFAULT_RETENTION_DAYS * CIVIL_DAY_MS};
}

void arrival_free(struct arrival *arrival)
{
    items_free(&arrival->items);
}

const char *arrival_code(enum arrival_reason reason)
{
    static const char *const codes[] = {
#define ARRIVAL_CODE(symbol, code, text) code,
        ARRIVAL_REASONS(ARRIVAL_CODE)
#undef ARRIVAL_CODE
    };

    return codes[reason];
}

const char *arrival_text(enum arrival_reason reason)
{
    static const char *const texts[] = {
#define ARRIVAL_TEXT(symbol, code, text) text,
        ARRIVAL_REASONS(ARRIVAL_TEXT)
#undef ARRIVAL_TEXT
    };

    return texts[reason];
}
