#include "agent/allowed.h"

#include "agent/consents.h"
#include "policy/decide.h"

static bool reaches(const struct protocol *protocol, const struct protocol_route *route, uint16_t us)
{
    const struct protocol_class *to = &protocol->classes[route->to_class];

    if (route->to_class == us)
        return route->stopped == POLICY_NONE;
    return to->replaced_by == us;
}

static void add_way(const struct protocol_route *route, struct allowed *ret)
{
    struct label_set *way = route->consent == PROTOCOL_NONE ? &ret->free : &ret->by_consent[route->consent];

    if (!ret->any)
        ret->route = route;
    ret->any = true;
    ret->labels = label_set_or(ret->labels, &route->labels);
    *way = label_set_or(*way, &route->labels);
    if (route->consent == PROTOCOL_NONE)
        ret->stands_freely = true;
    else
        ret->consents |= UINT32_C(1) << route->consent;
}

void allowed_find(const struct protocol *protocol, uint16_t event, uint16_t from, uint16_t us,
                  struct byte_view rule, struct allowed *ret)
{
    const struct protocol_pair *pair = protocol_pair_of(protocol, event, from);

    *ret = (struct allowed){.any = false};
    for (uint16_t i = 0; i < pair->route_count; i++) {
        const struct protocol_route *route = &protocol->routes[pair->first_route + i];

        if (bytes_equal(bytes_of_string(protocol->rules[route->rule].id), rule) &&
            reaches(protocol, route, us))
            add_way(route, ret);
    }
}

enum status allowed_standing(struct agent *agent, const struct protocol *protocol, const struct core *core,
                             const struct allowed *allowed, bool *ret_stands, struct label_set *ret_standing)
{
    struct label_set standing = allowed->free;
    bool stands = allowed->stands_freely;

    for (uint16_t i = 0; i < protocol->consent_count; i++) {
        bool withdrawn = false;
        enum status status = STATUS_OK;

        if ((allowed->consents >> i & 1) == 0)
            continue;
        status = consents_withdrawn(agent, core->protocol, core->subject,
                                    bytes_of_string(protocol->consents[i].scope), INT64_MIN, &withdrawn);
        if (status != STATUS_OK)
            return status;
        if (withdrawn)
            continue;
        stands = true;
        standing = label_set_or(standing, &allowed->by_consent[i]);
    }
    *ret_stands = stands;
    *ret_standing = standing;
    return STATUS_OK;
}
