#include "policy/terms.h"

#include <string.h>

#include "policy/flows.h"

/* The text of a buffer that was written for one cell or sentence; kept until the next. */
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

static void put_labels(struct paper *paper, const struct protocol *protocol, const struct label_set *labels)
{
    struct byte_buffer text = bytes_buffer(16384);

    if (!label_set_empty(labels))
        flows_labels(protocol->catalogue, labels, &text);
    paper_cell(paper, "%s", text_of(&text));
    bytes_buffer_free(&text);
}

/* A sentence with one period in it. */
static void say_period(struct paper *paper, const char *before, struct duration period, const char *behind)
{
    struct byte_buffer text = bytes_buffer(256);

    flows_period(period, &text);
    paper_item(paper, "%s%s%s", before, text_of(&text), behind);
    bytes_buffer_free(&text);
}

/* ---- lists ---- */

static void say_juveniles(struct paper *paper, const struct protocol *protocol)
{
    struct byte_buffer lists = bytes_buffer(2048);
    const char *separator = "";

    for (uint16_t i = 0; i < protocol->strand_count; i++) {
        if ((protocol->juvenile_strands >> i & 1) == 0)
            continue;
        bytes_append_format(&lists, "%s%s", separator, protocol->strands[i].name);
        separator = ", ";
    }
    paper_item(paper, "People under age, or of unknown age, are listed by %s (class %s), and only on: %s.",
               protocol->juvenile_authority, protocol->classes[protocol->juvenile_class].name,
               text_of(&lists));
    bytes_buffer_free(&lists);
}

void terms_lists(struct paper *paper, const struct protocol *protocol)
{
    static const char *const heads[] = {"List", "Authority", "Held by", "Review due within", NULL};

    paper_table(paper, heads);
    for (uint16_t i = 0; i < protocol->strand_count; i++) {
        const struct protocol_strand *strand = &protocol->strands[i];

        paper_cell(paper, "%s", strand->name);
        paper_cell(paper, "%s", strand->authority);
        paper_cell(paper, "%s", protocol->classes[strand->class_index].name);
        if (strand->has_longest_review)
            put_period(paper, strand->longest_review);
        else
            paper_cell(paper, "as the authority says; the protocol gives no period");
    }
    paper_table_end(paper);
    say_period(paper, "An entry counts for ", protocol->review_grace,
               " after its review date; after that nothing is disclosed about the person until a review.");
    say_juveniles(paper, protocol);
    say_period(paper, "A merge of two records that no second member confirms lapses after ",
               protocol->merge_within, ".");
    for (uint16_t i = 0; i < protocol->role_count; i++) {
        struct byte_buffer text = bytes_buffer(4096);

        flows_classes(protocol, protocol->roles[i].classes, &text);
        paper_item(paper, "The role %s in a case may be held by: %s.", protocol->roles[i].name,
                   text_of(&text));
        bytes_buffer_free(&text);
    }
}

/* ---- consents ---- */

void terms_consents(struct paper *paper, const struct protocol *protocol)
{
    static const char *const heads[] = {"Consent", "Runs at most", "On these versions of the form",
                                        "Recorded by", NULL};

    if (protocol->consent_count == 0)
        return;
    paper_table(paper, heads);
    for (uint16_t i = 0; i < protocol->consent_count; i++) {
        const struct protocol_consent *consent = &protocol->consents[i];

        paper_cell(paper, "%s", consent->scope);
        put_period(paper, consent->longest);
        paper_cell(paper, "%s", "");
        for (uint16_t k = 0; k < consent->form_count; k++)
            paper_add(paper, "%s%s", k == 0 ? "" : ", ", consent->forms[k]);
        put_classes(paper, protocol, consent->recorded_by);
    }
    paper_table_end(paper);
}

/* ---- people who are diverted ---- */

void terms_diverts(struct paper *paper, const struct protocol *protocol)
{
    static const char *const heads[] = {"Arrangement", "Law (source)", "Turn to", NULL};

    if (protocol->divert_count == 0)
        return;
    paper_text(paper,
               "About people whom another arrangement looks after nothing is disclosed under this protocol:");
    paper_table(paper, heads);
    for (uint16_t i = 0; i < protocol->divert_count; i++) {
        const struct protocol_divert *divert = &protocol->diverts[i];

        paper_cell(paper, "%s", divert->code);
        paper_cell(paper, "%s (%s)", divert->law, divert->paragraph);
        paper_cell(paper, "%s", divert->to);
    }
    paper_table_end(paper);
}

/* ---- questions and answers ---- */

static bool answers_any(const struct protocol_pair *pair, uint16_t rule)
{
    return pair->rule == rule && (pair->answers[0] | pair->answers[1]) != 0;
}

static void put_answers(struct paper *paper, const struct protocol *protocol, uint16_t rule)
{
    const struct catalogue *catalogue = protocol->catalogue;

    for (uint16_t event = 0; event < catalogue->event_count; event++) {
        const struct protocol_pair *pair = NULL;
        const char *separator = "";

        for (uint16_t class = 0; class < protocol->class_count && pair == NULL; class ++) {
            if (answers_any(protocol_pair_of(protocol, event, class), rule))
                pair = protocol_pair_of(protocol, event, class);
        }
        if (pair == NULL)
            continue;
        paper_cell(paper, "%s", protocol->rules[rule].id);
        paper_cell(paper, "%s", catalogue->events[event].type);
        paper_cell(paper, "answers ");
        for (uint16_t i = 0; i < catalogue->event_count; i++) {
            if ((pair->answers[i / 64] >> (i % 64) & 1) == 0)
                continue;
            paper_add(paper, "%s%s", separator, catalogue->events[i].type);
            separator = " or ";
        }
    }
}

static bool has_answers(const struct protocol *protocol, uint16_t rule)
{
    for (uint16_t event = 0; event < protocol->catalogue->event_count; event++) {
        for (uint16_t class = 0; class < protocol->class_count; class ++) {
            if (answers_any(protocol_pair_of(protocol, event, class), rule))
                return true;
        }
    }
    return false;
}

void terms_questions(struct paper *paper, const struct protocol *protocol)
{
    static const char *const heads[] = {"Rule", "Event", "What", NULL};
    bool any = false;

    for (uint16_t i = 0; i < protocol->rule_count; i++)
        any = any || !label_set_empty(&protocol->rules[i].may_ask) || has_answers(protocol, i);
    if (!any)
        return;
    paper_text(paper,
               "An answer goes only to whoever was told the event that it answers, and says only what was "
               "asked for:");
    paper_table(paper, heads);
    for (uint16_t i = 0; i < protocol->rule_count; i++) {
        if (!label_set_empty(&protocol->rules[i].may_ask)) {
            paper_cell(paper, "%s", protocol->rules[i].id);
            paper_cell(paper, "a question");
            put_labels(paper, protocol, &protocol->rules[i].may_ask);
            paper_add(paper, " may be asked for, and nothing else");
        }
        put_answers(paper, protocol, i);
    }
    paper_table_end(paper);
}

/* ---- break-glass ---- */

/* Codes of one of the attributes of the event that overrides. */
static void put_codes(struct paper *paper, const struct protocol *protocol, const char *label, uint64_t codes)
{
    const struct catalogue *catalogue = protocol->catalogue;
    const struct catalogue_field *field =
        catalogue_field(&catalogue->events[protocol->break_glass.event],
                        catalogue_find_label(catalogue, bytes_of_string(label)));
    const char *separator = "";

    paper_cell(paper, "%s", "");
    for (uint16_t i = 0; field != NULL && i < field->codes->count; i++) {
        if ((codes >> i & 1) == 0)
            continue;
        paper_add(paper, "%s%s", separator, field->codes->values[i]);
        separator = ", ";
    }
}

void terms_glass(struct paper *paper, const struct protocol *protocol)
{
    static const char *const heads[] = {
        "Rule (source)", "Used by", "In these roles", "For these reasons", "By one member in 24 hours", NULL};
    struct byte_buffer text = bytes_buffer(4096);

    if (protocol->break_glass.event != CATALOGUE_NONE) {
        paper_table(paper, heads);
        for (uint16_t i = 0; i < protocol->rule_count; i++) {
            const struct protocol_rule *rule = &protocol->rules[i];

            if (!rule->break_glass)
                continue;
            paper_cell(paper, "%s (%s)", rule->id, rule->paragraph);
            put_classes(paper, protocol, rule->from);
            put_codes(paper, protocol, "duty_role", rule->duty_roles);
            put_codes(paper, protocol, "reason", rule->reasons);
            paper_cell(paper, "at most %u times", rule->quota);
        }
        paper_table_end(paper);
        flows_period(protocol->break_glass.confirm_within, &text);
        paper_text(
            paper,
            "Break-glass: somebody of another member confirms within %s, or the right is suspended; the "
            "data protection officer is told at once.",
            text_of(&text));
        bytes_buffer_clear(&text);
        flows_labels(protocol->catalogue, &protocol->break_glass.excluded, &text);
        paper_text(paper, "Never released so, with everything clinical: %s.", text_of(&text));
    }
    bytes_buffer_free(&text);
}

/* ---- keeping and passing on ---- */

void terms_keeping(struct paper *paper, const struct protocol *protocol)
{
    paper_item(paper, "May a recipient pass on what it was told: %s.", protocol->onward);
    paper_item(paper, "Retention ends before its time with: erasure, retraction%s.",
               protocol->withdrawal_ends_retention ? ", withdrawal of the consent that it rests on" : "");
    if (protocol->has_after_removal)
        say_period(paper, "What is held of a person ends at the latest ", protocol->after_removal,
                   " after the removal from the list.");
    if (protocol->has_log_retention)
        say_period(paper, "The log says who looked, asked or overrode for ", protocol->log_retention, ".");
    for (uint16_t i = 0; i < protocol->rule_count; i++) {
        if (protocol->rules[i].on_change_supersede)
            paper_item(paper, "Under rule %s a later event replaces an earlier one that was not fetched yet.",
                       protocol->rules[i].id);
        if (protocol->rules[i].follows)
            paper_item(
                paper,
                "Corrections (rule %s, %s) go to whoever was told what they correct, whatever holds by then.",
                protocol->rules[i].id, protocol->rules[i].paragraph);
    }
}

void terms_counts(struct paper *paper, const struct protocol *protocol)
{
    struct byte_buffer text = bytes_buffer(4096);

    flows_classes(protocol, protocol->aggregates.to, &text);
    if (protocol->aggregates.to != 0)
        paper_text(paper, "Counts only, none from 1 to %u, go to: %s (%s).",
                   protocol->aggregates.suppress_below - 1, text_of(&text), protocol->aggregates.paragraph);
    bytes_buffer_free(&text);
}
