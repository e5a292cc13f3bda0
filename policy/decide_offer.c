#include <string.h>

#include "policy/decider.h"
#include "policy/way.h"

/* One recipient: gateways, consent, items. */

struct policy_refusal *decider_refuse(struct decider *decider, enum policy_code code)
{
    struct policy_decision *decision = decider->decision;
    struct policy_refusal *refusal;

    if (decision->refusal_count == POLICY_REFUSALS_MAX) {
        decision->refusals_dropped++;
        refusal = &decision->refusals[POLICY_REFUSALS_MAX - 1]; /* the last place is overwritten */
    } else {
        refusal = &decision->refusals[decision->refusal_count++];
    }
    *refusal = (struct policy_refusal){.code = code,
                                       .party = PROTOCOL_NONE,
                                       .class_index = PROTOCOL_NONE,
                                       .rule = decider->rule,
                                       .label = CATALOGUE_NONE,
                                       .consent = PROTOCOL_NONE,
                                       .gateway = PROTOCOL_NONE,
                                       .relation = PROTOCOL_NONE,
                                       .entry = PROTOCOL_NONE,
                                       .denial = PROTOCOL_NONE};
    return refusal;
}

struct policy_refusal *decider_refuse_route(struct decider *decider, enum policy_code code,
                                            const struct protocol_route *route, uint16_t party)
{
    struct policy_refusal *refusal = decider_refuse(decider, code);

    refusal->party = party;
    refusal->class_index =
        party == PROTOCOL_NONE ? route->to_class : decider->protocol->parties[party].class_index;
    refusal->relation = (uint16_t)route->relation;
    refusal->entry = route->grant;
    refusal->gateway = route->carriages[0].gateway;
    refusal->consent = route->consent;
    return refusal;
}

static uint32_t gateways_of(const struct protocol_route *route, const struct label_set *labels)
{
    uint32_t gateways = UINT32_C(1) << route->carriages[0].gateway;

    for (uint16_t i = 1; i < route->carriage_count; i++) {
        struct label_set carried = label_set_and(*labels, &route->carriages[i].labels);

        if (!label_set_empty(&carried))
            gateways |= UINT32_C(1) << route->carriages[i].gateway;
    }
    return gateways;
}

static struct policy_recipient *new_recipient(struct decider *decider, const struct protocol_route *route,
                                              const struct way *way, uint16_t party)
{
    const struct protocol *protocol = decider->protocol;
    const struct protocol_rule *rule = &protocol->rules[route->rule];
    struct policy_decision *decision = decider->decision;
    struct policy_recipient *recipient = &decision->recipients[decision->recipient_count++];

    decider->slots[party] = (uint8_t)decision->recipient_count;
    *recipient = (struct policy_recipient){.to = protocol->parties[party].id,
                                           .rule = rule->id,
                                           .gateway = protocol->gateways[way->gateway].name,
                                           .party = party,
                                           .rule_index = route->rule,
                                           .gateway_index = way->gateway,
                                           .crossing = way->crossing,
                                           .condition = route->condition,
                                           .consent = route->consent,
                                           .replaced_class = way->replaced_class,
                                           .deadline = decider->deadline,
                                           .late = decider->late,
                                           .urgent = rule->urgent,
                                           .retention = rule->retention};
    if (rule->urgent) {
        recipient->acknowledge_by = civil_add_duration(decider->now, rule->acknowledge, 1);
        recipient->escalate_to = rule->escalate_to;
    }
    return recipient;
}

uint32_t decider_age_grounds(const struct decider *decider)
{
    enum juvenile known = decider->person->entry.juvenile;

    return known == JUVENILE_UNKNOWN || known == decider->request->juvenile
               ? 0
               : REGISTER_GROUND_LISTING | REGISTER_GROUND_REVIEW;
}

/* Several grants of one rule to one party add up. */
static void grant(struct decider *decider, const struct protocol_route *route, const struct way *way,
                  uint16_t party, const struct label_set *labels, uint32_t grounds)
{
    struct policy_decision *decision = decider->decision;
    struct policy_recipient *recipient;

    if (decider->slots[party] != 0) {
        recipient = &decision->recipients[decider->slots[party] - 1];
    } else if (decision->recipient_count == POLICY_RECIPIENTS_MAX) {
        decision->reason = POLICY_TOO_MANY;
        return;
    } else {
        recipient = new_recipient(decider, route, way, party);
    }
    recipient->labels = label_set_or(recipient->labels, labels);
    recipient->gateways |= gateways_of(route, labels);
    recipient->entries |= UINT32_C(1) << route->grant;
    if (recipient->condition == PROTOCOL_NONE)
        recipient->condition = route->condition;
    if (recipient->consent == PROTOCOL_NONE)
        recipient->consent = route->consent;
    if (way->replaced_class == PROTOCOL_NONE)
        recipient->replaced_class = PROTOCOL_NONE;
    grounds = (grounds | decider_age_grounds(decider)) & decider->person->grounds;
    recipient->grounds |= grounds & ~decision->change.sets;
    if (decider->type->effect != EFFECT_REMOVE)
        recipient->rests_on |= grounds;
}

static bool has_consent(const struct decider *decider, const struct protocol_route *route, uint32_t *grounds)
{
    uint16_t place;

    if (route->consent == PROTOCOL_NONE)
        return true;
    place = register_find_consent(decider->person, decider->protocol->consents[route->consent].scope);
    if (!register_consented(decider->person, place, decider->now))
        return false;
    *grounds |= REGISTER_GROUND_CONSENT(place);
    return true;
}

static void offer(struct decider *decider, const struct protocol_route *route, const struct way *way,
                  uint16_t party, uint32_t grounds)
{
    struct label_set labels = label_set_and(way->labels, &decider->held);
    struct label_set missing = label_set_minus(route->required, &labels);

    if (!party_set_has(&decider->facts->active, party))
        decider_refuse_route(decider, POLICY_INACTIVE, route, party);
    else if (way->stopped != POLICY_NONE)
        decider_refuse_route(decider, way->stopped, route, party)->denial = way->denial;
    else if (!has_consent(decider, route, &grounds))
        decider_refuse_route(decider, POLICY_CONSENT, route, party);
    else if (!label_set_empty(&missing))
        decider_refuse_route(decider, POLICY_REQUIRED_ITEM, route, party)->label =
            (uint16_t)label_set_next(&missing, 0);
    else if (label_set_empty(&labels) && !route->bare)
        decider_refuse_route(decider, POLICY_NO_ITEM, route, party);
    else
        grant(decider, route, way, party, &labels, grounds);
}

void decider_offer(struct decider *decider, const struct protocol_route *route,
                   const struct party_set *parties, bool replaced, uint32_t grounds)
{
    struct way way =
        replaced ? way_replaced(decider->protocol, route, decider->from_class) : way_direct(route);

    for (unsigned party = party_set_next(parties, 0); party < SET256_END;
         party = party_set_next(parties, party + 1))
        offer(decider, route, &way, (uint16_t)party, grounds);
}
