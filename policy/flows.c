#include "policy/flows.h"

#include <inttypes.h>
#include <stdlib.h>

#include "policy/way.h"

#define HOUR_MS INT64_C(3600000)

struct maker {
    struct flows *flows;
    size_t capacity;
    bool apart;
    bool failed;
};

static struct flow *add(struct maker *maker, const struct flow *flow)
{
    struct flows *flows = maker->flows;
    size_t capacity = maker->capacity == 0 ? 64 : maker->capacity * 2;
    struct flow *list;

    if (flows->count == maker->capacity) {
        list = realloc(flows->list, capacity * sizeof *list);
        if (list == NULL) {
            maker->failed = true;
            return NULL;
        }
        flows->list = list;
        maker->capacity = capacity;
    }
    flows->list[flows->count] = *flow;
    return &flows->list[flows->count++];
}

/* All that makes two flows one, but for their classes. */
static bool alike(const struct flow *a, const struct flow *b)
{
    return a->event == b->event && a->rule == b->rule && a->entry == b->entry &&
           a->replaced_class == b->replaced_class && a->crossing == b->crossing &&
           a->gateways == b->gateways && label_set_equal(&a->labels, &b->labels);
}

/* From one class: another class that gets the same. */
static void add_to(struct maker *maker, size_t first, const struct flow *flow)
{
    struct flows *flows = maker->flows;

    for (size_t i = first; i < flows->count && !maker->apart; i++) {
        if (flows->list[i].from == flow->from && alike(&flows->list[i], flow)) {
            flows->list[i].to |= flow->to;
            return;
        }
    }
    add(maker, flow);
}

/* Another class that sends the same to the same. */
static void join_from(struct maker *maker, size_t first)
{
    struct flows *flows = maker->flows;
    size_t kept = first;

    for (size_t i = first; i < flows->count; i++) {
        size_t at = first;

        while (at < kept && (maker->apart || flows->list[at].to != flows->list[i].to ||
                             !alike(&flows->list[at], &flows->list[i])))
            at++;
        if (at < kept)
            flows->list[at].from |= flows->list[i].from;
        else
            flows->list[kept++] = flows->list[i];
    }
    flows->count = kept;
}

static bool has_parties(const struct protocol *protocol, uint16_t class)
{
    return !party_set_empty(&protocol->classes[class].parties);
}

static uint32_t gateways_of(const struct protocol *protocol, const struct protocol_route *route,
                            uint16_t from, const struct way *way)
{
    uint32_t gateways = UINT32_C(1) << way->gateway;

    for (uint16_t i = 1; i < route->carriage_count; i++) {
        if (!label_set_empty(&route->carriages[i].labels) &&
            protocol_gateway_runs(protocol, route->carriages[i].gateway, from, way->to_class))
            gateways |= UINT32_C(1) << route->carriages[i].gateway;
    }
    return gateways;
}

static void add_route(struct maker *maker, size_t first, uint16_t event, uint16_t from,
                      const struct protocol_route *route, enum flows_person person)
{
    const struct protocol *protocol = maker->flows->protocol;
    const struct protocol_class *class = &protocol->classes[route->to_class];
    bool replaced = person == FLOWS_JUVENILE && class->replaced_by != PROTOCOL_NONE;
    struct way way = replaced ? way_replaced(protocol, route, from) : way_direct(route);
    struct flow flow = {.event = event,
                        .rule = route->rule,
                        .entry = route->grant,
                        .from = UINT32_C(1) << from,
                        .to = UINT32_C(1) << way.to_class,
                        .replaced_class = way.replaced_class,
                        .relation = route->relation,
                        .labels = way.labels,
                        .gateways = gateways_of(protocol, route, from, &way),
                        .crossing = way.crossing,
                        .condition = route->condition,
                        .consent = route->consent,
                        .route = route};

    if (way.stopped != POLICY_NONE || !has_parties(protocol, way.to_class) ||
        (person == FLOWS_JUVENILE && (class->denied_juveniles || route->adults_only)))
        return;
    if (from == way.to_class && party_set_count(&protocol->classes[from].parties) == 1)
        return;
    add_to(maker, first, &flow);
}

static void add_record(struct maker *maker, size_t first, uint16_t event, uint16_t from, uint16_t rule)
{
    struct flow flow = {.event = event,
                        .rule = rule,
                        .entry = PROTOCOL_NONE,
                        .from = UINT32_C(1) << from,
                        .replaced_class = PROTOCOL_NONE,
                        .crossing = PROTOCOL_NONE,
                        .condition = PROTOCOL_NONE,
                        .consent = PROTOCOL_NONE};

    add_to(maker, first, &flow);
}

static void add_event(struct maker *maker, uint16_t event, enum flows_person person)
{
    const struct protocol *protocol = maker->flows->protocol;
    size_t first = maker->flows->count;

    for (uint16_t from = 0; from < protocol->class_count; from++) {
        const struct protocol_pair *pair = protocol_pair_of(protocol, event, from);

        if (pair->rule == PROTOCOL_NONE || !has_parties(protocol, from))
            continue;
        if (pair->route_count == 0)
            add_record(maker, first, event, from, pair->rule);
        for (uint16_t i = 0; i < pair->route_count; i++)
            add_route(maker, first, event, from, &protocol->routes[pair->first_route + i], person);
    }
    join_from(maker, first);
}

struct flows *flows_make(const struct protocol *protocol, enum flows_person person, bool apart)
{
    struct maker maker = {.flows = calloc(1, sizeof *maker.flows), .apart = apart};

    if (maker.flows == NULL)
        return NULL;
    maker.flows->protocol = protocol;
    for (uint16_t event = 0; event < protocol->catalogue->event_count; event++)
        add_event(&maker, event, person);
    if (maker.failed)
        flows_free(&maker.flows);
    return maker.flows;
}

void flows_free(struct flows **flows)
{
    if (*flows == NULL)
        return;
    free((*flows)->list);
    free(*flows);
    *flows = NULL;
}

void flows_classes(const struct protocol *protocol, uint32_t classes, struct byte_buffer *ret)
{
    const char *separator = "";

    for (uint16_t i = 0; i < protocol->class_count; i++) {
        if ((classes >> i & 1) == 0)
            continue;
        bytes_append_format(ret, "%s%s", separator, protocol->classes[i].name);
        separator = ", ";
    }
}

void flows_labels(const struct catalogue *catalogue, const struct label_set *labels, struct byte_buffer *ret)
{
    const char *separator = "";

    for (unsigned label = label_set_next(labels, 0); label < SET256_END;
         label = label_set_next(labels, label + 1)) {
        bytes_append_format(ret, "%s%s", separator, catalogue->labels[label].label);
        separator = ", ";
    }
    if (separator[0] == '\0')
        bytes_append_string(ret, "no item: the event itself");
}

void flows_clock(const struct protocol *protocol, const struct flow *flow, struct byte_buffer *ret)
{
    const struct protocol_route *route = flow->route;
    const struct catalogue_event *type = &protocol->catalogue->events[flow->event];

    if (route == NULL || route->clock == CLOCK_NONE)
        return;
    bytes_append_string(ret, route->clock == CLOCK_WITHIN ? "within " : "at least ");
    flows_period(route->clock_length, ret);
    if (route->clock == CLOCK_BEFORE)
        bytes_append_format(
            ret, " before %s",
            protocol->catalogue->labels[type->attributes[route->clock_attribute].label].label);
}

static void count(struct byte_buffer *ret, int64_t number, const char *unit)
{
    bytes_append_format(ret, "%" PRId64 " %s%s", number, unit, number == 1 ? "" : "s");
}

void flows_period(struct duration period, struct byte_buffer *ret)
{
    char text[CIVIL_DURATION_SIZE];

    if (period.ms == 0 && period.months >= 24 && period.months % 12 == 0)
        count(ret, period.months / 12, "year");
    else if (period.ms == 0 && period.months > 0)
        count(ret, period.months, "month");
    else if (period.months == 0 && period.ms > 0 && period.ms % CIVIL_DAY_MS == 0)
        count(ret, period.ms / CIVIL_DAY_MS, "day");
    else if (period.months == 0 && period.ms > 0 && period.ms % HOUR_MS == 0)
        count(ret, period.ms / HOUR_MS, "hour");
    else {
        civil_format_duration(period, text);
        bytes_append_string(ret, text);
    }
}

void flows_when(const struct protocol *protocol, const struct flow *flow, struct byte_buffer *ret)
{
    const struct protocol_route *route = flow->route;
    const struct catalogue_field *field;
    const char *separator = " ";

    if (route == NULL)
        return;
    if (route->when != PROTOCOL_NONE) {
        field = &protocol->catalogue->events[flow->event].attributes[route->when];
        bytes_append_string(ret, protocol->catalogue->labels[field->label].label);
        for (uint16_t i = 0; i < field->codes->count; i++) {
            if ((route->when_codes >> i & 1) == 0)
                continue;
            bytes_append_format(ret, "%s%s", separator, field->codes->values[i]);
            separator = " or ";
        }
    }
    if (route->adults_only)
        bytes_append_string(ret, route->when == PROTOCOL_NONE ? "adults only" : ", adults only");
}
