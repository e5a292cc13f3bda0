#include "policy/check_parts.h"

/* Clocks that cannot be met, and law that is stated to no purpose. */

static bool longer(struct duration a, struct duration b)
{
    int64_t start = 0;

    return civil_add_duration(start, a, 1) > civil_add_duration(start, b, 1);
}

static const struct protocol_route *first_route(const struct protocol *protocol, uint16_t rule,
                                                enum protocol_clock clock)
{
    for (uint32_t i = 0; i < protocol->route_count; i++) {
        if (protocol->routes[i].rule == rule && protocol->routes[i].clock == clock)
            return &protocol->routes[i];
    }
    return NULL;
}

static void check_clock(const struct check *check, uint16_t index)
{
    const struct protocol_rule *rule = &check->protocol->rules[index];
    const struct protocol_route *within = first_route(check->protocol, index, CLOCK_WITHIN);
    const struct protocol_route *before = first_route(check->protocol, index, CLOCK_BEFORE);
    const struct yaml_node *node = check_rule_node(check, index);

    if (within != NULL && rule->urgent && longer(rule->acknowledge, within->clock_length))
        yaml_errors_add(
            check->warnings, yaml_get(node, "urgent"),
            "a receipt would be due after the deadline itself; shorten 'acknowledge', or give the "
            "rule more time");
    if (within != NULL && longer(within->clock_length, rule->retention))
        yaml_errors_add(check->warnings, yaml_get(node, "deadline"),
                        "what arrives just in time is deleted at once; shorten the deadline, or lengthen "
                        "'retention'");
    if (before != NULL && longer(before->clock_length, rule->retention))
        yaml_errors_add(check->warnings, yaml_get(node, "retention"),
                        "what is sent in time is deleted before the day that it is about; lengthen it");
}

/* A grace as long as the interval between reviews lets every second review be skipped. */
static void check_reviews(const struct check *check)
{
    const struct protocol *protocol = check->protocol;

    for (uint16_t i = 0; i < protocol->strand_count; i++) {
        const struct protocol_strand *strand = &protocol->strands[i];

        if (strand->has_longest_review && longer(protocol->review_grace, strand->longest_review))
            yaml_errors_add(check->warnings, yaml_get(yaml_get(check->root, "settings"), "review_grace"),
                            "the grace is longer than the interval of the strand '%s', so an overdue review "
                            "stops nothing; shorten it",
                            strand->name);
    }
}

void check_clocks(const struct check *check)
{
    for (uint16_t i = 0; i < check->protocol->rule_count; i++) {
        if (!check->protocol->rules[i].record && !check->protocol->rules[i].break_glass)
            check_clock(check, i);
    }
    check_reviews(check);
}

/* Which gateways, crossings, conditions and consents some route rests on. */
struct used {
    uint32_t gateways;
    uint32_t crossings;
    uint32_t conditions;
    uint32_t consents;
};

static struct used find_used(const struct protocol *protocol)
{
    struct used used = {0};

    for (uint32_t i = 0; i < protocol->route_count; i++) {
        const struct protocol_route *route = &protocol->routes[i];

        for (uint16_t k = 0; k < route->carriage_count; k++)
            used.gateways |= UINT32_C(1) << route->carriages[k].gateway;
        used.crossings |= route->crossings;
        if (route->condition != PROTOCOL_NONE)
            used.conditions |= UINT32_C(1) << route->condition;
        if (route->consent != PROTOCOL_NONE)
            used.consents |= UINT32_C(1) << route->consent;
    }
    for (uint16_t i = 0; i < protocol->class_count; i++)
        used.crossings |= protocol->classes[i].replace_crossing;
    return used;
}

static void warn_unused(const struct check *check, const char *section, const char *name)
{
    const struct yaml_node *node = yaml_get(yaml_get(check->root, section), name);

    yaml_errors_add(check->warnings, node->key,
                    "nothing that anybody can receive rests on this; leave it out of '%s', or use it",
                    section);
}

/* A consent on which something rests must be recordable by somebody. */
static void check_recording(const struct check *check, uint32_t consents)
{
    const struct protocol *protocol = check->protocol;

    for (uint16_t event = 0; event < protocol->catalogue->event_count; event++) {
        for (uint16_t class = 0; class < protocol->class_count; class ++) {
            if (protocol->catalogue->events[event].effect == EFFECT_CONSENT &&
                protocol_pair_of(protocol, event, class)->rule != PROTOCOL_NONE &&
                !party_set_empty(&protocol->classes[class].parties))
                return;
        }
    }
    if (consents != 0)
        yaml_errors_add(
            check->warnings, yaml_get(check->root, "consents")->key,
            "nobody may record a consent, and rules rest on some; add a record for consent.given");
}

void check_law(const struct check *check)
{
    const struct protocol *protocol = check->protocol;
    struct used used = find_used(protocol);

    for (uint16_t i = 0; i < protocol->gateway_count; i++) {
        if ((used.gateways >> i & 1) == 0)
            warn_unused(check, "gateways", protocol->gateways[i].name);
    }
    for (uint16_t i = 0; i < protocol->crossing_count; i++) {
        if ((used.crossings >> i & 1) == 0)
            warn_unused(check, "crossings", protocol->crossings[i].name);
    }
    for (uint16_t i = 0; i < protocol->condition_count; i++) {
        if ((used.conditions >> i & 1) == 0)
            warn_unused(check, "conditions", protocol->conditions[i].name);
    }
    for (uint16_t i = 0; i < protocol->consent_count; i++) {
        if ((used.consents >> i & 1) == 0)
            warn_unused(check, "consents", protocol->consents[i].scope);
    }
    check_recording(check, used.consents);
}
