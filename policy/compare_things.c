#include <string.h>

#include "policy/compare_parts.h"

/* Everything that a protocol names: what is new, what is gone, what is different about it. */

typedef void (*write_field)(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret);

struct field {
    const char *name; /* NULL ends a table */
    write_field write;
};

struct thing {
    const char *heading;
    const char *what;
    uint16_t (*count)(const struct protocol *protocol);
    const char *(*name)(const struct protocol *protocol, uint16_t index);
    const struct field *fields;
};

/* helpers for values */

static void put_text(const char *text, struct byte_buffer *ret)
{
    bytes_append_string(ret, text == NULL || text[0] == '\0' ? "none" : text);
}

static void put_date(int32_t date, struct byte_buffer *ret)
{
    char text[CIVIL_DATE_SIZE];

    civil_format_date(date, text);
    bytes_append_string(ret, text);
}

static void put_duration(struct duration duration, struct byte_buffer *ret)
{
    char text[CIVIL_DURATION_SIZE];

    civil_format_duration(duration, text);
    bytes_append_string(ret, text);
}

static void put_class(const struct protocol *protocol, uint16_t class, struct byte_buffer *ret)
{
    put_text(class == PROTOCOL_NONE ? NULL : protocol->classes[class].name, ret);
}

static void put_regime(enum protocol_regime regime, struct byte_buffer *ret)
{
    bytes_append_string(ret, regime == REGIME_GENERAL ? "general" : "law_enforcement");
}

static void put_bodies(const struct protocol *protocol, uint32_t bodies, struct byte_buffer *ret)
{
    struct compare_names names = {0};

    if (bodies == UINT32_MAX) {
        bytes_append_string(ret, "any");
        return;
    }
    for (uint16_t i = 0; i < protocol->body_count; i++) {
        if ((bodies >> i & 1) != 0)
            compare_names_add(&names, protocol->bodies[i]);
    }
    compare_names_write(&names, ret);
}

static void put_classes(const struct protocol *protocol, uint32_t classes, struct byte_buffer *ret)
{
    struct compare_names names = {0};

    for (uint16_t i = 0; i < protocol->class_count; i++) {
        if ((classes >> i & 1) != 0)
            compare_names_add(&names, protocol->classes[i].name);
    }
    compare_names_write(&names, ret);
}

static void put_labels(const struct protocol *protocol, const struct label_set *labels,
                       struct byte_buffer *ret)
{
    struct compare_names names = {0};

    for (unsigned i = label_set_next(labels, 0); i < SET256_END; i = label_set_next(labels, i + 1))
        compare_names_add(&names, protocol->catalogue->labels[i].label);
    compare_names_write(&names, ret);
}

/* the protocol itself */

static uint16_t one(const struct protocol *protocol)
{
    (void)protocol;
    return 1;
}

static const char *itself(const struct protocol *protocol, uint16_t index)
{
    (void)protocol;
    (void)index;
    return "";
}

#define HEAD(function, expression)                                                                           \
    static void function(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret)           \
    {                                                                                                        \
        (void)index;                                                                                         \
        expression;                                                                                          \
    }

HEAD(head_id, put_text(protocol->id, ret))
HEAD(head_title, put_text(protocol->title, ret))
HEAD(head_owner, put_text(protocol->owner, ret))
HEAD(head_from, put_date(civil_day_of(protocol->in_force_from), ret))
HEAD(head_until, put_date(civil_day_of(protocol->in_force_until - 1), ret))
HEAD(head_review, put_date(protocol->review, ret))
HEAD(head_assessment, put_text(protocol->impact_assessment, ret))
HEAD(head_policy, put_text(protocol->policy_document, ret))
HEAD(head_grace, put_duration(protocol->review_grace, ret))
HEAD(head_juvenile, put_duration(protocol->juvenile_until, ret))
HEAD(head_catalogue, put_text(protocol->catalogue->version, ret))

static void head_signatories(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret)
{
    struct compare_names names = {0};

    (void)index;
    for (uint16_t i = 0; i < protocol->signatory_count; i++)
        compare_names_add(&names, protocol->signatories[i]);
    compare_names_write(&names, ret);
}

static void head_glass(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret)
{
    (void)index;
    if (protocol->break_glass.event == CATALOGUE_NONE) {
        bytes_append_string(ret, "none");
        return;
    }
    bytes_append_string(ret, "confirmed within ");
    put_duration(protocol->break_glass.confirm_within, ret);
    bytes_append_string(ret, ", never releasing ");
    put_labels(protocol, &protocol->break_glass.excluded, ret);
}

static void head_aggregates(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret)
{
    (void)index;
    put_classes(protocol, protocol->aggregates.to, ret);
    if (protocol->aggregates.to != 0)
        bytes_append_format(ret, ", counts below %u not shown", protocol->aggregates.suppress_below);
}

HEAD(head_onward, put_text(protocol->onward, ret))
HEAD(head_withdrawal, put_text(protocol->withdrawal_ends_retention ? "yes" : "no", ret))
HEAD(head_merge, put_duration(protocol->merge_within, ret))
HEAD(head_approval, put_text(protocol->juvenile_authority, ret))

static const struct field head_fields[] = {
    {"the protocol's id", head_id},
    {"the title", head_title},
    {"the owner", head_owner},
    {"the list of signatories", head_signatories},
    {"the first day in force", head_from},
    {"the last day in force", head_until},
    {"the review date", head_review},
    {"the impact assessment", head_assessment},
    {"the policy document", head_policy},
    {"the grace after an overdue review", head_grace},
    {"the age until which somebody is a juvenile", head_juvenile},
    {"the catalogue", head_catalogue},
    {"onward disclosure", head_onward},
    {"whether a withdrawal ends retention", head_withdrawal},
    {"how long a merge waits for a second member", head_merge},
    {"who approves that somebody under age is listed", head_approval},
    {"break-glass", head_glass},
    {"who gets counts only", head_aggregates},
    {NULL, NULL},
};

/* named things: NAMED(prefix, array, count, name) gives the count and name functions */

#define NAMED(prefix, array, counter, naming)                                                                \
    static uint16_t prefix##_count(const struct protocol *protocol)                                          \
    {                                                                                                        \
        return protocol->counter;                                                                            \
    }                                                                                                        \
    static const char *prefix##_name(const struct protocol *protocol, uint16_t index)                        \
    {                                                                                                        \
        return protocol->array[index] naming;                                                                \
    }

#define FIELD(function, expression)                                                                          \
    static void function(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret)           \
    {                                                                                                        \
        expression;                                                                                          \
    }

NAMED(area, areas, area_count, )
NAMED(class, classes, class_count, .name)
NAMED(party, parties, party_count, .id)
NAMED(gateway, gateways, gateway_count, .name)
NAMED(crossing, crossings, crossing_count, .name)
NAMED(condition, conditions, condition_count, .name)
NAMED(consent, consents, consent_count, .scope)
NAMED(strand, strands, strand_count, .name)
NAMED(divert, diverts, divert_count, .code)
NAMED(role, roles, role_count, .name)
NAMED(rule, rules, rule_count, .id)
NAMED(denial, denials, denial_count, .id)

static const struct field no_fields[] = {{NULL, NULL}};

FIELD(class_regime, put_regime(protocol->classes[index].regime, ret))
FIELD(class_bodies, put_bodies(protocol, protocol->classes[index].bodies, ret))
FIELD(class_replaced, put_class(protocol, protocol->classes[index].replaced_by, ret))
FIELD(class_counts, put_text(protocol->classes[index].aggregates_only ? "counts only" : "events", ret))
FIELD(class_denied,
      put_text(protocol->classes[index].denied_juveniles ? "nothing" : "what the rules say", ret))

static const struct field class_fields[] = {
    {"its data-protection regime", class_regime},
    {"what statutes call it", class_bodies},
    {"the class that takes its place for juveniles", class_replaced},
    {"what it receives about juveniles", class_denied},
    {"what it may receive at all", class_counts},
    {NULL, NULL},
};

static void party_areas(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret)
{
    struct compare_names names = {0};

    for (uint16_t i = 0; i < protocol->area_count; i++) {
        if ((protocol->parties[index].areas >> i & 1) != 0)
            compare_names_add(&names, protocol->areas[i]);
    }
    compare_names_write(&names, ret);
}

static void party_prisons(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret)
{
    struct compare_names names = {0};

    for (uint16_t i = 0; i < protocol->parties[index].establishment_count; i++)
        compare_names_add(&names, protocol->parties[index].establishments[i]);
    compare_names_write(&names, ret);
}

static void party_pathways(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret)
{
    struct compare_names names = {0};

    for (uint16_t i = 0; protocol->pathway_codes != NULL && i < protocol->pathway_codes->count; i++) {
        if (i < PROTOCOL_PATHWAYS_MAX && (protocol->parties[index].pathways >> i & 1) != 0)
            compare_names_add(&names, protocol->pathway_codes->values[i]);
    }
    compare_names_write(&names, ret);
}

FIELD(party_class, put_class(protocol, protocol->parties[index].class_index, ret))
FIELD(party_force, put_text(protocol->parties[index].force, ret))

static const struct field party_fields[] = {
    {"its class", party_class},
    {"the areas that it serves", party_areas},
    {"its force code", party_force},
    {"the prisons that it speaks for", party_prisons},
    {"the pathways that it provides", party_pathways},
    {NULL, NULL},
};

static void gateway_items(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret)
{
    if (protocol->gateways[index].limited)
        put_labels(protocol, &protocol->gateways[index].items, ret);
    else
        bytes_append_string(ret, "any");
}

FIELD(gateway_law, put_text(protocol->gateways[index].law, ret))
FIELD(gateway_from, put_bodies(protocol, protocol->gateways[index].from, ret))
FIELD(gateway_to, put_bodies(protocol, protocol->gateways[index].to, ret))
FIELD(gateway_reserved, put_text(protocol->gateways[index].reserved ? "yes" : "no", ret))

static const struct field gateway_fields[] = {
    {"its law", gateway_law},
    {"the bodies that it runs from", gateway_from},
    {"the bodies that it runs to", gateway_to},
    {"the items that it may carry", gateway_items},
    {"whether no other gateway may carry them", gateway_reserved},
    {NULL, NULL},
};

FIELD(crossing_law, put_text(protocol->crossings[index].law, ret))
FIELD(crossing_basis, put_text(protocol->crossings[index].basis, ret))
FIELD(crossing_from, put_regime(protocol->crossings[index].from, ret))
FIELD(crossing_to, put_regime(protocol->crossings[index].to, ret))

static const struct field crossing_fields[] = {
    {"its law", crossing_law},
    {"its basis", crossing_basis},
    {"the regime that it leaves", crossing_from},
    {"the regime that it enters", crossing_to},
    {NULL, NULL},
};

FIELD(condition_law, put_text(protocol->conditions[index].law, ret))

static const struct field condition_fields[] = {{"its law", condition_law}, {NULL, NULL}};

FIELD(consent_longest, put_duration(protocol->consents[index].longest, ret))

static void consent_forms(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret)
{
    struct compare_names names = {0};

    for (uint16_t i = 0; i < protocol->consents[index].form_count; i++)
        compare_names_add(&names, protocol->consents[index].forms[i]);
    compare_names_write(&names, ret);
}

FIELD(consent_recorded, put_classes(protocol, protocol->consents[index].recorded_by, ret))

static const struct field consent_fields[] = {
    {"how long one may run", consent_longest},
    {"its forms", consent_forms},
    {"who may record it", consent_recorded},
    {NULL, NULL},
};

static void strand_review(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret)
{
    if (protocol->strands[index].has_longest_review)
        put_duration(protocol->strands[index].longest_review, ret);
    else
        bytes_append_string(ret, "no period");
}

FIELD(strand_authority, put_text(protocol->strands[index].authority, ret))
FIELD(strand_class, put_class(protocol, protocol->strands[index].class_index, ret))

static const struct field strand_fields[] = {
    {"the authority over it", strand_authority},
    {"the class that holds the authority", strand_class},
    {"the longest time to the next review", strand_review},
    {NULL, NULL},
};

FIELD(divert_law, put_text(protocol->diverts[index].law, ret))
FIELD(divert_to, put_text(protocol->diverts[index].to, ret))

static const struct field divert_fields[] = {
    {"its law", divert_law}, {"where to turn", divert_to}, {NULL, NULL}};

FIELD(role_classes, put_classes(protocol, protocol->roles[index].classes, ret))

static const struct field role_fields[] = {{"the classes that may hold it", role_classes}, {NULL, NULL}};

static void rule_strands(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret)
{
    struct compare_names names = {0};

    if (protocol->rules[index].strands == UINT32_MAX) {
        bytes_append_string(ret, "all");
        return;
    }
    for (uint16_t i = 0; i < protocol->strand_count; i++) {
        if ((protocol->rules[index].strands >> i & 1) != 0)
            compare_names_add(&names, protocol->strands[i].name);
    }
    compare_names_write(&names, ret);
}

static void rule_need(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret)
{
    static const char *const needs[] = {"nothing", "that the person is listed",
                                        "the authority over the list"};

    bytes_append_string(ret, needs[protocol->rules[index].need]);
}

static void rule_urgent(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret)
{
    const struct protocol_rule *rule = &protocol->rules[index];

    if (!rule->urgent) {
        bytes_append_string(ret, "not urgent");
        return;
    }
    bytes_append_string(ret, "acknowledged within ");
    put_duration(rule->acknowledge, ret);
    bytes_append_format(ret, ", else the %s is told", rule->escalate_to);
}

FIELD(rule_purpose, put_text(protocol->rules[index].purpose, ret))
FIELD(rule_paragraph, put_text(protocol->rules[index].paragraph, ret))
FIELD(rule_from, put_classes(protocol, protocol->rules[index].from, ret))
FIELD(rule_late, put_text(protocol->rules[index].late_refused ? "refused" : "sent and flagged", ret))
FIELD(rule_change, put_text(protocol->rules[index].on_change_supersede ? "superseded" : "left", ret))
FIELD(rule_retention, put_duration(protocol->rules[index].retention, ret))
FIELD(rule_record, put_text(protocol->rules[index].record    ? "a record"
                            : protocol->rules[index].follows ? "corrections, to whoever was told"
                                                             : "a rule with recipients",
                            ret))

/* Codes of an attribute of the event type that overrides. */
static void put_codes(const struct protocol *protocol, const char *label, uint64_t bits,
                      struct byte_buffer *ret)
{
    const struct catalogue *catalogue = protocol->catalogue;
    const struct catalogue_field *field =
        catalogue_field(&catalogue->events[protocol->break_glass.event],
                        catalogue_find_label(catalogue, bytes_of_string(label)));
    struct compare_names names = {0};

    for (uint16_t i = 0; field != NULL && field->codes != NULL && i < field->codes->count; i++) {
        if ((bits >> i & 1) != 0)
            compare_names_add(&names, field->codes->values[i]);
    }
    compare_names_write(&names, ret);
}

static void rule_glass(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret)
{
    const struct protocol_rule *rule = &protocol->rules[index];

    if (rule->break_glass) {
        bytes_append_format(ret, "at most %u times in 24 hours; reasons ", rule->quota);
        put_codes(protocol, "reason", rule->reasons, ret);
        bytes_append_string(ret, "; roles ");
        put_codes(protocol, "duty_role", rule->duty_roles, ret);
    } else
        bytes_append_string(ret, "none");
}

FIELD(rule_may_ask, put_labels(protocol, &protocol->rules[index].may_ask, ret))

static const struct field rule_fields[] = {
    {"its purpose", rule_purpose},
    {"its source", rule_paragraph},
    {"what it is", rule_record},
    {"the classes that may send under it", rule_from},
    {"what it needs", rule_need},
    {"its strands", rule_strands},
    {"what happens to something late", rule_late},
    {"its urgency", rule_urgent},
    {"what happens to an undelivered event that a later one replaces", rule_change},
    {"how long recipients keep it", rule_retention},
    {"the items that may be asked for", rule_may_ask},
    {"its use of break-glass", rule_glass},
    {NULL, NULL},
};

static void denial_events(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret)
{
    struct compare_names names = {0};

    for (uint16_t i = 0; i < protocol->catalogue->event_count; i++) {
        if ((protocol->denials[index].events[i / 64] >> (i % 64) & 1) != 0)
            compare_names_add(&names, protocol->catalogue->events[i].type);
    }
    compare_names_write(&names, ret);
}

static void denial_items(const struct protocol *protocol, uint16_t index, struct byte_buffer *ret)
{
    if (protocol->denials[index].whole)
        bytes_append_string(ret, "all of it");
    else
        put_labels(protocol, &protocol->denials[index].items, ret);
}

FIELD(denial_reason, put_text(protocol->denials[index].reason, ret))
FIELD(denial_paragraph, put_text(protocol->denials[index].paragraph, ret))
FIELD(denial_from, put_classes(protocol, protocol->denials[index].from, ret))
FIELD(denial_to, put_classes(protocol, protocol->denials[index].to, ret))

static const struct field denial_fields[] = {
    {"its reason", denial_reason},
    {"its source", denial_paragraph},
    {"its event types", denial_events},
    {"its senders", denial_from},
    {"its recipients", denial_to},
    {"what is denied", denial_items},
    {NULL, NULL},
};

#define THING(heading, what, prefix, fields)                                                                 \
    {                                                                                                        \
        heading, what, prefix##_count, prefix##_name, fields                                                 \
    }

static const struct thing things[] = {
    {"The protocol", "", one, itself, head_fields},
    THING("Rules", "Rule ", rule, rule_fields),
    THING("Denials", "Denial ", denial, denial_fields),
    THING("Parties", "Party ", party, party_fields),
    THING("Classes", "Class ", class, class_fields),
    THING("Areas", "Area ", area, no_fields),
    THING("Gateways", "Gateway ", gateway, gateway_fields),
    THING("Crossings between regimes", "Crossing ", crossing, crossing_fields),
    THING("Conditions for sensitive items", "Condition ", condition, condition_fields),
    THING("Consents", "Consent ", consent, consent_fields),
    THING("People looked after elsewhere", "Divert ", divert, divert_fields),
    THING("Strands", "Strand ", strand, strand_fields),
    THING("Roles in a case", "Role ", role, role_fields),
};

static uint16_t find(const struct thing *thing, const struct protocol *protocol, const char *name)
{
    for (uint16_t i = 0; i < thing->count(protocol); i++) {
        if (strcmp(thing->name(protocol, i), name) == 0)
            return i;
    }
    return PROTOCOL_NONE;
}

static void compare_field(struct comparison *comparison, const struct thing *thing, const struct field *field,
                          uint16_t was, uint16_t is)
{
    struct byte_buffer before = bytes_buffer(16384), after = bytes_buffer(16384);
    const char *name = thing->name(comparison->after, is);

    field->write(comparison->before, was, &before);
    field->write(comparison->after, is, &after);
    comparison->no_memory = comparison->no_memory || before.status != STATUS_OK || after.status != STATUS_OK;
    if (!bytes_equal(bytes_buffer_view(&before), bytes_buffer_view(&after)))
        compare_say(comparison, "%s%s%s%s: was %.*s, is now %.*s.", thing->what, name,
                    name[0] == '\0' ? "" : ", ", field->name, (int)before.size, (const char *)before.data,
                    (int)after.size, (const char *)after.data);
    bytes_buffer_free(&before);
    bytes_buffer_free(&after);
}

/* "Party drugs.tamworth is new; its class: drugs; ..." */
static void say_new(struct comparison *comparison, const struct thing *thing, uint16_t index)
{
    struct byte_buffer text = bytes_buffer(16384);

    for (const struct field *field = thing->fields; field->name != NULL; field++) {
        bytes_append_format(&text, "; %s: ", field->name);
        field->write(comparison->after, index, &text);
    }
    comparison->no_memory = comparison->no_memory || text.status != STATUS_OK;
    compare_say(comparison, "%s%s is new%.*s.", thing->what, thing->name(comparison->after, index),
                (int)text.size, text.size == 0 ? "" : (const char *)text.data);
    bytes_buffer_free(&text);
}

static void compare_thing(struct comparison *comparison, const struct thing *thing)
{
    compare_under(comparison, thing->heading);
    for (uint16_t i = 0; i < thing->count(comparison->after); i++) {
        const char *name = thing->name(comparison->after, i);
        uint16_t was = find(thing, comparison->before, name);

        if (thing->fields == head_fields)
            was = 0;
        if (was == PROTOCOL_NONE) {
            say_new(comparison, thing, i);
            continue;
        }
        for (const struct field *field = thing->fields; field->name != NULL; field++)
            compare_field(comparison, thing, field, was, i);
    }
    for (uint16_t i = 0; i < thing->count(comparison->before); i++) {
        const char *name = thing->name(comparison->before, i);

        if (find(thing, comparison->after, name) == PROTOCOL_NONE)
            compare_say(comparison, "%s%s is gone.", thing->what, name);
    }
}

void compare_things_all(struct comparison *comparison)
{
    for (size_t i = 0; i < sizeof things / sizeof things[0]; i++)
        compare_thing(comparison, &things[i]);
}
