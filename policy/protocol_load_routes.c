#include <stdlib.h>
#include <string.h>

#include "policy/decide.h"
#include "policy/protocol_load.h"

/* Spreads grants over event types and classes, and puts the routes into the order in which decisions read
 * them. */

static const char *class_name(const struct protocol_loader *loader, unsigned class)
{
    return loader->protocol->classes[class].name;
}

/* The stated crossing that leads from one class's regime to the other's; ret_needed: is there one to cross?
 */
static uint16_t crossing_of(const struct protocol *protocol, uint16_t stated, uint16_t from, uint16_t to,
                            bool *ret_needed)
{
    enum protocol_regime here = protocol->classes[from].regime, there = protocol->classes[to].regime;

    *ret_needed = here != there;
    for (uint16_t i = 0; i < protocol->crossing_count && here != there; i++) {
        if ((stated >> i & 1) != 0 && protocol->crossings[i].from == here &&
            protocol->crossings[i].to == there)
            return i;
    }
    return PROTOCOL_NONE;
}

static void add_carriage(struct protocol_route *route, uint16_t gateway, const struct label_set *labels)
{
    route->carriages[route->carriage_count++] = (struct protocol_carriage){gateway, *labels};
    route->labels = label_set_or(route->labels, labels);
}

static void set_clock(struct protocol_loader *loader, const struct protocol_rule_context *rule,
                      uint16_t event, struct protocol_route *route)
{
    const struct catalogue_event *type = &loader->catalogue->events[event];

    route->clock = rule->clock;
    route->clock_length = rule->clock_length;
    if (rule->clock != CLOCK_BEFORE)
        return;
    route->clock_attribute = catalogue_attribute_at(type, rule->clock_label);
    if (route->clock_attribute != CATALOGUE_NONE)
        return;
    route->clock = CLOCK_WITHIN;
    route->clock_length = rule->otherwise;
}

/* A denial beats the grant: nothing goes, or without what is denied. */
static void deny(const struct protocol *protocol, uint16_t event, uint16_t from, struct protocol_route *route)
{
    struct label_set denied;

    route->denial = protocol_denied(protocol, event, from, route->to_class, &denied);
    if (route->denial != PROTOCOL_NONE)
        route->stopped = POLICY_DENIED;
    route->labels = label_set_minus(route->labels, &denied);
    for (uint16_t i = 0; i < route->carriage_count; i++)
        route->carriages[i].labels = label_set_minus(route->carriages[i].labels, &denied);
}

static bool grow(struct protocol_loader *loader)
{
    size_t capacity = loader->route_capacity == 0 ? 64 : loader->route_capacity * 2;
    struct protocol_route *routes;
    uint32_t *pairs;

    if (loader->route_count < loader->route_capacity)
        return true;
    routes = realloc(loader->routes, capacity * sizeof *routes);
    if (routes != NULL)
        loader->routes = routes;
    pairs = realloc(loader->route_pairs, capacity * sizeof *pairs);
    if (pairs != NULL)
        loader->route_pairs = pairs;
    if (routes == NULL || pairs == NULL) {
        loader->no_memory = true;
        return false;
    }
    loader->route_capacity = capacity;
    return true;
}

/* Do the parties of one class ever get what goes to the other: as itself, or in its place for a juvenile? */
static bool can_meet(const struct protocol_class *classes, uint16_t a, uint16_t b)
{
    return a == b || classes[a].replaced_by == b || classes[b].replaced_by == a ||
           (classes[a].replaced_by != PROTOCOL_NONE && classes[a].replaced_by == classes[b].replaced_by);
}

/* A section names one rule, so one class gets an event type from one class under one rule only. */
static void check_one_rule(struct protocol_loader *loader, const struct protocol_rule_context *rule,
                           const struct protocol_grant *grant, uint32_t pair, uint16_t event, uint16_t to)
{
    const struct protocol_class *classes = loader->protocol->classes;

    for (size_t i = 0; i < loader->route_count; i++) {
        uint16_t other = loader->routes[i].to_class;

        if (loader->route_pairs[i] != pair || loader->routes[i].rule == rule->rule ||
            loader->rules[rule->rule].break_glass) /* the event names its rule */
            continue;
        if (!can_meet(classes, other, to))
            continue;
        yaml_errors_add(loader->errors, grant->node,
                        "'%s' gives %s to %s already, and a section names one rule; put both into one rule",
                        loader->rules[loader->routes[i].rule].id, loader->catalogue->events[event].type,
                        class_name(loader, other));
        return;
    }
}

static void add_route(struct protocol_loader *loader, const struct protocol_rule_context *rule,
                      const struct protocol_grant *grant, uint16_t event, uint16_t from, uint16_t to)
{
    const struct protocol *protocol = loader->protocol;
    uint32_t pair = (uint32_t)event * protocol->class_count + from;
    struct label_set items = label_set_or(grant->items, &grant->items_of[event]);
    struct protocol_route route = {.rule = rule->rule,
                                   .grant = grant->position,
                                   .event = event,
                                   .to_class = to,
                                   .relation = grant->relation,
                                   .bare = grant->bare,
                                   .adults_only = grant->adults_only,
                                   .denial = PROTOCOL_NONE,
                                   .when =
                                       catalogue_attribute_at(&loader->catalogue->events[event], grant->when),
                                   .when_codes = grant->when_codes,
                                   .required = grant->required,
                                   .consent = grant->consent,
                                   .condition = grant->condition,
                                   .crossings = grant->crossings};
    bool crosses;

    check_one_rule(loader, rule, grant, pair, event, to);
    add_carriage(&route, grant->gateway, &items);
    if (!protocol_gateway_runs(protocol, grant->gateway, from, to))
        route.stopped = POLICY_GATEWAY;
    for (uint16_t i = 0; i < grant->also_count; i++) {
        if (protocol_gateway_runs(protocol, grant->also[i].gateway, from, to))
            add_carriage(&route, grant->also[i].gateway, &grant->also[i].labels);
    }
    route.crossing = crossing_of(protocol, grant->crossings, from, to, &crosses);
    set_clock(loader, rule, event, &route);
    deny(protocol, event, from, &route);
    if (!grow(loader))
        return;
    loader->routes[loader->route_count] = route;
    loader->route_pairs[loader->route_count++] = pair;
}

/* Which of the stated things some pair of the grant uses, to find what is stated in vain. */
struct used {
    bool gateway;
    uint16_t crossings;
    bool also[PROTOCOL_ALSO_MAX];
};

static void check_pair(struct protocol_loader *loader, const struct protocol_rule_context *rule,
                       const struct protocol_grant *grant, uint16_t from, uint16_t to, struct used *used)
{
    const struct protocol *protocol = loader->protocol;
    bool named = !rule->any_from && !grant->any_class, crosses;
    uint16_t crossing = crossing_of(protocol, grant->crossings, from, to, &crosses);

    if (protocol_gateway_runs(protocol, grant->gateway, from, to)) {
        used->gateway = true;
        if (crossing != PROTOCOL_NONE)
            used->crossings |= (uint16_t)(1u << crossing);
        else if (crosses)
            yaml_errors_add(loader->errors, grant->node,
                            "from %s to %s the regime changes; add a 'crossing' that leads that way",
                            class_name(loader, from), class_name(loader, to));
    } else if (named) {
        yaml_errors_add(loader->errors, yaml_get(grant->node, "gateway"),
                        "the gateway '%s' does not run from %s to %s; use one that does",
                        protocol->gateways[grant->gateway].name, class_name(loader, from),
                        class_name(loader, to));
    }
    for (uint16_t i = 0; i < grant->also_count; i++) {
        if (protocol_gateway_runs(protocol, grant->also[i].gateway, from, to))
            used->also[i] = true;
        else if (named)
            yaml_errors_add(loader->errors, yaml_get(grant->node, "also"),
                            "the gateway '%s' does not run from %s to %s; use one that does",
                            protocol->gateways[grant->also[i].gateway].name, class_name(loader, from),
                            class_name(loader, to));
    }
}

/* True when some pair of classes can use the grant. */
static bool check_pairs(struct protocol_loader *loader, const struct protocol_rule_context *rule,
                        const struct protocol_grant *grant)
{
    const struct protocol *protocol = loader->protocol;
    size_t before = loader->errors->count;
    struct used used = {0};

    for (uint16_t from = 0; from < protocol->class_count; from++) {
        for (uint16_t to = 0; to < protocol->class_count; to++) {
            if ((loader->rules[rule->rule].from >> from & 1) != 0 && (grant->classes >> to & 1) != 0)
                check_pair(loader, rule, grant, from, to, &used);
        }
    }
    if (loader->errors->count > before)
        return false;
    if (!used.gateway)
        yaml_errors_add(loader->errors, yaml_get(grant->node, "gateway"),
                        "the gateway '%s' runs between none of these classes; use another",
                        protocol->gateways[grant->gateway].name);
    for (uint16_t i = 0; i < grant->also_count; i++) {
        if (!used.also[i])
            yaml_errors_add(loader->errors, yaml_get(grant->node, "also"),
                            "the gateway '%s' runs between none of these classes; use another",
                            protocol->gateways[grant->also[i].gateway].name);
    }
    if (used.gateway && (grant->crossings & ~used.crossings) != 0)
        yaml_errors_add(loader->errors, yaml_get(grant->node, "crossing"),
                        "a crossing is stated that nothing here crosses; leave it out");
    return loader->errors->count == before;
}

/* A class without parties sends nothing, and gets nothing by `any`; one that is named is kept, so that a
 * decision can say that nobody is there. */
static bool is_wanted(const struct protocol_loader *loader, const struct protocol_rule_context *rule,
                      const struct protocol_grant *grant, uint16_t from, uint16_t to)
{
    const struct protocol_class *classes = loader->protocol->classes;

    if ((loader->rules[rule->rule].from >> from & 1) == 0 || (grant->classes >> to & 1) == 0)
        return false;
    return !party_set_empty(&classes[from].parties) &&
           (!grant->any_class || !party_set_empty(&classes[to].parties));
}

void protocol_add_routes(struct protocol_loader *loader, const struct protocol_rule_context *rule,
                         const struct protocol_grant *grant)
{
    const struct protocol *protocol = loader->protocol;
    size_t before = loader->errors->count;

    if (!check_pairs(loader, rule, grant))
        return;
    for (uint16_t event = 0; event < loader->catalogue->event_count; event++) {
        for (uint16_t from = 0; from < protocol->class_count; from++) {
            for (uint16_t to = 0; to < protocol->class_count; to++) {
                if (bits_has(grant->events, event) && is_wanted(loader, rule, grant, from, to) &&
                    loader->errors->count == before)
                    add_route(loader, rule, grant, event, from, to);
            }
        }
    }
}

/* How many parties a route can reach at most. */
static unsigned reach_of(const struct protocol *protocol, const struct protocol_route *route)
{
    const struct party_set *class = &protocol->classes[route->to_class].parties;
    unsigned most = 0;

    if (route->stopped != 0)
        return 0;
    if (route->relation == RELATION_EVERY_PARTY)
        return party_set_count(class);
    if (route->relation != RELATION_ALL_IN_AREA && route->relation != RELATION_PROVIDER)
        return party_set_empty(class) ? 0 : 1;
    for (uint16_t area = 0; area < protocol->area_count; area++) {
        struct party_set here = party_set_and(*class, &protocol->in_area[area]);

        if (party_set_count(&here) > most)
            most = party_set_count(&here);
    }
    return most;
}

static void check_reach(struct protocol_loader *loader)
{
    const struct protocol *protocol = loader->protocol;

    for (size_t i = 0; i < (size_t)loader->catalogue->event_count * protocol->class_count; i++) {
        const struct protocol_pair *pair = &loader->pairs[i];
        unsigned reach = 0, alone = 0;

        for (uint32_t k = 0; k < pair->route_count; k++) {
            const struct protocol_route *route = &protocol->routes[pair->first_route + k];

            if (k > 0 && loader->rules[route->rule].break_glass && route->rule != route[-1].rule)
                alone = 0; /* an event of this type is under one of the rules */
            alone += reach_of(protocol, route);
            reach = alone > reach ? alone : reach;
        }
        if (reach > PROTOCOL_REACH_MAX)
            yaml_errors_add_at(
                loader->errors, loader->rules[pair->rule].line, 1,
                "%s from %s could reach %u parties, and an event has at most %d recipients; narrow it",
                loader->catalogue->events[i / protocol->class_count].type,
                class_name(loader, (unsigned)(i % protocol->class_count)), reach, PROTOCOL_REACH_MAX);
    }
}

/* The offender manager of an area is one party; of two nobody could say which. Told once for a class. */
static void check_managers(struct protocol_loader *loader)
{
    const struct protocol *protocol = loader->protocol;
    uint32_t told = 0;

    for (uint32_t i = 0; i < protocol->route_count; i++) {
        const struct protocol_route *route = &protocol->routes[i];
        const struct protocol_rule *rule = &loader->rules[route->rule];

        if (route->relation != RELATION_OFFENDER_MANAGER || (told >> route->to_class & 1) != 0)
            continue;
        told |= UINT32_C(1) << route->to_class;
        for (uint16_t area = 0; area < protocol->area_count; area++) {
            struct party_set here =
                party_set_and(protocol->classes[route->to_class].parties, &protocol->in_area[area]);

            if (party_set_count(&here) > 1)
                yaml_errors_add_at(
                    loader->errors, rule->line, rule->column,
                    "more than one party of class %s serves the area '%s', so nobody can say who is "
                    "the offender manager; let one party serve it",
                    class_name(loader, route->to_class), protocol->areas[area]);
        }
    }
}

void protocol_finish_routes(struct protocol_loader *loader)
{
    struct protocol *protocol = loader->protocol;
    size_t pair_count = (size_t)loader->catalogue->event_count * protocol->class_count;
    struct protocol_route *routes = arena_array(loader->arena, loader->route_count, sizeof *routes);
    uint32_t next = 0;

    if (routes == NULL)
        return;
    for (size_t i = 0; i < loader->route_count; i++)
        loader->pairs[loader->route_pairs[i]].route_count++;
    for (size_t i = 0; i < pair_count; i++) {
        loader->pairs[i].first_route = next;
        next += loader->pairs[i].route_count;
        loader->pairs[i].route_count = 0;
    }
    for (size_t i = 0; i < loader->route_count; i++) { /* stable: routes of one rule stay together */
        struct protocol_pair *pair = &loader->pairs[loader->route_pairs[i]];

        routes[pair->first_route + pair->route_count++] = loader->routes[i];
    }
    protocol->routes = routes;
    protocol->route_count = (uint32_t)loader->route_count;
    check_reach(loader);
    check_managers(loader);
}
