#include "policy/protocol_load.h"

/* Questions: event types with the attribute `asked_items`. */

void protocol_read_may_ask(struct protocol_loader *loader, const struct yaml_node *node,
                           const struct protocol_rule_context *context)
{
    const struct yaml_node *list = yaml_get(node, "may_ask");
    const char *question = NULL;

    for (uint16_t i = 0; i < loader->catalogue->event_count; i++) {
        if (bits_has(context->events, i) && loader->catalogue->events[i].asked != CATALOGUE_NONE)
            question = loader->catalogue->events[i].type;
    }
    if (list == NULL && question != NULL)
        yaml_errors_add(loader->errors, yaml_get(node, "events"),
                        "%s is a question; say under 'may_ask' which items it may be for", question);
    else if (list != NULL && question == NULL)
        yaml_errors_add(loader->errors, list, "nothing is asked under this rule; leave 'may_ask' out");
    else if (list != NULL)
        loader->rules[context->rule].may_ask = protocol_read_labels(loader, list);
}

/* Who is asked must be told what for. */
void protocol_check_asked(struct protocol_loader *loader, const struct protocol_grant *grant)
{
    for (uint16_t i = 0; i < loader->catalogue->event_count; i++) {
        const struct catalogue_event *event = &loader->catalogue->events[i];
        struct label_set items = label_set_or(grant->items, &grant->items_of[i]);

        if (bits_has(grant->events, i) && event->asked != CATALOGUE_NONE &&
            !label_set_has(&items, event->attributes[event->asked].label))
            yaml_errors_add(loader->errors, grant->node,
                            "%s is a question, and who gets it must see what is asked; add '%s' to 'items'",
                            event->type, CATALOGUE_ASKED);
    }
}

/* What answers to a question may tell at most, whoever asks and answers. */
static struct label_set answerable(const struct protocol *protocol, uint16_t question)
{
    struct label_set labels = {{0}};

    for (size_t i = 0; i < (size_t)protocol->catalogue->event_count * protocol->class_count; i++) {
        const struct protocol_pair *pair = &protocol->pairs[i];

        if (!bits_has(pair->answers, question))
            continue;
        for (uint32_t k = 0; k < pair->route_count; k++)
            labels = label_set_or(labels, &protocol->routes[pair->first_route + k].labels);
    }
    return labels;
}

static void check_question(struct protocol_loader *loader, uint16_t event, uint16_t rule)
{
    struct label_set known = answerable(loader->protocol, event);
    struct label_set unknown = label_set_minus(loader->rules[rule].may_ask, &known);

    if (!label_set_empty(&unknown))
        yaml_errors_add_at(loader->errors, loader->rules[rule].line, loader->rules[rule].column,
                           "no rule lets anybody answer %s with '%s'; leave it out of 'may_ask', or grant it",
                           loader->catalogue->events[event].type,
                           loader->catalogue->labels[label_set_next(&unknown, 0)].label);
}

void protocol_check_questions(struct protocol_loader *loader)
{
    const struct protocol *protocol = loader->protocol;
    size_t before = loader->errors->count;

    for (size_t i = 0; i < (size_t)protocol->catalogue->event_count * protocol->class_count; i++) {
        uint16_t event = (uint16_t)(i / protocol->class_count);

        if (protocol->catalogue->events[event].asked != CATALOGUE_NONE &&
            protocol->pairs[i].rule != PROTOCOL_NONE && loader->errors->count == before)
            check_question(loader, event, protocol->pairs[i].rule);
    }
}
