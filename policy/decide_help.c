#include <string.h>

#include "policy/decide.h"

/* What callers ask apart from the decision itself. */

const struct policy_recipient *policy_recipient(const struct policy_decision *decision, struct byte_view to)
{
    for (uint16_t i = 0; i < decision->recipient_count; i++) {
        if (bytes_equal(to, bytes_of_string(decision->recipients[i].to)))
            return &decision->recipients[i];
    }
    return NULL;
}

static enum status mismatch(struct policy_refusal *ret_refusal, enum policy_code code, uint16_t party,
                            uint16_t rule, uint16_t class_index, unsigned label)
{
    if (ret_refusal != NULL)
        *ret_refusal = (struct policy_refusal){.code = code,
                                               .party = party,
                                               .class_index = class_index,
                                               .rule = rule,
                                               .label = (uint16_t)label,
                                               .consent = PROTOCOL_NONE,
                                               .gateway = PROTOCOL_NONE,
                                               .relation = PROTOCOL_NONE,
                                               .entry = PROTOCOL_NONE,
                                               .denial = PROTOCOL_NONE};
    return STATUS_REFUSED;
}

/* Why the decision gives a member nothing, when it says so: for the member itself, or else for its class. */
static const struct policy_refusal *why_nothing(const struct policy_decision *decision, uint16_t party,
                                                uint16_t class_index)
{
    const struct policy_refusal *found = NULL;

    for (uint16_t i = 0; i < decision->refusal_count && party != PROTOCOL_NONE; i++) {
        const struct policy_refusal *refusal = &decision->refusals[i];

        if (refusal->party == party)
            return refusal;
        if (found == NULL && refusal->party == PROTOCOL_NONE && refusal->class_index == class_index)
            found = refusal;
    }
    return found;
}

enum status policy_match(const struct protocol *protocol, const struct policy_decision *decision,
                         struct byte_view to, struct byte_view rule, const struct label_set *labels,
                         struct policy_refusal *ret_refusal)
{
    const struct policy_recipient *recipient = policy_recipient(decision, to);
    uint16_t party = protocol_find_party(protocol, to);
    uint16_t class = party == PROTOCOL_NONE ? PROTOCOL_NONE : protocol->parties[party].class_index;
    struct label_set difference;

    if (recipient == NULL) {
        const struct policy_refusal *known = why_nothing(decision, party, class);

        if (known == NULL)
            return mismatch(ret_refusal, POLICY_NOT_A_RECIPIENT, party, decision->rule, class,
                            CATALOGUE_NONE);
        if (ret_refusal != NULL)
            *ret_refusal = *known;
        return STATUS_REFUSED;
    }
    if (!bytes_equal(rule, bytes_of_string(recipient->rule)))
        return mismatch(ret_refusal, POLICY_NOT_THAT_RULE, party, recipient->rule_index, class,
                        CATALOGUE_NONE);
    difference = label_set_minus(*labels, &recipient->labels);
    if (!label_set_empty(&difference))
        return mismatch(ret_refusal, POLICY_ITEM_NOT_GRANTED, party, recipient->rule_index, class,
                        label_set_next(&difference, 0));
    difference = label_set_minus(recipient->labels, labels);
    if (!label_set_empty(&difference))
        return mismatch(ret_refusal, POLICY_ITEM_LEFT_OUT, party, recipient->rule_index, class,
                        label_set_next(&difference, 0));
    return STATUS_OK;
}

static const struct protocol_pair *pair_of(const struct protocol *protocol, struct byte_view from,
                                           uint16_t event)
{
    uint16_t party = protocol_find_party(protocol, from);

    if (party == PROTOCOL_NONE || event >= protocol->catalogue->event_count)
        return NULL;
    return protocol_pair_of(protocol, event, protocol->parties[party].class_index);
}

bool policy_may_send(const struct protocol *protocol, struct byte_view from, uint16_t event)
{
    const struct protocol_pair *pair = pair_of(protocol, from, event);

    return pair != NULL && pair->rule != PROTOCOL_NONE;
}

const char *policy_purpose(const struct protocol *protocol, struct byte_view from, uint16_t event)
{
    const struct protocol_pair *pair = pair_of(protocol, from, event);

    return pair == NULL || pair->rule == PROTOCOL_NONE ? NULL : protocol->rules[pair->rule].purpose;
}

enum status policy_retention(const struct protocol *protocol, struct byte_view rule,
                             struct duration *ret_retention)
{
    uint16_t index = protocol_find_rule(protocol, rule);

    if (index == PROTOCOL_NONE)
        return STATUS_NOT_FOUND;
    *ret_retention = protocol->rules[index].retention;
    return STATUS_OK;
}

int64_t policy_deadline(const struct protocol_route *route, int64_t created, int32_t date)
{
    const bool whole_days = route->clock_length.ms % CIVIL_DAY_MS == 0;
    int64_t deadline = 0;

    switch (route->clock) {
    case CLOCK_WITHIN:
        deadline = civil_add_duration(created, route->clock_length, 1);
        break;
    case CLOCK_BEFORE:
        deadline = civil_add_duration(civil_time_of_day_start(date), route->clock_length, -1) +
                   (whole_days ? CIVIL_DAY_MS - 1 : 0);
        break;
    case CLOCK_NONE:
        return 0;
    }
    return deadline < 1 ? 1 : deadline; /* over before 1970 is over, and neither none nor no time at all */
}

uint32_t policy_grounds(const struct policy_decision *decision)
{
    uint32_t grounds = decision->change_grounds | decision->route_grounds;

    for (uint16_t i = 0; i < decision->recipient_count; i++)
        grounds |= decision->recipients[i].grounds;
    return grounds;
}

struct party_set policy_recalled(const struct policy_decision *decision, uint32_t cleared)
{
    struct party_set recalled = {{0}};

    for (uint16_t i = 0; i < decision->recipient_count; i++) {
        if ((decision->recipients[i].rests_on & cleared) != 0)
            party_set_add(&recalled, decision->recipients[i].party);
    }
    return recalled;
}
