#include "policy/way.h"

struct way way_direct(const struct protocol_route *route)
{
    struct way way = {.to_class = route->to_class,
                      .replaced_class = PROTOCOL_NONE,
                      .stopped = (enum policy_code)route->stopped,
                      .denial = route->denial,
                      .gateway = route->carriages[0].gateway,
                      .crossing = route->crossing,
                      .labels = route->labels};

    return way;
}

static uint16_t find_crossing(const struct protocol *protocol, uint16_t stated, enum protocol_regime from,
                              enum protocol_regime to)
{
    for (uint16_t i = 0; i < protocol->crossing_count; i++) {
        if ((stated >> i & 1) != 0 && protocol->crossings[i].from == from && protocol->crossings[i].to == to)
            return i;
    }
    return PROTOCOL_NONE;
}

/* What is denied to the class, or to the one that takes its place, reaches nobody. */
static void deny(const struct protocol *protocol, const struct protocol_route *route, uint16_t from,
                 struct way *way)
{
    struct label_set denied;
    uint16_t other = protocol_denied(protocol, route->event, from, way->to_class, &denied);

    way->labels = label_set_minus(way->labels, &denied);
    way->denial = route->denial != PROTOCOL_NONE ? route->denial : other;
    if (way->denial != PROTOCOL_NONE)
        way->stopped = POLICY_DENIED;
}

struct way way_replaced(const struct protocol *protocol, const struct protocol_route *route, uint16_t from)
{
    const struct protocol_class *classes = protocol->classes;
    uint16_t other = classes[route->to_class].replaced_by;
    uint16_t stated = route->crossings | classes[route->to_class].replace_crossing;
    struct way way = {.to_class = other,
                      .replaced_class = route->to_class,
                      .denial = PROTOCOL_NONE,
                      .gateway = route->carriages[0].gateway,
                      .crossing = PROTOCOL_NONE};

    if (!protocol_gateway_runs(protocol, way.gateway, from, other))
        way.stopped = POLICY_GATEWAY;
    for (uint16_t i = 0; i < route->carriage_count; i++) {
        if (protocol_gateway_runs(protocol, route->carriages[i].gateway, from, other))
            way.labels = label_set_or(way.labels, &route->carriages[i].labels);
    }
    deny(protocol, route, from, &way);
    if (classes[from].regime == classes[other].regime)
        return way;
    way.crossing = find_crossing(protocol, stated, classes[from].regime, classes[other].regime);
    if (way.crossing == PROTOCOL_NONE && way.stopped == POLICY_NONE)
        way.stopped = POLICY_CROSSING;
    return way;
}
