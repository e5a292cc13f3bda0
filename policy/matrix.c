#include "policy/matrix.h"

#include "policy/flows.h"
#include "policy/terms.h"

static const char *text_of(struct byte_buffer *text)
{
    bytes_append_u8(text, 0);
    return text->status == STATUS_OK ? (const char *)text->data : "";
}

static void put_period(struct paper *paper, struct duration period)
{
    struct byte_buffer text = bytes_buffer(256);

    flows_period(period, &text);
    paper_cell(paper, "%s", text_of(&text));
    bytes_buffer_free(&text);
}

static void put_classes(struct paper *paper, const struct protocol *protocol, uint32_t classes)
{
    struct byte_buffer text = bytes_buffer(4096);

    flows_classes(protocol, classes, &text);
    paper_cell(paper, "%s", text_of(&text));
    bytes_buffer_free(&text);
}

static void put_to(struct paper *paper, const struct protocol *protocol, const struct flow *flow)
{
    if (flow->entry == PROTOCOL_NONE) {
        paper_cell(paper, protocol->rules[flow->rule].follows ? "whoever was told what it corrects"
                                                              : "nobody: changes the register");
        return;
    }
    put_classes(paper, protocol, flow->to);
    paper_add(paper, " (%s)", protocol_relation_name(flow->relation));
    if (flow->replaced_class != PROTOCOL_NONE)
        paper_add(paper, " in place of %s", protocol->classes[flow->replaced_class].name);
}

static void put_items(struct paper *paper, const struct protocol *protocol, const struct flow *flow)
{
    struct byte_buffer text = bytes_buffer(8192);

    if (flow->entry != PROTOCOL_NONE)
        flows_labels(protocol->catalogue, &flow->labels, &text);
    else if (protocol->rules[flow->rule].follows)
        bytes_append_string(&text, "of the values only those told before");
    paper_cell(paper, "%s", text_of(&text));
    bytes_buffer_free(&text);
}

static void put_law(struct paper *paper, const struct protocol *protocol, const struct flow *flow)
{
    const char *separator = "";

    paper_cell(paper, "%s", "");
    for (uint16_t i = 0; i < protocol->gateway_count; i++) {
        if ((flow->gateways >> i & 1) == 0)
            continue;
        paper_add(paper, "%s%s", separator, protocol->gateways[i].law);
        separator = "; ";
    }
    if (flow->crossing != PROTOCOL_NONE)
        paper_add(paper, "; crosses regimes: %s, %s", protocol->crossings[flow->crossing].law,
                  protocol->crossings[flow->crossing].basis);
    if (flow->condition != PROTOCOL_NONE)
        paper_add(paper, "; sensitive: %s", protocol->conditions[flow->condition].law);
}

static void put_case(struct paper *paper, const struct protocol *protocol, const struct flow *flow)
{
    struct byte_buffer text = bytes_buffer(4096);

    flows_when(protocol, flow, &text);
    if (text.size > 0)
        paper_add(paper, "; %s", text_of(&text));
    bytes_buffer_free(&text);
}

static void put_required(struct paper *paper, const struct protocol *protocol, const struct flow *flow)
{
    struct byte_buffer text = bytes_buffer(4096);

    if (flow->route != NULL && !label_set_empty(&flow->route->required)) {
        flows_labels(protocol->catalogue, &flow->route->required, &text);
        paper_add(paper, "; with %s", text_of(&text));
    }
    bytes_buffer_free(&text);
}

static void put_only_if(struct paper *paper, const struct protocol *protocol, const struct flow *flow)
{
    const struct protocol_rule *rule = &protocol->rules[flow->rule];

    paper_cell(paper, "%s",
               rule->need == NEED_NOTHING  ? ""
               : rule->need == NEED_LISTED ? "listed"
                                           : "list authority");
    if (rule->strands != UINT32_MAX) {
        paper_add(paper, "; strand");
        for (uint16_t i = 0; i < protocol->strand_count; i++) {
            if ((rule->strands >> i & 1) != 0)
                paper_add(paper, " %s", protocol->strands[i].name);
        }
    }
    if (flow->consent != PROTOCOL_NONE)
        paper_add(paper, "; consent %s", protocol->consents[flow->consent].scope);
    put_case(paper, protocol, flow);
    put_required(paper, protocol, flow);
    if (rule->break_glass)
        paper_add(paper, "break-glass: at most %u in 24 hours", rule->quota);
}

static void put_when(struct paper *paper, const struct protocol *protocol, const struct flow *flow)
{
    const struct protocol_rule *rule = &protocol->rules[flow->rule];
    struct byte_buffer text = bytes_buffer(1024);

    flows_clock(protocol, flow, &text);
    if (rule->late_refused)
        bytes_append_string(&text, ", never late");
    if (rule->urgent) {
        bytes_append_string(&text, "; urgent: acknowledged within ");
        flows_period(rule->acknowledge, &text);
        bytes_append_format(&text, ", else the %s is told", rule->escalate_to);
    }
    paper_cell(paper, "%s", text_of(&text));
    bytes_buffer_free(&text);
}

static void put_flow(struct paper *paper, const struct protocol *protocol, const struct flow *flow)
{
    const struct protocol_rule *rule = &protocol->rules[flow->rule];

    paper_cell(paper, "%s", protocol->catalogue->events[flow->event].type);
    put_classes(paper, protocol, flow->from);
    put_to(paper, protocol, flow);
    put_items(paper, protocol, flow);
    paper_cell(paper, "%s: %s (%s)", rule->id, rule->purpose, rule->paragraph);
    put_law(paper, protocol, flow);
    put_only_if(paper, protocol, flow);
    put_when(paper, protocol, flow);
    put_period(paper, rule->retention);
}

/* All flows about an adult; about a juvenile those that differ. Returns how many; SIZE_MAX: out of memory. */
static size_t put_rows(struct paper *paper, const struct protocol *protocol, enum flows_person person)
{
    struct flows *flows = flows_make(protocol, person, false);
    size_t shown = 0;

    if (flows == NULL)
        return SIZE_MAX;
    for (size_t i = 0; i < flows->count; i++) {
        if (person == FLOWS_JUVENILE && flows->list[i].replaced_class == PROTOCOL_NONE)
            continue;
        if (paper->form == PAPER_CSV)
            paper_cell(paper, "%s", person == FLOWS_JUVENILE ? "juvenile" : "adult");
        put_flow(paper, protocol, &flows->list[i]);
        shown++;
    }
    flows_free(&flows);
    return shown;
}

/* CSV has one table, with a first column more. */
static const char *const heads[] = {"About", "Event", "From", "To",   "Items", "Rule, purpose, source",
                                    "Law",   "If",    "When", "Kept", NULL};

static enum status put_csv(struct paper *paper, const struct protocol *protocol)
{
    size_t adult, juvenile;

    paper_table(paper, heads);
    adult = put_rows(paper, protocol, FLOWS_ADULT);
    juvenile = put_rows(paper, protocol, FLOWS_JUVENILE);
    paper_table_end(paper);
    return adult == SIZE_MAX || juvenile == SIZE_MAX ? STATUS_NO_MEMORY : STATUS_OK;
}

static enum status put_flows(struct paper *paper, const struct protocol *protocol, enum flows_person person)
{
    size_t shown;

    paper_table(paper, heads + 1);
    shown = put_rows(paper, protocol, person);
    if (shown == 0)
        paper_text(paper, "Nothing.");
    else
        paper_table_end(paper);
    return shown == SIZE_MAX ? STATUS_NO_MEMORY : STATUS_OK;
}

static void put_head(struct paper *paper, const struct protocol *protocol, const struct digest *digest)
{
    char from[CIVIL_DATE_SIZE], until[CIVIL_DATE_SIZE], review[CIVIL_DATE_SIZE];
    char hexadecimal[DIGEST_SIZE * 2 + 1];

    civil_format_date(civil_day_of(protocol->in_force_from), from);
    civil_format_date(civil_day_of(protocol->in_force_until - 1), until);
    civil_format_date(protocol->review, review);
    bytes_to_hex(digest->bytes, DIGEST_SIZE, hexadecimal);
    paper_text(paper, "Protocol %s, version %u. Owner: %s.", protocol->id, protocol->version,
               protocol->owner);
    paper_text(paper, "In force from %s until %s; after that nothing is disclosed. Review by %s.", from,
               until, review);
    paper_text(paper, "Impact assessment: %s. Policy document: %s.", protocol->impact_assessment,
               protocol->policy_document);
    paper_text(paper, "SHA-256 of the protocol file: %s", hexadecimal);
    paper_text(paper, "What does not stand in these tables is denied. Catalogue: version %s.",
               protocol->catalogue->version);
}

static void put_parties(struct paper *paper, const struct protocol *protocol)
{
    static const char *const columns[] = {"Class", "Regime", "Parties", NULL};

    paper_heading(paper, "The classes and their parties");
    paper_table(paper, columns);
    for (uint16_t class = 0; class < protocol->class_count; class ++) {
        const struct party_set *parties = &protocol->classes[class].parties;

        paper_cell(paper, "%s", protocol->classes[class].name);
        paper_cell(paper, "%s",
                   protocol->classes[class].regime == REGIME_GENERAL ? "UK GDPR" : "DPA 2018 Part 3");
        paper_cell(paper, "%s", party_set_empty(parties) ? "none: sends and receives nothing" : "");
        for (unsigned i = party_set_next(parties, 0); i < SET256_END; i = party_set_next(parties, i + 1))
            paper_add(paper, "%s%s", i == party_set_next(parties, 0) ? "" : ", ", protocol->parties[i].id);
    }
    paper_table_end(paper);
}

/* Of a denial, which may name everybody. */
static void put_whom(struct paper *paper, const struct protocol *protocol, uint32_t classes)
{
    const uint32_t all =
        protocol->class_count == 32 ? UINT32_MAX : (UINT32_C(1) << protocol->class_count) - 1;

    if ((classes & all) == all)
        paper_cell(paper, "anybody");
    else
        put_classes(paper, protocol, classes);
}

static void put_denied_events(struct paper *paper, const struct protocol *protocol,
                              const struct protocol_denial *denial)
{
    const char *separator = "";
    uint16_t count = 0;

    for (uint16_t i = 0; i < protocol->catalogue->event_count; i++)
        count = (uint16_t)(count + (denial->events[i / 64] >> (i % 64) & 1));
    paper_cell(paper, "%s", count == protocol->catalogue->event_count ? "any" : "");
    for (uint16_t i = 0; i < protocol->catalogue->event_count && count < protocol->catalogue->event_count;
         i++) {
        if ((denial->events[i / 64] >> (i % 64) & 1) == 0)
            continue;
        paper_add(paper, "%s%s", separator, protocol->catalogue->events[i].type);
        separator = ", ";
    }
}

static void put_denial(struct paper *paper, const struct protocol *protocol,
                       const struct protocol_denial *denial)
{
    struct byte_buffer items = bytes_buffer(8192);

    paper_cell(paper, "%s (%s)", denial->id, denial->paragraph);
    put_denied_events(paper, protocol, denial);
    put_whom(paper, protocol, denial->from);
    put_whom(paper, protocol, denial->to);
    if (denial->whole)
        bytes_append_string(&items, "all of it");
    else
        flows_labels(protocol->catalogue, &denial->items, &items);
    paper_cell(paper, "%s", text_of(&items));
    paper_cell(paper, "%s", denial->reason);
    bytes_buffer_free(&items);
}

static void put_denials(struct paper *paper, const struct protocol *protocol)
{
    static const char *const columns[] = {"Denial", "Event", "From", "To", "What", "Why", NULL};

    if (protocol->denial_count == 0)
        return;
    paper_heading(paper, "What goes nowhere, whatever a rule grants");
    paper_table(paper, columns);
    for (uint16_t i = 0; i < protocol->denial_count; i++)
        put_denial(paper, protocol, &protocol->denials[i]);
    paper_table_end(paper);
}

static void put_juveniles(struct paper *paper, const struct protocol *protocol)
{
    struct byte_buffer age = bytes_buffer(256);

    flows_period(protocol->juvenile_until, &age);
    paper_heading(paper, "About a person under age, or whose age nobody states");
    paper_text(paper, "Under age: until %s. As above, but:", text_of(&age));
    bytes_buffer_free(&age);
    for (uint16_t i = 0; i < protocol->class_count; i++) {
        const struct protocol_class *class = &protocol->classes[i];

        if (class->denied_juveniles)
            paper_item(paper, "Class %s receives nothing.", class->name);
        if (class->replaced_by != PROTOCOL_NONE)
            paper_item(paper,
                       "Class %s receives nothing; class %s takes its place as far as its gateways go:",
                       class->name, protocol->classes[class->replaced_by].name);
    }
}

/* What holds of all of it. */
static void put_terms(struct paper *paper, const struct protocol *protocol)
{
    paper_heading(paper, "The lists");
    terms_lists(paper, protocol);
    terms_diverts(paper, protocol);
    if (protocol->consent_count > 0)
        paper_heading(paper, "Consents");
    terms_consents(paper, protocol);
    paper_heading(paper, "Questions and answers");
    terms_questions(paper, protocol);
    if (protocol->break_glass.event != CATALOGUE_NONE)
        paper_heading(paper, "What may be overridden");
    terms_glass(paper, protocol);
    paper_heading(paper, "What is kept, and not passed on");
    terms_keeping(paper, protocol);
    terms_counts(paper, protocol);
}

static enum status put_all(struct paper *paper, const struct protocol *protocol, const struct digest *digest)
{
    enum status status;

    put_head(paper, protocol, digest);
    paper_heading(paper, "Who gets what of which event from whom");
    if ((status = put_flows(paper, protocol, FLOWS_ADULT)) != STATUS_OK)
        return status;
    put_denials(paper, protocol);
    put_terms(paper, protocol);
    put_juveniles(paper, protocol);
    if ((status = put_flows(paper, protocol, FLOWS_JUVENILE)) != STATUS_OK)
        return status;
    put_parties(paper, protocol);
    paper_heading(paper, "Signed");
    for (uint16_t i = 0; i < protocol->signatory_count; i++)
        paper_sign(paper, protocol->signatories[i]);
    return STATUS_OK;
}

enum status matrix_write(const struct protocol *protocol, const struct digest *digest, enum paper_form form,
                         struct byte_buffer *ret)
{
    struct paper paper;
    enum status status;

    paper_start(&paper, form, protocol->title, ret);
    status = form == PAPER_CSV ? put_csv(&paper, protocol) : put_all(&paper, protocol, digest);
    paper_end(&paper);
    return status == STATUS_OK ? ret->status : status;
}
