#include "policy/draft.h"

#include <stdio.h>

#include "policy/draft_facts.h"
#include "policy/terms.h"

static void write_who(struct draft *draft)
{
    const struct protocol *protocol = draft->protocol;
    char from[CIVIL_DATE_SIZE], until[CIVIL_DATE_SIZE], review[CIVIL_DATE_SIZE];

    civil_format_date(civil_day_of(protocol->in_force_from), from);
    civil_format_date(civil_day_of(protocol->in_force_until - 1), until);
    civil_format_date(protocol->review, review);
    paper_text(&draft->paper, "Owner of the protocol: %s. In force from %s until %s, to be reviewed by %s.",
               protocol->owner, from, until, review);
    paper_text(&draft->paper, "Impact assessment: %s. Policy document (sensitive processing): %s.",
               protocol->impact_assessment, protocol->policy_document);
    paper_text(&draft->paper, "Signatories:");
    for (uint16_t i = 0; i < protocol->signatory_count; i++)
        paper_item(&draft->paper, "%s", protocol->signatories[i]);
}

static void write_parties(struct draft *draft)
{
    static const char *const heads[] = {"Party", "Class", "Regime", NULL};
    const struct protocol *protocol = draft->protocol;

    paper_table(&draft->paper, heads);
    for (uint16_t i = 0; i < protocol->party_count; i++) {
        const struct protocol_class *class = &protocol->classes[protocol->parties[i].class_index];

        paper_cell(&draft->paper, "%s", protocol->parties[i].id);
        paper_cell(&draft->paper, "%s", class->name);
        paper_cell(&draft->paper, "%s", class->regime == REGIME_GENERAL ? "UK GDPR" : "DPA 2018 Part 3");
    }
    paper_table_end(&draft->paper);
}

static void write_subjects(struct draft *draft)
{
    const struct protocol *protocol = draft->protocol;

    paper_text(&draft->paper, "People on the lists of the scheme:");
    terms_lists(&draft->paper, protocol);
    paper_text(&draft->paper,
               "Nothing is disclosed about anybody who is not listed, except where a rule needs nothing.");
}

static void write_terms(struct draft *draft)
{
    terms_keeping(&draft->paper, draft->protocol);
    terms_diverts(&draft->paper, draft->protocol);
    terms_questions(&draft->paper, draft->protocol);
    terms_glass(&draft->paper, draft->protocol);
    terms_counts(&draft->paper, draft->protocol);
}

static void write_ropa(struct draft *draft)
{
    struct paper *paper = &draft->paper;

    paper_heading(paper, "1. Controllers");
    write_who(draft);
    paper_blank(paper,
                "contact details of each controller, of its representative and its data protection officer");
    paper_blank(paper, "the processor that runs the broker, and the contract with it");
    paper_heading(paper, "2. Purposes, recipients, law, retention");
    draft_facts_activities(draft);
    paper_heading(paper, "3. Categories of people");
    write_subjects(draft);
    paper_heading(paper, "4. Categories of personal data");
    draft_facts_items(draft, false);
    paper_heading(paper, "5. Recipients");
    write_parties(draft);
    paper_heading(paper, "6. From one data-protection regime to the other");
    draft_facts_crossings(draft);
    paper_heading(paper, "7. Consents");
    draft_facts_consents(draft);
    paper_heading(paper, "8. Juveniles");
    draft_facts_juveniles(draft);
    paper_heading(paper,
                  "9. Keeping, passing on, people whom others look after, questions, overriding, counts");
    write_terms(draft);
    paper_heading(paper, "10. Transfers to third countries, profiling, automated decisions");
    paper_blank(paper, "whether there are any; the protocol names none");
    paper_heading(paper, "11. Security");
    paper_text(paper, "Items are sealed by the sender for each recipient alone; the broker carries them and "
                      "cannot read them. "
                      "Every disclosure and every refusal is logged, and the log can be verified offline.");
    paper_blank(paper, "technical and organisational measures at each controller");
}

static void write_seen(struct draft *draft)
{
    static const char *const heads[] = {"Event", "What the broker sees of it", NULL};
    const struct catalogue *catalogue = draft->protocol->catalogue;

    paper_table(&draft->paper, heads);
    for (size_t i = 0; i < draft->adult->count; i++) {
        const struct catalogue_event *type = &catalogue->events[draft->adult->list[i].event];

        if (i > 0 && draft->adult->list[i - 1].event == draft->adult->list[i].event)
            continue;
        paper_cell(&draft->paper, "%s", type->type);
        paper_cell(&draft->paper, "%s", "");
        for (uint16_t k = 0; k < type->attribute_count; k++)
            paper_add(&draft->paper, "%s%s", k == 0 ? "" : ", ",
                      catalogue->labels[type->attributes[k].label].label);
    }
    paper_table_end(&draft->paper);
}

/* One risk: a fact of the file, the measure that is built in, and what people must judge. */
static void put_risk(struct draft *draft, const char *risk, const char *measure)
{
    paper_cell(&draft->paper, "%s", risk);
    paper_cell(&draft->paper, "%s", measure);
    paper_cell(&draft->paper, "%s", "..........");
    paper_cell(&draft->paper, "%s", "..........");
    paper_cell(&draft->paper, "%s", "..........");
}

static size_t count_late(const struct protocol *protocol)
{
    size_t count = 0;

    for (uint16_t i = 0; i < protocol->rule_count; i++)
        count += !protocol->rules[i].record && !protocol->rules[i].late_refused;
    return count;
}

static size_t count_without_consent(const struct flows *flows)
{
    size_t count = 0;

    for (size_t i = 0; i < flows->count; i++)
        count += flows->list[i].entry != PROTOCOL_NONE && flows->list[i].consent == PROTOCOL_NONE;
    return count;
}

/* A fact with a period in it. */
static void put_period_risk(struct draft *draft, const char *before, struct duration period,
                            const char *behind, const char *measure)
{
    struct byte_buffer text = bytes_buffer(512);

    bytes_append_string(&text, before);
    flows_period(period, &text);
    bytes_append_string(&text, behind);
    bytes_append_u8(&text, 0);
    put_risk(draft, text.status == STATUS_OK ? (const char *)text.data : before, measure);
    bytes_buffer_free(&text);
}

static void put_count_risk(struct draft *draft, const char *before, size_t count, const char *behind,
                           const char *measure)
{
    char text[256];

    snprintf(text, sizeof text, "%s%zu%s", before, count, behind);
    put_risk(draft, text, measure);
}

static size_t count_glass(const struct protocol *protocol)
{
    size_t count = 0;

    for (uint16_t i = 0; i < protocol->rule_count; i++)
        count += protocol->rules[i].break_glass;
    return count;
}

static void put_onward_risk(struct draft *draft)
{
    put_risk(draft, "A recipient passes on what it was told, beyond purpose and law.",
             draft->protocol->onward_leave
                 ? "Only with the sender's leave, which the officer states; agents refuse what they hold "
                   "from others."
                 : "Banned; agents refuse to send what they hold from others, as far as values tell.");
}

static void write_risks(struct draft *draft)
{
    static const char *const heads[] = {"Risk, with what the file says",
                                        "Measure that is built in",
                                        "Likelihood",
                                        "Severity",
                                        "What remains",
                                        NULL};
    const struct protocol *protocol = draft->protocol;

    paper_table(&draft->paper, heads);
    put_risk(
        draft, "More is disclosed than the purpose needs.",
        "Each recipient gets the items of its rule and no others; sender, broker and recipient each check.");
    put_count_risk(draft, "People are not asked: ", count_without_consent(draft->adult),
                   " disclosures rest on no consent.",
                   "Each names the legal gateway that it rests on, and its direction is checked.");
    put_risk(draft, "Sensitive items reach people who need not know (section 5).",
             "Each needs a consent or a stated condition; clinical items are never released by break-glass.");
    put_risk(draft, "Confidential treatment data crosses to law enforcement without free consent.",
             "Consents expire, end at once when withdrawn, and recall what is not yet delivered.");
    put_risk(draft, "A child is treated as an adult.", "An unknown age counts as under 18 (section 7).");
    put_period_risk(draft, "Somebody stays listed without cause: an entry counts for ",
                    protocol->review_grace, " after its review date.",
                    "After that nothing is disclosed about the person until a review.");
    put_period_risk(draft, "Data is kept for too long: up to ", protocol_longest_retention(protocol), ".",
                    "Recipients' agents delete it when its rule's period has passed.");
    put_count_risk(draft, "Something arrives too late: ", count_late(protocol),
                   " rules send and flag what is late.",
                   "Late events are flagged and counted; urgent ones are escalated.");
    if (protocol->break_glass.event != CATALOGUE_NONE)
        put_count_risk(
            draft, "Rules are overridden without need: ", count_glass(protocol), " rules allow it.",
            "Named duty roles, reasons and a daily quota; another member confirms, or the right is "
            "suspended; the data protection officer is told at once.");
    put_risk(draft, "Who runs the broker learns who is on the scheme (section 4).",
             "It sees pseudonyms and the attributes listed, never names or sealed items.");
    put_risk(draft, "A member looks up people whom it does not deal with.",
             "Any member can compute pseudonyms from police numbers: plans without an event are logged as "
             "consulted.");
    put_onward_risk(draft);
    put_risk(draft, "Wrong data spreads.",
             "Corrections, retractions and erasures go to every recipient of the original.");
    paper_table_end(&draft->paper);
}

static void write_dpia(struct draft *draft)
{
    struct paper *paper = &draft->paper;

    paper_heading(paper, "1. Why an assessment is needed");
    write_who(draft);
    paper_blank(paper, "why this processing is likely to be of high risk, and what it is to achieve");
    paper_heading(paper, "2. Who is consulted");
    paper_blank(paper, "people affected or those who speak for them, and what they said; if nobody, why");
    paper_blank(paper, "the processor, security, other experts");
    paper_heading(paper, "3. What is processed, for what, by what law");
    write_subjects(draft);
    draft_facts_activities(draft);
    paper_blank(paper, "how many people, how often, since when, over what area");
    paper_heading(paper, "4. What the broker sees");
    paper_text(paper, "Beside sender, recipients, times and a pseudonym of the person:");
    write_seen(draft);
    paper_heading(paper, "5. Sensitive items");
    draft_facts_items(draft, true);
    paper_heading(paper, "6. Necessity, proportionality, law");
    draft_facts_law(draft);
    draft_facts_crossings(draft);
    draft_facts_consents(draft);
    write_terms(draft);
    paper_blank(paper, "for each purpose: why it is necessary, and why nothing less would do");
    paper_blank(paper, "how people are told, and how they exercise their rights");
    paper_heading(paper, "7. Juveniles");
    draft_facts_juveniles(draft);
    paper_heading(paper, "8. Risks");
    write_risks(draft);
    paper_blank(paper, "further risks and measures");
    paper_heading(paper, "9. Advice and approval");
    paper_blank(paper, "advice of the data protection officers; if it is not followed, why");
    for (uint16_t i = 0; i < draft->protocol->signatory_count; i++)
        paper_sign(paper, draft->protocol->signatories[i]);
}

enum status draft_ropa(const struct protocol *protocol, const struct digest *digest, enum paper_form form,
                       struct byte_buffer *ret)
{
    struct draft draft;
    enum status status =
        draft_facts_open(&draft, "Record of processing activities", protocol, digest, form, ret);

    if (status == STATUS_OK)
        write_ropa(&draft);
    return draft_facts_close(&draft, status);
}

enum status draft_dpia(const struct protocol *protocol, const struct digest *digest, enum paper_form form,
                       struct byte_buffer *ret)
{
    struct draft draft;
    enum status status =
        draft_facts_open(&draft, "Data protection impact assessment", protocol, digest, form, ret);

    if (status == STATUS_OK)
        write_dpia(&draft);
    return draft_facts_close(&draft, status);
}
