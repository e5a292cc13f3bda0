#include "policy/check.h"

#include "policy/check_parts.h"

/* Who: classes without a party, areas where nobody has the authority; and what the parts need. */

const struct yaml_node *check_rule_node(const struct check *check, uint16_t rule)
{
    const char *id = check->protocol->rules[rule].id;
    const struct yaml_node *const places[] = {
        yaml_get(check->root, "rules"), yaml_get(check->root, "records"),
        yaml_get(check->root, "corrections"), yaml_get(yaml_get(check->root, "break_glass"), "rules")};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const struct yaml_node *node = yaml_get(places[i], id);

        if (node != NULL)
            return node;
    }
    return check->root;
}

const struct yaml_node *check_grant_node(const struct check *check, uint16_t rule, uint16_t grant)
{
    const struct yaml_node *node = check_rule_node(check, rule);
    const struct yaml_node *entry = yaml_at(yaml_get(node, "to"), grant);

    return entry == NULL ? node : entry;
}

bool check_reaches(const struct protocol *protocol, const struct protocol_route *route)
{
    const struct party_set *class = &protocol->classes[route->to_class].parties;

    if (route->stopped != 0)
        return false;
    for (unsigned i = party_set_next(class, 0); i < SET256_END; i = party_set_next(class, i + 1)) {
        const struct protocol_party *party = &protocol->parties[i];

        if ((route->relation == RELATION_HOME_FORCE && party->force[0] == '\0') ||
            (route->relation == RELATION_HOLDING_PRISON && party->establishment_count == 0) ||
            (route->relation == RELATION_ALL_IN_AREA && party->areas == 0) ||
            (route->relation == RELATION_PROVIDER && (party->areas == 0 || party->pathways == 0)))
            continue;
        return true;
    }
    return false;
}

static void check_classes(const struct check *check)
{
    const struct yaml_node *classes = yaml_get(check->root, "classes");

    for (uint16_t i = 0; i < check->protocol->class_count; i++) {
        if (party_set_empty(&check->protocol->classes[i].parties))
            yaml_errors_add(check->warnings, yaml_get(classes, check->protocol->classes[i].name)->key,
                            "no party is of this class; name one under 'parties', or leave the class out");
    }
}

/* In an area that no party of the authority's class serves, nobody can be put on the list. */
static void check_strands(const struct check *check)
{
    const struct protocol *protocol = check->protocol;

    for (uint16_t i = 0; i < protocol->strand_count; i++) {
        const struct protocol_strand *strand = &protocol->strands[i];
        const struct yaml_node *node = yaml_get(yaml_get(check->root, "strands"), strand->name);

        for (uint16_t area = 0; area < protocol->area_count; area++) {
            struct party_set here =
                party_set_and(protocol->classes[strand->class_index].parties, &protocol->in_area[area]);

            if (party_set_empty(&here))
                yaml_errors_add(
                    check->warnings, node->key,
                    "no party of class %s serves the area '%s', so nobody can be listed there; let "
                    "one serve it",
                    protocol->classes[strand->class_index].name, protocol->areas[area]);
        }
    }
}

enum status check_protocol(const struct protocol *protocol, struct byte_view text,
                           struct yaml_errors *warnings)
{
    struct check check = {.protocol = protocol, .warnings = warnings};
    struct yaml *yaml = NULL;
    struct yaml_error error;
    enum status status = yaml_parse(text, &yaml, &error);

    if (status != STATUS_OK)
        return status;
    check.root = yaml_root(yaml);
    check_classes(&check);
    check_strands(&check);
    check_rules(&check);
    check_grants(&check);
    check_clocks(&check);
    check_law(&check);
    yaml_destroy(&yaml);
    return STATUS_OK;
}
