#pragma once

#include "base/bytes.h"
#include "base/civil.h"
#include "policy/catalogue.h"
#include "policy/party_set.h"

struct arena;
struct yaml_errors;

/*
 * A signed information-sharing protocol as decisions read it: who the parties are, which legal gateways run
 * from whom to whom, and which rules grant what. Read-only after loading; threads may share it.
 * Everything that is not granted here is denied. Grammar: docs/protocol-guide.md.
 */
#define PROTOCOL_PARTIES_MAX    256
#define PROTOCOL_CLASSES_MAX    32
#define PROTOCOL_BODIES_MAX     32
#define PROTOCOL_AREAS_MAX      64
#define PROTOCOL_GATEWAYS_MAX   32
#define PROTOCOL_CROSSINGS_MAX  16
#define PROTOCOL_CONDITIONS_MAX 32
#define PROTOCOL_CONSENTS_MAX   16
#define PROTOCOL_STRANDS_MAX    16
#define PROTOCOL_DIVERTS_MAX    16
#define PROTOCOL_FORMS_MAX      32 /* versions of a consent's form */
#define PROTOCOL_PATHWAYS_MAX   32
#define PROTOCOL_RULES_MAX      256
#define PROTOCOL_DENIALS_MAX    64
#define PROTOCOL_GRANTS_MAX     32 /* recipients named in one rule */
#define PROTOCOL_ALSO_MAX       4  /* further gateways of one grant */
#define PROTOCOL_REACH_MAX      64 /* recipients that one event can have */
#define PROTOCOL_ID_LENGTH      64 /* ids of protocols, rules, gateways, consents ... */
#define PROTOCOL_NONE           UINT16_MAX

/* Which parties of the recipient class a grant means. Symbol, name in the file, who that is. */
#define PROTOCOL_RELATIONS(X)                                                                                \
    X(HOME_FORCE, "home force", "the party that is the person's home police force")                          \
    X(HOLDING_PRISON, "holding prison", "the prison that holds the person")                                  \
    X(OFFENDER_MANAGER, "offender manager", "the offender manager, or else the party that serves the area")  \
    X(ALL_IN_AREA, "all in area", "every party that serves the person's area")                               \
    X(EVERY_PARTY, "every party", "every party of the class")                                                \
    X(REFERRER, "referrer", "the sender of the referral that is answered")                                   \
    X(PROVIDER, "provider of the pathway", "the party that provides the pathway in the person's area")

enum protocol_relation {
#define PROTOCOL_RELATION_ENUM(symbol, name, text) RELATION_##symbol,
    PROTOCOL_RELATIONS(PROTOCOL_RELATION_ENUM)
#undef PROTOCOL_RELATION_ENUM
};

/* What must be so about the person before anything is granted. */
enum protocol_need { NEED_NOTHING, NEED_LISTED, NEED_LISTING_AUTHORITY };

enum protocol_regime { REGIME_LAW_ENFORCEMENT, REGIME_GENERAL };

struct protocol_class {
    const char *name;
    enum protocol_regime regime;
    uint32_t bodies;           /* bits: what statutes call it */
    struct party_set parties;  /* all of this class */
    uint16_t replaced_by;      /* class that takes its place for a juvenile, or PROTOCOL_NONE */
    uint16_t replace_crossing; /* bits: crossings stated for the replacement */
    bool denied_juveniles;
    bool aggregates_only; /* gets counts, never an event */
};

struct protocol_party {
    const char *id; /* member id; parties ascend by it */
    uint16_t class_index;
    uint64_t areas;    /* bits */
    uint32_t pathways; /* bits: positions in the catalogue's code list `pathway` */
    uint16_t establishment_count;
    const char *const *establishments;
    char force[3]; /* two digits, or empty */
};

struct protocol_gateway {
    const char *name;
    const char *law;
    uint32_t from; /* bodies; all bits: any */
    uint32_t to;
    bool limited;  /* carries `items` only */
    bool reserved; /* and nothing else may carry those */
    struct label_set items;
};

struct protocol_crossing {
    const char *name;
    const char *law;   /* that authorises it */
    const char *basis; /* in the UK GDPR, of the side that works under it */
    enum protocol_regime from;
    enum protocol_regime to;
};

struct protocol_condition {
    const char *name;
    const char *law;
};

struct protocol_consent {
    const char *scope; /* a code of the catalogue's list consent_scope */
    struct duration longest;
    const char *const *forms; /* versions of the form on which it may be given */
    uint16_t form_count;
    uint32_t recorded_by; /* bits: classes that may record it */
};

/* People whom another arrangement looks after: nothing about them goes out here. */
struct protocol_divert {
    const char *code; /* of the attribute `divert` */
    const char *paragraph;
    const char *law;
    const char *to; /* for people: where to turn instead */
};

/* Who lists people of a strand. */
struct protocol_strand {
    const char *name;
    const char *authority; /* code of the attribute `authority` */
    uint16_t class_index;  /* whose members hold that authority */
    bool has_longest_review;
    struct duration longest_review; /* a review may be due this long after the listing or the last review */
};

/* When a disclosure is due. */
enum protocol_clock { CLOCK_NONE, CLOCK_WITHIN, CLOCK_BEFORE };

struct protocol_rule {
    const char *id;
    const char *purpose;
    const char *paragraph; /* of the sources, for people: "CC 37, ST 3" */
    bool record;           /* no recipient: changes the register and is logged */
    bool follows; /* a correction: goes to those who were told the event that it is about, and to them only */
    enum protocol_need need;
    uint32_t strands; /* bits; all: any strand */
    bool on_change_supersede;
    bool late_refused; /* otherwise sent and flagged */
    bool urgent;
    struct duration acknowledge; /* urgent only */
    const char *escalate_to;     /* urgent only; NULL otherwise */
    struct duration retention;
    uint32_t from;            /* bits: classes */
    struct label_set may_ask; /* of questions: the items that they may be for */
    bool break_glass;         /* what an event that overrides names in its attribute `rule` */
    uint64_t reasons;         /* break-glass: bits, by the codes of `reason` in that event type */
    uint64_t duty_roles;      /* break-glass: bits, by the codes of `duty_role` */
    uint32_t quota;           /* break-glass: uses by one member within 24 hours */
    uint32_t line;            /* where its name stands in the file */
    uint32_t column;
};

/* What goes nowhere, whatever a rule grants: a denial beats every grant. */
struct protocol_denial {
    const char *id;
    const char *paragraph;
    const char *reason; /* for people: why */
    uint32_t from;      /* bits: classes */
    uint32_t to;
    uint64_t events[2];     /* bits */
    bool whole;             /* the event itself; otherwise `items` of it only */
    struct label_set items; /* !whole */
    uint32_t line;
    uint32_t column;
};

/* One gateway of a grant and what it carries. */
struct protocol_carriage {
    uint16_t gateway;
    struct label_set labels;
};

/*
 * One way that an event type from one class may reach one class, worked out when the file was loaded. A route
 * whose gateway or crossing does not run stays, so that a decision can say why nothing goes that way.
 */
struct protocol_route {
    uint16_t rule;
    uint16_t grant; /* position in the rule's `to` */
    uint16_t event;
    uint16_t to_class;
    enum protocol_relation relation;
    uint16_t carriage_count;
    struct protocol_carriage carriages[1 + PROTOCOL_ALSO_MAX]; /* the grant's own gateway first */
    struct label_set labels;                                   /* of all carriages that run */
    struct label_set required;
    bool bare;           /* may go without any item: the event itself is the message */
    bool adults_only;    /* nothing about a juvenile */
    uint16_t stopped;    /* enum policy_code why this pair gets nothing, or 0 */
    uint16_t denial;     /* which one stopped it, or PROTOCOL_NONE */
    uint16_t when;       /* position of the attribute that must have one of when_codes, or PROTOCOL_NONE */
    uint64_t when_codes; /* bits: positions in that attribute's code list */
    uint16_t consent;    /* index, or PROTOCOL_NONE */
    uint16_t condition;  /* index, or PROTOCOL_NONE */
    uint16_t crossings;  /* bits: stated */
    uint16_t crossing;   /* index of the one that applies, or PROTOCOL_NONE */
    enum protocol_clock clock;
    struct duration clock_length;
    uint16_t clock_attribute; /* CLOCK_BEFORE: position among the event type's attributes */
};

/* What an event type from one class is about: one purpose, the routes, or a record. */
struct protocol_pair {
    uint32_t first_route;
    uint16_t route_count;
    uint16_t rule; /* of the first route or of the record; PROTOCOL_NONE: this class may not send that type */
    uint64_t answers[2]; /* bits: event types one of which it must answer; none: it need not answer any */
};

struct protocol_role {
    const char *name; /* code of the attribute `role` */
    uint32_t classes; /* bits: whose members may hold it */
};

/* What holds of all break-glass rules. */
struct protocol_break_glass {
    uint16_t event; /* the type that overrides, or CATALOGUE_NONE: nothing can be overridden */
    const char *purpose;
    struct duration confirm_within; /* by another member; after it the right is suspended */
    struct label_set excluded;      /* with all that is clinical: never released so */
};

/* Counts for those who get no event. */
struct protocol_aggregates {
    uint32_t to;             /* bits: classes; 0: there are none */
    uint32_t suppress_below; /* counts from 1 to below this are not shown */
    const char *paragraph;
};

struct protocol {
    const struct catalogue *catalogue; /* borrowed */
    const char *id;
    uint32_t version;
    const char *title;
    const char *owner;
    int64_t in_force_from;         /* milliseconds: start of the first day */
    int64_t in_force_until;        /* end of the last day, exclusive */
    int32_t review;                /* date */
    const char *impact_assessment; /* reference and date, for people */
    const char *policy_document;
    const char *const *signatories;
    uint16_t signatory_count;
    struct duration review_grace;
    struct duration juvenile_until;
    const char *onward;             /* for people: may recipients pass on what they have? */
    bool onward_leave;              /* with the sender's leave; otherwise never */
    bool withdrawal_ends_retention; /* erasure and retraction always do */
    const char *juvenile_authority; /* that approves the listing of somebody under 18 */
    uint16_t juvenile_class;        /* whose members hold it */
    uint32_t juvenile_strands;      /* bits: lists on which somebody under 18 may stand */
    bool has_after_removal;
    struct duration after_removal; /* what is held of a person ends at the latest so long after the removal */
    bool has_log_retention;
    struct duration
        log_retention;            /* how long the log says who looked, asked, overrode; what no rule covers */
    struct duration merge_within; /* a merge that nobody confirms in this time lapses */
    uint16_t class_count;
    uint16_t party_count;
    uint16_t area_count;
    uint16_t body_count;
    uint16_t gateway_count;
    uint16_t crossing_count;
    uint16_t condition_count;
    uint16_t consent_count;
    uint16_t strand_count;
    uint16_t role_count;
    uint16_t divert_count;
    uint16_t rule_count;
    uint16_t denial_count;
    const struct protocol_class *classes;
    const struct protocol_party *parties;
    const char *const *areas;
    const char *const *bodies;
    const struct protocol_gateway *gateways;
    const struct protocol_crossing *crossings;
    const struct protocol_condition *conditions;
    const struct protocol_consent *consents;
    const struct protocol_strand *strands;
    const struct protocol_role *roles;
    const struct protocol_divert *diverts;
    const struct protocol_rule *rules;
    const struct protocol_denial *denials;
    const struct protocol_pair *pairs; /* event type × class: [event * class_count + class] */
    const struct protocol_route *routes;
    uint32_t route_count;
    struct protocol_break_glass break_glass;
    struct protocol_aggregates aggregates;
    const struct party_set *in_area;  /* by area */
    const struct party_set *provides; /* by position in the code list `pathway` */
    uint16_t force_party[100];        /* by force code, or PROTOCOL_NONE */
    const struct catalogue_codes *pathway_codes;
    uint16_t pathway_label; /* labels that relations read, or CATALOGUE_NONE */
    uint16_t home_force_label;
    struct arena *arena; /* holds all of the above but the catalogue */
};

/*
 * protocol_load - read a protocol from YAML text and check it against its catalogue.
 *
 * catalogue     borrowed; must live longer than the protocol
 * errors        gets everything that is wrong, where, and what to do about it
 * ret_protocol  on STATUS_OK owned by the caller (protocol_free); keeps nothing of text
 *
 * Returns STATUS_BAD_FORMAT, STATUS_TOO_LARGE or STATUS_NO_MEMORY.
 */
enum status protocol_load(struct byte_view text, const struct catalogue *catalogue,
                          struct yaml_errors *errors, struct protocol **ret_protocol);

void protocol_free(struct protocol **protocol);

/* Indexes by name, or PROTOCOL_NONE. Parties by bisection, the rest in a handful of steps. */
uint16_t protocol_find_party(const struct protocol *protocol, struct byte_view member);
uint16_t protocol_find_class(const struct protocol *protocol, struct byte_view name);
uint16_t protocol_find_area(const struct protocol *protocol, const char *area);
uint16_t protocol_find_strand(const struct protocol *protocol, const char *strand);
uint16_t protocol_find_consent(const struct protocol *protocol, const char *scope);
uint16_t protocol_find_rule(const struct protocol *protocol, struct byte_view id);

/* protocol_find_establishment - the party that speaks for a prison, or PROTOCOL_NONE. */
uint16_t protocol_find_establishment(const struct protocol *protocol, struct byte_view prison);

/* protocol_pair_of - never NULL for indexes within the catalogue and the classes. */
const struct protocol_pair *protocol_pair_of(const struct protocol *protocol, uint16_t event,
                                             uint16_t class_index);

/* protocol_in_force - between its dates at that time. */
bool protocol_in_force(const struct protocol *protocol, int64_t now);

/* protocol_longest_retention, protocol_shortest_retention - the longest, and the shortest, that any of its
 * rules lets recipients keep what they have. */
struct duration protocol_longest_retention(const struct protocol *protocol);
struct duration protocol_shortest_retention(const struct protocol *protocol);

/* protocol_gateway_runs - does the gateway run from one class to the other? */
bool protocol_gateway_runs(const struct protocol *protocol, uint16_t gateway, uint16_t from, uint16_t to);

/*
 * protocol_denied - what denials take away of an event type on its way from one class to another.
 *
 * ret_items  items of it that are denied; gets none when everything is
 *
 * Returns the index of the denial that forbids the event as such, or PROTOCOL_NONE.
 */
uint16_t protocol_denied(const struct protocol *protocol, uint16_t event, uint16_t from, uint16_t to,
                         struct label_set *ret_items);

const char *protocol_relation_name(enum protocol_relation relation);
const char *protocol_relation_text(enum protocol_relation relation);
