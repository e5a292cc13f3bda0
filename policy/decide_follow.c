#include "policy/decider.h"

/* Corrections, retractions, erasures: DPA 2018 s.48 wants every recipient told, and nobody needs to know but
 * them. */

static void refuse_whole(struct decider *decider, enum policy_code code)
{
    decider->decision->reason = code;
    decider->decision->recipient_count = 0;
    decider_refuse(decider, code);
}

static enum policy_code check_target(const struct decider *decider)
{
    const struct policy_target *target = decider->facts->target;
    const struct catalogue *catalogue = decider->protocol->catalogue;

    if (target == NULL || !target->same_subject || !target->same_protocol ||
        !bytes_equal(target->from, decider->request->from) || target->event >= catalogue->event_count ||
        catalogue->events[target->event].corrects != CORRECTION_NONE)
        return POLICY_NO_TARGET;
    if (target->is_ground && decider->type->corrects != CORRECTION_VALUES)
        return POLICY_TARGET_HELD;
    return POLICY_NONE;
}

/* The event that it is about, why, and of the values only what this recipient was told before. */
static struct label_set labels_for(const struct decider *decider, const struct label_set *told, bool *ret_any)
{
    struct label_set values = label_set_and(decider->held, &decider->type->item_set);
    struct label_set own = label_set_and(decider->held, &decider->type->attribute_set);

    values = label_set_and(values, told);
    *ret_any = !label_set_empty(&values);
    return decider->type->corrects == CORRECTION_VALUES ? label_set_or(own, &values) : own;
}

static void tell(struct decider *decider, uint16_t party, const struct label_set *labels)
{
    const struct protocol_rule *rule = &decider->protocol->rules[decider->rule];
    struct policy_decision *decision = decider->decision;

    if (!party_set_has(&decider->facts->active, party)) {
        struct policy_refusal *refusal = decider_refuse(decider, POLICY_INACTIVE);

        refusal->party = party;
        refusal->class_index = decider->protocol->parties[party].class_index;
        return;
    }
    decision->recipients[decision->recipient_count++] =
        (struct policy_recipient){.to = decider->protocol->parties[party].id,
                                  .rule = rule->id,
                                  .gateway = "",
                                  .party = party,
                                  .rule_index = decider->rule,
                                  .gateway_index = PROTOCOL_NONE,
                                  .crossing = PROTOCOL_NONE,
                                  .condition = PROTOCOL_NONE,
                                  .consent = PROTOCOL_NONE,
                                  .replaced_class = PROTOCOL_NONE,
                                  .labels = *labels,
                                  .retention = rule->retention};
}

void decider_follow(struct decider *decider)
{
    const struct policy_target *target = decider->facts->target;
    const bool values = decider->type->corrects == CORRECTION_VALUES;
    enum policy_code code = check_target(decider);

    if (code != POLICY_NONE) {
        refuse_whole(decider, code);
        return;
    }
    for (uint16_t i = 0; i < target->count && decider->decision->recipient_count < POLICY_RECIPIENTS_MAX;
         i++) {
        bool any = false;
        const struct label_set labels = labels_for(decider, &target->labels[i], &any);

        if (any || !values)
            tell(decider, target->parties[i], &labels);
    }
    /* What nobody has received yet is taken back without telling anybody; a correction that no one needs is a
     * mistake. */
    if (!values)
        decider->decision->record = true;
    else if (decider->decision->recipient_count == 0)
        refuse_whole(decider, POLICY_NO_ITEM);
}
