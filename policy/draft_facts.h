#pragma once

/* What both drafts say about a protocol; nobody else includes this. */

#include "policy/flows.h"
#include "policy/paper.h"
#include "proto/digest.h"

struct draft {
    struct paper paper;
    const struct protocol *protocol;
    struct flows *adult;
    struct flows *juvenile;
};

/* draft_facts_open - collect what flows, and write the title and where the facts are from. */
enum status draft_facts_open(struct draft *draft, const char *kind, const struct protocol *protocol,
                             const struct digest *digest, enum paper_form form, struct byte_buffer *out);
enum status draft_facts_close(struct draft *draft, enum status status);

/* draft_facts_activities - one row for each rule: purpose, who to whom, items, law, conditions, retention. */
void draft_facts_activities(struct draft *draft);

/* draft_facts_items - one row for each item that goes to anybody: what it is, how sensitive, to whom. */
void draft_facts_items(struct draft *draft, bool sensitive_only);

/* draft_facts_consents - which consents are asked for, how long they run, what rests on them. */
void draft_facts_consents(struct draft *draft);

/* draft_facts_crossings - which disclosures leave one data-protection regime for the other. */
void draft_facts_crossings(struct draft *draft);

/* draft_facts_juveniles - what differs about people under age. */
void draft_facts_juveniles(struct draft *draft);

/* draft_facts_law - the gateways in use. */
void draft_facts_law(struct draft *draft);
