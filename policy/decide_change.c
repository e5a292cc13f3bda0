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

    bool young = decider->person->entry.juvenile != JUVENILE_NO;

    return strand != PROTOCOL_NONE &&
           (protocol->strands[strand].class_index == decider->from_class ||
            (young && protocol->juvenile_class == decider->from_class)) &&
           serves_area(decider) &&
           bytes_equal(decider->request->attributes[decider->type->reads[0]],
                       bytes_of_string(protocol->strands[strand].name));
}

/* A consent is taken on a form that the protocol names. Who may record it is for register_apply, as agents
 * hold grounds to that too. */
static const char *why_no_consent(const struct decider *decider)
{
    const struct protocol *protocol = decider->protocol;
    struct byte_view scope = decider->request->attributes[decider->type->reads[0]];
    struct byte_view form = decider->request->attributes[decider->type->reads[1]];
    uint16_t index = 0;

    while (index < protocol->consent_count &&
           !bytes_equal(scope, bytes_of_string(protocol->consents[index].scope)))
        index++;
    if (scope.data == NULL || form.data == NULL || index == protocol->consent_count)
        return NULL; /* register_apply says what is missing */
    for (uint16_t i = 0; i < protocol->consents[index].form_count; i++) {
        if (bytes_equal(form, bytes_of_string(protocol->consents[index].forms[i])))
            return NULL;
    }
    return "the protocol names no such version of that form; let the person sign the one in use";
}

/* Might the sender take the person off the list? What the protocol does not know any more stops nobody. */
static bool may_take_over(const struct decider *decider)
{
    const struct protocol *protocol = decider->protocol;
    const struct register_entry *entry = &decider->person->entry;
    const uint16_t strand = protocol_find_strand(protocol, entry->strand);
    const bool young = entry->juvenile != JUVENILE_NO;

    if (protocol_find_area(protocol, entry->area) != PROTOCOL_NONE && !serves_area(decider))
        return false;
    if (strand == PROTOCOL_NONE || protocol->strands[strand].class_index == decider->from_class)
        return true;
    return young && protocol->juvenile_class == decider->from_class &&
           (protocol->juvenile_strands >> strand & 1) != 0;
}

static const char *why_no_listing(const struct decider *decider)
{
    const struct register_entry *entry = &decider->person->entry;

    if (request_attribute(decider->protocol->catalogue, decider->request, "selector").data == NULL)
        return "a listing says why: give 'selector'";
    if (!entry->listed)
        return NULL;
    if (!may_take_over(decider))
        return "the person is on the list already, where others answer for it; whoever does must move the "
               "person to another area, or remove the person, first";
    if (entry->divert[0] != '\0' &&
        request_attribute(decider->protocol->catalogue, decider->request, "divert").data == NULL)
        return "another arrangement looks after the person; state 'divert', or end that with a review first";
    return NULL;
}

const char *decider_why_not(const struct decider *decider)
{
    enum effect effect = decider->type->effect;

    if (effect == EFFECT_LIST)
        return why_no_listing(decider);
    if (effect == EFFECT_CONSENT)
        return why_no_consent(decider);
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
