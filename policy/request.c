#include "policy/request.h"

#include <string.h>

static enum status check_attribute(const struct catalogue *catalogue, const struct policy_request *request,
                                   uint16_t at, struct kind_reason *ret_reason)
{
    const struct catalogue_event *event = &catalogue->events[request->event];
    uint16_t label = event->attributes[at].label;
    struct kind_reason reason;
    enum status status;

    if (request->attributes[at].data == NULL)
        return STATUS_OK;
    status = catalogue_check_value(catalogue, request->event, label, request->attributes[at], &reason);
    if (status != STATUS_OK)
        kind_reason_set(ret_reason, status, "%s: %s", catalogue->labels[label].label, reason.text);
    return status;
}

static enum juvenile read_juvenile(struct byte_view value)
{
    if (bytes_equal(value, bytes_of_string("yes")))
        return JUVENILE_YES;
    return bytes_equal(value, bytes_of_string("no")) ? JUVENILE_NO : JUVENILE_UNKNOWN;
}

enum status request_read(const struct catalogue *catalogue, struct policy_request *request,
                         struct kind_reason *ret_reason)
{
    const struct catalogue_event *event;
    struct label_set held = {{0}};
    struct label_set asked = {{0}};
    enum status status;

    if (request->event >= catalogue->event_count)
        return kind_reason_set(ret_reason, STATUS_NOT_FOUND, "there is no such event type");
    event = &catalogue->events[request->event];
    for (uint16_t i = 0; i < event->attribute_count; i++) {
        if ((status = check_attribute(catalogue, request, i, ret_reason)) != STATUS_OK)
            return status;
    }
    if (request->attributes[event->held].data != NULL) {
        status = catalogue_parse_labels(catalogue, request->event, request->attributes[event->held], &held,
                                        ret_reason);
        if (status != STATUS_OK)
            return status;
    }
    if (event->asked != CATALOGUE_NONE && request->attributes[event->asked].data != NULL) {
        status = catalogue_parse_labels(catalogue, CATALOGUE_NONE, request->attributes[event->asked], &asked,
                                        ret_reason);
        if (status != STATUS_OK)
            return status;
    }
    request->held = held;
    request->asked = asked;
    request->juvenile = read_juvenile(request->attributes[event->juvenile]);
    return STATUS_OK;
}

enum status request_set(const struct catalogue *catalogue, struct policy_request *request, const char *label,
                        struct byte_view value)
{
    uint16_t index = catalogue_find_label(catalogue, bytes_of_string(label));
    uint16_t at;

    if (request->event >= catalogue->event_count || index == CATALOGUE_NONE)
        return STATUS_NOT_FOUND;
    at = catalogue_attribute_at(&catalogue->events[request->event], index);
    if (at == CATALOGUE_NONE)
        return STATUS_NOT_FOUND;
    request->attributes[at] = value;
    return STATUS_OK;
}

struct byte_view request_attribute(const struct catalogue *catalogue, const struct policy_request *request,
                                   const char *label)
{
    uint16_t index = catalogue_find_label(catalogue, bytes_of_string(label));
    uint16_t at;

    if (request->event >= catalogue->event_count || index == CATALOGUE_NONE)
        return (struct byte_view){NULL, 0};
    at = catalogue_attribute_at(&catalogue->events[request->event], index);
    return at == CATALOGUE_NONE ? (struct byte_view){NULL, 0} : request->attributes[at];
}

bool request_names(const struct catalogue *catalogue, const struct policy_request *request,
                   const uint8_t subject[static REQUEST_SUBJECT_SIZE])
{
    const struct catalogue_event *type = &catalogue->events[request->event];
    char hex[2 * REQUEST_SUBJECT_SIZE + 1];

    if (type->effect != EFFECT_MERGE)
        return true;
    bytes_to_hex(subject, REQUEST_SUBJECT_SIZE, hex);
    return bytes_equal(request->attributes[type->reads[0]], bytes_of_string(hex)) ||
           bytes_equal(request->attributes[type->reads[1]], bytes_of_string(hex));
}
