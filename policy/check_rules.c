#include "policy/check_parts.h"

/* Rules and recipients that nobody can be reached by, and what is granted twice or in vain. */

/* What is known of one entry of a rule's `to`. */
struct reach {
    bool routes;     /* somebody could send it */
    bool reaches;    /* and somebody receive it */
    uint16_t denial; /* that stopped a route, or PROTOCOL_NONE */
};

static struct reach reach_of(const struct protocol *protocol, uint16_t rule, uint16_t grant)
{
    struct reach reach = {.denial = PROTOCOL_NONE};

    for (uint32_t i = 0; i < protocol->route_count; i++) {
        const struct protocol_route *route = &protocol->routes[i];

        if (route->rule != rule || route->grant != grant)
            continue;
        reach.routes = true;
        reach.reaches = reach.reaches || check_reaches(protocol, route);
        if (route->denial != PROTOCOL_NONE)
            reach.denial = route->denial;
    }
    return reach;
}

static void warn_grant(const struct check *check, uint16_t rule, uint16_t grant, const struct reach *reach)
{
    const struct yaml_node *node = check_grant_node(check, rule, grant);

    if (reach->denial != PROTOCOL_NONE)
        yaml_errors_add(check->warnings, node,
                        "the denial '%s' takes all of this away; leave it out, or narrow the denial",
                        check->protocol->denials[reach->denial].id);
    else
        yaml_errors_add(check->warnings, node, "%s; add parties that fit, or leave this recipient out",
                        reach->routes
                            ? "no party of the class fits the relation (force, areas, establishments, "
                              "pathways)"
                            : "there is no party to send or to receive this");
}

static void check_rule(const struct check *check, uint16_t rule)
{
    const struct yaml_node *node = check_rule_node(check, rule);
    size_t count = yaml_count(yaml_get(node, "to"));
    bool alive = false;

    for (uint16_t grant = 0; grant < count; grant++)
        alive = alive || reach_of(check->protocol, rule, grant).reaches;
    if (!alive) {
        yaml_errors_add(check->warnings, node->key,
                        "the rule reaches nobody: no recipient of it has a party, a gateway that runs and no "
                        "denial; mend it, or leave it out");
        return;
    }
    for (uint16_t grant = 0; grant < count; grant++) {
        struct reach reach = reach_of(check->protocol, rule, grant);

        if (!reach.reaches)
            warn_grant(check, rule, grant, &reach);
    }
}

static bool can_send(const struct protocol *protocol, uint32_t classes)
{
    for (uint16_t i = 0; i < protocol->class_count; i++) {
        if ((classes >> i & 1) != 0 && !party_set_empty(&protocol->classes[i].parties))
            return true;
    }
    return false;
}

void check_rules(const struct check *check)
{
    for (uint16_t rule = 0; rule < check->protocol->rule_count; rule++) {
        if (!check->protocol->rules[rule].record && !check->protocol->rules[rule].follows)
            check_rule(check, rule);
        else if (!can_send(check->protocol, check->protocol->rules[rule].from))
            yaml_errors_add(
                check->warnings, check_rule_node(check, rule)->key,
                "no party can send this; add one of a class under 'from', or leave the record out");
    }
}

/* Two entries that give one class the same item of the same event in the same relation: the weaker one makes
 * the other's consent or condition idle. */
static void check_twice(const struct check *check, const struct protocol_route *first,
                        const struct protocol_route *second)
{
    struct label_set both = label_set_and(first->labels, &second->labels);

    if (first->rule != second->rule || first->grant == second->grant || first->to_class != second->to_class ||
        first->relation != second->relation || first->when != second->when ||
        first->when_codes != second->when_codes || label_set_empty(&both))
        return;
    yaml_errors_add(check->warnings, check_grant_node(check, second->rule, second->grant),
                    "recipient %u of this rule gives '%s' to the same class already%s; grant it once",
                    first->grant + 1u, check->protocol->catalogue->labels[label_set_next(&both, 0)].label,
                    first->consent != second->consent ? ", under another consent" : "");
}

/* An item that is granted to a class by name and denied to it is a contradiction that a reader should not
 * have to resolve; `any` is meant to have exceptions. */
static void check_denied(const struct check *check, const struct protocol_route *route, uint16_t from)
{
    const struct protocol *protocol = check->protocol;
    const struct yaml_node *grant = check_grant_node(check, route->rule, route->grant);
    const struct yaml_node *lists[2] = {yaml_get(grant, "items")};
    struct label_set denied;

    if (yaml_is(yaml_get(grant, "class"), "any"))
        return;
    lists[1] = yaml_get(yaml_get(grant, "items_of"), protocol->catalogue->events[route->event].type);
    protocol_denied(protocol, route->event, from, route->to_class, &denied);
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < yaml_count(lists[i]); k++) {
            const struct yaml_node *item = yaml_at(lists[i], k);
            uint16_t label = catalogue_find_label(protocol->catalogue, bytes_of_string(item->text));

            if (label != CATALOGUE_NONE && label_set_has(&denied, label))
                yaml_errors_add(check->warnings, item,
                                "a denial takes '%s' away from class %s; leave it out here", item->text,
                                protocol->classes[route->to_class].name);
        }
    }
}

void check_grants(const struct check *check)
{
    const struct protocol *protocol = check->protocol;

    for (uint16_t event = 0; event < protocol->catalogue->event_count; event++) {
        for (uint16_t from = 0; from < protocol->class_count; from++) {
            const struct protocol_pair *pair = protocol_pair_of(protocol, event, from);
            const struct protocol_route *routes = &protocol->routes[pair->first_route];

            for (uint32_t i = 0; i < pair->route_count; i++) {
                check_denied(check, &routes[i], from);
                for (uint32_t k = 0; k < i; k++)
                    check_twice(check, &routes[k], &routes[i]);
            }
        }
    }
}
