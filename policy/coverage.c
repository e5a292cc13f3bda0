#include "policy/coverage.h"

#include <stdlib.h>

struct builder {
    struct coverage *coverage;
    size_t capacity;
    bool failed;
};

/* The unit, which is made if it is not there yet; NULL: out of memory. */
static struct coverage_unit *take(struct builder *builder, struct coverage_unit unit)
{
    struct coverage *coverage = builder->coverage;
    struct coverage_unit *units;
    size_t capacity;

    for (size_t i = 0; i < coverage->count; i++) {
        struct coverage_unit *known = &coverage->units[i];

        if (known->kind == unit.kind && known->rule == unit.rule && known->event == unit.event &&
            known->entry == unit.entry && known->denial == unit.denial &&
            known->class_index == unit.class_index && known->code == unit.code)
            return known;
    }
    if (coverage->count == builder->capacity) {
        capacity = builder->capacity == 0 ? 64 : builder->capacity * 2;
        units = realloc(coverage->units, capacity * sizeof *units);
        if (units == NULL) {
            builder->failed = true;
            return NULL;
        }
        coverage->units = units;
        builder->capacity = capacity;
    }
    coverage->units[coverage->count] = unit;
    return &coverage->units[coverage->count++];
}

static void add(struct builder *builder, struct coverage_unit unit, bool reachable)
{
    struct coverage_unit *place = take(builder, unit);

    if (place != NULL)
        place->reachable = place->reachable || reachable;
}

static struct coverage_unit refusal(enum policy_code code, uint16_t rule, uint16_t entry, uint16_t class)
{
    return (struct coverage_unit){.kind = COVERAGE_REFUSAL,
                                  .rule = rule,
                                  .event = CATALOGUE_NONE,
                                  .entry = entry,
                                  .denial = PROTOCOL_NONE,
                                  .class_index = class,
                                  .code = code};
}

static unsigned parties_of(const struct protocol *protocol, uint16_t class)
{
    return party_set_count(&protocol->classes[class].parties);
}

/* Nobody tells themselves anything: within one class it takes two. */
static bool has_parties(const struct protocol *protocol, uint16_t from, uint16_t to)
{
    return parties_of(protocol, from) > 0 && parties_of(protocol, to) > (from == to);
}

static bool has_provider(const struct protocol *protocol, const struct protocol_route *route)
{
    const struct party_set *parties = &protocol->classes[route->to_class].parties;

    for (unsigned i = party_set_next(parties, 0); i < SET256_END; i = party_set_next(parties, i + 1)) {
        if (route->relation != RELATION_PROVIDER || protocol->parties[i].pathways != 0)
            return true;
    }
    return false;
}

static void add_route(struct builder *builder, uint16_t event, uint16_t from,
                      const struct protocol_route *route)
{
    const struct protocol *protocol = builder->coverage->protocol;
    const struct protocol_class *class = &protocol->classes[route->to_class];
    bool met = has_parties(protocol, from, route->to_class) && has_provider(protocol, route);
    bool runs = met && route->stopped == POLICY_NONE;
    struct coverage_unit entry = {.kind = COVERAGE_ENTRY,
                                  .rule = route->rule,
                                  .event = event,
                                  .entry = route->grant,
                                  .denial = PROTOCOL_NONE,
                                  .class_index = PROTOCOL_NONE};

    add(builder, entry, runs);
    if (route->stopped != POLICY_NONE && met)
        add(builder, refusal((enum policy_code)route->stopped, route->rule, route->grant, PROTOCOL_NONE),
            true);
    if (route->consent != PROTOCOL_NONE)
        add(builder, refusal(POLICY_CONSENT, route->rule, route->grant, PROTOCOL_NONE), runs);
    if (!label_set_empty(&route->required))
        add(builder, refusal(POLICY_REQUIRED_ITEM, route->rule, route->grant, PROTOCOL_NONE), runs);
    if (route->clock == CLOCK_BEFORE)
        add(builder, refusal(POLICY_MISSING_ATTRIBUTE, route->rule, PROTOCOL_NONE, PROTOCOL_NONE), runs);
    if (route->adults_only)
        add(builder, refusal(POLICY_JUVENILE, route->rule, route->grant, PROTOCOL_NONE), runs);
    if (class->denied_juveniles)
        add(builder, refusal(POLICY_JUVENILE, PROTOCOL_NONE, PROTOCOL_NONE, route->to_class), runs);
}

/* Can a rule that covers some strands meet a person of another? Whoever needs the authority over the list has
 * it over his own strands only. */
static bool meets_others(const struct protocol *protocol, const struct protocol_rule *rule, uint16_t from)
{
    for (uint16_t i = 0; i < protocol->strand_count; i++) {
        if ((rule->strands >> i & 1) == 0 &&
            (rule->need != NEED_LISTING_AUTHORITY || protocol->strands[i].class_index == from))
            return true;
    }
    return false;
}

static void add_rule(struct builder *builder, uint16_t event, uint16_t from, uint16_t index, bool reachable)
{
    const struct protocol *protocol = builder->coverage->protocol;
    const struct protocol_rule *rule = &protocol->rules[index];
    const struct protocol_pair *pair = protocol_pair_of(protocol, event, from);
    struct coverage_unit unit = {.kind = COVERAGE_RULE,
                                 .rule = index,
                                 .event = event,
                                 .entry = PROTOCOL_NONE,
                                 .denial = PROTOCOL_NONE,
                                 .class_index = PROTOCOL_NONE};

    add(builder, unit, reachable);
    if (rule->need == NEED_LISTED)
        add(builder, refusal(POLICY_NOT_LISTED, index, PROTOCOL_NONE, PROTOCOL_NONE), reachable);
    if (rule->need == NEED_LISTING_AUTHORITY && pair->rule == index)
        add(builder, refusal(POLICY_REGISTER, index, PROTOCOL_NONE, PROTOCOL_NONE), reachable);
    if (rule->strands != UINT32_MAX && meets_others(protocol, rule, from))
        add(builder, refusal(POLICY_STRAND, index, PROTOCOL_NONE, PROTOCOL_NONE), reachable);
    if ((pair->answers[0] | pair->answers[1]) != 0 &&
        protocol->catalogue->events[event].effect !=
            EFFECT_CONFIRM) /* refused as a confirmation of nothing */
        add(builder, refusal(POLICY_NO_ANSWER, index, PROTOCOL_NONE, PROTOCOL_NONE), reachable);
    if (rule->break_glass) {
        add(builder, refusal(POLICY_GLASS_REASON, index, PROTOCOL_NONE, PROTOCOL_NONE), reachable);
        add(builder, refusal(POLICY_GLASS_ROLE, index, PROTOCOL_NONE, PROTOCOL_NONE), reachable);
        add(builder, refusal(POLICY_GLASS_QUOTA, index, PROTOCOL_NONE, PROTOCOL_NONE), reachable);
        add(builder, refusal(POLICY_GLASS_SUSPENDED, index, PROTOCOL_NONE, PROTOCOL_NONE), reachable);
    }
    if (!label_set_empty(&rule->may_ask))
        add(builder, refusal(POLICY_MAY_NOT_ASK, index, PROTOCOL_NONE, PROTOCOL_NONE), reachable);
    if (rule->late_refused)
        add(builder, refusal(POLICY_TOO_LATE, index, PROTOCOL_NONE, PROTOCOL_NONE), reachable);
}

/* A correction goes where the event went that it names; what the file says of it is who may not. */
static void add_correction(struct builder *builder, uint16_t event, uint16_t from)
{
    const struct protocol *protocol = builder->coverage->protocol;
    uint16_t rule = protocol_pair_of(protocol, event, from)->rule;
    bool reachable = parties_of(protocol, from) > 0;

    add(builder, refusal(POLICY_NO_TARGET, rule, PROTOCOL_NONE, PROTOCOL_NONE), reachable);
    if (protocol->catalogue->events[event].corrects != CORRECTION_VALUES)
        add(builder, refusal(POLICY_TARGET_HELD, rule, PROTOCOL_NONE, PROTOCOL_NONE), reachable);
}

static void add_pair(struct builder *builder, uint16_t event, uint16_t from)
{
    const struct protocol *protocol = builder->coverage->protocol;
    const struct protocol_pair *pair = protocol_pair_of(protocol, event, from);

    if (pair->rule == PROTOCOL_NONE)
        return;
    if (protocol->rules[pair->rule].follows)
        add_correction(builder, event, from);
    if (pair->route_count == 0)
        add_rule(builder, event, from, pair->rule, parties_of(protocol, from) > 0);
    for (uint16_t i = 0; i < pair->route_count; i++) {
        const struct protocol_route *route = &protocol->routes[pair->first_route + i];

        add_rule(builder, event, from, route->rule,
                 route->stopped == POLICY_NONE && has_parties(protocol, from, route->to_class) &&
                     has_provider(protocol, route));
        add_route(builder, event, from, route);
    }
}

static void add_denial(struct builder *builder, uint16_t index)
{
    const struct protocol *protocol = builder->coverage->protocol;
    const struct protocol_denial *denial = &protocol->denials[index];
    struct coverage_unit unit = {.kind = COVERAGE_DENIAL,
                                 .rule = PROTOCOL_NONE,
                                 .event = CATALOGUE_NONE,
                                 .entry = PROTOCOL_NONE,
                                 .denial = index,
                                 .class_index = PROTOCOL_NONE};
    bool from = false;

    for (uint16_t class = 0; class < protocol->class_count; class ++)
        from = from || ((denial->from >> class & 1) != 0 && parties_of(protocol, class) > 0);
    add(builder, unit, from);
}

struct coverage *coverage_new(const struct protocol *protocol)
{
    struct builder builder = {.coverage = calloc(1, sizeof *builder.coverage)};

    if (builder.coverage == NULL)
        return NULL;
    builder.coverage->protocol = protocol;
    add(&builder, refusal(POLICY_NOT_IN_FORCE, PROTOCOL_NONE, PROTOCOL_NONE, PROTOCOL_NONE), true);
    add(&builder, refusal(POLICY_NOT_YOURS, PROTOCOL_NONE, PROTOCOL_NONE, PROTOCOL_NONE), true);
    for (uint16_t event = 0; event < protocol->catalogue->event_count; event++) {
        for (uint16_t class = 0; class < protocol->class_count; class ++)
            add_pair(&builder, event, class);
    }
    for (uint16_t i = 0; i < protocol->denial_count; i++)
        add_denial(&builder, i);
    if (builder.failed)
        coverage_free(&builder.coverage);
    return builder.coverage;
}

void coverage_free(struct coverage **coverage)
{
    if (*coverage == NULL)
        return;
    free((*coverage)->units);
    free(*coverage);
    *coverage = NULL;
}

static bool rule_tried(const struct coverage_unit *unit, const struct policy_decision *decision)
{
    if (decision->record && decision->rule == unit->rule && decision->recipient_count == 0 &&
        decision->refusal_count == 0)
        return true;
    for (uint16_t i = 0; i < decision->recipient_count; i++) {
        if (decision->recipients[i].rule_index == unit->rule)
            return true;
    }
    return false;
}

static bool entry_tried(const struct coverage_unit *unit, const struct policy_decision *decision)
{
    for (uint16_t i = 0; i < decision->recipient_count; i++) {
        if (decision->recipients[i].rule_index == unit->rule &&
            (decision->recipients[i].entries >> unit->entry & 1) != 0)
            return true;
    }
    return false;
}

static bool refusal_tried(const struct coverage_unit *unit, const struct policy_decision *decision)
{
    for (uint16_t i = 0; i < decision->refusal_count; i++) {
        const struct policy_refusal *came = &decision->refusals[i];

        if (came->code == unit->code && (unit->rule == PROTOCOL_NONE || came->rule == unit->rule) &&
            (unit->entry == PROTOCOL_NONE || came->entry == unit->entry) &&
            (unit->class_index == PROTOCOL_NONE || came->class_index == unit->class_index))
            return true;
    }
    return false;
}

/* The event came from a class that the denial names, with something in it that is denied. */
static bool denial_tried(const struct protocol *protocol, const struct coverage_unit *unit,
                         const struct policy_request *request)
{
    const struct protocol_denial *denial = &protocol->denials[unit->denial];
    struct label_set held = label_set_and(request->held, &denial->items);
    uint16_t from = protocol_find_party(protocol, request->from);

    return from != PROTOCOL_NONE && (denial->from >> protocol->parties[from].class_index & 1) != 0 &&
           (denial->events[request->event / 64] >> (request->event % 64) & 1) != 0 &&
           (denial->whole || !label_set_empty(&held));
}

static bool is_tried(const struct protocol *protocol, const struct coverage_unit *unit,
                     const struct policy_request *request, const struct policy_decision *decision)
{
    if (unit->kind == COVERAGE_DENIAL)
        return denial_tried(protocol, unit, request);
    if (unit->event != CATALOGUE_NONE && unit->event != decision->event)
        return false;
    if (unit->kind == COVERAGE_RULE)
        return rule_tried(unit, decision);
    return unit->kind == COVERAGE_ENTRY ? entry_tried(unit, decision) : refusal_tried(unit, decision);
}

void coverage_add(struct coverage *coverage, const struct policy_request *request,
                  const struct policy_decision *decision)
{
    for (size_t i = 0; i < coverage->count; i++)
        coverage->units[i].count += is_tried(coverage->protocol, &coverage->units[i], request, decision);
}

struct coverage_summary coverage_sum(const struct coverage *coverage)
{
    struct coverage_summary summary = {{0}, {0}, 0};

    for (size_t i = 0; i < coverage->count; i++) {
        const struct coverage_unit *unit = &coverage->units[i];

        summary.unreachable += !unit->reachable && unit->count == 0;
        summary.total[unit->kind] += unit->reachable || unit->count > 0;
        summary.tried[unit->kind] += unit->count > 0;
    }
    return summary;
}

bool coverage_complete(const struct coverage_summary *summary)
{
    for (size_t i = 0; i < COVERAGE_KINDS; i++) {
        if (summary->tried[i] < summary->total[i])
            return false;
    }
    return true;
}

static void write_state(const struct coverage_unit *unit, struct byte_buffer *out)
{
    if (unit->count > 0)
        bytes_append_format(out, "%4u  ", unit->count);
    else
        bytes_append_string(out, unit->reachable ? "   -  " : "   n  ");
}

/* The classes that an entry names for an event type: "drugs, health". */
static void write_classes(const struct protocol *protocol, const struct coverage_unit *unit,
                          struct byte_buffer *out)
{
    uint32_t seen = 0;
    unsigned count = 0;

    for (uint16_t from = 0; from < protocol->class_count; from++) {
        const struct protocol_pair *pair = protocol_pair_of(protocol, unit->event, from);

        for (uint16_t i = 0; i < pair->route_count; i++) {
            const struct protocol_route *route = &protocol->routes[pair->first_route + i];

            if (route->rule == unit->rule && route->grant == unit->entry)
                seen |= UINT32_C(1) << route->to_class;
        }
    }
    for (uint16_t class = 0; class < protocol->class_count; class ++) {
        if ((seen >> class & 1) != 0 && parties_of(protocol, class) > 0)
            bytes_append_format(out, "%s%s", count++ == 0 ? "" : ", ", protocol->classes[class].name);
    }
    if (count == 0)
        bytes_append_string(out, "classes without a party");
}

static void write_unit(const struct protocol *protocol, const struct coverage_unit *unit,
                       struct byte_buffer *out)
{
    write_state(unit, out);
    if (unit->kind == COVERAGE_DENIAL) {
        bytes_append_format(out, "denial %s", protocol->denials[unit->denial].id);
    } else if (unit->kind != COVERAGE_REFUSAL) {
        bytes_append_format(out, "rule %s, %s", protocol->rules[unit->rule].id,
                            protocol->catalogue->events[unit->event].type);
        if (unit->kind == COVERAGE_ENTRY) {
            bytes_append_format(out, ": recipient %u, ", unit->entry + 1);
            write_classes(protocol, unit, out);
        }
    } else {
        bytes_append_format(out, "refusal %s", policy_code_name(unit->code));
        if (unit->rule != PROTOCOL_NONE)
            bytes_append_format(out, ", rule %s", protocol->rules[unit->rule].id);
        if (unit->entry != PROTOCOL_NONE)
            bytes_append_format(out, ", recipient %u", unit->entry + 1);
        if (unit->class_index != PROTOCOL_NONE)
            bytes_append_format(out, ", class %s", protocol->classes[unit->class_index].name);
    }
    bytes_append_string(out, "\n");
}

void coverage_write(const struct coverage *coverage, bool all, struct byte_buffer *ret_text)
{
    static const char *const names[COVERAGE_KINDS] = {"rules by event type", "recipients", "refusals",
                                                      "denials"};
    struct coverage_summary summary = coverage_sum(coverage);

    if (all)
        bytes_append_string(ret_text,
                            "Cases that try it (-: none; n: no parties between whom it can happen)\n");
    for (size_t i = 0; i < coverage->count; i++) {
        const struct coverage_unit *unit = &coverage->units[i];

        if (!all && (unit->count > 0 || !unit->reachable))
            continue;
        if (!all)
            bytes_append_string(ret_text, "Not tried:");
        write_unit(coverage->protocol, unit, ret_text);
    }
    bytes_append_string(ret_text, "Covered:");
    for (size_t i = 0; i < COVERAGE_KINDS; i++)
        bytes_append_format(ret_text, "%s %zu of %zu %s", i == 0 ? "" : ",", summary.tried[i],
                            summary.total[i], names[i]);
    bytes_append_format(ret_text, "; %zu cannot happen for want of parties.\n", summary.unreachable);
}
