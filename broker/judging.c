#include "broker/judging.h"

#include <stdio.h>
#include <string.h>

#include "broker/erasing.h"
#include "broker/overriding.h"
#include "broker/questions.h"
#include "broker/recheck.h"
#include "broker/restored.h"

#define MINUTE_MS INT64_C(60000)
#define WHY_LIMIT ((size_t)32 << 10)

/* ---- what is told ---- */

static struct byte_view into_arena(struct job *job, struct byte_view bytes)
{
    uint8_t *copy = wire_arena_alloc(job->arena, bytes.size + 1);

    if (copy == NULL)
        return bytes_view(NULL, 0);
    if (bytes.size > 0)
        memcpy(copy, bytes.data, bytes.size);
    return bytes_view(copy, bytes.size);
}

enum status judging_set(struct job *job, struct judging *judging, enum judging_fate fate,
                        Wire__Verdict verdict, const char *reason)
{
    struct byte_buffer why = bytes_buffer(WHY_LIMIT);
    enum status status;

    judging->fate = fate;
    judging->outcome = (struct outcome){.verdict = (uint8_t)verdict};
    if (reason != NULL)
        outcome_reason(&why, reason);
    judging->outcome.why = into_arena(job, bytes_buffer_view(&why));
    status = why.status == STATUS_OK && judging->outcome.why.data == NULL ? STATUS_NO_MEMORY : why.status;
    bytes_buffer_free(&why);
    return status;
}

struct outcome_refusal judging_refusal(const struct protocol *protocol,
                                       const struct policy_decision *decision,
                                       const struct policy_refusal *refusal,
                                       char text[static POLICY_TEXT_SIZE])
{
    struct outcome_refusal told = {.code = policy_code_name(refusal->code), .text = text};

    if (refusal->party != PROTOCOL_NONE)
        told.to = protocol->parties[refusal->party].id;
    else if (refusal->class_index != PROTOCOL_NONE)
        told.to = protocol->classes[refusal->class_index].name;
    if (refusal->rule != PROTOCOL_NONE)
        told.rule = protocol->rules[refusal->rule].id;
    if (refusal->label != CATALOGUE_NONE)
        told.item = protocol->catalogue->labels[refusal->label].label;
    policy_refusal_text(protocol, decision, refusal, text);
    return told;
}

enum status judging_why(struct engine *engine, struct job *job, const struct protocol *protocol,
                        const struct policy_decision *decision, const char *reason,
                        const struct policy_refusal *extra, struct byte_view *ret)
{
    struct byte_buffer *why = &engine->scratch;
    char text[POLICY_TEXT_SIZE];

    bytes_buffer_clear(why);
    if (reason != NULL)
        outcome_reason(why, reason);
    if (extra != NULL) {
        struct outcome_refusal told = judging_refusal(protocol, decision, extra, text);
        outcome_refusal(why, &told);
    }
    for (size_t i = 0; i < decision->refusal_count; i++) {
        struct outcome_refusal told = judging_refusal(protocol, decision, &decision->refusals[i], text);
        outcome_refusal(why, &told);
    }
    if (why->status != STATUS_OK)
        return why->status;
    *ret = into_arena(job, outcome_cut(bytes_buffer_view(why), job->why_room));
    return ret->data == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

/* ---- what it was before ---- */

static enum status compare_old(struct job *job, const uint8_t old[static DIGEST_SIZE],
                               const uint8_t digest[static DIGEST_SIZE], const struct outcome *outcome,
                               struct judging *ret)
{
    if (memcmp(old, digest, DIGEST_SIZE) != 0)
        return judging_set(job, ret, JUDGING_MISUSED, WIRE__VERDICT__REFUSED,
                           "this event id was used before with other content; publish under a new id");
    ret->fate = JUDGING_OLD;
    ret->outcome = *outcome;
    ret->outcome.why = into_arena(job, outcome_cut(outcome->why, job->why_room));
    return ret->outcome.why.data == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

/* Of an erased event nothing is left but its leaf and a digest of its id: it does not come back, nor is its
 * id used again. */
static enum status erased_before(struct engine *engine, struct job *job, const struct peer *sender,
                                 const struct envelope_published_event *event, bool *ret_new,
                                 struct judging *ret)
{
    bool erased = false;
    enum status status = erasing_was(engine, sender->stored.number, event->core.event, &erased);

    if (status == STATUS_OK && !erased)
        status =
            batches_blanked(engine->batches, sender->stored.number, event->core.event, event->leaf, &erased);
    if (status != STATUS_OK || !erased)
        return status;
    *ret_new = false;
    return judging_set(job, ret, JUDGING_MISUSED, WIRE__VERDICT__REFUSED,
                       "the event of this id was erased; publish under a new id");
}

static enum status stored_before(struct engine *engine, struct job *job, const struct peer *sender,
                                 const struct envelope_published_event *event, bool *ret_new,
                                 struct judging *ret)
{
    const struct batch_held *batch = NULL;
    struct store_place place;
    struct outcome outcome;
    enum status status = batches_find(engine->batches, sender->stored.number, event->core.event, &place);

    if (status == STATUS_NOT_FOUND)
        return erased_before(engine, job, sender, event, ret_new, ret);
    if (status == STATUS_OK)
        status = batches_get(engine->batches, place.batch, &batch);
    if (status == STATUS_OK)
        status = batches_outcome(batch, place.index, &outcome);
    if (status != STATUS_OK)
        return status;
    *ret_new = false;
    return compare_old(job, batch->digests[place.index], event->digest, &outcome, ret);
}

enum status judging_old(struct engine *engine, const struct job *job, const struct peer *sender, size_t index,
                        const uint8_t *high, const struct judging *before, bool *ret_new, struct judging *ret)
{
    const struct envelope_published_event *events = job->published.events;
    struct job *writable = (struct job *)(uintptr_t)job; /* its arena takes what is answered */

    *ret_new = true;
    ret->late = high != NULL && memcmp(events[index].core.event, high, STORE_EVENT_SIZE) <= 0;
    if (!ret->late)
        return STATUS_OK;
    for (size_t i = 0; i < index; i++) {
        if (!before[i].live || memcmp(events[i].core.event, events[index].core.event, STORE_EVENT_SIZE) != 0)
            continue;
        *ret_new = false;
        return compare_old(writable, events[i].digest, events[index].digest, &before[i].outcome, ret);
    }
    return stored_before(engine, writable, sender, &events[index], ret_new, ret);
}

/* ---- whether anything can be accepted ---- */

enum status judging_now(const struct engine *engine, const struct peer *sender, const char **ret_reason)
{
    if (engine->disk_full)
        *ret_reason = "the broker's disk is full; nothing is accepted until there is room";
    else if (engine->now - sender->minute < MINUTE_MS &&
             sender->refusals >= engine->limits.refusals_per_minute)
        *ret_reason = "too many of your events were refused within a minute; mend them and try again later";
    else if (engine->now - sender->minute < MINUTE_MS && sender->gaps >= engine->limits.gaps_per_minute)
        *ret_reason = "your events were refused for too many recipients within a minute; try again later";
    else if (sender->stored.undelivered >= engine->limits.undelivered_sections)
        *ret_reason = "too many of your events wait for recipients that have not fetched them";
    else
        return STATUS_OK;
    return STATUS_BUSY;
}

/* ---- facts ---- */

static bool went_to(const struct outcome *outcome, const struct peer *member)
{
    for (size_t i = 0; member != NULL && i < outcome->recipient_count; i++) {
        if (outcome->recipients[i].number == member->stored.number)
            return true;
    }
    return false;
}

/* An event that another one may answer. */
struct answered {
    bool found;
    bool disclosed; /* to whoever answers */
    uint32_t sender;
    struct store_place place;
};

/* Ids are each sender's own: this one's event of that id, as far as it was accepted under the same protocol.
 */
static enum status look_at_answered(struct engine *engine, const struct core *core, const struct peer *sender,
                                    struct answered *ret)
{
    const struct batch_held *batch = NULL;
    struct outcome outcome;
    struct core other;
    enum status status = STATUS_NOT_FOUND;

    ret->found = false;
    ret->sender = sender->stored.number;
    if (sender->stored.has_high && memcmp(core->correlation, sender->stored.high, STORE_EVENT_SIZE) <= 0)
        status = batches_find(engine->batches, ret->sender, core->correlation, &ret->place);
    if (status == STATUS_OK)
        status = recheck_core(engine, ret->place, &other);
    /* What was said under another one answers nothing here. */
    if (status == STATUS_OK && !bytes_equal(other.protocol, core->protocol))
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        status = batches_get(engine->batches, ret->place.batch, &batch);
    if (status == STATUS_OK)
        status = batches_outcome(batch, ret->place.index, &outcome);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    ret->found = outcome.verdict == WIRE__VERDICT__ACCEPTED;
    ret->disclosed = went_to(&outcome, peers_find(engine->peers, core->from));
    return STATUS_OK;
}

/* Of several that use one id: what was disclosed to the answerer, and of such the one that was accepted
 * first, for nobody can copy an id before it was used. */
static bool is_better(const struct answered *one, const struct answered *other)
{
    if (!one->found || !other->found)
        return one->found;
    if (one->disclosed != other->disclosed)
        return one->disclosed;
    return subjects_compare_places(&one->place, &other->place) < 0;
}

static enum status add_correlation(struct engine *engine, const struct core *core, struct policy_facts *facts)
{
    const struct batch_held *batch = NULL;
    struct answered answered = {.found = false};
    struct core other;
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < peers_count(engine->peers); i++) {
        struct answered one;
        status = look_at_answered(engine, core, peers_at(engine->peers, i), &one);
        if (status == STATUS_OK && is_better(&one, &answered))
            answered = one;
    }
    if (status != STATUS_OK || !answered.found)
        return status;
    status = recheck_core(engine, answered.place, &other);
    if (status == STATUS_OK)
        status = batches_get(engine->batches, answered.place.batch, &batch);
    if (status != STATUS_OK)
        return status;
    engine->correlated = answered.sender;
    facts->correlated_from = bytes_of_string(peers_number(engine->peers, answered.sender)->stored.id);
    facts->correlated_event = catalogue_find_event(engine->rulebook->catalogue, other.type);
    facts->correlated_same_subject = memcmp(other.subject, core->subject, CORE_SUBJECT_SIZE) == 0;
    facts->correlated_disclosed_to_sender = answered.disclosed;
    return questions_facts(engine->rulebook->catalogue, batch, answered.place.index, facts);
}

static enum status decide(struct engine *engine, const struct core *core, const struct job_event *event,
                          const struct subject *subject, const struct party_set *active)
{
    struct policy_facts facts = {
        .person = &subject->state, .active = *active, .correlated_event = CATALOGUE_NONE};
    struct target target;
    enum status status = STATUS_OK;

    if (engine->rulebook->catalogue->events[event->request.event].corrects != CORRECTION_NONE) {
        status = targets_find(engine, core, event, subject, &target);
        facts.target = target.found ? &target.policy : NULL;
        engine->target_entry = target.found ? target.outcome.log_index : 0;
    }
    engine->correlated = 0;
    if (status == STATUS_OK && core->has_correlation)
        status = add_correlation(engine, core, &facts);
    overriding_facts(engine, core, event, &facts);
    if (status == STATUS_OK)
        policy_decide(event->protocol->protocol, &facts, &event->request, engine->now, engine->decision);
    return status;
}

enum status judging_decide(struct engine *engine, const struct core *core, struct job_event *event,
                           const struct subject *subject, const struct party_set *already)
{
    if (already != NULL)
        event->request.already = *already;
    return decide(engine, core, event, subject, engine_active(engine, event->protocol));
}

static void add_member(const struct engine *engine, const struct job_event *event, struct byte_view id,
                       struct party_set *active)
{
    uint16_t party = protocol_find_party(event->protocol->protocol, id);
    const struct directory_entry *entry =
        party == PROTOCOL_NONE
            ? NULL
            : directory_known(engine->rulebook->directory, event->protocol->protocol->parties[party].id);

    if (entry != NULL && directory_state_at(entry, engine->now) != DIRECTORY_REVOKED)
        party_set_add(active, party);
}

enum status judging_again(struct engine *engine, const struct core *core, struct job_event *event,
                          const struct subject *subject, const char *to)
{
    struct party_set active = *engine_active(engine, event->protocol);

    add_member(engine, event, core->from, &active);
    add_member(engine, event, bytes_of_string(to), &active);
    event->request.again = true;
    return decide(engine, core, event, subject, &active);
}

/* ---- is what came what was granted ---- */

/* Something that the decision rests on changed since the event was planned, as far as we can tell. */
static bool has_changed(const struct engine *engine, const struct core *core, const struct subject *subject)
{
    const struct plan_entry *plan = plans_find(engine->plans, core);

    return plan != NULL ? plan->version != subject->version : subject->changed_at >= core->created;
}

static struct policy_refusal plain_refusal(enum policy_code code, uint16_t party, uint16_t rule)
{
    return (struct policy_refusal){.code = code,
                                   .party = party,
                                   .class_index = PROTOCOL_NONE,
                                   .rule = rule,
                                   .label = CATALOGUE_NONE,
                                   .consent = PROTOCOL_NONE,
                                   .gateway = PROTOCOL_NONE,
                                   .relation = PROTOCOL_NONE,
                                   .entry = PROTOCOL_NONE,
                                   .denial = PROTOCOL_NONE};
}

/* Each granted recipient has its section. */
static bool all_there(const struct policy_decision *decision, const struct envelope_published_event *event,
                      struct policy_refusal *ret_refusal)
{
    size_t next = 0;

    for (size_t i = 0; i < decision->recipient_count; i++) {
        const struct policy_recipient *recipient = &decision->recipients[i];
        if (next < event->part_count &&
            bytes_equal(event->parts[next].section.to, bytes_of_string(recipient->to))) {
            next++;
            continue;
        }
        *ret_refusal = plain_refusal(POLICY_RECIPIENT_LEFT_OUT, recipient->party, recipient->rule_index);
        return false;
    }
    return true;
}

/* The key that a section is sealed to: STATUS_OK, STATUS_STALE (not the current one any more) or
 * STATUS_UNKNOWN_KEY. */
static enum status check_key(struct engine *engine, const char *to, const uint8_t *key)
{
    struct peer *peer = peers_take(engine->peers, bytes_of_string(to));
    const struct directory_entry *entry;

    if (peer == NULL)
        return STATUS_NO_MEMORY;
    entry = peers_entry(peer, engine->rulebook, engine->now);
    if (entry != NULL && memcmp(entry->sealing_id, key, SECTION_KEY_ID_SIZE) == 0)
        return STATUS_OK;
    if (entry == NULL || directory_by_sealing_id(engine->rulebook->directory, to, key) != NULL)
        return STATUS_STALE;
    return STATUS_UNKNOWN_KEY;
}

/* What is wrong with one section. */
struct fault {
    bool stale;
    bool ruled; /* refusal says what */
    struct policy_refusal refusal;
    char text[256];
};

static enum status check_part(struct engine *engine, const struct protocol *protocol,
                              const struct envelope_part *part, const struct job_section *outside,
                              struct fault *fault)
{
    const struct section *section = &part->section;
    enum status status;

    if (outside->problem != NULL) {
        (void)snprintf(fault->text, sizeof fault->text, "the section for %.*s: %s", (int)section->to.size,
                       (const char *)section->to.data, outside->problem);
        return STATUS_REFUSED;
    }
    status = policy_match(protocol, engine->decision, section->to, section->rule, &outside->labels,
                          &fault->refusal);
    if (status != STATUS_OK) {
        fault->ruled = true;
        return status;
    }
    status = check_key(engine, policy_recipient(engine->decision, section->to)->to, section->key);
    if (status == STATUS_STALE) {
        fault->stale = true;
        (void)snprintf(fault->text, sizeof fault->text, "the sealing key of %.*s has changed; plan again",
                       (int)section->to.size, (const char *)section->to.data);
        return STATUS_REFUSED;
    }
    if (status == STATUS_UNKNOWN_KEY) {
        (void)snprintf(fault->text, sizeof fault->text,
                       "the section for %.*s is sealed to a key that is not its own", (int)section->to.size,
                       (const char *)section->to.data);
        return STATUS_REFUSED;
    }
    return status;
}

/* STATUS_OK, STATUS_REFUSED with a fault, or a failure of ours. */
static enum status compare(struct engine *engine, const struct job *job, size_t index, struct fault *fault)
{
    const struct envelope_published_event *event = &job->published.events[index];
    const struct protocol *protocol = job->events[index].protocol->protocol;
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < event->part_count; i++)
        status = check_part(engine, protocol, &event->parts[i], &job->events[index].sections[i], fault);
    if (status != STATUS_OK)
        return status;
    if (all_there(engine->decision, event, &fault->refusal))
        return STATUS_OK;
    fault->ruled = true;
    return STATUS_REFUSED;
}

/* ---- an event ---- */

/* What may be said even when the bundle has expired. */
static bool takes_away(const struct catalogue *catalogue, const struct job_event *event)
{
    if (event->problem != NULL)
        return false;
    return catalogue_takes_away(&catalogue->events[event->request.event]);
}

/* Why a new event has no outcome whatever the rules say; NULL: it is decided. */
static const char *why_not_now(struct engine *engine, const struct job *job, size_t index,
                               const struct peer *sender, Wire__Verdict *ret_verdict)
{
    const struct core *core = &job->published.events[index].core;
    const char *reason = NULL;

    *ret_verdict = WIRE__VERDICT__BUSY;
    if (judging_now(engine, sender, &reason) != STATUS_OK)
        return reason;
    if (core->created > engine->now + REGISTER_SKEW_MS)
        return "the event is dated later than the broker's clock says it is; check the clocks";
    *ret_verdict = WIRE__VERDICT__STALE;
    if (job->rulebook != engine->rulebook ||
        (memcmp(core->bundle, bundle_head_digest(engine->rulebook->bundle), CORE_DIGEST_SIZE) != 0 &&
         !restored_takes(engine, core)))
        return "another bundle is in force; plan again under it";
    enum bundle_state state = bundle_state(engine->rulebook->bundle, engine->now, 0);
    if ((state == BUNDLE_EXPIRED || state == BUNDLE_NOT_YET) &&
        !takes_away(engine->rulebook->catalogue, &job->events[index]))
        return "the bundle is out of its period of validity; load a newer one and plan again";
    return NULL;
}

static enum status refuse(struct engine *engine, struct job *job, size_t index, const char *reason,
                          const struct policy_refusal *extra, struct judging *ret)
{
    ret->fate = JUDGING_REFUSED;
    ret->outcome = (struct outcome){.verdict = WIRE__VERDICT__REFUSED};
    return judging_why(engine, job, job->events[index].protocol->protocol, engine->decision, reason, extra,
                       &ret->outcome.why);
}

static enum status refuse_parts(struct engine *engine, struct job *job, size_t index, struct subject *subject,
                                const struct fault *fault, struct judging *ret)
{
    const struct protocol *protocol = job->events[index].protocol->protocol;
    char text[POLICY_TEXT_SIZE];

    const bool follows =
        engine->rulebook->catalogue->events[job->events[index].request.event].corrects !=
        CORRECTION_NONE; /* who can hold the event that it is about changes with every delivery */

    if (fault->stale || follows || has_changed(engine, &job->published.events[index].core, subject))
        return judging_set(job, ret, JUDGING_NOT_NOW, WIRE__VERDICT__STALE,
                           fault->stale ? fault->text
                                        : "what is known about the person has changed; plan again");
    engine->decision->refusal_count = 0; /* only what is wrong with the sections is told */
    if (!fault->ruled)
        return refuse(engine, job, index, fault->text, NULL, ret);
    policy_refusal_text(protocol, engine->decision, &fault->refusal, text);
    return refuse(engine, job, index, text, &fault->refusal, ret);
}

enum status judging_repeats(struct engine *engine, const struct core *core, const struct protocol *protocol,
                            const struct peer *sender, struct subject *subject, struct party_set *ret_already,
                            const char **ret_problem)
{
    const struct subject_standing *standing =
        subjects_standing(subject, sender->stored.number, core->repeats);
    struct core repeated;

    *ret_problem = "the event repeats one that is not standing; publish it anew";
    if (standing == NULL ||
        standing->place.batch == engine->next_batch) /* of the same batch: not stored yet */
        return STATUS_OK;
    enum status status = recheck_core(engine, standing->place, &repeated);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status; /* erased */
    *ret_problem = "the event repeats one of another type; publish it anew";
    if (!bytes_equal(repeated.type, core->type))
        return STATUS_OK;
    *ret_problem = NULL;
    for (size_t i = 0; i < standing->reached_count; i++) {
        const struct peer *peer = peers_number(engine->peers, standing->reached[i]);
        uint16_t party =
            peer == NULL ? PROTOCOL_NONE : protocol_find_party(protocol, bytes_of_string(peer->stored.id));
        if (party != PROTOCOL_NONE)
            party_set_add(ret_already, party);
    }
    return STATUS_OK;
}

enum status judging_event(struct engine *engine, struct job *job, size_t index, const struct peer *sender,
                          struct subject *subject, struct judging *ret)
{
    const struct core *core = &job->published.events[index].core;
    struct job_event *event = &job->events[index];
    struct party_set already = {{0}};
    struct fault fault = {0};
    Wire__Verdict verdict;
    char text[POLICY_TEXT_SIZE];
    enum status status;

    const char *reason = why_not_now(engine, job, index, sender, &verdict);
    if (reason != NULL)
        return judging_set(job, ret, JUDGING_NOT_NOW, verdict, reason);
    if (event->problem != NULL)
        return judging_set(job, ret, JUDGING_REFUSED, WIRE__VERDICT__REFUSED, event->problem);
    status = !core->has_repeats ? STATUS_OK
                                : judging_repeats(engine, core, event->protocol->protocol, sender, subject,
                                                  &already, &reason);
    if (status == STATUS_OK && reason != NULL)
        return judging_set(job, ret, JUDGING_REFUSED, WIRE__VERDICT__REFUSED, reason);
    if (status == STATUS_OK)
        status = judging_decide(engine, core, event, subject, &already);
    if (status != STATUS_OK)
        return status;
    if (!engine->decision->granted || engine->decision->reason != POLICY_NONE) {
        policy_decision_text(event->protocol->protocol, engine->decision, text);
        return refuse(engine, job, index, text, NULL, ret);
    }
    status = compare(engine, job, index, &fault);
    if (status == STATUS_REFUSED)
        return refuse_parts(engine, job, index, subject, &fault, ret);
    if (status != STATUS_OK)
        return status;
    ret->fate = JUDGING_ACCEPTED;
    ret->outcome = (struct outcome){.verdict = WIRE__VERDICT__ACCEPTED};
    return judging_why(engine, job, event->protocol->protocol, engine->decision, NULL, NULL,
                       &ret->outcome.why);
}
