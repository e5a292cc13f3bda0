#include "agent/replying.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/compose.h"
#include "agent/inbox_event.h"
#include "policy/decide.h"

static enum status refuse(struct draft_reason *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum status refuse(struct draft_reason *reason, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(reason->text, sizeof reason->text, format, arguments);
    va_end(arguments);
    return STATUS_REFUSED;
}

/* The event that is replied to, and under which protocol we are of which class. */
struct occasion {
    struct inbox_event event;
    const struct protocol *protocol;
    uint16_t type;
    uint16_t class_index;
};

static enum status take_place(const struct agent *agent, struct occasion *occasion,
                              struct draft_reason *reason)
{
    const struct membership *membership = agent->membership;
    uint16_t party = PROTOCOL_NONE;

    if (membership != NULL && occasion->event.has_content && occasion->event.state == INBOX_STORED) {
        occasion->type = catalogue_find_event(membership->catalogue, occasion->event.core.type);
        occasion->protocol = membership_protocol(membership, occasion->event.core.protocol);
    } else {
        occasion->type = CATALOGUE_NONE;
    }
    if (occasion->protocol != NULL)
        party = protocol_find_party(occasion->protocol, bytes_of_string(agent->settings.member));
    if (occasion->type == CATALOGUE_NONE || party == PROTOCOL_NONE)
        return refuse(reason, "that event is not one that can be replied to any more");
    occasion->class_index = occasion->protocol->parties[party].class_index;
    return STATUS_OK;
}

static enum status find_occasion(struct agent *agent, const uint8_t *event, struct occasion *ret,
                                 struct draft_reason *reason)
{
    enum status status = inbox_event_find(agent, event, &ret->event);

    if (status == STATUS_NOT_FOUND)
        return refuse(reason, "no such event was received here");
    if (status != STATUS_OK)
        return status;
    status = take_place(agent, ret, reason);
    if (status != STATUS_OK)
        inbox_event_free(&ret->event);
    return status;
}

static struct byte_view item_of(const struct inbox_event *event, const char *label)
{
    for (size_t i = 0; i < event->item_count; i++) {
        if (bytes_equal(event->items[i].label, bytes_of_string(label)))
            return event->items[i].value;
    }
    return bytes_view(NULL, 0);
}

/* The event type of ours that answers that one, with items or without; CATALOGUE_NONE: no rule lets us. */
static uint16_t find_type(const struct occasion *occasion, bool with_items)
{
    const struct protocol *protocol = occasion->protocol;

    for (uint16_t i = 0; i < protocol->catalogue->event_count; i++) {
        const struct protocol_pair *pair = protocol_pair_of(protocol, i, occasion->class_index);
        struct label_set grantable;

        if (pair->rule == PROTOCOL_NONE ||
            (pair->answers[occasion->type / 64] >> (occasion->type % 64) & 1) == 0)
            continue;
        grantable = compose_grantable(protocol, i, occasion->class_index);
        if (label_set_empty(&grantable) != with_items)
            return i;
    }
    return CATALOGUE_NONE;
}

static void start(struct reply *reply, const struct occasion *occasion, uint16_t type)
{
    memset(reply, 0, sizeof *reply);
    memcpy(reply->correlation, occasion->event.core.event, UUID_SIZE);
    (void)snprintf(reply->protocol, sizeof reply->protocol, "%s", occasion->protocol->id);
    reply->draft = (struct draft){.type = occasion->protocol->catalogue->events[type].type,
                                  .protocol = reply->protocol,
                                  .subject = DRAFT_PSEUDONYM,
                                  .correlation = reply->correlation,
                                  .values = reply->values};
    memcpy(reply->draft.pseudonym.bytes, occasion->event.core.subject, PSEUDONYM_SIZE);
}

static enum status add_items(const struct occasion *occasion, const json_t *items, struct reply *reply,
                             struct draft_reason *reason)
{
    const struct catalogue *catalogue = occasion->protocol->catalogue;
    struct label_set asked = {{0}};
    const char *label = NULL;
    json_t *value = NULL;

    (void)catalogue_parse_labels(catalogue, CATALOGUE_NONE, item_of(&occasion->event, CATALOGUE_ASKED),
                                 &asked, NULL);
    json_object_foreach((json_t *)(uintptr_t)items, label, value)
    {
        const uint16_t index = catalogue_find_label(catalogue, bytes_of_string(label));

        if (index == CATALOGUE_NONE || !label_set_has(&asked, index))
            return refuse(reason, "%.64s was not asked for: leave it out", label);
        if (!json_is_string(value) || reply->draft.value_count == DRAFT_VALUES_MAX)
            return refuse(reason, "%.64s: its value must be a text", label);
        reply->values[reply->draft.value_count++] =
            (struct draft_value){.label = bytes_of_string(label),
                                 .value = bytes_of_string(json_string_value(value)),
                                 .place = DRAFT_ANYWHERE};
    }
    return reply->draft.value_count > 0
               ? STATUS_OK
               : refuse(reason, "say what the answer is, or that nothing is answered");
}

enum status replying_answer(struct agent *agent, const uint8_t event[static UUID_SIZE], const json_t *items,
                            struct reply *ret_reply, struct draft_reason *ret_reason)
{
    struct occasion occasion = {0};
    uint16_t type;
    enum status status = find_occasion(agent, event, &occasion, ret_reason);

    if (status != STATUS_OK)
        return status;
    type = find_type(&occasion, items != NULL);
    if (occasion.protocol->catalogue->events[occasion.type].asked == CATALOGUE_NONE)
        status = refuse(ret_reason, "that event asks nothing: use concordat publish");
    else if (type == CATALOGUE_NONE)
        status = refuse(ret_reason, "no rule of %s lets %s %s", occasion.protocol->id, agent->settings.member,
                        items != NULL ? "answer it" : "say that it does not answer");
    else
        start(ret_reply, &occasion, type);
    if (status == STATUS_OK && items != NULL)
        status = add_items(&occasion, items, ret_reply, ret_reason);
    inbox_event_free(&occasion.event);
    return status;
}

/* A value of the override repeated in its confirmation. */
static void repeat(const struct occasion *occasion, struct reply *reply, const char *label, size_t place)
{
    const struct byte_view value = item_of(&occasion->event, label);

    if (value.data == NULL || value.size > ITEMS_VALUE_MAX)
        return;
    memcpy(reply->texts[place], value.data, value.size);
    reply->values[reply->draft.value_count++] =
        (struct draft_value){.label = bytes_of_string(label),
                             .value = bytes_of_string(reply->texts[place]),
                             .place = DRAFT_ATTRIBUTE};
}

enum status replying_confirm(struct agent *agent, const uint8_t event[static UUID_SIZE],
                             struct reply *ret_reply, struct draft_reason *ret_reason)
{
    struct occasion occasion = {0};
    const struct catalogue *catalogue = NULL;
    uint16_t type = 0;
    enum status status = find_occasion(agent, event, &occasion, ret_reason);

    if (status != STATUS_OK)
        return status;
    catalogue = occasion.protocol->catalogue;
    while (type < catalogue->event_count && catalogue->events[type].effect != EFFECT_CONFIRM)
        type++;
    if (catalogue->events[occasion.type].effect != EFFECT_OVERRIDE || type == catalogue->event_count) {
        status = refuse(ret_reason, "that event overrides nothing, so there is nothing to confirm");
    } else {
        start(ret_reply, &occasion, type);
        repeat(&occasion, ret_reply, "rule", 0);
        repeat(&occasion, ret_reply, "reason", 1);
        uuid_format(event, ret_reply->id);
        ret_reply->values[ret_reply->draft.value_count++] =
            (struct draft_value){.label = bytes_of_string("target"),
                                 .value = bytes_of_string(ret_reply->id),
                                 .place = DRAFT_ATTRIBUTE};
    }
    inbox_event_free(&occasion.event);
    return status;
}
