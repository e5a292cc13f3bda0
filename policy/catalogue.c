#include "policy/catalogue.h"

#include <stdlib.h>
#include <string.h>

#include "policy/arena.h"
#include "proto/labels.h"

static int compare(struct byte_view name, const char *text)
{
    return bytes_compare(name, bytes_of_string(text));
}

void catalogue_free(struct catalogue **catalogue)
{
    struct arena *arena;

    if (*catalogue == NULL)
        return;
    arena = (*catalogue)->arena; /* which the catalogue itself lies in */
    arena_free(&arena);
    *catalogue = NULL;
}

uint16_t catalogue_find_label(const struct catalogue *catalogue, struct byte_view name)
{
    for (size_t low = 0, high = catalogue->label_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        uint16_t index = catalogue->labels_by_name[middle];
        int order = compare(name, catalogue->labels[index].label);

        if (order == 0)
            return index;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return CATALOGUE_NONE;
}

uint16_t catalogue_find_event(const struct catalogue *catalogue, struct byte_view type)
{
    for (size_t low = 0, high = catalogue->event_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        uint16_t index = catalogue->events_by_name[middle];
        int order = compare(type, catalogue->events[index].type);

        if (order == 0)
            return index;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return CATALOGUE_NONE;
}

const struct catalogue_codes *catalogue_find_codes(const struct catalogue *catalogue, struct byte_view name)
{
    for (size_t i = 0; i < catalogue->codes_count; i++) {
        if (compare(name, catalogue->codes[i].name) == 0)
            return &catalogue->codes[i];
    }
    return NULL;
}

uint16_t catalogue_find_code(const struct catalogue_codes *codes, struct byte_view code)
{
    for (uint16_t i = 0; i < codes->count; i++) {
        if (compare(code, codes->values[i]) == 0)
            return i;
    }
    return CATALOGUE_NONE;
}

uint16_t catalogue_attribute_at(const struct catalogue_event *event, uint16_t label)
{
    for (uint16_t i = 0; i < event->attribute_count; i++) {
        if (event->attributes[i].label == label)
            return i;
    }
    return CATALOGUE_NONE;
}

bool catalogue_takes_away(const struct catalogue_event *event)
{
    return event->effect == EFFECT_REMOVE || event->effect == EFFECT_WITHDRAW ||
           event->corrects == CORRECTION_RETRACTION || event->corrects == CORRECTION_ERASURE;
}

const struct catalogue_field *catalogue_field(const struct catalogue_event *event, uint16_t label)
{
    uint16_t at = catalogue_attribute_at(event, label);

    if (at != CATALOGUE_NONE)
        return &event->attributes[at];
    for (uint16_t i = 0; i < event->item_count; i++) {
        if (event->items[i].label == label)
            return &event->items[i];
    }
    return NULL;
}

enum status catalogue_check_value(const struct catalogue *catalogue, uint16_t event, uint16_t label,
                                  struct byte_view value, struct kind_reason *ret_reason)
{
    const struct catalogue_field *field = NULL;
    struct kind_limits limits = {0};

    if (event < catalogue->event_count && label < catalogue->label_count)
        field = catalogue_field(&catalogue->events[event], label);
    if (field == NULL)
        return kind_reason_set(ret_reason, STATUS_NOT_FOUND,
                               "events of this type do not carry it; leave it out");
    limits.max_length = catalogue->labels[label].max_length;
    if (field->codes != NULL) {
        limits.codes = field->codes->values;
        limits.code_count = field->codes->count;
    }
    return kind_check(catalogue->labels[label].kind, &limits, value, ret_reason);
}

enum status catalogue_parse_labels(const struct catalogue *catalogue, uint16_t event, struct byte_view text,
                                   struct label_set *ret_labels, struct kind_reason *ret_reason)
{
    struct label_set labels = {{0}};
    struct byte_view label;
    enum status status;

    if (event >= catalogue->event_count && event != CATALOGUE_NONE)
        return kind_reason_set(ret_reason, STATUS_NOT_FOUND, "there is no such event type");
    if ((status = kind_check(KIND_LABELS, NULL, text, ret_reason)) != STATUS_OK)
        return status;
    while (labels_next(&text, &label)) {
        uint16_t index = catalogue_find_label(catalogue, label);

        if (event == CATALOGUE_NONE && index == CATALOGUE_NONE)
            return kind_reason_set(ret_reason, STATUS_NOT_FOUND,
                                   "the catalogue has no item '%.*s'; leave it out", (int)label.size,
                                   (const char *)label.data);
        if (event != CATALOGUE_NONE && !label_set_has(&catalogue->events[event].carried, index))
            return kind_reason_set(ret_reason, STATUS_NOT_FOUND,
                                   "%s does not carry the item '%.*s'; leave it out",
                                   catalogue->events[event].type, (int)label.size, (const char *)label.data);
        label_set_add(&labels, index);
    }
    *ret_labels = labels;
    return STATUS_OK;
}

void catalogue_format_labels(const struct catalogue *catalogue, const struct label_set *labels,
                             struct byte_buffer *ret)
{
    const char *separator = "";

    for (size_t i = 0; i < catalogue->label_count; i++) {
        uint16_t index = catalogue->labels_by_name[i];

        if (!label_set_has(labels, index))
            continue;
        bytes_append_string(ret, separator);
        bytes_append_string(ret, catalogue->labels[index].label);
        separator = ",";
    }
}
