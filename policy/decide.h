#pragma once

#include "policy/protocol.h"
#include "policy/register.h"
#include "policy/request.h"

/*
 * May they? One pure function, which agent, broker, protocol tool and audit replay all call: no input or
 * output, no clock, no allocation, no state. The same arguments give the same decision.
 */
#define POLICY_RECIPIENTS_MAX PROTOCOL_REACH_MAX
#define POLICY_REFUSALS_MAX   64
#define POLICY_DETAIL_SIZE    256
#define POLICY_TEXT_SIZE      512

/*
 * Why something is refused. Symbol, code on the wire and in the log, whole event or one recipient.
 * The sentence for people comes from policy_refusal_text.
 */
#define POLICY_CODES(X)                                                                                      \
    X(NONE, "none")                                                                                          \
    /* the whole event */                                                                                    \
    X(NOT_IN_FORCE, "protocol-not-in-force")                                                                 \
    X(NOT_YOURS, "not-yours-to-send")                                                                        \
    X(WRONG_PURPOSE, "wrong-purpose")                                                                        \
    X(NOT_LISTED, "not-listed")                                                                              \
    X(DIVERTED, "diverted")                                                                                  \
    X(REGISTER, "register-refuses")                                                                          \
    X(NO_ANSWER, "answers-nothing")                                                                          \
    X(NO_TARGET, "corrects-nothing")                                                                         \
    X(TARGET_HELD, "register-rests-on-it")                                                                   \
    X(NOT_STANDING, "not-standing")                                                                          \
    X(STRAND, "other-strand")                                                                                \
    X(MISSING_ATTRIBUTE, "attribute-missing")                                                                \
    X(TOO_LATE, "too-late")                                                                                  \
    X(TOO_MANY, "too-many-recipients")                                                                       \
    X(NOBODY_NEW, "nobody-newly-entitled")                                                                   \
    X(GLASS_RULE, "no-break-glass-rule")                                                                     \
    X(GLASS_REASON, "reason-not-allowed")                                                                    \
    X(GLASS_ROLE, "not-on-duty")                                                                             \
    X(GLASS_QUOTA, "quota-used-up")                                                                          \
    X(GLASS_SUSPENDED, "break-glass-suspended")                                                              \
    X(GLASS_CONFIRMED, "nothing-to-confirm")                                                                 \
    X(ASKS_NOTHING, "asks-nothing")                                                                          \
    X(MAY_NOT_ASK, "may-not-ask")                                                                            \
    X(OTHER_CASE, "other-case")                                                                              \
    /* one recipient or class */                                                                             \
    X(GATEWAY, "gateway-does-not-run")                                                                       \
    X(DENIED, "denied")                                                                                      \
    X(CROSSING, "crossing-not-stated")                                                                       \
    X(CONSENT, "no-consent")                                                                                 \
    X(JUVENILE, "juvenile")                                                                                  \
    X(NO_PARTY, "no-such-party")                                                                             \
    X(INACTIVE, "party-not-active")                                                                          \
    X(RELATION_UNKNOWN, "relation-unknown")                                                                  \
    X(DIFFERS, "differs-from-register")                                                                      \
    X(REQUIRED_ITEM, "required-item-missing")                                                                \
    X(NO_ITEM, "no-item-held")                                                                               \
    /* what a caller finds when it compares an event with its decision (policy_match) */                     \
    X(NOT_A_RECIPIENT, "recipient-not-granted")                                                              \
    X(NOT_THAT_RULE, "other-rule")                                                                           \
    X(ITEM_NOT_GRANTED, "item-not-granted")                                                                  \
    X(ITEM_LEFT_OUT, "item-left-out")                                                                        \
    X(RECIPIENT_LEFT_OUT, "recipient-left-out")

enum policy_code {
#define POLICY_CODE_ENUM(symbol, code) POLICY_##symbol,
    POLICY_CODES(POLICY_CODE_ENUM)
#undef POLICY_CODE_ENUM
};

/*
 * Break-glass, as the one who keeps the count knows it; an agent knows nothing of it and leaves all zero,
 * for what binds a sender is the broker's to hold it to.
 */
struct policy_glass {
    uint32_t used;  /* overrides by the sender under the rule that this one names, in the last 24 hours */
    bool suspended; /* an override of the sender was not confirmed in time */
    bool settled;   /* a confirmation: what it names is confirmed, or never was accepted */
};

/* The event that a correction names, and who was told what of it. */
struct policy_target {
    struct byte_view from; /* its sender */
    uint16_t event;        /* its type */
    bool same_subject;
    bool same_protocol;
    bool is_ground; /* what is known of the person rests on it */
    uint16_t count;
    uint16_t parties[POLICY_RECIPIENTS_MAX];
    struct label_set labels[POLICY_RECIPIENTS_MAX]; /* what each was told */
};

/* What is known apart from the event. */
struct policy_facts {
    const struct register_state *person; /* NULL: nothing is known */
    const struct policy_target *target;  /* of a correction; NULL: there is no such event */
    struct party_set active;             /* parties with a valid certificate and key */
    /* The event that this one is correlated with; from is empty when there is none or it is unknown. */
    struct byte_view correlated_from;
    uint16_t correlated_event;           /* its type, or CATALOGUE_NONE */
    bool correlated_same_subject;        /* it is about the same person */
    bool correlated_disclosed_to_sender; /* the sender of this event was a recipient of that one */
    bool correlated_is_target;           /* the attribute `target` names it too */
    bool correlated_asks;                /* it was a question, for these items */
    struct label_set correlated_asked;
    struct policy_glass glass;
};

struct policy_recipient {
    const char *to;      /* member id; borrowed from the protocol, as all texts here */
    const char *rule;    /* its id */
    const char *gateway; /* its name */
    uint16_t party;
    uint16_t rule_index;
    uint16_t gateway_index;
    uint16_t crossing;       /* index, or PROTOCOL_NONE when no regime is crossed */
    uint16_t condition;      /* index, or PROTOCOL_NONE */
    uint16_t consent;        /* index, or PROTOCOL_NONE */
    uint16_t replaced_class; /* the class whose place this recipient takes for a juvenile, or PROTOCOL_NONE */
    uint32_t gateways;       /* bits: all that carry something */
    uint32_t entries;        /* bits: positions in the rule's `to` that this adds up */
    struct label_set labels;
    int64_t deadline; /* milliseconds; 0: none */
    bool late;        /* the deadline has passed already */
    bool urgent;
    int64_t acknowledge_by;  /* urgent: milliseconds; otherwise 0 */
    const char *escalate_to; /* urgent: whom to tell then; otherwise NULL */
    struct duration retention;
    uint32_t grounds;  /* bits of REGISTER_GROUND_*: facts that the agent must be shown */
    uint32_t rests_on; /* bits: when one of these ends before delivery, this is recalled */
};

/* One recipient or class that gets nothing or less, or the whole event. */
struct policy_refusal {
    enum policy_code code;
    uint16_t party;                  /* or PROTOCOL_NONE */
    uint16_t class_index;            /* or PROTOCOL_NONE */
    uint16_t rule;                   /* or PROTOCOL_NONE */
    uint16_t label;                  /* or CATALOGUE_NONE */
    uint16_t consent;                /* or PROTOCOL_NONE */
    uint16_t gateway;                /* or PROTOCOL_NONE */
    uint16_t relation;               /* enum protocol_relation, or PROTOCOL_NONE */
    uint16_t entry;                  /* position in the rule's `to`, or PROTOCOL_NONE */
    uint16_t denial;                 /* DENIED: which; otherwise PROTOCOL_NONE */
    char detail[POLICY_DETAIL_SIZE]; /* a value that the sentence names, such as a force; or empty */
};

/* About 40 KB: better static or on the heap. Beyond the two counts the arrays are left as they were. */
struct policy_decision {
    bool granted;            /* at least one recipient, or a record */
    bool record;             /* the event changes the register, or confirms an override */
    bool break_glass;        /* it overrides, under `rule` */
    enum policy_code reason; /* refused as a whole: why; otherwise POLICY_NONE */
    uint16_t event;
    uint16_t from; /* party, or PROTOCOL_NONE */
    uint16_t rule; /* the pair's rule, or PROTOCOL_NONE */
    bool juvenile; /* the person was treated as one */
    uint16_t recipient_count;
    uint16_t refusal_count;
    uint16_t refusals_dropped; /* beyond POLICY_REFUSALS_MAX */
    struct register_change change;
    uint32_t change_grounds; /* bits: facts that the change itself was judged by */
    uint32_t route_grounds;  /* bits: facts by which rules and routes were followed, also to nobody */
    struct policy_recipient recipients[POLICY_RECIPIENTS_MAX]; /* ascending by member id */
    struct policy_refusal refusals[POLICY_REFUSALS_MAX];
};

/*
 * policy_decide - who may have what of this event.
 *
 * Default deny: a recipient is listed only if a rule in force grants it at least one item that the sender
 * holds, its gateway runs from the sender's class to the recipient's, consent and crossing are in order, and
 * the person is on the list where the rule needs that. Deadlines count from the event's `created`,
 * acknowledgement from now. An event that is itself refused has no recipients.
 */
void policy_decide(const struct protocol *protocol, const struct policy_facts *facts,
                   const struct policy_request *request, int64_t now, struct policy_decision *ret_decision);

/* policy_code_name - the code on the wire; static storage. */
const char *policy_code_name(enum policy_code code);

/* policy_refusal_text - one plain sentence: what is refused, under which rule, which item, what would be
 * needed. Always terminated. */
void policy_refusal_text(const struct protocol *protocol, const struct policy_decision *decision,
                         const struct policy_refusal *refusal, char out[static POLICY_TEXT_SIZE]);

/* policy_decision_text - the outcome in one sentence. */
void policy_decision_text(const struct protocol *protocol, const struct policy_decision *decision,
                          char out[static POLICY_TEXT_SIZE]);

/* policy_recipient - the grant of a member, or NULL. */
const struct policy_recipient *policy_recipient(const struct policy_decision *decision, struct byte_view to);

/*
 * policy_match - is a section exactly what the decision grants? STATUS_OK, or STATUS_REFUSED with why
 * (ret_refusal may be NULL): for whom the decision gives nothing, what the decision says is missing. Whether
 * every recipient has a section is the caller's to count.
 */
enum status policy_match(const struct protocol *protocol, const struct policy_decision *decision,
                         struct byte_view to, struct byte_view rule, const struct label_set *labels,
                         struct policy_refusal *ret_refusal);

/* policy_may_send - plans are answered only for types that the asker may send. */
bool policy_may_send(const struct protocol *protocol, struct byte_view from, uint16_t event);

/* policy_not_yours - the one uniform refusal for everything else; as if policy_decide had been asked. */
void policy_not_yours(uint16_t event, struct policy_decision *ret_decision);

/* policy_purpose - the purpose that a member states for an event type; NULL if it may not send it. */
const char *policy_purpose(const struct protocol *protocol, struct byte_view from, uint16_t event);

/* policy_retention - how long a recipient keeps what a rule gave it. STATUS_NOT_FOUND: no such rule. */
enum status policy_retention(const struct protocol *protocol, struct byte_view rule,
                             struct duration *ret_retention);

/*
 * policy_deadline - when a disclosure by this route is due; 0: it has no clock. date: what the attribute says
 * that the clock counts back from (CLOCK_BEFORE only). Where it counts back whole days, all of that day (UTC)
 * is in time: the deadline is its last millisecond. One that was over before 1970 is given as the first
 * millisecond of it.
 */
int64_t policy_deadline(const struct protocol_route *route, int64_t created, int32_t date);

/* policy_grounds - bits of all facts about the person that the decision used: what grants rest on, what
 * routed (a move may well lead to nobody), what the change was judged by. Whoever has their grounds decides
 * alike. */
uint32_t policy_grounds(const struct policy_decision *decision);

/* policy_recalled - the recipients of an undelivered event that lose it when these grounds end. */
struct party_set policy_recalled(const struct policy_decision *decision, uint32_t cleared);
