#include <string.h>

#include "policy/decider.h"

/* Who may change what is known of a person, beyond what the change itself asks for (register_apply). */

static const struct protocol_party *sender(const struct decider *decider)
{
    return &decider->protocol->parties[decider->decision->from];
}

static bool serves_area(const struct decider *decider)
{
    uint16_t area = protocol_find_area(decider->protocol, decider->person->entry.area);

    return area != PROTOCOL_NONE && (sender(decider)->areas >> area & 1) != 0;
}

static bool holds_case(const struct decider *decider)
{
    const struct register_entry *entry = &decider->person->entry;
    const char *id = sender(decider)->id;

    return strcmp(id, entry->offender_manager) == 0 || strcmp(id, entry->keyworker) == 0 ||
           strcmp(id, entry->yot) == 0;
}

bool decider_repeats_listing(const struct decider *decider)
{
    const struct protocol *protocol = decider->protocol;
    uint16_t strand = protocol_find_strand(protocol, decider->person->entry.strand);

    return strand != PROTOCOL_NONE && protocol->strands[strand].class_index == decider->from_class &&
           serves_area(decider) &&
           bytes_equal(decider->request->attributes[decider->type->reads[0]],
                       bytes_of_string(protocol->strands[strand].name));
}

const char *decider_why_not(const struct decider *decider)
{
    enum effect effect = decider->type->effect;

    if (effect == EFFECT_LIST &&
        request_attribute(decider->protocol->catalogue, decider->request, "selector").data == NULL)
        return "a listing says why: give 'selector'";
    if (effect != EFFECT_REVIEW && effect != EFFECT_MOVE && effect != EFFECT_ALLOCATE)
        return NULL;
    if (!serves_area(decider) && !(effect == EFFECT_ALLOCATE && holds_case(decider)))
        return effect == EFFECT_ALLOCATE
                   ? "only a party that serves the person's area, or holds the case, may send this"
                   : "only a party that serves the person's area may send this";
    if (effect == EFFECT_MOVE && !bytes_equal(decider->request->attributes[decider->type->reads[0]],
                                              bytes_of_string(decider->person->entry.area)))
        return "the person does not live in 'from_area'; state the area that the register has";
    return NULL;
}
