#include <string.h>

#include "policy/protocol_load.h"

/* One entry of a rule's `to`. */

static const char *const grant_keys[] = {
    "class",    "except", "of",    "relation", "gateway", "crossing", "consent",     "condition",
    "required", "bare",   "items", "items_of", "also",    "when",     "adults_only", NULL};

static const char *event_type(const struct protocol_loader *loader, unsigned event)
{
    return loader->catalogue->events[event].type;
}

/* The event types that the grant is about: those of the rule, or those that `of` picks from them. */
static void read_of(struct protocol_loader *loader, const struct protocol_rule_context *rule,
                    struct protocol_grant *grant)
{
    const struct yaml_node *list = yaml_get(grant->node, "of");
    char quoted[YAML_QUOTE_SIZE];

    memcpy(grant->events, rule->events, sizeof grant->events);
    if (list == NULL || !yaml_read_list(loader->errors, list, 1, CATALOGUE_EVENTS_MAX))
        return;
    memset(grant->events, 0, sizeof grant->events);
    for (size_t i = 0; i < yaml_count(list); i++) {
        const struct yaml_node *node = yaml_at(list, i);
        uint16_t event = node->kind == YAML_SCALAR
                             ? catalogue_find_event(loader->catalogue, protocol_text_of(node))
                             : CATALOGUE_NONE;

        if (event == CATALOGUE_NONE || !bits_has(rule->events, event))
            yaml_errors_add(loader->errors, node,
                            "%s is no event type of this rule; name one of its 'events'",
                            node->kind == YAML_SCALAR ? yaml_quote(quoted, node->text) : "this");
        else
            bits_add(grant->events, event);
    }
}

static void read_classes(struct protocol_loader *loader, struct protocol_grant *grant)
{
    const struct yaml_node *except = yaml_get(grant->node, "except");

    grant->classes =
        protocol_read_references(loader, yaml_read_required(loader->errors, grant->node, "class"),
                                 protocol_find_class, "class", "classes", &grant->any_class);
    grant->classes =
        protocol_events_only(loader, yaml_get(grant->node, "class"), grant->classes, grant->any_class);
    if (except == NULL)
        return;
    if (!grant->any_class)
        yaml_errors_add(loader->errors, except, "'except' goes with 'class: any' only; leave it out");
    grant->classes &=
        ~protocol_read_references(loader, except, protocol_find_class, "class", "classes", NULL);
}

/* What the rule must be about for a relation to mean anybody. */
static void check_relation(struct protocol_loader *loader, const struct protocol_rule_context *rule,
                           const struct protocol_grant *grant, const struct yaml_node *node)
{
    uint16_t pathway = catalogue_find_label(loader->catalogue, bytes_of_string("pathway"));
    const struct yaml_node *answers = yaml_get(rule->node, "answers");

    for (uint16_t i = 0; i < loader->catalogue->event_count; i++) {
        if (!bits_has(grant->events, i) || grant->relation != RELATION_PROVIDER)
            continue;
        if (!label_set_has(&loader->catalogue->events[i].attribute_set, pathway))
            yaml_errors_add(loader->errors, node,
                            "%s has no attribute 'pathway' to find a provider by; take it out of "
                            "'of', or choose another relation",
                            event_type(loader, i));
    }
    if (grant->relation == RELATION_REFERRER && answers == NULL)
        yaml_errors_add(loader->errors, node,
                        "only the answer to a referral has a referrer; add 'answers' to the rule");
    for (uint16_t i = 0; i < loader->catalogue->event_count; i++) {
        if (bits_has(grant->events, i) && grant->relation == RELATION_REFERRER && answers != NULL &&
            yaml_get(answers, event_type(loader, i)) == NULL)
            yaml_errors_add(loader->errors, node,
                            "%s need not answer anything, so anybody could be its referrer; say under "
                            "'answers' what it answers",
                            event_type(loader, i));
    }
}

static void read_relation(struct protocol_loader *loader, const struct protocol_rule_context *rule,
                          struct protocol_grant *grant)
{
#define NAME(symbol, name, text) name,
    static const char *const relations[] = {PROTOCOL_RELATIONS(NAME) NULL};
#undef NAME
    const struct yaml_node *node = yaml_read_required(loader->errors, grant->node, "relation");
    size_t relation;

    if (!yaml_read_enum(loader->errors, node, relations, &relation))
        return;
    grant->relation = (enum protocol_relation)relation;
    check_relation(loader, rule, grant, node);
}

static void read_law(struct protocol_loader *loader, struct protocol_grant *grant)
{
    const struct yaml_node *node = grant->node;

    grant->gateway = protocol_read_reference(loader, yaml_read_required(loader->errors, node, "gateway"),
                                             protocol_load_find_gateway, "gateway", "gateways");
    grant->crossings = (uint16_t)protocol_read_references(
        loader, yaml_get(node, "crossing"), protocol_load_find_crossing, "crossing", "crossings", NULL);
    grant->consent = PROTOCOL_NONE;
    grant->condition = PROTOCOL_NONE;
    if (yaml_get(node, "consent") != NULL)
        grant->consent = protocol_read_reference(loader, yaml_get(node, "consent"),
                                                 protocol_load_find_consent, "consent", "consents");
    if (yaml_get(node, "condition") != NULL)
        grant->condition = protocol_read_reference(loader, yaml_get(node, "condition"),
                                                   protocol_load_find_condition, "condition", "conditions");
}

static void read_items_of(struct protocol_loader *loader, struct protocol_grant *grant)
{
    const struct yaml_node *map = yaml_get(grant->node, "items_of");
    char quoted[YAML_QUOTE_SIZE];

    if (map == NULL || !yaml_read_map(loader->errors, map))
        return;
    for (size_t i = 0; i < yaml_count(map); i++) {
        const struct yaml_node *key = yaml_key(map, i);
        uint16_t event = catalogue_find_event(loader->catalogue, protocol_text_of(key));
        struct label_set twice;

        if (event == CATALOGUE_NONE || !bits_has(grant->events, event)) {
            yaml_errors_add(loader->errors, key,
                            "%s is no event type that this is about; name one of 'events' or 'of'",
                            yaml_quote(quoted, key->text));
            continue;
        }
        grant->items_of[event] = protocol_read_labels(loader, yaml_value(map, i));
        twice = label_set_and(grant->items, &grant->items_of[event]);
        if (!label_set_empty(&twice))
            yaml_errors_add(loader->errors, yaml_value(map, i),
                            "'%s' stands under 'items' already; leave it out here",
                            loader->catalogue->labels[label_set_next(&twice, 0)].label);
    }
}

static void read_also(struct protocol_loader *loader, struct protocol_grant *grant)
{
    const struct yaml_node *map = yaml_get(grant->node, "also");

    if (map == NULL || !yaml_read_map(loader->errors, map))
        return;
    if (yaml_count(map) > PROTOCOL_ALSO_MAX) {
        yaml_errors_add(loader->errors, map, "more than %d further gateways; name fewer", PROTOCOL_ALSO_MAX);
        return;
    }
    for (size_t i = 0; i < yaml_count(map); i++) {
        struct protocol_carriage *also = &grant->also[grant->also_count];

        also->gateway = protocol_read_reference(loader, yaml_key(map, i), protocol_load_find_gateway,
                                                "gateway", "gateways");
        also->labels = protocol_read_labels(loader, yaml_value(map, i));
        if (also->gateway != PROTOCOL_NONE)
            grant->also_count++;
    }
}

/* A gateway carries no more than its own items, and none that another gateway has reserved. */
static void check_carriage(struct protocol_loader *loader, const struct yaml_node *node, uint16_t gateway,
                           const struct label_set *labels)
{
    const struct protocol *protocol = loader->protocol;

    for (unsigned label = label_set_next(labels, 0); label < SET256_END;
         label = label_set_next(labels, label + 1)) {
        const char *name = loader->catalogue->labels[label].label;

        if (protocol->gateways[gateway].limited && !label_set_has(&protocol->gateways[gateway].items, label))
            yaml_errors_add(loader->errors, node, "the gateway '%s' does not carry '%s'; use one that does",
                            protocol->gateways[gateway].name, name);
        for (uint16_t i = 0; i < protocol->gateway_count; i++) {
            if (i != gateway && protocol->gateways[i].reserved &&
                label_set_has(&protocol->gateways[i].items, label))
                yaml_errors_add(loader->errors, node,
                                "only the gateway '%s' may carry '%s'; put it under 'also'",
                                protocol->gateways[i].name, name);
        }
    }
}

static void check_carried(struct protocol_loader *loader, const struct yaml_node *node, unsigned event,
                          const struct label_set *labels)
{
    struct label_set foreign = label_set_minus(*labels, &loader->catalogue->events[event].carried);

    if (label_set_empty(&foreign))
        return;
    yaml_errors_add(loader->errors, node, "%s does not carry '%s'; leave it out, or name it under 'items_of'",
                    event_type(loader, event), loader->catalogue->labels[label_set_next(&foreign, 0)].label);
}

static void check_items(struct protocol_loader *loader, const struct protocol_grant *grant)
{
    const struct yaml_node *items = yaml_get(grant->node, "items");
    const struct yaml_node *of = yaml_get(grant->node, "items_of");
    const struct yaml_node *also = yaml_get(grant->node, "also");
    const struct yaml_node *required = yaml_get(grant->node, "required");

    check_carriage(loader, items, grant->gateway, &grant->items);
    for (uint16_t i = 0; i < grant->also_count; i++)
        check_carriage(loader, also, grant->also[i].gateway, &grant->also[i].labels);
    for (uint16_t event = 0; event < loader->catalogue->event_count; event++) {
        struct label_set all = label_set_or(grant->items, &grant->items_of[event]);

        if (!bits_has(grant->events, event))
            continue;
        check_carried(loader, items, event, &grant->items);
        if (of != NULL) {
            const struct yaml_node *node = yaml_get(of, event_type(loader, event));

            check_carried(loader, node == NULL ? of : node, event, &grant->items_of[event]);
            check_carriage(loader, node == NULL ? of : node, grant->gateway, &grant->items_of[event]);
        }
        for (uint16_t i = 0; i < grant->also_count; i++) {
            check_carried(loader, also, event, &grant->also[i].labels);
            all = label_set_or(all, &grant->also[i].labels);
        }
        if (!label_set_within(&grant->required, &all))
            yaml_errors_add(loader->errors, required,
                            "an item that is required for %s is not granted; add it to 'items'",
                            event_type(loader, event));
    }
}

static bool has_sensitive(const struct protocol_loader *loader, const struct protocol_grant *grant,
                          unsigned *ret_label)
{
    struct label_set all = grant->items;

    for (uint16_t event = 0; event < loader->catalogue->event_count; event++)
        all = label_set_or(all, &grant->items_of[event]);
    for (uint16_t i = 0; i < grant->also_count; i++)
        all = label_set_or(all, &grant->also[i].labels);
    all = label_set_and(all, &loader->catalogue->sensitive);
    *ret_label = label_set_next(&all, 0);
    return *ret_label < SET256_END;
}

/* Does the grant, or for a juvenile the class that takes the place, lead from one regime to the other? */
static bool may_cross(const struct protocol_loader *loader, const struct protocol_rule_context *rule,
                      const struct protocol_grant *grant)
{
    const struct protocol_class *classes = loader->protocol->classes;

    if (grant->crossings != 0)
        return true;
    for (uint16_t from = 0; from < loader->protocol->class_count; from++) {
        for (uint16_t to = 0; to < loader->protocol->class_count; to++) {
            uint16_t other = classes[to].replaced_by;

            if ((loader->rules[rule->rule].from >> from & 1) != 0 && (grant->classes >> to & 1) != 0 &&
                other != PROTOCOL_NONE && classes[from].regime != classes[other].regime)
                return true;
        }
    }
    return false;
}

/* DPA 2018 s.35(3)-(5): sensitive processing rests on consent or strict necessity with a condition. Where the
 * item also passes from one regime to the other, a consent to be told about is not enough. */
static void check_sensitive(struct protocol_loader *loader, const struct protocol_rule_context *rule,
                            const struct protocol_grant *grant)
{
    unsigned label;

    if (!has_sensitive(loader, grant, &label)) {
        if (grant->condition != PROTOCOL_NONE)
            yaml_errors_add(loader->errors, yaml_get(grant->node, "condition"),
                            "nothing sensitive is granted here; leave 'condition' out");
        return;
    }
    if (grant->condition != PROTOCOL_NONE)
        return;
    if (grant->consent == PROTOCOL_NONE)
        yaml_errors_add(loader->errors, grant->node, "'%s' is sensitive; add 'consent' or 'condition'",
                        loader->catalogue->labels[label].label);
    else if (may_cross(loader, rule, grant))
        yaml_errors_add(
            loader->errors, grant->node,
            "'%s' is sensitive and crosses regimes, so consent alone is not enough; add 'condition'",
            loader->catalogue->labels[label].label);
}

bool protocol_read_grant(struct protocol_loader *loader, const struct protocol_rule_context *rule,
                         const struct yaml_node *node, struct protocol_grant *ret_grant)
{
    size_t before = loader->errors->count;

    if (!read_fields(loader->errors, node, grant_keys))
        return false;
    ret_grant->node = node;
    read_of(loader, rule, ret_grant);
    read_classes(loader, ret_grant);
    read_relation(loader, rule, ret_grant);
    read_law(loader, ret_grant);
    yaml_read_bool(loader->errors, yaml_get(node, "bare"), &ret_grant->bare);
    yaml_read_bool(loader->errors, yaml_get(node, "adults_only"), &ret_grant->adults_only);
    protocol_read_when(loader, ret_grant);
    ret_grant->items = protocol_read_labels(loader, yaml_get(node, "items_of") != NULL
                                                        ? yaml_get(node, "items")
                                                        : yaml_read_required(loader->errors, node, "items"));
    ret_grant->required = protocol_read_labels(loader, yaml_get(node, "required"));
    read_items_of(loader, ret_grant);
    read_also(loader, ret_grant);
    if (loader->errors->count > before)
        return false;
    check_items(loader, ret_grant);
    protocol_check_asked(loader, ret_grant);
    check_sensitive(loader, rule, ret_grant);
    return loader->errors->count == before;
}
