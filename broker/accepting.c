#include "broker/accepting.h"

#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "broker/ending.h"
#include "broker/grounds.h"
#include "broker/overriding.h"
#include "broker/replanning.h"
#include "broker/targets.h"
#include "proto/digest.h"

#define GAPS_FREE 1u /* recipients refused of one accepted event */

void accepting_start(struct accepting_batch *batch, uint64_t id, struct peer *sender)
{
    batch->id = id;
    batch->sender = sender;
    batch->index = 0;
    batch->change_count = 0;
}

/* ---- log records ---- */

struct record_account accepting_account(const struct engine *engine, const struct core *core,
                                        const struct rulebook_protocol *protocol)
{
    struct record_account account = {
        .time = engine->now, .from = core->from, .type = core->type, .purpose = core->purpose};

    if (protocol != NULL)
        account.protocol = bytes_view(protocol->digest, DIGEST_SIZE);
    return account;
}

static int compare_indexes(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

/* The log's indexes of the events that the grants rest on, ascending, each once. */
static size_t list_grounds(const struct policy_decision *decision, const struct subject *subject,
                           uint64_t grounds[static REGISTER_GROUNDS])
{
    uint32_t bits = policy_grounds(decision);
    size_t count = 0;
    size_t kept = 0;

    for (size_t i = 0; i < REGISTER_GROUNDS; i++) {
        if ((bits >> i & 1) != 0 && subject->grounds[i].set)
            grounds[count++] = subject->grounds[i].entry;
    }
    qsort(grounds, count, sizeof grounds[0], compare_indexes);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || grounds[kept - 1] != grounds[i])
            grounds[kept++] = grounds[i];
    }
    return kept;
}

static size_t add_personal(struct engine *engine, const struct envelope_published_event *event,
                           const uint64_t *grounds, size_t ground_count)
{
    struct record_personal personal = {.subject = bytes_view(event->core.subject, CORE_SUBJECT_SIZE),
                                       .officer = event->core.officer,
                                       .event = bytes_view(event->core.event, CORE_EVENT_SIZE),
                                       .header = bytes_view(event->digest, DIGEST_SIZE),
                                       .grounds = grounds,
                                       .ground_count = ground_count};

    return records_personal(&engine->records, &personal);
}

static uint8_t flags_of(const struct policy_decision *decision, bool late)
{
    return (uint8_t)((decision->juvenile ? RECORD_JUVENILE : 0) | (late ? RECORD_LATE : 0) |
                     (decision->break_glass ? RECORD_BREAK_GLASS : 0));
}

static bool any_late(const struct policy_decision *decision)
{
    for (size_t i = 0; i < decision->recipient_count; i++) {
        if (decision->recipients[i].late)
            return true;
    }
    return false;
}

/* The entry that a section was disclosed, and its recipient's counter. */
static enum status disclose(struct engine *engine, const struct record_account *shared, size_t personal,
                            const struct envelope_part *part, struct judging *judging, size_t place)
{
    const struct policy_recipient *granted = policy_recipient(engine->decision, part->section.to);
    struct peer *recipient = peers_take(engine->peers, part->section.to);
    struct record_account account = *shared;
    struct byte_view labels[RECORD_LABELS_MAX];
    const struct catalogue *catalogue = engine->rulebook->catalogue;

    if (recipient == NULL)
        return STATUS_NO_MEMORY;
    for (unsigned i = label_set_next(&granted->labels, 0); i != SET256_END;
         i = label_set_next(&granted->labels, i + 1)) {
        if (account.label_count < RECORD_LABELS_MAX)
            labels[account.label_count++] = bytes_of_string(catalogue->labels[i].label);
    }
    account.to = part->section.to;
    account.rule = part->section.rule;
    account.gateway = bytes_of_string(granted->gateway);
    account.labels = labels;
    account.outcome = bytes_of_string("disclosed");
    account.deadline = granted->deadline;
    account.flags = flags_of(engine->decision, granted->late);
    account.key = bytes_view(part->section.key, SECTION_KEY_ID_SIZE);
    account.to_counter = ++recipient->stored.received;
    recipient->dirty = true;
    judging->parts[place] =
        (struct judging_part){.urgent = granted->urgent || engine->decision->break_glass,
                              .rests_on = granted->rests_on,
                              .counter = account.to_counter,
                              .deadline = granted->late ? 0 : granted->deadline,
                              .until = civil_add_duration(engine->now, granted->retention, 1),
                              .acknowledge_by = granted->acknowledge_by,
                              .entry = records_add(&engine->records, RECORD_DISCLOSED, &account, personal)};
    judging->outcome.recipients[place] =
        (struct outcome_recipient){recipient->stored.number, account.to_counter};
    judging->outcome.recipient_count = place + 1;
    return STATUS_OK;
}

/* A recipient or class that gets nothing, or less, of an accepted event. */
static void log_gap(struct engine *engine, const struct record_account *shared, size_t personal,
                    const struct protocol *protocol, const struct policy_refusal *refusal)
{
    struct record_account account = *shared;
    struct byte_view label;
    char text[POLICY_TEXT_SIZE];
    struct outcome_refusal told = judging_refusal(protocol, engine->decision, refusal, text);

    if (told.to != NULL)
        account.to = bytes_of_string(told.to);
    if (told.rule != NULL)
        account.rule = bytes_of_string(told.rule);
    if (told.item != NULL) {
        label = bytes_of_string(told.item);
        account.labels = &label;
        account.label_count = 1;
    }
    account.outcome = bytes_of_string("refused");
    account.reason = bytes_of_string(text);
    (void)records_add(&engine->records, RECORD_REFUSED, &account, personal);
}

/* One of them is any event's; many are what a member could fill the log with. */
static void count_gaps(const struct engine *engine, struct peer *sender)
{
    const size_t count = engine->decision->refusal_count;

    peers_count_minute(sender, engine->now);
    sender->gaps += count < GAPS_FREE ? 0 : (uint32_t)(count - GAPS_FREE);
}

/* ---- the register ---- */

static void note_change(struct accepting_batch *batch, struct subject *subject, uint32_t cleared,
                        const uint8_t *event)
{
    struct accepting_change *change = &batch->changes[batch->change_count];

    if (batch->change_count == ACCEPTING_CHANGES_MAX)
        return;
    change->subject = subject;
    change->cleared = cleared;
    memcpy(change->event, event, STORE_EVENT_SIZE);
    batch->change_count++;
}

static void touch(struct engine *engine, struct subject *subject)
{
    subject->version++;
    subject->changed_at = engine->now;
    subject->dirty = true;
}

/* What the log says about a change of that effect. */
static enum record_kind kind_of(enum effect effect)
{
    switch ((int)effect) {
    case EFFECT_CONSENT:
        return RECORD_CONSENT;
    case EFFECT_WITHDRAW:
        return RECORD_WITHDRAWN;
    case EFFECT_MERGE:
        return RECORD_MERGED;
    default:
        return RECORD_REGISTER;
    }
}

/* Takes over what the event changed: which facts now rest on it, and which have ended. */
static enum status change_subject(struct engine *engine, const struct job *job, struct accepting_batch *batch,
                                  struct subject *subject, const struct register_change *change,
                                  uint64_t entry)
{
    struct store_place place = {.batch = batch->id, .index = (uint32_t)batch->index};

    for (size_t i = 0; i < REGISTER_GROUNDS; i++) {
        if ((change->clears >> i & 1) != 0)
            subject->grounds[i].set = false;
        if ((change->sets >> i & 1) != 0)
            subject->grounds[i] = (struct subject_ground){true, place, entry};
    }
    if (change->effect == EFFECT_REMOVE)
        subject->merged_count = 0; /* whoever is listed anew starts from nothing */
    touch(engine, subject);
    note_change(batch, subject, change->clears, job->published.events[batch->index].core.event);
    return change->sets == 0 ? STATUS_OK : grounds_append(engine, job, place);
}

static enum status other_subject(struct engine *engine, const struct job *job, size_t index,
                                 const char *label, struct subject **ret)
{
    const struct job_event *event = &job->events[index];
    struct byte_view text = request_attribute(engine->rulebook->catalogue, &event->request, label);
    char hex[2 * CORE_SUBJECT_SIZE + 1] = {0};
    uint8_t pseudonym[CORE_SUBJECT_SIZE];

    if (text.size != 2 * CORE_SUBJECT_SIZE)
        return STATUS_NOT_FOUND;
    memcpy(hex, text.data, text.size);
    if (bytes_from_hex(hex, pseudonym, sizeof pseudonym) != STATUS_OK)
        return STATUS_NOT_FOUND;
    return subjects_get(engine->subjects, event->protocol->protocol, pseudonym, ret);
}

static void set_merged(struct engine *engine, struct accepting_batch *batch, struct subject *subject,
                       const struct register_state *merged, const uint8_t *event)
{
    uint32_t lost = subject->state.grounds & ~merged->grounds;

    for (size_t i = 0; i < REGISTER_GROUNDS; i++) {
        if ((lost >> i & 1) != 0)
            subject->grounds[i].set = false;
    }
    subject->state = *merged;
    touch(engine, subject);
    note_change(batch, subject, lost, event);
}

/* Whatever the merge rests on, so that whoever plans can merge as well: all that either record rested on, and
 * who asked for it and who confirmed. A record that has been merged too often ends. */
static void gather(struct subject *subject, const struct subject *other, struct store_place asked,
                   struct register_state *merged, int64_t now)
{
    const struct subject *both[] = {subject, other};
    bool fits = subjects_add_merged(subject, asked);

    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < REGISTER_GROUNDS; k++) {
            if (both[i]->grounds[k].set)
                fits = subjects_add_merged(subject, both[i]->grounds[k].place) && fits;
        }
        for (size_t k = 0; both[i] != subject && k < other->merged_count; k++)
            fits = subjects_add_merged(subject, other->merged[k]) && fits;
    }
    if (fits)
        return;
    register_init(merged);
    merged->entry.removed_at = now;
}

/* Two members have asked for it: both records become what both hold, each with its consents in its own
 * places, which what waits in the queue counts by. */
static enum status merge(struct engine *engine, const struct job *job, struct accepting_batch *batch,
                         struct store_place asked)
{
    struct subject *from = NULL;
    struct subject *to = NULL;
    struct register_state merged_from;
    struct register_state merged_to;
    const uint8_t *event = job->published.events[batch->index].core.event;
    enum status status = other_subject(engine, job, batch->index, "merged_from", &from);

    if (status == STATUS_OK)
        status = other_subject(engine, job, batch->index, "merged_to", &to);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    register_merge(&from->state, &to->state, &merged_from);
    register_merge(&to->state, &from->state, &merged_to);
    gather(from, to, asked, &merged_from, engine->now);
    gather(to, from, asked, &merged_to, engine->now);
    set_merged(engine, batch, from, &merged_from, event);
    set_merged(engine, batch, to, &merged_to, event);
    return STATUS_OK;
}

/* ---- standing events ---- */

static void reach(struct subject_standing *standing, const struct judging *judging)
{
    for (size_t i = 0; i < judging->outcome.recipient_count; i++)
        subjects_reach(standing, judging->outcome.recipients[i].number);
}

static enum status stand(struct engine *engine, const struct job *job, struct accepting_batch *batch,
                         struct subject *subject, const struct judging *judging)
{
    const struct core *core = &job->published.events[batch->index].core;
    uint32_t sender = batch->sender->stored.number;
    struct subject_standing *standing = NULL;
    enum status status = STATUS_OK;

    if (core->has_supersedes) {
        standing = subjects_standing(subject, sender, core->supersedes);
        if (standing != NULL) {
            subjects_unstand(subject, standing);
            subject->dirty = true;
            status = store_drop_replan(engine->store, sender, core->supersedes);
        }
    }
    if (status != STATUS_OK)
        return status;
    if (core->has_repeats) {
        standing = subjects_standing(subject, sender, core->repeats);
        status = store_drop_replan(engine->store, sender, core->repeats);
    } else if (engine->rulebook->catalogue->events[job->events[batch->index].request.event].standing) {
        standing = subjects_stand(subject);
        memcpy(standing->event, core->event, STORE_EVENT_SIZE);
        standing->sender = sender;
        standing->place = (struct store_place){batch->id, (uint32_t)batch->index};
    } else {
        return STATUS_OK;
    }
    if (standing != NULL)
        reach(standing, judging);
    subject->dirty = true;
    return status;
}

/* ---- an accepted event ---- */

/* What its sender asks for, and about which entry. */
static void log_correction(struct engine *engine, const struct job *job, size_t index,
                           const struct record_account *shared, size_t personal)
{
    const enum correction correction =
        engine->rulebook->catalogue->events[job->events[index].request.event].corrects;
    struct record_account account = *shared;
    uint8_t number[8];
    const struct byte_view detail = bytes_view(number, sizeof number);

    if (correction == CORRECTION_NONE)
        return;
    bytes_put_u64(number, engine->target_entry);
    account.outcome = bytes_of_string("asked");
    account.details = &detail;
    account.detail_count = 1;
    (void)records_add(&engine->records, targets_kind(correction), &account, personal);
}

/* Of a question the log keeps which items it was for. */
static void list_asked(const struct catalogue *catalogue, const struct policy_request *request,
                       struct byte_view labels[static RECORD_LABELS_MAX], struct record_account *account)
{
    for (unsigned i = label_set_next(&request->asked, 0);
         i != SET256_END && account->label_count < RECORD_LABELS_MAX;
         i = label_set_next(&request->asked, i + 1))
        labels[account->label_count++] = bytes_of_string(catalogue->labels[i].label);
    account->labels = labels;
}

static enum status log_accepted(struct engine *engine, const struct job *job, struct accepting_batch *batch,
                                const struct subject *subject, struct judging *judging,
                                const struct register_change *change, uint64_t *ret_change_entry)
{
    const struct envelope_published_event *event = &job->published.events[batch->index];
    const struct rulebook_protocol *protocol = job->events[batch->index].protocol;
    const struct policy_decision *decision = engine->decision;
    struct record_account shared = accepting_account(engine, &event->core, protocol);
    struct record_account account = shared;
    struct byte_view asked[RECORD_LABELS_MAX];
    uint64_t grounds[REGISTER_GROUNDS];
    size_t personal = add_personal(engine, event, grounds, list_grounds(decision, subject, grounds));
    enum status status = STATUS_OK;

    if (decision->rule != PROTOCOL_NONE)
        account.rule = bytes_of_string(protocol->protocol->rules[decision->rule].id);
    list_asked(engine->rulebook->catalogue, &job->events[batch->index].request, asked, &account);
    account.outcome = bytes_of_string("accepted");
    account.flags = flags_of(decision, any_late(decision));
    account.from_counter = ++batch->sender->stored.sent;
    batch->sender->dirty = true;
    judging->outcome.logged = true;
    judging->outcome.log_index = records_add(&engine->records, RECORD_ACCEPTED, &account, personal);
    for (size_t i = 0; status == STATUS_OK && i < event->part_count; i++)
        status = disclose(engine, &shared, personal, &event->parts[i], judging, i);
    account.label_count = 0;
    if (change->effect != EFFECT_NONE) {
        account.from_counter = 0;
        account.outcome = bytes_of_string(change->clears != 0 ? "ended" : "recorded");
        *ret_change_entry = records_add(&engine->records, kind_of(change->effect), &account, personal);
    }
    log_correction(engine, job, batch->index, &shared, personal);
    for (size_t i = 0; i < decision->refusal_count; i++)
        log_gap(engine, &shared, personal, protocol->protocol, &decision->refusals[i]);
    count_gaps(engine, batch->sender);
    return status == STATUS_OK ? overriding_accepted(engine, job, batch, &shared, personal) : status;
}

/* For those who get counts only. */
static enum status count_event(struct engine *engine, const struct job_event *event,
                               const struct register_entry *person)
{
    const char *protocol = event->protocol->protocol->id;
    enum effect effect = engine->rulebook->catalogue->events[event->request.event].effect;
    enum status status = STATUS_OK;

    if (event->protocol->protocol->aggregates.to == 0 || event->request.repeats)
        return STATUS_OK;
    if (effect == EFFECT_LIST || effect == EFFECT_REMOVE)
        status = tally_add(engine->tally, protocol, engine->now,
                           effect == EFFECT_LIST ? TALLY_ADDED : TALLY_REMOVED, person->area, person->strand);
    for (uint16_t i = 0; status == STATUS_OK && i < engine->decision->recipient_count; i++) {
        const struct policy_recipient *recipient = &engine->decision->recipients[i];

        if (recipient->deadline != 0)
            status = tally_add(engine->tally, protocol, engine->now,
                               recipient->late ? TALLY_LATE : TALLY_IN_TIME, person->area, person->strand);
    }
    return status;
}

enum status accepting_event(struct engine *engine, struct job *job, struct accepting_batch *batch,
                            struct subject *subject, struct judging *judging)
{
    const struct envelope_published_event *event = &job->published.events[batch->index];
    struct job_event *checked = &job->events[batch->index];
    struct register_entry before = subject->state.entry;
    struct register_change change;
    uint64_t entry = 0;
    const struct subject_ground asked = subject->grounds[REGISTER_GROUND_MERGE_BIT];
    enum status status = engine_write(engine);

    if (status != STATUS_OK)
        return status;
    judging->parts = wire_arena_alloc(job->arena, (event->part_count + 1) * sizeof *judging->parts);
    if (judging->parts == NULL)
        return STATUS_NO_MEMORY;
    if (register_apply(checked->protocol->protocol, &subject->state, &checked->request, engine->now,
                       &change) != STATUS_OK) {
        status = judging_set(job, judging, JUDGING_REFUSED, WIRE__VERDICT__REFUSED, change.reason);
        return status;
    }
    judging->replaces = event->core.has_supersedes && engine->decision->rule != PROTOCOL_NONE &&
                        checked->protocol->protocol->rules[engine->decision->rule].on_change_supersede;
    status = log_accepted(engine, job, batch, subject, judging, &change, &entry);
    if (status == STATUS_OK)
        status =
            count_event(engine, checked, change.effect == EFFECT_REMOVE ? &before : &subject->state.entry);
    if (status == STATUS_OK && change.effect != EFFECT_NONE)
        status = change_subject(engine, job, batch, subject, &change, entry);
    if (status == STATUS_OK && change.merged)
        status = merge(engine, job, batch, asked.place);
    if (status == STATUS_OK)
        status = stand(engine, job, batch, subject, judging);
    if (CRASH_FAULT("broker.accepting"))
        status = STATUS_BAD_ARGUMENT;
    engine->accepted++;
    return status;
}

/* ---- a refused event ---- */

/* The reason among the encoded fields of an outcome, which is always their first. */
static struct byte_view reason_of(const struct outcome *outcome)
{
    struct byte_reader reader = bytes_reader(outcome->why);
    size_t size = 0;
    unsigned shift = 0;
    uint8_t byte;

    (void)bytes_read_u8(&reader);
    do {
        byte = bytes_read_u8(&reader);
        size |= (size_t)(byte & 0x7f) << shift;
        shift += 7;
    } while ((byte & 0x80) != 0 && shift < 28);
    return bytes_read_view(&reader, size);
}

enum status accepting_refusal(struct engine *engine, struct job *job, struct accepting_batch *batch,
                              size_t index, struct judging *judging)
{
    const struct envelope_published_event *event = &job->published.events[index];
    struct peer *sender = batch->sender;
    struct record_account account = accepting_account(
        engine, &event->core, job->rulebook == engine->rulebook ? job->events[index].protocol : NULL);
    const struct byte_view reason = reason_of(&judging->outcome);
    uint8_t sizes[3][4]; /* of those that have no fixed one */
    const struct byte_view identical[] = {bytes_view(sizes, sizeof sizes), event->core.from, event->core.type,
                                          reason, bytes_view(event->core.subject, CORE_SUBJECT_SIZE)};
    uint8_t key[DIGEST_SIZE];

    bytes_put_u32(sizes[0], (uint32_t)event->core.from.size);
    bytes_put_u32(sizes[1], (uint32_t)event->core.type.size);
    bytes_put_u32(sizes[2], (uint32_t)reason.size);
    peers_count_minute(sender, engine->now);
    sender->refusals++;
    engine->refused++;
    digest_sha256_parts(identical, sizeof identical / sizeof identical[0], key);
    if (repeats_seen(engine->repeats, key, engine->now))
        return STATUS_OK;
    account.outcome = bytes_of_string("refused");
    account.reason = reason;
    account.from_counter = ++sender->stored.sent;
    sender->dirty = true;
    size_t personal = add_personal(engine, event, NULL, 0);
    size_t account_at = engine->records.parts.size;
    judging->outcome.logged = true;
    judging->outcome.log_index = records_add(&engine->records, RECORD_REFUSED, &account, personal);
    if (engine->records.status != STATUS_OK)
        return engine->records.status;
    repeats_first(
        engine->repeats, key, engine->now + engine->limits.refusal_repeats, judging->outcome.log_index,
        bytes_view(engine->records.parts.data + account_at, engine->records.parts.size - account_at));
    return STATUS_OK;
}

/* ---- what follows ---- */

enum status accepting_after(struct engine *engine, struct accepting_batch *batch)
{
    enum status status = ending_changes(engine, batch->changes, batch->change_count);

    for (size_t i = 0; status == STATUS_OK && i < batch->change_count; i++)
        status = replanning_subject(engine, batch->changes[i].subject, batch->changes[i].event);
    return status;
}
