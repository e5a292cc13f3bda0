#pragma once

/* One decision while it is made; shared by the files decide*.c only. */

#include "policy/decide.h"

struct decider {
    const struct protocol *protocol;
    const struct policy_facts *facts;
    const struct policy_request *request;
    struct policy_decision *decision;
    const struct catalogue_event *type;
    const struct protocol_pair *pair;
    const struct register_state *person; /* what routes: for a listing or a move, as it is after it */
    uint16_t from_class;
    int64_t now;
    bool juvenile;
    struct label_set held; /* items as stated, and attributes with a value; of an answer, what was asked */
    uint16_t glass_rule;   /* the break-glass rule that the event names, or PROTOCOL_NONE */
    /* The rule whose routes are being gone through. */
    uint16_t rule;
    bool rule_open;
    uint32_t rule_grounds;
    int64_t deadline;
    bool late;
    uint8_t slots[SET256_END]; /* by party: its place among the recipients plus 1, or 0 */
};

/* Where a route leads: parties, or why nobody. */
struct decider_target {
    struct party_set parties;
    enum policy_code gap; /* why there is nobody; otherwise POLICY_NONE */
    const char *detail;   /* a value for the sentence, or "" */
    uint32_t grounds;
};

/* decider_resolve - the parties that a relation means within one class; `detail` lives as long as the facts.
 * The sender itself may be among them. */
struct decider_target decider_resolve(const struct decider *decider, enum protocol_relation relation,
                                      uint16_t to_class);

/* decider_replace - the same for the class that takes a class's place for a juvenile. */
struct decider_target decider_replace(const struct decider *decider, enum protocol_relation relation,
                                      uint16_t to_class);

/* decider_refuse - one more refusal, under the rule that is being gone through. */
struct policy_refusal *decider_refuse(struct decider *decider, enum policy_code code);

/* decider_refuse_route - the same for a party, or for the route's class when party is PROTOCOL_NONE. */
struct policy_refusal *decider_refuse_route(struct decider *decider, enum policy_code code,
                                            const struct protocol_route *route, uint16_t party);

/* decider_offer - grant a route to each of the parties, or refuse it with a reason. `replaced`: they take the
 * place of the route's class. */
void decider_offer(struct decider *decider, const struct protocol_route *route,
                   const struct party_set *parties, bool replaced, uint32_t grounds);

/* decider_age_grounds - what the register says about the person's age counts where the event does not say the
 * same. */
uint32_t decider_age_grounds(const struct decider *decider);

/* decider_follow - a correction: to those who were told the event that it names, whatever else is known now.
 */
void decider_follow(struct decider *decider);

/*
 * decider_why_not - NULL, or one sentence why this change cannot be made so: a listing without its selector,
 * or a sender that reaches for a person whom others look after. Asked here and not in register_apply, which
 * agents call as well with the last ground of each kind only: they are not shown the selector, and cannot
 * know who held the case before.
 */
const char *decider_why_not(const struct decider *decider);

/* decider_check_glass - of what overrides or confirms: POLICY_NONE, or why it may not; sets glass_rule.
 * Everything else is POLICY_NONE. */
enum policy_code decider_check_glass(struct decider *decider);

/* decider_check_asked - of a question under the rule that is being gone through: POLICY_NONE or why not; then
 * ret_label is the item that may not be asked for, or CATALOGUE_NONE. */
enum policy_code decider_check_asked(const struct decider *decider, uint16_t *ret_label);

/* decider_repeats_listing - a repeated listing tells newcomers what the register says, so only who answers
 * for that may send it. */
bool decider_repeats_listing(const struct decider *decider);
