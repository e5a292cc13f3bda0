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

/* A consent counts on a form that the protocol names, recorded by those whom it names. */
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
    if ((protocol->consents[index].recorded_by >> decider->from_class & 1) == 0)
        return "you may not record a consent of that scope; 'recorded_by' under 'consents' says who may";
    for (uint16_t i = 0; i < protocol->consents[index].form_count; i++) {
        if (bytes_equal(form, bytes_of_string(protocol->consents[index].forms[i])))
            return NULL;
    }
    return "the protocol names no such version of that form; let the person sign the one in use";
}

/* Unknown age counts as under 18. */
static const char *why_no_listing(const struct decider *decider)
{
    const struct protocol *protocol = decider->protocol;
    struct byte_view strand = decider->request->attributes[decider->type->reads[0]];
    struct byte_view authority = decider->request->attributes[decider->type->reads[2]];
    uint16_t index = 0;

    if (request_attribute(protocol->catalogue, decider->request, "selector").data == NULL)
        return "a listing says why: give 'selector'";
    while (index < protocol->strand_count &&
           !bytes_equal(strand, bytes_of_string(protocol->strands[index].name)))
        index++;
    if (decider->request->juvenile == JUVENILE_NO || index == protocol->strand_count)
        return NULL;
    if ((protocol->juvenile_strands >> index & 1) == 0)
        return "nobody under 18, or of unknown age, may stand on this list; 'strands' under 'juveniles' says "
               "on "
               "which";
    if (!bytes_equal(authority, bytes_of_string(protocol->juvenile_authority)))
        return "a person under 18, or of unknown age, is listed by the authority that 'approval' under "
               "'juveniles' names; state 'juvenile' if the person is not";
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
