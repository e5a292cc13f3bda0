#include "agent/own_facts.h"

#include <string.h>

#include "agent/consents.h"

/* Off the list as far as we were told, and not listed again well after. */
static enum status end_listing(struct agent *agent, const struct plan *plan, struct register_entry *entry,
                               bool *ret_ended)
{
    struct pseudonym subject;
    struct person person;
    enum status status;

    memcpy(subject.bytes, plan->prepared.subject, PSEUDONYM_SIZE);
    status = people_by_subject(agent->people, plan->protocol->id, &subject, &person);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    if (entry->listed && !person.listed && entry->listed_at <= person.removed_at + REGISTER_SKEW_MS) {
        entry->listed = false;
        *ret_ended = true;
    }
    bytes_wipe(&person, sizeof person);
    return STATUS_OK;
}

enum status own_facts_apply(struct agent *agent, const struct plan *plan, struct register_state *state,
                            bool *ret_ended)
{
    enum status status;

    *ret_ended = false;
    status = end_listing(agent, plan, &state->entry, ret_ended);
    for (uint16_t i = 0; i < state->consent_count && status == STATUS_OK; i++) {
        struct register_consent *consent = &state->consents[i];
        bool withdrawn = false;

        if (!consent->given)
            continue;
        status = consents_withdrawn(agent, plan->prepared.protocol, plan->prepared.subject,
                                    bytes_of_string(consent->scope), consent->given_at, &withdrawn);
        consent->given = !withdrawn;
        *ret_ended = *ret_ended || withdrawn;
    }
    return status;
}
