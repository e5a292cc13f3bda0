#include "agent/facts.h"

#include <stdlib.h>
#include <string.h>

#include "proto/envelope.h"

/* A clock may be this far behind the broker's. */
#define FACTS_SKEW_MS ((int64_t)5 * 60 * 1000)

/* Whether all that decisions rest on is opened, so that nobody leaves out an age or an end. */
static bool shows_enough(const struct catalogue *catalogue, const struct policy_request *request,
                         const struct core *core)
{
    const struct catalogue_event *type = &catalogue->events[request->event];

    for (size_t i = 0; i < core->attribute_count; i++) {
        uint16_t at = catalogue_attribute_at(type, catalogue_find_label(catalogue, core->attributes[i].id));

        if (at != CATALOGUE_NONE && register_reads(type, at) && request->attributes[at].data == NULL)
            return false;
    }
    return true;
}

/* The event of a ground as policy sees it. */
static enum status read_request(const struct catalogue *catalogue, const struct core *core,
                                const Wire__Opening *opening, struct policy_request *ret_request)
{
    struct policy_request request = {.event = catalogue_find_event(catalogue, core->type),
                                     .from = core->from,
                                     .purpose = core->purpose,
                                     .occurred = core->occurred,
                                     .created = core->created,
                                     .effective = REQUEST_NO_DATE,
                                     .correlated = core->has_correlation,
                                     .supersedes = core->has_supersedes,
                                     .repeats = core->has_repeats};
    enum status status = request.event == CATALOGUE_NONE ? STATUS_NOT_FOUND : STATUS_OK;

    for (size_t i = 0; i < opening->n_attributes && status == STATUS_OK; i++)
        status = request_set(catalogue, &request, opening->attributes[i]->id,
                             bytes_of_string(opening->attributes[i]->value));
    if (status == STATUS_OK && !shows_enough(catalogue, &request, core))
        status = STATUS_MISMATCH;
    if (status == STATUS_OK)
        status = request_read(catalogue, &request, NULL);
    if (status == STATUS_OK)
        *ret_request = request;
    return status;
}

static enum status verify_ground(const struct membership *membership, const struct plan *plan,
                                 const Wire__Ground *ground, int64_t now, struct core *ret_core)
{
    const struct directory_entry *entry = NULL;
    struct batch_signer signer = {0};
    enum status status = STATUS_OK;

    if (ground->committed > (uint64_t)(now + FACTS_SKEW_MS))
        return STATUS_UNKNOWN_KEY;
    status = membership_author(membership, wire_view(ground->certificate), (int64_t)ground->committed, &entry,
                               &signer);
    if (status != STATUS_OK)
        return status;
    status = envelope_ground_verify(ground, &signer, entry->signing, ret_core);
    if (status != STATUS_OK)
        return status;
    if (!bytes_equal(ret_core->from, bytes_of_string(entry->member)) ||
        !bytes_equal(ret_core->protocol, plan->prepared.protocol))
        return STATUS_MISMATCH;
    return STATUS_OK;
}

/* ---- records that were merged ---- */

#define FACTS_RECORDS 4

/* What the grounds say of one pseudonym. The first is the plan's subject; others count only for what a merge,
 * asked for by one member and confirmed by another, takes over from them. */
struct record {
    uint8_t subject[CORE_SUBJECT_SIZE];
    bool linked; /* to the plan's subject, by merges */
    size_t grounds;
    struct register_state state;
};

struct folding {
    const struct membership *membership;
    const struct plan *plan;
    size_t count;
    struct record records[FACTS_RECORDS];
};

static struct record *record_of(struct folding *folding, const uint8_t *subject)
{
    struct record *record = folding->records;

    for (size_t i = 0; i < folding->count; i++, record++) {
        if (memcmp(record->subject, subject, CORE_SUBJECT_SIZE) == 0)
            return record;
    }
    if (folding->count == FACTS_RECORDS)
        return NULL;
    folding->count++;
    memset(record, 0, sizeof *record);
    memcpy(record->subject, subject, CORE_SUBJECT_SIZE);
    register_init(&record->state);
    return record;
}

static struct record *record_named(struct folding *folding, struct byte_view hex)
{
    char text[2 * CORE_SUBJECT_SIZE + 1] = {0};
    uint8_t subject[CORE_SUBJECT_SIZE];

    if (hex.size != sizeof text - 1)
        return NULL;
    memcpy(text, hex.data, hex.size);
    return bytes_from_hex(text, subject, sizeof subject) == STATUS_OK ? record_of(folding, subject) : NULL;
}

/* Both records become what both hold, as at the broker. */
static bool merge_records(struct folding *folding, const struct catalogue_event *type,
                          const struct policy_request *request)
{
    struct record *from = record_named(folding, request->attributes[type->reads[0]]);
    struct record *to = record_named(folding, request->attributes[type->reads[1]]);
    struct register_state merged;

    if (from == NULL || to == NULL)
        return false;
    register_merge(&from->state, &to->state, &merged);
    register_merge(&to->state, &from->state, &to->state);
    from->state = merged;
    from->linked = to->linked = from->linked || to->linked;
    return true;
}

static bool fold_one(struct folding *folding, const Wire__Ground *ground, int64_t now)
{
    const struct membership *membership = folding->membership;
    const struct protocol *protocol = NULL;
    struct policy_request request;
    struct register_change change;
    struct record *record = NULL;
    struct core core;

    if (verify_ground(membership, folding->plan, ground, now, &core) != STATUS_OK ||
        read_request(membership->catalogue, &core, ground->opening, &request) != STATUS_OK ||
        !request_names(membership->catalogue, &request, core.subject))
        return false;
    protocol = membership_protocol(membership, core.protocol);
    record = record_of(folding, core.subject);
    if (protocol == NULL || record == NULL)
        return false;
    record->grounds++;
    if (register_apply(protocol, &record->state, &request, (int64_t)ground->committed, &change) !=
        STATUS_OK) {
        record->grounds--;
        return false;
    }
    return !change.merged || merge_records(folding, &membership->catalogue->events[request.event], &request);
}

enum status facts_fold(const struct membership *membership, const struct plan *plan, const Wire__Plan *answer,
                       int64_t now, struct register_state *ret_state, size_t *ret_bad)
{
    struct folding *folding = calloc(1, sizeof *folding);
    size_t bad = 0;

    if (folding == NULL)
        return STATUS_NO_MEMORY;
    folding->membership = membership;
    folding->plan = plan;
    record_of(folding, plan->prepared.subject)->linked = true;
    for (size_t i = 0; i < answer->n_grounds; i++) {
        if (!fold_one(folding, answer->grounds[i], now))
            bad++;
    }
    for (size_t i = 0; i < folding->count; i++)
        bad += folding->records[i].linked ? 0 : folding->records[i].grounds;
    *ret_state = folding->records[0].state;
    *ret_bad = bad;
    bytes_wipe(folding, sizeof *folding);
    free(folding);
    return STATUS_OK;
}

void facts_decide(const struct membership *membership, const struct plan *plan,
                  const struct register_state *state, const struct facts_correlated *correlated,
                  const struct party_set *already, int64_t now, struct policy_decision *ret_decision)
{
    const struct protocol *protocol = plan->protocol;
    struct policy_request request = plan->request;
    struct policy_facts facts = {.person = state,
                                 .target = correlated->has_target ? &correlated->target : NULL,
                                 .correlated_from = bytes_of_string(correlated->from),
                                 .correlated_event = correlated->event,
                                 .correlated_same_subject = correlated->same_subject,
                                 .correlated_disclosed_to_sender = correlated->disclosed_to_us,
                                 .correlated_is_target = correlated->is_target,
                                 .correlated_asks = correlated->asks,
                                 .correlated_asked = correlated->asked};

    for (uint16_t i = 0; i < protocol->party_count; i++) {
        const struct directory_entry *entry =
            directory_by_member(membership->directory, protocol->parties[i].id, now);

        if (entry != NULL && entry->role == ROLE_AGENT)
            party_set_add(&facts.active, i);
    }
    request.already = *already;
    policy_decide(protocol, &facts, &request, now, ret_decision);
}

/* The labels of a grant as a set; false when one is unknown. */
static bool read_labels(const struct catalogue *catalogue, const Wire__Grant *grant, struct label_set *ret)
{
    struct label_set labels = {{0}};

    for (size_t i = 0; i < grant->n_labels; i++) {
        const uint16_t label = catalogue_find_label(catalogue, bytes_of_string(grant->labels[i]));

        if (label == CATALOGUE_NONE || label_set_has(&labels, label))
            return false;
        label_set_add(&labels, label);
    }
    *ret = labels;
    return true;
}

static enum facts_comparison compare_grant(const struct membership *membership,
                                           const struct policy_decision *decision, const Wire__Grant *grant)
{
    const struct policy_recipient *ours = policy_recipient(decision, bytes_of_string(grant->to));
    struct label_set labels;

    if (ours == NULL || !read_labels(membership->catalogue, grant, &labels) ||
        !label_set_within(&labels, &ours->labels))
        return FACTS_WIDER;
    return strcmp(ours->rule, grant->rule) == 0 && label_set_equal(&labels, &ours->labels) ? FACTS_EQUAL
                                                                                           : FACTS_DIFFERS;
}

enum facts_comparison facts_compare(const struct membership *membership,
                                    const struct policy_decision *decision, const Wire__Plan *answer)
{
    enum facts_comparison worst = FACTS_EQUAL;

    for (size_t i = 0; i < answer->n_grants; i++) {
        const enum facts_comparison one = compare_grant(membership, decision, answer->grants[i]);

        if (one == FACTS_WIDER)
            return FACTS_WIDER;
        if (i > 0 && strcmp(answer->grants[i - 1]->to, answer->grants[i]->to) >= 0)
            worst = FACTS_DIFFERS;
        if (one == FACTS_DIFFERS)
            worst = FACTS_DIFFERS;
    }
    if (answer->n_grants != decision->recipient_count)
        worst = FACTS_DIFFERS;
    return worst;
}
