#include <string.h>

#include "policy/decider.h"

/* What overrides, what confirms that, and what asks. */

static struct byte_view value_of(const struct decider *decider, const char *label)
{
    return request_attribute(decider->protocol->catalogue, decider->request, label);
}

/* Is the attribute's code among the bits that a rule allows? */
static bool has_code(const struct decider *decider, const char *label, uint64_t bits)
{
    uint16_t index = catalogue_find_label(decider->protocol->catalogue, bytes_of_string(label));
    struct byte_view value = value_of(decider, label);
    uint16_t code;

    if (value.data == NULL)
        return false;
    code = catalogue_find_code(catalogue_field(decider->type, index)->codes, value);
    return code < CATALOGUE_CODES_MAX && (bits >> code & 1) != 0;
}

static enum policy_code check_override(struct decider *decider)
{
    const struct protocol *protocol = decider->protocol;
    const struct policy_glass *glass = &decider->facts->glass;
    struct byte_view name = value_of(decider, "rule");
    uint16_t index = name.data == NULL ? PROTOCOL_NONE : protocol_find_rule(protocol, name);
    const struct protocol_rule *rule;

    if (index == PROTOCOL_NONE)
        return POLICY_GLASS_RULE;
    rule = &protocol->rules[index];
    if (!rule->break_glass || (rule->from >> decider->from_class & 1) == 0)
        return POLICY_GLASS_RULE;
    decider->glass_rule = decider->rule = decider->decision->rule = index;
    if (!has_code(decider, "reason", rule->reasons))
        return POLICY_GLASS_REASON;
    if (!has_code(decider, "duty_role", rule->duty_roles))
        return POLICY_GLASS_ROLE;
    if (glass->suspended)
        return POLICY_GLASS_SUSPENDED;
    if (glass->used >= rule->quota)
        return POLICY_GLASS_QUOTA;
    decider->decision->break_glass = true;
    return POLICY_NONE;
}

/* Whoever was told may confirm, but nobody what is his own. */
static enum policy_code check_confirmation(const struct decider *decider)
{
    const struct policy_facts *facts = decider->facts;

    if (facts->correlated_event >= decider->protocol->catalogue->event_count ||
        decider->protocol->catalogue->events[facts->correlated_event].effect != EFFECT_OVERRIDE ||
        !facts->correlated_is_target || !facts->correlated_same_subject ||
        !facts->correlated_disclosed_to_sender || facts->glass.settled ||
        bytes_equal(facts->correlated_from, decider->request->from))
        return POLICY_GLASS_CONFIRMED;
    return POLICY_NONE;
}

enum policy_code decider_check_glass(struct decider *decider)
{
    if (decider->type->effect == EFFECT_OVERRIDE)
        return check_override(decider);
    return decider->type->effect == EFFECT_CONFIRM ? check_confirmation(decider) : POLICY_NONE;
}

enum policy_code decider_check_asked(const struct decider *decider, uint16_t *ret_label)
{
    struct label_set more;

    if (decider->type->asked == CATALOGUE_NONE)
        return POLICY_NONE;
    if (label_set_empty(&decider->request->asked))
        return POLICY_ASKS_NOTHING;
    more = label_set_minus(decider->request->asked, &decider->protocol->rules[decider->rule].may_ask);
    if (label_set_empty(&more))
        return POLICY_NONE;
    *ret_label = (uint16_t)label_set_next(&more, 0);
    return POLICY_MAY_NOT_ASK;
}
