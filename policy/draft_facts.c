#include "policy/draft_facts.h"

#include <stdio.h>
#include <string.h>

#include "policy/terms.h"

static void put(struct draft *draft, struct byte_buffer *text)
{
    bytes_append_u8(text, 0);
    paper_cell(&draft->paper, "%s", text->status == STATUS_OK ? (const char *)text->data : "");
    bytes_buffer_free(text);
}

static void put_period(struct draft *draft, struct duration period)
{
    struct byte_buffer text = bytes_buffer(256);

    flows_period(period, &text);
    put(draft, &text);
}

static void put_classes(struct draft *draft, uint32_t classes)
{
    struct byte_buffer text = bytes_buffer(4096);

    flows_classes(draft->protocol, classes, &text);
    put(draft, &text);
}

static void put_labels(struct draft *draft, const struct label_set *labels)
{
    struct byte_buffer text = bytes_buffer(16384);

    if (!label_set_empty(labels))
        flows_labels(draft->protocol->catalogue, labels, &text);
    put(draft, &text);
}

enum status draft_facts_open(struct draft *draft, const char *kind, const struct protocol *protocol,
                             const struct digest *digest, enum paper_form form, struct byte_buffer *out)
{
    char title[320], hexadecimal[DIGEST_SIZE * 2 + 1];

    *draft = (struct draft){.protocol = protocol,
                            .adult = flows_make(protocol, FLOWS_ADULT, false),
                            .juvenile = flows_make(protocol, FLOWS_JUVENILE, false)};
    snprintf(title, sizeof title, "%s: %s", kind, protocol->title);
    paper_start(&draft->paper, form, title, out);
    if (draft->adult == NULL || draft->juvenile == NULL)
        return STATUS_NO_MEMORY;
    bytes_to_hex(digest->bytes, DIGEST_SIZE, hexadecimal);
    paper_text(&draft->paper,
               "Draft, written from protocol %s, version %u (SHA-256 of the file: %s). Facts are the file's; "
               "what is "
               "marked to be filled in, and every judgement, is for people.",
               protocol->id, protocol->version, hexadecimal);
    return STATUS_OK;
}

enum status draft_facts_close(struct draft *draft, enum status status)
{
    enum status written = draft->paper.out->status;

    paper_end(&draft->paper);
    flows_free(&draft->adult);
    flows_free(&draft->juvenile);
    return status != STATUS_OK ? status : written != STATUS_OK ? written : draft->paper.out->status;
}

/* What the flows of one rule have together. */
struct activity {
    uint32_t from, to, gateways, consents, crossings, conditions;
    uint64_t events[2];
    struct label_set labels;
};

static void add_bit(uint32_t *bits, uint16_t index)
{
    if (index != PROTOCOL_NONE)
        *bits |= UINT32_C(1) << index;
}

static struct activity gather(const struct flows *flows, uint16_t rule)
{
    struct activity all = {0};

    for (size_t i = 0; i < flows->count; i++) {
        const struct flow *flow = &flows->list[i];

        if (flow->rule != rule)
            continue;
        all.from |= flow->from;
        all.to |= flow->to;
        all.gateways |= flow->gateways;
        all.labels = label_set_or(all.labels, &flow->labels);
        all.events[flow->event / 64] |= UINT64_C(1) << (flow->event % 64);
        add_bit(&all.consents, flow->consent);
        add_bit(&all.crossings, flow->crossing);
        add_bit(&all.conditions, flow->condition);
    }
    return all;
}

static void put_events(struct draft *draft, const struct activity *all)
{
    const char *separator = "";

    paper_cell(&draft->paper, "%s", "");
    for (uint16_t i = 0; i < draft->protocol->catalogue->event_count; i++) {
        if ((all->events[i / 64] >> (i % 64) & 1) == 0)
            continue;
        paper_add(&draft->paper, "%s%s", separator, draft->protocol->catalogue->events[i].type);
        separator = ", ";
    }
}

static void put_law(struct draft *draft, const struct activity *all)
{
    const struct protocol *protocol = draft->protocol;
    const char *separator = "";

    paper_cell(&draft->paper, "%s", "");
    for (uint16_t i = 0; i < 32; i++) {
        if ((all->gateways >> i & 1) != 0) {
            paper_add(&draft->paper, "%s%s", separator, protocol->gateways[i].law);
            separator = "; ";
        }
    }
    for (uint16_t i = 0; i < 32; i++) {
        if ((all->crossings >> i & 1) != 0)
            paper_add(&draft->paper, "; crossing: %s with %s", protocol->crossings[i].law,
                      protocol->crossings[i].basis);
        if ((all->conditions >> i & 1) != 0)
            paper_add(&draft->paper, "; sensitive: %s", protocol->conditions[i].law);
        if ((all->consents >> i & 1) != 0)
            paper_add(&draft->paper, "; consent: %s", protocol->consents[i].scope);
    }
}

static void put_activity(struct draft *draft, uint16_t index)
{
    const struct protocol_rule *rule = &draft->protocol->rules[index];
    struct activity all = gather(draft->adult, index), young = gather(draft->juvenile, index);
    all.to |= young.to;
    paper_cell(&draft->paper, "%s", rule->id);
    paper_cell(&draft->paper, "%s (%s)", rule->purpose, rule->paragraph);
    put_events(draft, &all);
    put_classes(draft, all.from);
    if (rule->record)
        paper_cell(&draft->paper, "nobody: the register alone");
    else if (rule->follows)
        paper_cell(&draft->paper, "whoever was told what it corrects");
    else
        put_classes(draft, all.to);
    put_labels(draft, &all.labels);
    put_law(draft, &all);
    put_period(draft, rule->retention);
}

void draft_facts_activities(struct draft *draft)
{
    static const char *const heads[] = {
        "Rule", "Purpose (source)", "Events", "Sent by", "Recipients", "Items", "Law", "Kept", NULL};

    paper_table(&draft->paper, heads);
    for (uint16_t i = 0; i < draft->protocol->rule_count; i++)
        put_activity(draft, i);
    paper_table_end(&draft->paper);
}

static const char *sensitivity_of(const struct catalogue_label *label)
{
#define NAME(symbol, name) name,
    static const char *const names[] = {CATALOGUE_SENSITIVITIES(NAME)};
#undef NAME
    return names[label->sensitivity];
}

static void put_item(struct draft *draft, uint16_t label)
{
    const struct protocol *protocol = draft->protocol;
    uint32_t to = 0;
    struct byte_buffer rules = bytes_buffer(8192);

    for (uint16_t rule = 0; rule < protocol->rule_count; rule++) {
        bool carries = false;

        for (size_t i = 0; i < draft->adult->count; i++) {
            const struct flow *flow = &draft->adult->list[i];

            if (flow->rule != rule || !label_set_has(&flow->labels, label))
                continue;
            to |= flow->to;
            carries = true;
        }
        if (carries)
            bytes_append_format(&rules, "%s%s", rules.size == 0 ? "" : ", ", protocol->rules[rule].id);
    }
    if (rules.size > 0) {
        paper_cell(&draft->paper, "%s", protocol->catalogue->labels[label].label);
        paper_cell(&draft->paper, "%s", sensitivity_of(&protocol->catalogue->labels[label]));
        put_classes(draft, to);
        put(draft, &rules);
    }
    bytes_buffer_free(&rules);
}

void draft_facts_items(struct draft *draft, bool sensitive_only)
{
    static const char *const heads[] = {"Item", "Sensitivity", "Recipients", "Rules", NULL};
    const struct catalogue *catalogue = draft->protocol->catalogue;

    paper_table(&draft->paper, heads);
    for (uint16_t i = 0; i < catalogue->label_count; i++) {
        if (!sensitive_only || label_set_has(&catalogue->sensitive, i))
            put_item(draft, i);
    }
    paper_table_end(&draft->paper);
}

void draft_facts_consents(struct draft *draft)
{
    static const char *const heads[] = {"Consent", "Recipients that need it", "Rules", NULL};
    const struct protocol *protocol = draft->protocol;

    if (protocol->consent_count == 0) {
        paper_text(&draft->paper, "No disclosure asks for consent.");
        return;
    }
    terms_consents(&draft->paper, protocol);
    paper_table(&draft->paper, heads);
    for (uint16_t consent = 0; consent < protocol->consent_count; consent++) {
        struct byte_buffer rules = bytes_buffer(8192);
        uint32_t to = 0;

        for (size_t i = 0; i < draft->adult->count; i++) {
            const struct flow *flow = &draft->adult->list[i];

            if (flow->consent != consent)
                continue;
            to |= flow->to;
            if (i == 0 || draft->adult->list[i - 1].rule != flow->rule || rules.size == 0)
                bytes_append_format(&rules, "%s%s (%s)", rules.size == 0 ? "" : ", ",
                                    protocol->rules[flow->rule].id,
                                    protocol->catalogue->events[flow->event].type);
        }
        paper_cell(&draft->paper, "%s", protocol->consents[consent].scope);
        put_classes(draft, to);
        put(draft, &rules);
    }
    paper_table_end(&draft->paper);
}

void draft_facts_crossings(struct draft *draft)
{
    static const char *const heads[] = {"Crossing", "From", "To", "Authorised by", "Basis", NULL};
    const struct protocol *protocol = draft->protocol;

    if (protocol->crossing_count == 0) {
        paper_text(&draft->paper, "No disclosure crosses from one data-protection regime to the other.");
        return;
    }
    paper_table(&draft->paper, heads);
    for (uint16_t crossing = 0; crossing < protocol->crossing_count; crossing++) {
        uint32_t from = 0, to = 0;

        for (size_t i = 0; i < draft->adult->count; i++) {
            if (draft->adult->list[i].crossing != crossing)
                continue;
            from |= draft->adult->list[i].from;
            to |= draft->adult->list[i].to;
        }
        paper_cell(&draft->paper, "%s", protocol->crossings[crossing].name);
        put_classes(draft, from);
        put_classes(draft, to);
        paper_cell(&draft->paper, "%s", protocol->crossings[crossing].law);
        paper_cell(&draft->paper, "%s", protocol->crossings[crossing].basis);
    }
    paper_table_end(&draft->paper);
}

void draft_facts_juveniles(struct draft *draft)
{
    const struct protocol *protocol = draft->protocol;
    struct byte_buffer age = bytes_buffer(256);

    flows_period(protocol->juvenile_until, &age);
    paper_text(&draft->paper, "Somebody is a juvenile until %.*s. An age that nobody states counts as one.",
               (int)age.size, age.size == 0 ? "" : (const char *)age.data);
    bytes_buffer_free(&age);
    for (uint16_t i = 0; i < protocol->class_count; i++) {
        const struct protocol_class *class = &protocol->classes[i];

        if (class->denied_juveniles)
            paper_item(&draft->paper, "Class %s receives nothing about a juvenile.", class->name);
        if (class->replaced_by != PROTOCOL_NONE)
            paper_item(&draft->paper, "Class %s gives its place to class %s%s.", class->name,
                       protocol->classes[class->replaced_by].name,
                       party_set_empty(&protocol->classes[class->replaced_by].parties)
                           ? ", of which there is no party yet: nobody takes it"
                           : "");
    }
    paper_text(&draft->paper, "Disclosures that are possible about an adult: %zu; about a juvenile: %zu.",
               draft->adult->count, draft->juvenile->count);
}

void draft_facts_law(struct draft *draft)
{
    static const char *const heads[] = {"Gateway", "Law", "Rules that rest on it", NULL};
    const struct protocol *protocol = draft->protocol;

    paper_table(&draft->paper, heads);
    for (uint16_t gateway = 0; gateway < protocol->gateway_count; gateway++) {
        struct byte_buffer rules = bytes_buffer(8192);

        for (uint16_t rule = 0; rule < protocol->rule_count; rule++) {
            struct activity all = gather(draft->adult, rule);

            if ((all.gateways >> gateway & 1) != 0)
                bytes_append_format(&rules, "%s%s", rules.size == 0 ? "" : ", ", protocol->rules[rule].id);
        }
        paper_cell(&draft->paper, "%s", protocol->gateways[gateway].name);
        paper_cell(&draft->paper, "%s", protocol->gateways[gateway].law);
        put(draft, &rules);
    }
    paper_table_end(&draft->paper);
}
