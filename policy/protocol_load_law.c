#include <string.h>

#include "policy/protocol_load.h"

/* By what right: gateways, crossings, conditions, consents. */

uint16_t protocol_load_find_gateway(const struct protocol *protocol, struct byte_view name)
{
    for (uint16_t i = 0; i < protocol->gateway_count; i++) {
        if (bytes_equal(name, bytes_of_string(protocol->gateways[i].name)))
            return i;
    }
    return PROTOCOL_NONE;
}

uint16_t protocol_load_find_crossing(const struct protocol *protocol, struct byte_view name)
{
    for (uint16_t i = 0; i < protocol->crossing_count; i++) {
        if (bytes_equal(name, bytes_of_string(protocol->crossings[i].name)))
            return i;
    }
    return PROTOCOL_NONE;
}

uint16_t protocol_load_find_condition(const struct protocol *protocol, struct byte_view name)
{
    for (uint16_t i = 0; i < protocol->condition_count; i++) {
        if (bytes_equal(name, bytes_of_string(protocol->conditions[i].name)))
            return i;
    }
    return PROTOCOL_NONE;
}

uint16_t protocol_load_find_consent(const struct protocol *protocol, struct byte_view name)
{
    for (uint16_t i = 0; i < protocol->consent_count; i++) {
        if (bytes_equal(name, bytes_of_string(protocol->consents[i].scope)))
            return i;
    }
    return PROTOCOL_NONE;
}

static void load_gateway(struct protocol_loader *loader, const struct yaml_node *node,
                         struct protocol_gateway *gateway)
{
    static const char *const keys[] = {"law", "from", "to", "items", "reserved", NULL};
    const struct yaml_node *reserved = yaml_get(node, "reserved");
    bool any;

    if (!read_fields(loader->errors, node, keys))
        return;
    read_sentence(loader->errors, loader->arena, yaml_read_required(loader->errors, node, "law"),
                  &gateway->law);
    gateway->from = protocol_read_references(loader, yaml_read_required(loader->errors, node, "from"),
                                             protocol_load_find_body, "body", "bodies", &any);
    gateway->to = protocol_read_references(loader, yaml_read_required(loader->errors, node, "to"),
                                           protocol_load_find_body, "body", "bodies", &any);
    gateway->limited = yaml_get(node, "items") != NULL;
    gateway->items = protocol_read_labels(loader, yaml_get(node, "items"));
    yaml_read_bool(loader->errors, reserved, &gateway->reserved);
    if (gateway->reserved && !gateway->limited)
        yaml_errors_add(loader->errors, reserved,
                        "a gateway that reserves items must name them; add 'items'");
}

static void load_gateways(struct protocol_loader *loader, const struct yaml_node *root)
{
    const struct yaml_node *nodes;
    struct protocol *protocol = loader->protocol;
    size_t count = read_records(loader->errors, root, "gateways", true, PROTOCOL_GATEWAYS_MAX, &nodes);
    struct protocol_gateway *gateways = arena_array(loader->arena, count, sizeof *gateways);

    if (gateways == NULL)
        return;
    protocol->gateways = gateways;
    for (size_t i = 0; i < count; i++) {
        struct protocol_gateway *gateway = &gateways[protocol->gateway_count];

        if (!read_name(loader->errors, loader->arena, yaml_key(nodes, i), &gateway->name))
            continue;
        load_gateway(loader, yaml_value(nodes, i), gateway);
        protocol->gateway_count++;
    }
}

static void load_crossing(struct protocol_loader *loader, const struct yaml_node *node,
                          struct protocol_crossing *crossing)
{
    static const char *const keys[] = {"law", "basis", "from", "to", NULL};
    static const char *const regimes[] = {"law_enforcement", "general", NULL};
    size_t from = 0, to = 0;

    if (!read_fields(loader->errors, node, keys))
        return;
    read_sentence(loader->errors, loader->arena, yaml_read_required(loader->errors, node, "law"),
                  &crossing->law);
    read_sentence(loader->errors, loader->arena, yaml_read_required(loader->errors, node, "basis"),
                  &crossing->basis);
    if (!yaml_read_enum(loader->errors, yaml_read_required(loader->errors, node, "from"), regimes, &from) ||
        !yaml_read_enum(loader->errors, yaml_read_required(loader->errors, node, "to"), regimes, &to))
        return;
    if (from == to)
        yaml_errors_add(loader->errors, node,
                        "both sides are under one regime, so nothing is crossed; leave it out");
    crossing->from = (enum protocol_regime)from;
    crossing->to = (enum protocol_regime)to;
}

static void load_crossings(struct protocol_loader *loader, const struct yaml_node *root)
{
    const struct yaml_node *nodes;
    struct protocol *protocol = loader->protocol;
    size_t count = read_records(loader->errors, root, "crossings", false, PROTOCOL_CROSSINGS_MAX, &nodes);
    struct protocol_crossing *crossings = arena_array(loader->arena, count, sizeof *crossings);

    if (crossings == NULL)
        return;
    protocol->crossings = crossings;
    for (size_t i = 0; i < count; i++) {
        struct protocol_crossing *crossing = &crossings[protocol->crossing_count];

        if (!read_name(loader->errors, loader->arena, yaml_key(nodes, i), &crossing->name))
            continue;
        load_crossing(loader, yaml_value(nodes, i), crossing);
        protocol->crossing_count++;
    }
}

static void load_conditions(struct protocol_loader *loader, const struct yaml_node *root)
{
    const struct yaml_node *nodes;
    struct protocol *protocol = loader->protocol;
    size_t count = read_records(loader->errors, root, "conditions", false, PROTOCOL_CONDITIONS_MAX, &nodes);
    struct protocol_condition *conditions = arena_array(loader->arena, count, sizeof *conditions);

    if (conditions == NULL)
        return;
    protocol->conditions = conditions;
    for (size_t i = 0; i < count; i++) {
        struct protocol_condition *condition = &conditions[protocol->condition_count];

        if (read_name(loader->errors, loader->arena, yaml_key(nodes, i), &condition->name) &&
            read_sentence(loader->errors, loader->arena, yaml_value(nodes, i), &condition->law))
            protocol->condition_count++;
    }
}

/* A consent is given on a form, whose wording somebody approved. */
static void read_forms(struct protocol_loader *loader, const struct yaml_node *list,
                       struct protocol_consent *consent)
{
    const char **forms;

    if (!yaml_read_list(loader->errors, list, 1, PROTOCOL_FORMS_MAX))
        return;
    forms = arena_array(loader->arena, yaml_count(list), sizeof *forms);
    if (forms == NULL)
        return;
    for (size_t i = 0; i < yaml_count(list); i++) {
        if (read_sentence(loader->errors, loader->arena, yaml_at(list, i), &forms[consent->form_count]))
            consent->form_count++;
    }
    consent->forms = forms;
}

static void load_consents(struct protocol_loader *loader, const struct yaml_node *root)
{
    static const char *const keys[] = {"longest", "forms", "recorded_by", NULL};
    const struct yaml_node *nodes;
    const struct catalogue_codes *scopes = protocol_codes_of(loader, "scope");
    struct protocol *protocol = loader->protocol;
    size_t count = read_records(loader->errors, root, "consents", false, PROTOCOL_CONSENTS_MAX, &nodes);
    struct protocol_consent *consents = arena_array(loader->arena, count, sizeof *consents);

    if (consents == NULL)
        return;
    protocol->consents = consents;
    for (size_t i = 0; i < count; i++) {
        struct protocol_consent *consent = &consents[protocol->consent_count];
        const struct yaml_node *node = yaml_value(nodes, i);

        if (!protocol_check_code(loader, yaml_key(nodes, i), scopes, "scope") ||
            (consent->scope = arena_text(loader->arena, yaml_key(nodes, i)->text)) == NULL ||
            !read_fields(loader->errors, node, keys))
            continue;
        read_positive(loader->errors, yaml_read_required(loader->errors, node, "longest"), &consent->longest);
        read_forms(loader, yaml_read_required(loader->errors, node, "forms"), consent);
        consent->recorded_by =
            protocol_read_references(loader, yaml_read_required(loader->errors, node, "recorded_by"),
                                     protocol_find_class, "class", "classes", NULL);
        protocol->consent_count++;
    }
}

void protocol_load_law(struct protocol_loader *loader, const struct yaml_node *root)
{
    load_gateways(loader, root);
    load_crossings(loader, root);
    load_conditions(loader, root);
    load_consents(loader, root);
}
