#include "policy/explain.h"

#include <stdlib.h>
#include <string.h>

#include "policy/explain_case.h"
#include "policy/flows.h"

static const char *class_of(const struct protocol *protocol, uint16_t party)
{
    return protocol->classes[protocol->parties[party].class_index].name;
}

static void write_person(const struct explain_case *it, struct byte_buffer *out)
{
    const struct register_entry *entry = &it->person.entry;

    bytes_append_format(
        out,
        "Asked about a person on the list: strand %s, area %s, home force %s, %s; consents: ", entry->strand,
        entry->area, entry->home_force[0] == '\0' ? "unknown" : entry->home_force,
        it->question->juvenile ? "under 18" : "not under 18");
    for (uint16_t i = 0; i < it->person.consent_count; i++)
        bytes_append_format(out, "%s%s", i == 0 ? "" : ", ", it->person.consents[i].scope);
    bytes_append_string(out, it->person.consent_count == 0 ? "none.\n" : ".\n");
}

static void write_labels(const struct explain_case *it, const char *before, const struct label_set *labels,
                         const char *none, struct byte_buffer *out)
{
    bytes_append_string(out, before);
    if (label_set_empty(labels))
        bytes_append_string(out, none);
    else
        flows_labels(it->protocol->catalogue, labels, out);
    bytes_append_string(out, ".\n");
}

/* What a denial takes away of this event for that party, whatever a rule grants. */
static void write_denied_items(const struct explain_case *it, uint16_t party, struct byte_buffer *out)
{
    const struct protocol *protocol = it->protocol;
    struct label_set denied;

    (void)protocol_denied(protocol, it->request.event, protocol->parties[it->from].class_index,
                          protocol->parties[party].class_index, &denied);
    denied = label_set_and(denied, &protocol->catalogue->events[it->request.event].carried);
    if (!label_set_empty(&denied))
        write_labels(it, "Denied to them, whatever a rule grants: ", &denied, "", out);
}

/* The denials that forbid the event itself from the sender, to the recipient's class or to anybody. */
static void write_denials(const struct explain_case *it, struct byte_buffer *out)
{
    const struct protocol *protocol = it->protocol;
    uint16_t from = protocol->parties[it->from].class_index, to = protocol->parties[it->to].class_index;

    for (uint16_t i = 0; i < protocol->denial_count; i++) {
        const struct protocol_denial *denial = &protocol->denials[i];

        if (!denial->whole || (denial->from >> from & 1) == 0 ||
            (denial->events[it->request.event / 64] >> (it->request.event % 64) & 1) == 0 ||
            (it->question->to != NULL && (denial->to >> to & 1) == 0))
            continue;
        bytes_append_format(out, "The protocol denies it (%s, %s): %s.\n", denial->id, denial->paragraph,
                            denial->reason);
    }
}

static void write_items(const struct explain_case *it, const struct policy_recipient *recipient,
                        struct byte_buffer *out)
{
    const struct catalogue_event *type = &it->protocol->catalogue->events[it->request.event];
    struct label_set others = label_set_minus(type->carried, &recipient->labels);

    write_labels(it, "Items: ", &recipient->labels, "none: the event itself is the message", out);
    if (!label_set_empty(&others))
        write_labels(it, "Not for them, though the event may carry it: ", &others, "", out);
    write_denied_items(it, recipient->party, out);
}

static void write_law(const struct protocol *protocol, const struct policy_recipient *recipient,
                      struct byte_buffer *out)
{
    for (uint16_t i = 0; i < protocol->gateway_count; i++) {
        if ((recipient->gateways >> i & 1) != 0)
            bytes_append_format(out, "Gateway: %s, %s.\n", protocol->gateways[i].name,
                                protocol->gateways[i].law);
    }
    if (recipient->crossing != PROTOCOL_NONE)
        bytes_append_format(
            out, "Crosses from one data-protection regime to the other under %s; basis: %s.\n",
            protocol->crossings[recipient->crossing].law, protocol->crossings[recipient->crossing].basis);
    if (recipient->condition != PROTOCOL_NONE)
        bytes_append_format(out, "Sensitive items under %s.\n",
                            protocol->conditions[recipient->condition].law);
    if (recipient->consent != PROTOCOL_NONE)
        bytes_append_format(out, "Rests on the consent %s.\n", protocol->consents[recipient->consent].scope);
    if (recipient->replaced_class != PROTOCOL_NONE)
        bytes_append_format(out, "Takes the place of class %s, because the person is under 18.\n",
                            protocol->classes[recipient->replaced_class].name);
}

static void write_retention(const struct policy_recipient *recipient, struct byte_buffer *out)
{
    bytes_append_string(out, "Kept for ");
    flows_period(recipient->retention, out);
    bytes_append_string(out, ".\n");
}

static void write_timing(const struct policy_recipient *recipient, struct byte_buffer *out)
{
    char deadline[CIVIL_TIME_SIZE];

    if (recipient->deadline != 0) {
        civil_format_time(recipient->deadline, deadline);
        bytes_append_format(out, "Due by %s%s.\n", deadline,
                            recipient->late ? ", which has passed: it would be sent and flagged as late"
                                            : "");
    }
    if (recipient->urgent)
        bytes_append_format(out, "Urgent: unless acknowledged, the %s is told.\n", recipient->escalate_to);
    write_retention(recipient, out);
}

static void write_rule(const struct protocol_rule *rule, struct byte_buffer *out)
{
    bytes_append_format(out, "Rule: %s (%s), to %s.\n", rule->id, rule->paragraph, rule->purpose);
}

void explain_grant(const struct protocol *protocol, const struct policy_recipient *recipient,
                   struct byte_buffer *ret_text)
{
    write_rule(&protocol->rules[recipient->rule_index], ret_text);
    write_law(protocol, recipient, ret_text);
    write_retention(recipient, ret_text);
}

static void write_yes(const struct explain_case *it, const struct policy_recipient *recipient,
                      struct byte_buffer *out)
{
    const struct protocol_rule *rule = &it->protocol->rules[recipient->rule_index];

    bytes_append_format(out, "Yes: %s may send %s to %s.\n", it->question->from, it->question->event,
                        it->question->to);
    write_rule(rule, out);
    write_law(it->protocol, recipient, out);
    write_items(it, recipient, out);
    write_timing(recipient, out);
}

/* Does the refusal say something about the recipient that was asked about? */
static bool concerns(const struct explain_case *it, const struct policy_refusal *refusal)
{
    uint16_t class = it->protocol->parties[it->to].class_index;

    if (refusal->party != PROTOCOL_NONE)
        return refusal->party == it->to;
    return refusal->class_index == PROTOCOL_NONE || refusal->class_index == class;
}

/* Which classes do get it from the sender's, and from which the recipient's does. */
static void write_who_does(const struct explain_case *it, struct byte_buffer *out)
{
    const struct protocol *protocol = it->protocol;
    uint16_t from = protocol->parties[it->from].class_index, to = protocol->parties[it->to].class_index;
    struct flows *flows = flows_make(protocol, it->question->juvenile ? FLOWS_JUVENILE : FLOWS_ADULT, true);
    uint32_t receivers = 0, senders = 0;

    for (size_t i = 0; flows != NULL && i < flows->count; i++) {
        const struct flow *flow = &flows->list[i];

        if (flow->event != it->request.event)
            continue;
        if ((flow->from >> from & 1) != 0)
            receivers |= flow->to;
        if ((flow->to >> to & 1) != 0)
            senders |= flow->from;
    }
    flows_free(&flows);
    if (receivers != 0) {
        bytes_append_format(out, "From class %s it may go to: ", protocol->classes[from].name);
        flows_classes(protocol, receivers, out);
        bytes_append_string(out, ".\n");
    }
    if (senders != 0) {
        bytes_append_format(out, "Class %s may receive it from: ", protocol->classes[to].name);
        flows_classes(protocol, senders, out);
        bytes_append_string(out, ".\n");
    }
}

static void write_no(const struct explain_case *it, struct byte_buffer *out)
{
    const struct policy_decision *decision = &it->decision;
    const struct protocol *protocol = it->protocol;
    uint16_t other = protocol->classes[protocol->parties[it->to].class_index].replaced_by;
    char sentence[POLICY_TEXT_SIZE];
    size_t said = 0;

    bytes_append_format(out, "No: %s may not send %s to %s.\n", it->question->from, it->question->event,
                        it->question->to);
    for (uint16_t i = 0; i < decision->refusal_count; i++) {
        if (!concerns(it, &decision->refusals[i]) || decision->refusals[i].code == POLICY_NOT_YOURS)
            continue;
        policy_refusal_text(protocol, decision, &decision->refusals[i], sentence);
        bytes_append_format(out, "%s\n", sentence);
        said++;
    }
    if (other != PROTOCOL_NONE && it->question->juvenile) {
        bytes_append_format(out, "For a person under 18 class %s takes the place of class %s.\n",
                            protocol->classes[other].name, class_of(protocol, it->to));
        said++;
    }
    if (said == 0)
        write_denials(it, out);
    if (decision->rule == PROTOCOL_NONE)
        bytes_append_format(out,
                            "No rule lets class %s send %s to anybody, and what is not granted is denied.\n",
                            class_of(protocol, it->from), it->question->event);
    else if (said == 0)
        bytes_append_format(
            out,
            "No rule gives %s from class %s to %s about such a person, and what is not granted is "
            "denied.\n",
            it->question->event, class_of(protocol, it->from), it->question->to);
    if (said == 0)
        write_who_does(it, out);
}

/* Everybody: who would receive what, and who not and why. */
static void write_everybody(const struct explain_case *it, struct byte_buffer *out)
{
    const struct policy_decision *decision = &it->decision;
    char sentence[POLICY_TEXT_SIZE];

    policy_decision_text(it->protocol, decision, sentence);
    bytes_append_format(out, "%s: %s\n", decision->granted ? "Yes" : "No", sentence);
    if (!decision->granted)
        write_denials(it, out);
    for (uint16_t i = 0; i < decision->recipient_count; i++) {
        const struct policy_recipient *recipient = &decision->recipients[i];
        const struct protocol_rule *rule = &it->protocol->rules[recipient->rule_index];

        bytes_append_format(out, "- %s receives ", recipient->to);
        flows_labels(it->protocol->catalogue, &recipient->labels, out);
        bytes_append_format(out, " (rule %s, %s; %s).\n", rule->id, rule->paragraph,
                            it->protocol->gateways[recipient->gateway_index].law);
    }
    for (uint16_t i = 0; i < decision->refusal_count; i++) {
        policy_refusal_text(it->protocol, decision, &decision->refusals[i], sentence);
        bytes_append_format(out, "- %s\n", sentence);
    }
}

/* Is the item that was asked about among what the recipients would get? Says so. */
static bool has_item(const struct explain_case *it, struct byte_buffer *out)
{
    const struct catalogue *catalogue = it->protocol->catalogue;
    uint16_t label = catalogue_find_label(catalogue, bytes_of_string(it->question->item));
    bool found = false;

    for (uint16_t i = 0; i < it->decision.recipient_count; i++) {
        const struct policy_recipient *recipient = &it->decision.recipients[i];

        if ((it->question->to == NULL || recipient->party == it->to) &&
            label_set_has(&recipient->labels, label))
            found = true;
    }
    bytes_append_format(out, "%s: the item %s is%s among what %s would receive of %s.\n",
                        found ? "Yes" : "No", it->question->item, found ? "" : " not",
                        it->question->to == NULL ? "anybody" : it->question->to, it->question->event);
    return found;
}

static bool write_answer(const struct explain_case *it, struct byte_buffer *out)
{
    const struct policy_recipient *recipient = NULL;
    bool yes = it->decision.granted;

    if (it->question->item != NULL)
        yes = has_item(it, out);
    if (it->question->to == NULL) {
        write_everybody(it, out);
        return yes;
    }
    recipient = policy_recipient(&it->decision, bytes_of_string(it->question->to));
    if (recipient != NULL)
        write_yes(it, recipient, out);
    else
        write_no(it, out);
    return recipient != NULL && (it->question->item == NULL || yes);
}

/* Of a correction the file alone says nothing more: its recipients are those of the event that it names. */
static bool write_follows(const struct explain_case *it, struct byte_buffer *out)
{
    const uint16_t from = protocol_find_party(it->protocol, it->request.from);
    const struct protocol_pair *pair =
        from == PROTOCOL_NONE
            ? NULL
            : protocol_pair_of(it->protocol, it->request.event, it->protocol->parties[from].class_index);

    if (pair == NULL || pair->rule == PROTOCOL_NONE || !it->protocol->rules[pair->rule].follows)
        return false;
    bytes_append_format(
        out,
        "Yes, if %s was told the event of %s that it names, and of its values only those told then: rule "
        "'%s' (%s). Nobody else gets it.\n",
        it->question->to == NULL ? "somebody" : it->question->to, it->question->from,
        it->protocol->rules[pair->rule].id, it->protocol->rules[pair->rule].paragraph);
    return true;
}

static enum status check_item(const struct explain_case *it, struct kind_reason *ret_reason)
{
    const char *item = it->question->item;
    const struct catalogue *catalogue = it->protocol->catalogue;
    uint16_t label = item == NULL ? CATALOGUE_NONE : catalogue_find_label(catalogue, bytes_of_string(item));

    if (item == NULL ||
        (label != CATALOGUE_NONE && label_set_has(&catalogue->events[it->request.event].carried, label)))
        return STATUS_OK;
    return kind_reason_set(ret_reason, STATUS_NOT_FOUND, "%s carries no item '%.64s'", it->question->event,
                           item);
}

enum status explain_answer(const struct protocol *protocol, const struct explain_question *question,
                           int64_t now, bool *ret_yes, struct byte_buffer *ret_text,
                           struct kind_reason *ret_reason)
{
    struct explain_case *it = calloc(1, sizeof *it);
    enum status status;

    if (it == NULL)
        return kind_reason_set(ret_reason, STATUS_NO_MEMORY, "out of memory");
    it->protocol = protocol;
    it->question = question;
    it->now = now;
    if ((status = explain_case_make(it, ret_reason)) != STATUS_OK ||
        (status = check_item(it, ret_reason)) != STATUS_OK)
        goto out;
    if ((*ret_yes = write_follows(it, ret_text)))
        goto out;
    policy_decide(protocol, &it->facts, &it->request, now, &it->decision);
    *ret_yes = write_answer(it, ret_text);
    write_person(it, ret_text);
out:
    free(it);
    return status;
}

static bool is_covered(const struct protocol *protocol, uint16_t event)
{
    for (uint16_t class = 0; class < protocol->class_count; class ++) {
        if (protocol_pair_of(protocol, event, class)->rule != PROTOCOL_NONE)
            return true;
    }
    return false;
}

static void write_uncovered(const struct protocol *protocol, struct byte_buffer *out)
{
    const char *separator = "Nobody may send: ";

    for (uint16_t i = 0; i < protocol->catalogue->event_count; i++) {
        if (is_covered(protocol, i))
            continue;
        bytes_append_format(out, "%s%s", separator, protocol->catalogue->events[i].type);
        separator = ", ";
    }
    if (separator[0] == ',')
        bytes_append_string(out, ".\n");
}

/* Classes that a route names although nobody is of them, and parties that no area finds. */
static void write_gaps(const struct protocol *protocol, struct byte_buffer *out)
{
    for (uint16_t class = 0; class < protocol->class_count; class ++) {
        bool named = false;

        for (uint32_t i = 0; i < protocol->route_count; i++)
            named = named || protocol->routes[i].to_class == class;
        if (named && party_set_empty(&protocol->classes[class].parties))
            bytes_append_format(out, "Note: a rule names class %s, and no party is of it.\n",
                                protocol->classes[class].name);
    }
    for (uint16_t class = 0; class < protocol->class_count; class ++) {
        uint16_t other = protocol->classes[class].replaced_by;

        if (other != PROTOCOL_NONE && party_set_empty(&protocol->classes[other].parties))
            bytes_append_format(
                out, "Note: class %s takes the place of class %s for juveniles, and no party is of it.\n",
                protocol->classes[other].name, protocol->classes[class].name);
    }
}

void explain_summary(const struct protocol *protocol, struct byte_buffer *ret_text)
{
    char from[CIVIL_DATE_SIZE], until[CIVIL_DATE_SIZE], review[CIVIL_DATE_SIZE];
    unsigned covered = 0, records = 0;

    for (uint16_t i = 0; i < protocol->catalogue->event_count; i++)
        covered += is_covered(protocol, i);
    for (uint16_t i = 0; i < protocol->rule_count; i++)
        records += protocol->rules[i].record;
    civil_format_date(civil_day_of(protocol->in_force_from), from);
    civil_format_date(civil_day_of(protocol->in_force_until - 1), until);
    civil_format_date(protocol->review, review);
    bytes_append_format(ret_text, "%s, version %u: %s.\n", protocol->id, protocol->version, protocol->title);
    bytes_append_format(ret_text,
                        "Owner: %s. In force from %s until %s, then nothing is disclosed. Review: %s.\n",
                        protocol->owner, from, until, review);
    bytes_append_format(
        ret_text, "Recipients pass on what they have: %s. Erasure and retraction%s end retention early.\n",
        protocol->onward, protocol->withdrawal_ends_retention ? ", and withdrawal," : "");
    bytes_append_format(ret_text, "Impact assessment: %s. Policy document: %s.\n",
                        protocol->impact_assessment, protocol->policy_document);
    bytes_append_format(ret_text, "%u parties, %u rules, %u records; %u of %u event types may be sent.\n",
                        protocol->party_count, protocol->rule_count - records, records, covered,
                        protocol->catalogue->event_count);
    write_uncovered(protocol, ret_text);
    write_gaps(protocol, ret_text);
}
