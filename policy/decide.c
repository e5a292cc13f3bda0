#include "policy/decide.h"

#include <string.h>

#include "base/utf8.h"
#include "policy/decider.h"

static void set_detail(struct policy_refusal *refusal, const char *detail)
{
    size_t size = strlen(detail);

    if (size >= sizeof refusal->detail)
        size = utf8_whole(bytes_view(detail, sizeof refusal->detail - 1));
    memcpy(refusal->detail, detail, size);
    refusal->detail[size] = '\0';
}

static void refuse_event(struct decider *decider, enum policy_code code)
{
    decider->decision->reason = code;
    decider->decision->recipient_count = 0;
    decider_refuse(decider, code);
}

/* the clock of a rule */

static bool read_date(struct byte_view value, int32_t *ret_date)
{
    char text[CIVIL_DATE_SIZE];

    if (value.data == NULL || value.size >= sizeof text)
        return false;
    memcpy(text, value.data, value.size);
    text[value.size] = '\0';
    return civil_parse_date(text, ret_date) == STATUS_OK;
}

static enum policy_code set_clock(struct decider *decider, const struct protocol_route *route)
{
    int32_t date = 0;

    decider->deadline = 0;
    decider->late = false;
    if (route->clock == CLOCK_NONE)
        return POLICY_NONE;
    if (route->clock == CLOCK_BEFORE &&
        !read_date(decider->request->attributes[route->clock_attribute], &date))
        return POLICY_MISSING_ATTRIBUTE;
    decider->deadline = policy_deadline(route, decider->request->created, date);
    decider->late = decider->now > decider->deadline;
    if (decider->late && decider->protocol->rules[route->rule].late_refused)
        return POLICY_TOO_LATE;
    return POLICY_NONE;
}

/* what a rule asks */

static bool is_listed(const struct decider *decider)
{
    return register_listed(decider->protocol, &decider->person->entry, decider->now);
}

static bool answers(const struct decider *decider)
{
    const struct policy_facts *facts = decider->facts;
    const uint64_t *types = decider->pair->answers;

    if ((types[0] | types[1]) == 0)
        return true;
    return decider->request->correlated &&
           facts->correlated_event < decider->protocol->catalogue->event_count &&
           (types[facts->correlated_event / 64] >> (facts->correlated_event % 64) & 1) != 0 &&
           facts->correlated_same_subject && facts->correlated_disclosed_to_sender;
}

static enum policy_code check_person(struct decider *decider, const struct protocol_rule *rule)
{
    uint16_t strand;

    if (rule->need == NEED_LISTED ||
        (rule->need == NEED_LISTING_AUTHORITY && decider->type->effect != EFFECT_REMOVE)) {
        if (!is_listed(decider))
            return POLICY_NOT_LISTED;
    }
    if (rule->need != NEED_NOTHING && decider->type->effect != EFFECT_REMOVE &&
        decider->person->entry.divert[0] != '\0')
        return POLICY_DIVERTED;
    decider->rule_grounds = rule->need == NEED_NOTHING ? 0 : REGISTER_GROUND_LISTING | REGISTER_GROUND_REVIEW;
    if ((decider->request->repeats || decider->request->again) && decider->type->effect == EFFECT_LIST)
        decider->rule_grounds |= REGISTER_GROUND_MOVE; /* decider_repeats_listing reads the area */
    if (rule->strands == UINT32_MAX)
        return POLICY_NONE;
    strand = protocol_find_strand(decider->protocol, decider->person->entry.strand);
    decider->rule_grounds |= REGISTER_GROUND_LISTING;
    return strand == PROTOCOL_NONE || (rule->strands >> strand & 1) == 0 ? POLICY_STRAND : POLICY_NONE;
}

/* A fact that this event itself sets has no ground yet. */
static void note_grounds(struct decider *decider, uint32_t grounds)
{
    decider->decision->route_grounds |= grounds & decider->person->grounds & ~decider->decision->change.sets;
}

/* Once for each rule, before its first route: a rule that is not met is refused once, not for every
 * recipient. */
static void open_rule(struct decider *decider, const struct protocol_route *route)
{
    uint16_t label = CATALOGUE_NONE;
    enum policy_code code;

    decider->rule = route->rule;
    code = check_person(decider, &decider->protocol->rules[route->rule]);
    if (code == POLICY_NONE && !answers(decider))
        code = POLICY_NO_ANSWER;
    if (code == POLICY_NONE)
        code = decider_check_asked(decider, &label);
    if (code == POLICY_NONE)
        code = set_clock(decider, route);
    decider->rule_open = code == POLICY_NONE;
    note_grounds(decider, decider->rule_grounds);
    if (code == POLICY_MISSING_ATTRIBUTE)
        decider_refuse(decider, code)->label = decider->type->attributes[route->clock_attribute].label;
    else if (code == POLICY_DIVERTED)
        set_detail(decider_refuse(decider, code), decider->person->entry.divert);
    else if (code == POLICY_STRAND)
        set_detail(decider_refuse(decider, code), decider->person->entry.strand);
    else if (code != POLICY_NONE)
        decider_refuse(decider, code)->label = label;
}

/* one route */

/* True when the route leads to somebody, even if that somebody is then refused. */
static bool take_route(struct decider *decider, const struct protocol_route *route,
                       struct decider_target *ret_target)
{
    const struct protocol_class *class = &decider->protocol->classes[route->to_class];
    bool replaced = decider->juvenile && class->replaced_by != PROTOCOL_NONE;
    struct decider_target target = replaced ? decider_replace(decider, route->relation, route->to_class)
                                            : decider_resolve(decider, route->relation, route->to_class);

    *ret_target = target;
    note_grounds(decider, target.grounds | decider_age_grounds(decider));
    if (target.gap != POLICY_NONE)
        return false;
    if (decider->juvenile && (class->denied_juveniles || route->adults_only)) {
        if (!party_set_empty(&target.parties))
            decider_refuse_route(decider, POLICY_JUVENILE, route, PROTOCOL_NONE);
        return true;
    }
    party_set_remove(&target.parties, decider->decision->from);
    if (decider->request->repeats)
        target.parties = party_set_minus(target.parties, &decider->request->already);
    decider_offer(decider, route, &target.parties, replaced, decider->rule_grounds | target.grounds);
    return true;
}

static void refuse_gap(struct decider *decider, const struct protocol_route *route,
                       const struct decider_target *target, bool many_classes)
{
    struct policy_refusal *refusal = decider_refuse_route(decider, target->gap, route, PROTOCOL_NONE);

    if (many_classes)
        refusal->class_index = PROTOCOL_NONE;
    else if (decider->juvenile && decider->protocol->classes[route->to_class].replaced_by != PROTOCOL_NONE)
        refusal->class_index = decider->protocol->classes[route->to_class].replaced_by;
    set_detail(refusal, target->detail);
}

/* Is the grant about this event's value of the attribute that its `when` names? */
static bool is_about(const struct decider *decider, const struct protocol_route *route)
{
    struct byte_view value;
    uint16_t code;

    if (route->when == PROTOCOL_NONE)
        return true;
    value = decider->request->attributes[route->when];
    if (value.data == NULL)
        return false;
    code = catalogue_find_code(decider->type->attributes[route->when].codes, value);
    return code != CATALOGUE_NONE && (route->when_codes >> code & 1) != 0;
}

/* The routes of one grant, which differ in their class only: nobody in any of them is one gap. */
static uint32_t take_grant(struct decider *decider, uint32_t at, uint32_t end)
{
    const struct protocol_route *first = &decider->protocol->routes[at];
    struct decider_target target, gap = {.gap = POLICY_NONE};
    bool found = false;
    uint32_t next = at;

    for (; next < end; next++) {
        const struct protocol_route *route = &decider->protocol->routes[next];

        if (route->rule != first->rule || route->grant != first->grant)
            break;
        if (!decider->rule_open || !is_about(decider, first))
            continue;
        if (take_route(decider, route, &target))
            found = true;
        else if (gap.gap == POLICY_NONE || target.gap != POLICY_NO_PARTY)
            gap = target;
    }
    if (decider->rule_open && !found && is_about(decider, first))
        refuse_gap(decider, first, &gap, next - at > 1);
    return next;
}

static void take_routes(struct decider *decider)
{
    uint32_t at = decider->pair->first_route, end = at + decider->pair->route_count;

    decider->rule = PROTOCOL_NONE;
    while (at < end) {
        const struct protocol_route *route = &decider->protocol->routes[at];

        if (decider->glass_rule != PROTOCOL_NONE && route->rule != decider->glass_rule) {
            at++;
            continue;
        }
        if (route->rule != decider->rule)
            open_rule(decider, route);
        at = take_grant(decider, at, end);
    }
}

/* the event as a whole */

static struct label_set held_of(const struct decider *decider)
{
    struct label_set held = label_set_and(decider->request->held, &decider->type->item_set);
    bool answers_question =
        (decider->pair->answers[0] | decider->pair->answers[1]) != 0 && decider->facts->correlated_asks;

    for (uint16_t i = 0; i < decider->type->attribute_count; i++) {
        if (decider->request->attributes[i].data != NULL)
            label_set_add(&held, decider->type->attributes[i].label);
    }
    if (answers_question)
        held = label_set_and(held, &decider->facts->correlated_asked);
    return label_set_and(held, &decider->type->carried);
}

/* Yes if either says so, or neither says no. */
static bool is_juvenile(const struct decider *decider)
{
    enum juvenile known = decider->person->entry.juvenile, said = decider->request->juvenile;

    return known == JUVENILE_YES || said == JUVENILE_YES || (known != JUVENILE_NO && said != JUVENILE_NO);
}

static bool may_send(struct decider *decider)
{
    const struct protocol *protocol = decider->protocol;
    struct policy_decision *decision = decider->decision;

    if (decider->request->event >= protocol->catalogue->event_count)
        return false;
    decision->from = protocol_find_party(protocol, decider->request->from);
    if (decision->from == PROTOCOL_NONE || !party_set_has(&decider->facts->active, decision->from))
        return false;
    decider->from_class = protocol->parties[decision->from].class_index;
    decider->type = &protocol->catalogue->events[decider->request->event];
    decider->pair = protocol_pair_of(protocol, decider->request->event, decider->from_class);
    decision->rule = decider->rule = decider->pair->rule;
    return decider->pair->rule != PROTOCOL_NONE;
}

static enum policy_code check_event(const struct decider *decider)
{
    const char *purpose = decider->protocol->rules[decider->pair->rule].purpose;

    if (!protocol_in_force(decider->protocol, decider->now) && !catalogue_takes_away(decider->type))
        return POLICY_NOT_IN_FORCE;
    if (!bytes_equal(decider->request->purpose, bytes_of_string(purpose)))
        return POLICY_WRONG_PURPOSE;
    if (decider->request->repeats && !decider->type->standing)
        return POLICY_NOT_STANDING;
    return POLICY_NONE;
}

static void sort_recipients(struct policy_decision *decision)
{
    for (uint16_t i = 1; i < decision->recipient_count; i++) {
        struct policy_recipient recipient = decision->recipients[i];
        uint16_t at = i;

        for (; at > 0 && decision->recipients[at - 1].party > recipient.party; at--)
            decision->recipients[at] = decision->recipients[at - 1];
        decision->recipients[at] = recipient;
    }
}

/* A refusal of another strand's rule says nothing to somebody whose event was granted by its own. */
static void drop_strand_refusals(struct policy_decision *decision)
{
    uint16_t kept = 0;

    for (uint16_t i = 0; i < decision->refusal_count; i++) {
        if (decision->refusals[i].code != POLICY_STRAND)
            decision->refusals[kept++] = decision->refusals[i];
    }
    decision->refusal_count = kept;
}

static enum policy_code why_nobody(const struct decider *decider)
{
    const struct protocol_pair *pair = decider->pair;

    for (uint32_t i = 0; i < pair->route_count; i++) {
        if (!is_about(decider, &decider->protocol->routes[pair->first_route + i]))
            return POLICY_OTHER_CASE;
    }
    return POLICY_NO_PARTY;
}

static void finish(struct decider *decider)
{
    struct policy_decision *decision = decider->decision;

    if (decision->reason == POLICY_TOO_MANY) {
        decider->rule = decider->pair->rule;
        refuse_event(decider, POLICY_TOO_MANY);
        decision->record = false;
        return;
    }
    decision->granted = decision->recipient_count > 0 || decision->record;
    sort_recipients(decision);
    if (decision->recipient_count > 0)
        drop_strand_refusals(decision);
    if (decision->granted)
        return;
    if (decision->refusal_count == 0)
        refuse_event(decider, decider->request->repeats ? POLICY_NOBODY_NEW : why_nobody(decider));
    decision->reason = decision->refusals[0].code;
}

static void start(struct policy_decision *decision, uint16_t event)
{
    decision->granted = decision->record = decision->juvenile = decision->break_glass = false;
    decision->reason = POLICY_NONE;
    decision->event = event;
    decision->from = decision->rule = PROTOCOL_NONE;
    decision->recipient_count = decision->refusal_count = decision->refusals_dropped = 0;
    memset(&decision->change, 0, sizeof decision->change);
    decision->change_grounds = decision->route_grounds = 0;
}

void policy_not_yours(uint16_t event, struct policy_decision *ret_decision)
{
    struct decider decider = {.decision = ret_decision, .rule = PROTOCOL_NONE};

    start(ret_decision, event);
    refuse_event(&decider, POLICY_NOT_YOURS);
}

static void refuse_change(struct decider *decider, const char *detail)
{
    refuse_event(decider, POLICY_REGISTER);
    set_detail(&decider->decision->refusals[decider->decision->refusal_count - 1], detail);
}

/* From here on the event itself is in order. */
static void conclude(struct decider *decider)
{
    if (decider->type->effect == EFFECT_CONFIRM)
        decider->decision->record = true;
    decider->held = held_of(decider);
    decider->juvenile = decider->decision->juvenile = is_juvenile(decider);
    if (decider->protocol->rules[decider->pair->rule].follows)
        decider_follow(decider);
    else if (protocol_in_force(decider->protocol, decider->now))
        take_routes(decider);
    else
        decider_refuse(decider, POLICY_NOT_IN_FORCE);
    finish(decider);
}

/* What a change is judged by, besides who sends it: whoever plans it must be shown that. A consent or a
 * listing asks for nothing that was there before. */
static uint32_t changes_by(const struct decider *decider)
{
    static const uint32_t place =
        REGISTER_GROUND_LISTING | REGISTER_GROUND_REVIEW | REGISTER_GROUND_MOVE | REGISTER_GROUND_CUSTODY;
    static const uint32_t holders = REGISTER_GROUND_MANAGER | REGISTER_GROUND_KEYWORKER | REGISTER_GROUND_YOT;

    switch ((int)decider->type->effect) {
    case EFFECT_REMOVE:
    case EFFECT_REVIEW:
    case EFFECT_MOVE:
    case EFFECT_CUSTODY:
    case EFFECT_RELEASE:
        return place & decider->person->grounds;
    case EFFECT_ALLOCATE:
        return (place | holders) & decider->person->grounds;
    case EFFECT_MERGE:
        return REGISTER_GROUND_MERGE & decider->person->grounds;
    default: /* the rule may want the person listed all the same */
        return decider->protocol->rules[decider->pair->rule].need == NEED_LISTED
                   ? (REGISTER_GROUND_LISTING | REGISTER_GROUND_REVIEW) & decider->person->grounds
                   : 0;
    }
}

/* An event that changes the register: is the change allowed? Apart, because the copy of the record is large.
 */
__attribute__((noinline)) static void conclude_change(struct decider *decider)
{
    const struct protocol_rule *rule = &decider->protocol->rules[decider->pair->rule];
    struct policy_decision *decision = decider->decision;
    struct register_state after;
    const char *detail;

    if (rule->need == NEED_LISTED && !is_listed(decider)) {
        refuse_event(decider, POLICY_NOT_LISTED);
        return;
    }
    if ((detail = decider_why_not(decider)) != NULL) {
        refuse_change(decider, detail);
        return;
    }
    memcpy(&after, decider->person, sizeof after);
    if (register_try(decider->protocol, &after, decider->request, decider->now, &decision->change) !=
        STATUS_OK) {
        refuse_change(decider, decision->change.reason);
        return;
    }
    decision->record = decider->type->effect != EFFECT_RELEASE || decision->change.clears != 0;
    decision->change_grounds = changes_by(decider);
    if (decider->type->effect == EFFECT_LIST || decider->type->effect == EFFECT_MOVE)
        decider->person = &after;
    conclude(decider);
}

void policy_decide(const struct protocol *protocol, const struct policy_facts *facts,
                   const struct policy_request *request, int64_t now, struct policy_decision *ret_decision)
{
    static const struct register_state nobody = {.entry = {.removed_at = INT64_MIN,
                                                           .review_due = REGISTER_NO_DATE,
                                                           .listed_review_due = REGISTER_NO_DATE}};
    struct decider decider = {.protocol = protocol,
                              .facts = facts,
                              .request = request,
                              .decision = ret_decision,
                              .person = facts->person == NULL ? &nobody : facts->person,
                              .now = now,
                              .rule = PROTOCOL_NONE,
                              .glass_rule = PROTOCOL_NONE};
    enum policy_code code;

    start(ret_decision, request->event);
    if (!may_send(&decider)) {
        policy_not_yours(request->event, ret_decision);
        return;
    }
    code = check_event(&decider);
    if (code == POLICY_NONE)
        code = decider_check_glass(&decider);
    if (code != POLICY_NONE)
        refuse_event(&decider, code);
    else if (effect_changes_register(decider.type->effect) && !request->repeats &&
             !request->again) /* those changed it long ago */
        conclude_change(&decider);
    else if (decider.type->effect == EFFECT_LIST && !decider_repeats_listing(&decider))
        refuse_change(&decider, "the listing that it repeats is not the one in force; list the person anew");
    else
        conclude(&decider);
}
