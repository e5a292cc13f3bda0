#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "policy/decide.h"

/* Decisions and refusals in sentences. */

struct sentence {
    char *out;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void say(struct sentence *sentence, const char *format, ...)
{
    size_t room = POLICY_TEXT_SIZE - sentence->used;
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(sentence->out + sentence->used, room, format, arguments);
    va_end(arguments);
    if (size > 0)
        sentence->used += (size_t)size < room ? (size_t)size : room - 1;
    if (size > 0 && (size_t)size >= room) { /* the log takes no broken character */
        sentence->used = utf8_whole(bytes_view(sentence->out, sentence->used));
        sentence->out[sentence->used] = '\0';
    }
}

const char *policy_code_name(enum policy_code code)
{
#define NAME(symbol, name) name,
    static const char *const names[] = {POLICY_CODES(NAME)};
#undef NAME
    return names[code];
}

static const char *event_name(const struct protocol *protocol, const struct policy_decision *decision)
{
    return decision->event < protocol->catalogue->event_count
               ? protocol->catalogue->events[decision->event].type
               : "this event";
}

static const char *label_name(const struct protocol *protocol, uint16_t label)
{
    return label < protocol->catalogue->label_count ? protocol->catalogue->labels[label].label : "?";
}

/* Who gets nothing: "drugs.stoke", "class police", "anybody". */
static void say_whom(struct sentence *sentence, const struct protocol *protocol,
                     const struct policy_refusal *refusal)
{
    if (refusal->party != PROTOCOL_NONE)
        say(sentence, "%s", protocol->parties[refusal->party].id);
    else if (refusal->class_index != PROTOCOL_NONE)
        say(sentence, "class %s", protocol->classes[refusal->class_index].name);
    else
        say(sentence, "anybody");
}

static void say_start(struct sentence *sentence, const struct protocol *protocol,
                      const struct policy_decision *decision, const struct policy_refusal *refusal)
{
    say(sentence, "Rule %s: %s is not for ",
        refusal->rule == PROTOCOL_NONE ? "?" : protocol->rules[refusal->rule].id,
        event_name(protocol, decision));
    say_whom(sentence, protocol, refusal);
    say(sentence, ", because ");
}

static void say_rule(struct sentence *sentence, const struct protocol *protocol,
                     const struct policy_decision *decision, const struct policy_refusal *refusal)
{
    if (refusal->rule != PROTOCOL_NONE)
        say(sentence, "Rule %s refuses %s: ", protocol->rules[refusal->rule].id,
            event_name(protocol, decision));
}

/* Break-glass, questions. */
static void say_glass_reason(struct sentence *sentence, const struct protocol *protocol,
                             const struct policy_refusal *refusal)
{
    switch ((int)refusal->code) {
    case POLICY_GLASS_RULE:
        say(sentence,
            "the attribute 'rule' names no break-glass rule that is open to you; the protocol lists "
            "them under 'break_glass'.");
        break;
    case POLICY_GLASS_REASON:
        say(sentence, "this rule is not for that reason; give 'reason' as the rule lists it.");
        break;
    case POLICY_GLASS_ROLE:
        say(sentence, "only officers on duty as the rule lists them may override; give 'duty_role'.");
        break;
    case POLICY_GLASS_QUOTA:
        say(sentence, "you have used it %u times within 24 hours, which is all that the rule allows; wait.",
            protocol->rules[refusal->rule].quota);
        break;
    case POLICY_GLASS_SUSPENDED:
        say(sentence,
            "an earlier override of yours was not confirmed in time, so the right is suspended until "
            "another member confirms it.");
        break;
    case POLICY_GLASS_CONFIRMED:
        say(sentence, "there is no override of another member that still waits for your confirmation; name "
                      "one as 'target' and as what this answers.");
        break;
    case POLICY_ASKS_NOTHING:
        say(sentence, "a question must say which items it is for; give '" CATALOGUE_ASKED "'.");
        break;
    case POLICY_MAY_NOT_ASK:
        say(sentence, "'%s' may not be asked for; see 'may_ask' for what may.",
            label_name(protocol, refusal->label));
        break;
    default:
        say(sentence, "%s.", policy_code_name(refusal->code));
        break;
    }
}

static void say_diverted(struct sentence *sentence, const struct protocol *protocol,
                         const struct policy_refusal *refusal)
{
    for (uint16_t i = 0; i < protocol->divert_count; i++) {
        const struct protocol_divert *divert = &protocol->diverts[i];

        if (strcmp(divert->code, refusal->detail) == 0) {
            say(sentence, "the person is diverted to '%s' (%s); turn to %s.", divert->code, divert->paragraph,
                divert->to);
            return;
        }
    }
    say(sentence, "the person is diverted to '%s', which the protocol does not know.", refusal->detail);
}

/* Of an event that the person and its correlation do not stand in the way of. */
static void say_rule_reason(struct sentence *sentence, const struct protocol *protocol,
                            const struct policy_refusal *refusal)
{
    switch ((int)refusal->code) {
    case POLICY_NOT_STANDING:
        say(sentence, "events of this type do not stand, so it cannot be repeated; send a new one.");
        break;
    case POLICY_STRAND:
        say(sentence, "it does not cover the strand '%s'.", refusal->detail);
        break;
    case POLICY_MISSING_ATTRIBUTE:
        say(sentence, "the attribute '%s' is missing, from which the deadline counts; give it.",
            label_name(protocol, refusal->label));
        break;
    case POLICY_TOO_LATE:
        say(sentence, "the deadline has passed, and the rule lets nothing go late.");
        break;
    case POLICY_TOO_MANY:
        say(sentence, "it would go to more than %d recipients; the protocol must be narrowed.",
            POLICY_RECIPIENTS_MAX);
        break;
    case POLICY_OTHER_CASE:
        say(sentence, "the rules give it to nobody for the value of an attribute that it has; see 'when'.");
        break;
    case POLICY_NOBODY_NEW:
        say(sentence, "nobody has become entitled to it since it was sent.");
        break;
    default:
        say_glass_reason(sentence, protocol, refusal);
        break;
    }
}

static void say_event_reason(struct sentence *sentence, const struct protocol *protocol,
                             const struct policy_refusal *refusal)
{
    switch ((int)refusal->code) {
    case POLICY_NOT_IN_FORCE:
        say(sentence, "the protocol %s is not in force; nothing is disclosed until a new version is signed.",
            protocol->id);
        break;
    case POLICY_NOT_YOURS:
        say(sentence, "No rule lets you send this; see the protocol for what you may send.");
        break;
    case POLICY_WRONG_PURPOSE:
        say(sentence, "the purpose must be '%s'.", protocol->rules[refusal->rule].purpose);
        break;
    case POLICY_NOT_LISTED:
        say(sentence,
            "the person is not on the list, or the review is overdue; a list authority must list or review "
            "the person first.");
        break;
    case POLICY_DIVERTED:
        say_diverted(sentence, protocol, refusal);
        break;
    case POLICY_REGISTER:
        say(sentence, "%s.", refusal->detail);
        break;
    case POLICY_NO_ANSWER:
        say(sentence, "it must answer an event about this person that was sent to you, as the rule says "
                      "which; name that "
                      "event as the one it answers.");
        break;
    case POLICY_NO_TARGET:
        say(sentence, "there is no event of yours about this person that it could correct; name one in "
                      "'target' that was "
                      "accepted under this protocol.");
        break;
    case POLICY_TARGET_HELD:
        say(sentence,
            "what is known of the person still rests on that event; end that first, with ppo.removed, "
            "consent.withdrawn or a newer event of the kind.");
        break;
    default:
        say_rule_reason(sentence, protocol, refusal);
        break;
    }
}

static void say_no_party(struct sentence *sentence, const struct protocol *protocol,
                         const struct policy_refusal *refusal)
{
    enum protocol_relation relation = (enum protocol_relation)refusal->relation;

    if (refusal->relation == PROTOCOL_NONE)
        say(sentence, "no party is named for it; the partnership must add one.");
    else if (relation == RELATION_HOME_FORCE)
        say(sentence, "no party is the home force %s; that force must join the protocol.", refusal->detail);
    else if (relation == RELATION_EVERY_PARTY || refusal->detail[0] == '\0')
        say(sentence, "no such party is %s; one must join the protocol.", protocol_relation_text(relation));
    else if (relation == RELATION_HOLDING_PRISON || relation == RELATION_OFFENDER_MANAGER)
        say(sentence,
            "there is no such party for '%s', which the register names as the %s; the register or the "
            "protocol must be corrected.",
            refusal->detail, protocol_relation_name(relation));
    else
        say(sentence, "no such party serves the area '%s'; one must join the protocol.", refusal->detail);
    (void)protocol;
}

static void say_relation_unknown(struct sentence *sentence, const struct policy_refusal *refusal)
{
    static const char *const needed[] = {
        "the home force is not known; a list authority must give it",
        "the holding prison is not known; the prison must send custody.received",
        "the area is not known; a list authority must list the person",
        "the area is not known; a list authority must list the person",
        "nobody is named",
        "who referred the person is not known; name the event that it answers",
        "the pathway or the area is not known; give the attribute 'pathway'"};

    say(sentence, "%s.",
        refusal->relation < sizeof needed / sizeof needed[0] ? needed[refusal->relation] : "nobody");
}

static void say_denial(struct sentence *sentence, const struct protocol *protocol,
                       const struct policy_refusal *refusal)
{
    if (refusal->denial == PROTOCOL_NONE)
        say(sentence, "the protocol denies it.");
    else
        say(sentence, "the protocol denies it (%s, %s): %s.", protocol->denials[refusal->denial].id,
            protocol->denials[refusal->denial].paragraph, protocol->denials[refusal->denial].reason);
}

/* About items, and what a section has that the decision has not or the other way about. */
static void say_item_reason(struct sentence *sentence, const struct protocol *protocol,
                            const struct policy_refusal *refusal)
{
    switch ((int)refusal->code) {
    case POLICY_REQUIRED_ITEM:
        say(sentence, "the item '%s' is required and you do not hold it.",
            label_name(protocol, refusal->label));
        break;
    case POLICY_NO_ITEM:
        say(sentence, "you hold none of the items that the rule grants them, or none that was asked for.");
        break;
    case POLICY_NOT_A_RECIPIENT:
        say(sentence, "the rule does not name them; leave their section out.");
        break;
    case POLICY_NOT_THAT_RULE:
        say(sentence, "the section names another rule; plan again.");
        break;
    case POLICY_ITEM_NOT_GRANTED:
        say(sentence, "the item '%s' is not granted to them; leave it out.",
            label_name(protocol, refusal->label));
        break;
    case POLICY_ITEM_LEFT_OUT:
        say(sentence, "the item '%s' is granted and held but not in the section; put it in.",
            label_name(protocol, refusal->label));
        break;
    case POLICY_RECIPIENT_LEFT_OUT:
        say(sentence, "they are granted a section and there is none; put it in.");
        break;
    default:
        say(sentence, "%s.", policy_code_name(refusal->code));
        break;
    }
}

static void say_recipient_reason(struct sentence *sentence, const struct protocol *protocol,
                                 const struct policy_refusal *refusal)
{
    const char *gateway = refusal->gateway == PROTOCOL_NONE ? "?" : protocol->gateways[refusal->gateway].law;

    switch ((int)refusal->code) {
    case POLICY_GATEWAY:
        say(sentence,
            "the gateway (%s) does not run from the sender to them; another legal gateway is needed.",
            gateway);
        break;
    case POLICY_DENIED:
        say_denial(sentence, protocol, refusal);
        break;
    case POLICY_CROSSING:
        say(sentence,
            "it would cross from one data-protection regime to the other; the protocol must state by what "
            "law.");
        break;
    case POLICY_CONSENT:
        say(sentence, "no consent '%s' is in force; the person must give it, and it must be recorded, first.",
            refusal->consent == PROTOCOL_NONE ? "?" : protocol->consents[refusal->consent].scope);
        break;
    case POLICY_JUVENILE:
        say(sentence,
            "the person is under 18, or nobody says otherwise, and they get nothing about juveniles.");
        break;
    case POLICY_NO_PARTY:
        say_no_party(sentence, protocol, refusal);
        break;
    case POLICY_INACTIVE:
        say(sentence, "they have no valid certificate; they must enrol or renew first.");
        break;
    case POLICY_RELATION_UNKNOWN:
        say_relation_unknown(sentence, refusal);
        break;
    case POLICY_DIFFERS:
        say(sentence,
            "the home force of the event is not the register's, which is %s; correct the one that is wrong.",
            refusal->detail);
        break;
    default:
        say_item_reason(sentence, protocol, refusal);
        break;
    }
}

void policy_refusal_text(const struct protocol *protocol, const struct policy_decision *decision,
                         const struct policy_refusal *refusal, char out[static POLICY_TEXT_SIZE])
{
    struct sentence sentence = {out, 0};

    out[0] = '\0';
    if (refusal->code < POLICY_GATEWAY && refusal->class_index == PROTOCOL_NONE &&
        refusal->party == PROTOCOL_NONE) {
        if (refusal->code != POLICY_NOT_YOURS)
            say_rule(&sentence, protocol, decision, refusal);
        say_event_reason(&sentence, protocol, refusal);
    } else {
        say_start(&sentence, protocol, decision, refusal);
        say_recipient_reason(&sentence, protocol, refusal);
    }
}

void policy_decision_text(const struct protocol *protocol, const struct policy_decision *decision,
                          char out[static POLICY_TEXT_SIZE])
{
    struct sentence sentence = {out, 0};

    out[0] = '\0';
    if (!decision->granted && decision->refusal_count > 0) {
        policy_refusal_text(protocol, decision, &decision->refusals[0], out);
        return;
    }
    if (decision->recipient_count == 0) {
        say(&sentence, "%s is recorded", event_name(protocol, decision));
    } else {
        say(&sentence, "%s goes to ", event_name(protocol, decision));
        for (uint16_t i = 0; i < decision->recipient_count; i++)
            say(&sentence, "%s%s", i == 0 ? "" : ", ", decision->recipients[i].to);
    }
    if (decision->refusal_count > 0)
        say(&sentence, "; %u refused", decision->refusal_count + decision->refusals_dropped);
    say(&sentence, ".");
}
