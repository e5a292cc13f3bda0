#include "policy/explain_case.h"

#include <stdio.h>
#include <string.h>

static void put(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text);
}

static const char *first_area(const struct explain_case *it)
{
    const struct protocol *protocol = it->protocol;
    uint64_t to = protocol->parties[it->to].areas, from = protocol->parties[it->from].areas;
    uint64_t wanted = (to & from) != 0 ? to & from : to != 0 ? to : from;

    return wanted == 0 ? protocol->areas[0] : protocol->areas[__builtin_ctzll(wanted)];
}

static const char *first_force(const struct explain_case *it)
{
    const struct protocol *protocol = it->protocol;

    if (protocol->parties[it->to].force[0] != '\0')
        return protocol->parties[it->to].force;
    for (uint16_t i = 0; i < protocol->party_count; i++) {
        if (protocol->parties[i].force[0] != '\0')
            return protocol->parties[i].force;
    }
    return "";
}

/* A strand that the rule covers and, for changes of the list, that the sender has authority over. */
static const char *first_strand(const struct explain_case *it)
{
    const struct protocol *protocol = it->protocol;
    uint16_t class = protocol->parties[it->from].class_index;
    uint16_t rule = protocol_pair_of(protocol, it->request.event, class)->rule;

    for (uint16_t i = 0; i < protocol->strand_count && rule != PROTOCOL_NONE; i++) {
        if ((protocol->rules[rule].strands >> i & 1) != 0 &&
            (protocol->rules[rule].need != NEED_LISTING_AUTHORITY ||
             protocol->strands[i].class_index == class))
            return protocol->strands[i].name;
    }
    return protocol->strands[0].name;
}

/* Who holds the person: the recipient in question, or else a party that speaks for prisons. */
static uint16_t first_prison(const struct explain_case *it)
{
    for (uint16_t i = 0; i < it->protocol->party_count && it->question->to == NULL; i++) {
        if (it->protocol->parties[i].establishment_count > 0)
            return i;
    }
    return it->to;
}

/* Whose event this one answers: the recipient in question, or else somebody who may send such an event. */
static const char *first_asker(const struct explain_case *it, uint16_t event)
{
    const struct protocol *protocol = it->protocol;

    for (uint16_t i = 0; i < protocol->party_count && it->question->to == NULL; i++) {
        if (i != it->from &&
            protocol_pair_of(protocol, event, protocol->parties[i].class_index)->rule != PROTOCOL_NONE)
            return protocol->parties[i].id;
    }
    return it->question->to == NULL ? "" : it->question->to;
}

static enum status list_person(struct explain_case *it, struct kind_reason *ret_reason)
{
    const struct explain_question *question = it->question;
    struct register_entry *entry = &it->person.entry;
    const struct protocol *protocol = it->protocol;

    register_init(&it->person);
    entry->listed = true;
    entry->listed_at = it->now;
    entry->review_due = entry->listed_review_due = civil_day_of(it->now) + 7;
    entry->juvenile = entry->listed_juvenile = question->juvenile ? JUVENILE_YES : JUVENILE_NO;
    put(entry->area, sizeof entry->area, question->area != NULL ? question->area : first_area(it));
    put(entry->strand, sizeof entry->strand, question->strand != NULL ? question->strand : first_strand(it));
    put(entry->home_force, sizeof entry->home_force,
        question->home_force != NULL ? question->home_force : first_force(it));
    put(entry->holding_prison, sizeof entry->holding_prison, protocol->parties[first_prison(it)].id);
    it->person.grounds = REGISTER_GROUND_LISTING;
    if (protocol_find_area(protocol, entry->area) == PROTOCOL_NONE)
        return kind_reason_set(ret_reason, STATUS_NOT_FOUND, "the protocol names no area '%s'", entry->area);
    if (protocol_find_strand(protocol, entry->strand) == PROTOCOL_NONE)
        return kind_reason_set(ret_reason, STATUS_NOT_FOUND, "the protocol names no strand '%s'",
                               entry->strand);
    return STATUS_OK;
}

static enum status give_consents(struct explain_case *it, struct kind_reason *ret_reason)
{
    for (size_t i = 0; i < it->question->consent_count; i++) {
        const char *scope = it->question->consents[i];
        struct register_consent *consent = &it->person.consents[it->person.consent_count];

        if (protocol_find_consent(it->protocol, scope) == PROTOCOL_NONE)
            return kind_reason_set(ret_reason, STATUS_NOT_FOUND, "the protocol names no consent '%s'", scope);
        if (register_find_consent(&it->person, scope) != PROTOCOL_NONE)
            continue;
        put(consent->scope, sizeof consent->scope, scope);
        consent->given = true;
        consent->given_at = it->now;
        consent->expires = civil_day_of(it->now) + 7;
        consent->withdrawn_at = INT64_MIN;
        it->person.consent_count++;
    }
    return STATUS_OK;
}

static const char *authority_of(const struct explain_case *it)
{
    uint16_t strand = protocol_find_strand(it->protocol, it->person.entry.strand);

    return it->protocol->strands[strand].authority;
}

static const char *first_pathway(const struct explain_case *it)
{
    uint32_t pathways = it->protocol->parties[it->to].pathways;

    return it->protocol->pathway_codes->values[pathways == 0 ? 0 : __builtin_ctz(pathways)];
}

static const char *first_holder(const struct explain_case *it)
{
    for (uint16_t i = 0; i < it->protocol->party_count && it->protocol->role_count > 0; i++) {
        if ((it->protocol->roles[0].classes >> it->protocol->parties[i].class_index & 1) != 0)
            return it->protocol->parties[i].id;
    }
    return it->protocol->parties[0].id;
}

static const char *own_prison(const struct explain_case *it)
{
    const struct protocol_party *party = &it->protocol->parties[it->from];

    return party->establishment_count > 0 ? party->establishments[0] : "";
}

/* The rule of the pair; of those that may be broken through, the first that reaches the recipient. */
static const struct protocol_rule *first_rule(const struct explain_case *it)
{
    const struct protocol *protocol = it->protocol;
    const struct protocol_pair *pair =
        protocol_pair_of(protocol, it->request.event, protocol->parties[it->from].class_index);

    for (uint32_t i = 0; i < pair->route_count; i++) {
        const struct protocol_route *route = &protocol->routes[pair->first_route + i];

        if (route->to_class == protocol->parties[it->to].class_index)
            return &protocol->rules[route->rule];
    }
    return pair->rule == PROTOCOL_NONE ? NULL : &protocol->rules[pair->rule];
}

/* The first code of an attribute that the rule allows. */
static const char *allowed_code(const struct catalogue_field *field, uint64_t bits)
{
    unsigned code = bits == 0 ? 0 : (unsigned)__builtin_ctzll(bits);

    return field->codes->values[code < field->codes->count ? code : 0];
}

/* What a break-glass rule wants to be told; NULL for everything else. */
static const char *glass_value(const struct explain_case *it, const struct catalogue_field *field)
{
    const struct protocol_rule *rule = first_rule(it);
    const char *label = it->protocol->catalogue->labels[field->label].label;

    if (rule == NULL || !rule->break_glass)
        return NULL;
    if (strcmp(label, "rule") == 0)
        return rule->id;
    if (strcmp(label, "reason") == 0)
        return allowed_code(field, rule->reasons);
    return strcmp(label, "duty_role") == 0 ? allowed_code(field, rule->duty_roles) : NULL;
}

/* What an attribute that decisions read is to be, by its label; NULL: anything of its kind will do. */
static const char *value_of(const struct explain_case *it, const char *label)
{
    const struct register_entry *entry = &it->person.entry;
    const struct protocol *protocol = it->protocol;
    const struct {
        const char *label;
        const char *value;
    } values[] = {
        {"strand", entry->strand},
        {"area", entry->area},
        {"from_area", entry->area},
        {"to_area", entry->area},
        {"home_force", entry->home_force},
        {"authority", authority_of(it)},
        {"juvenile", it->question->juvenile ? "yes" : "no"},
        {"outcome", "retain"},
        {"role", protocol->role_count > 0 ? protocol->roles[0].name : ""},
        {"holder", first_holder(it)},
        {"prison", own_prison(it)},
        {"scope", protocol->consent_count > 0 ? protocol->consents[0].scope : ""},
        {"pathway", protocol->pathway_codes != NULL ? first_pathway(it) : ""},
        {"merged_to", "f"},
        {"held", ""},
    };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (strcmp(values[i].label, label) == 0)
            return values[i].value;
    }
    return NULL;
}

/* Far enough ahead for every notice, near enough for reviews and consents. */
static int32_t day_of(const struct explain_case *it, const char *label)
{
    bool near = strcmp(label, "review_due") == 0 || strcmp(label, "next_review") == 0 ||
                strcmp(label, "expires") == 0;

    return civil_day_of(it->now) + (near ? 7 : 180);
}

/* The first value for which a rule gives the event to the recipient in question; NULL: any will do. */
static const char *value_for_recipient(const struct explain_case *it, const struct catalogue_field *field,
                                       uint16_t at)
{
    const struct protocol *protocol = it->protocol;
    uint16_t from = protocol->parties[it->from].class_index, to = protocol->parties[it->to].class_index;
    const struct protocol_pair *pair = protocol_pair_of(protocol, it->request.event, from);

    for (uint32_t i = 0; i < pair->route_count; i++) {
        const struct protocol_route *route = &protocol->routes[pair->first_route + i];

        if (route->to_class == to && route->when == at)
            return field->codes->values[__builtin_ctzll(route->when_codes)];
    }
    return NULL;
}

static void fill_attribute(struct explain_case *it, const struct catalogue_field *field, uint16_t at)
{
    const struct catalogue_label *label = &it->protocol->catalogue->labels[field->label];
    const char *glass = glass_value(it, field);
    const char *value = glass != NULL ? glass : value_for_recipient(it, field, at);
    char day[CIVIL_DATE_SIZE];

    if (value == NULL)
        value = value_of(it, label->label);
    civil_format_date(day_of(it, label->label), day);
    if (value == NULL && label->kind == KIND_DATE)
        value = day;
    if (value == NULL)
        value = field->codes != NULL ? field->codes->values[0] : "0";
    put(it->values[at], sizeof it->values[at], value);
    it->request.attributes[at] = bytes_of_string(it->values[at]);
}

static void make_request(struct explain_case *it)
{
    const struct catalogue_event *type = &it->protocol->catalogue->events[it->request.event];
    const char *purpose =
        policy_purpose(it->protocol, bytes_of_string(it->question->from), it->request.event);

    it->request.from = bytes_of_string(it->question->from);
    it->request.purpose = bytes_of_string(purpose == NULL ? "" : purpose);
    it->request.occurred = it->request.created = it->now;
    it->request.effective = REQUEST_NO_DATE;
    it->request.held = type->item_set;
    it->request.juvenile = it->question->juvenile ? JUVENILE_YES : JUVENILE_NO;
    if (type->asked != CATALOGUE_NONE && first_rule(it) != NULL)
        it->request.asked = first_rule(it)->may_ask;
    for (uint16_t i = 0; i < type->attribute_count; i++)
        fill_attribute(it, &type->attributes[i], i);
}

/* What it answers, if it must answer something: sent by the recipient in question. */
static void make_facts(struct explain_case *it)
{
    const struct protocol *protocol = it->protocol;
    const uint64_t *answers =
        protocol_pair_of(protocol, it->request.event, protocol->parties[it->from].class_index)->answers;

    it->facts.person = &it->person;
    it->facts.correlated_event = CATALOGUE_NONE;
    for (unsigned i = 0; i < protocol->party_count; i++)
        party_set_add(&it->facts.active, i);
    for (uint16_t i = 0; i < protocol->catalogue->event_count; i++) {
        if ((answers[i / 64] >> (i % 64) & 1) != 0)
            it->facts.correlated_event = i;
    }
    if (it->facts.correlated_event == CATALOGUE_NONE)
        return;
    it->request.correlated = true;
    it->facts.correlated_from = bytes_of_string(first_asker(it, it->facts.correlated_event));
    it->facts.correlated_same_subject = it->facts.correlated_disclosed_to_sender = true;
    it->facts.correlated_is_target = true;
}

static enum status find_names(struct explain_case *it, struct kind_reason *ret_reason)
{
    const struct explain_question *question = it->question;

    it->request.event = catalogue_find_event(it->protocol->catalogue, bytes_of_string(question->event));
    if (it->request.event == CATALOGUE_NONE)
        return kind_reason_set(ret_reason, STATUS_NOT_FOUND, "the catalogue has no event type '%.64s'",
                               question->event);
    it->from = protocol_find_party(it->protocol, bytes_of_string(question->from));
    it->to =
        question->to == NULL ? it->from : protocol_find_party(it->protocol, bytes_of_string(question->to));
    if (it->from == PROTOCOL_NONE || it->to == PROTOCOL_NONE)
        return kind_reason_set(ret_reason, STATUS_NOT_FOUND, "the protocol has no party '%.64s'",
                               it->from == PROTOCOL_NONE ? question->from : question->to);
    return STATUS_OK;
}

enum status explain_case_make(struct explain_case *ret_case, struct kind_reason *ret_reason)
{
    enum status status;

    if ((status = find_names(ret_case, ret_reason)) != STATUS_OK ||
        (status = list_person(ret_case, ret_reason)) != STATUS_OK ||
        (status = give_consents(ret_case, ret_reason)) != STATUS_OK)
        return status;
    make_request(ret_case);
    make_facts(ret_case);
    return STATUS_OK;
}
