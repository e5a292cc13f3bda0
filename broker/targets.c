#include "broker/targets.h"

#include <stdlib.h>
#include <string.h>

#include "broker/erasing.h"
#include "broker/recheck.h"
#include "broker/removing.h"
#include "proto/uuid.h"

#define ACCOUNT_ROOM ((size_t)RECORD_PART_MAX)

enum record_kind targets_kind(enum correction correction)
{
    switch (correction) {
    case CORRECTION_RETRACTION:
        return RECORD_RETRACTED;
    case CORRECTION_ERASURE:
        return RECORD_ERASED;
    case CORRECTION_VALUES:
    case CORRECTION_NONE:
        break;
    }
    return RECORD_CORRECTED;
}

/* ---- what was told ---- */

/* The labels that the log says were disclosed. */
static enum status read_labels(struct engine *engine, uint64_t index, struct label_set *ret)
{
    const struct catalogue *catalogue = engine->rulebook->catalogue;
    struct byte_buffer part = bytes_buffer(ACCOUNT_ROOM);
    struct record_storage *storage = calloc(1, sizeof *storage);
    struct record_account account;
    enum status status = storage == NULL ? STATUS_NO_MEMORY : logbook_account(engine->logbook, index, &part);

    if (status == STATUS_OK)
        status = record_decode_account(bytes_buffer_view(&part), storage, &account) == STATUS_OK
                     ? STATUS_OK
                     : STATUS_CORRUPT;
    for (size_t i = 0; status == STATUS_OK && i < account.label_count; i++) {
        uint16_t label = catalogue_find_label(catalogue, account.labels[i]);
        if (label != CATALOGUE_NONE)
            label_set_add(ret, label);
    }
    free(storage);
    bytes_buffer_free(&part);
    return status;
}

static enum status was_ended(struct engine *engine, const struct target *target, uint32_t sender,
                             uint32_t recipient, bool *ret)
{
    struct store_watch watch = {.kind = STORE_WATCH_ENDED, .recipient = recipient, .sender = sender};
    enum status status;

    memcpy(watch.event, target->event, STORE_EVENT_SIZE);
    status = store_find_watch(engine->store, &watch);
    *ret = status == STATUS_OK;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status add_recipient(struct engine *engine, const struct protocol *protocol, uint32_t sender,
                                 bool values, size_t i, struct target *target)
{
    const uint32_t number = target->outcome.recipients[i].number;
    const struct peer *peer = peers_number(engine->peers, number);
    struct policy_target *policy = &target->policy;
    bool waits = false;
    bool ended = false;
    uint16_t party;
    enum status status = was_ended(engine, target, sender, number, &ended);

    if (status == STATUS_OK && !values)
        status = removing_waits(engine, target->place, number, &waits);
    if (status != STATUS_OK || ended || waits || peer == NULL)
        return status;
    party = protocol_find_party(protocol, bytes_of_string(peer->stored.id));
    if (party == PROTOCOL_NONE)
        return STATUS_OK;
    policy->parties[policy->count] = party;
    policy->labels[policy->count] = (struct label_set){{0}};
    status = read_labels(engine, target->outcome.log_index + 1 + i, &policy->labels[policy->count]);
    policy->count++;
    return status;
}

static bool is_place(const struct store_place *one, const struct store_place *other)
{
    return subjects_compare_places(one, other) == 0;
}

/* Does what is known of the person rest on it, or the merge of two records from which that comes? */
static bool is_ground(const struct subject *subject, const struct store_place *place)
{
    for (size_t i = 0; i < REGISTER_GROUNDS; i++) {
        if (subject->grounds[i].set && is_place(&subject->grounds[i].place, place))
            return true;
    }
    for (size_t i = 0; i < subject->merged_count; i++) {
        if (is_place(&subject->merged[i], place))
            return true;
    }
    return false;
}

static enum status read_outcome(struct engine *engine, const struct core *core, const struct subject *subject,
                                struct target *target)
{
    const struct batch_held *batch = NULL;
    struct core other;
    enum status status = recheck_core(engine, target->place, &other);

    if (status == STATUS_OK) {
        target->policy = (struct policy_target){
            .from = core->from,
            .event = catalogue_find_event(engine->rulebook->catalogue, other.type),
            .same_subject = memcmp(other.subject, core->subject, CORE_SUBJECT_SIZE) == 0,
            .same_protocol = bytes_equal(other.protocol, core->protocol)};
        status = batches_get(engine->batches, target->place.batch, &batch);
    }
    if (status == STATUS_OK)
        status = batches_outcome(batch, target->place.index, &target->outcome);
    target->outcome.why = bytes_view(NULL, 0);
    target->policy.is_ground = is_ground(subject, &target->place);
    return status;
}

enum status targets_find(struct engine *engine, const struct core *core, const struct job_event *event,
                         const struct subject *subject, struct target *ret)
{
    const struct catalogue_event *type = &engine->rulebook->catalogue->events[event->request.event];
    const struct byte_view text = event->request.attributes[type->target];
    const struct peer *sender = peers_find(engine->peers, core->from);
    enum status status = STATUS_OK;

    ret->found = false;
    if (sender == NULL || text.data == NULL || uuid_parse(text, ret->event) != STATUS_OK)
        return STATUS_OK;
    status = batches_find(engine->batches, sender->stored.number, ret->event, &ret->place);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    status = batches_holds(engine->batches, ret->place);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status; /* erased */
    status = read_outcome(engine, core, subject, ret);
    if (status != STATUS_OK || ret->outcome.verdict != WIRE__VERDICT__ACCEPTED)
        return status;
    ret->found = true;
    for (size_t i = 0; status == STATUS_OK && i < ret->outcome.recipient_count; i++)
        status = add_recipient(engine, event->protocol->protocol, sender->stored.number,
                               type->corrects == CORRECTION_VALUES, i, ret);
    return status;
}

/* ---- what follows ---- */

/* Its recipients are asked to confirm, again and again until they have. */
static enum status wait_for_all(struct engine *engine, const struct peer *sender, struct store_place place,
                                const uint8_t *event, enum correction correction,
                                const struct outcome *outcome)
{
    struct store_watch watch = {.kind = STORE_WATCH_CONFIRM,
                                .sender = sender->stored.number,
                                .place = place,
                                .since = engine->now,
                                .due = engine->now + engine->limits.remind_every,
                                .value = (uint64_t)targets_kind(correction)};
    enum status status = STATUS_OK;

    memcpy(watch.event, event, STORE_EVENT_SIZE);
    for (size_t i = 0; status == STATUS_OK && i < outcome->recipient_count; i++) {
        watch.recipient = outcome->recipients[i].number;
        status = store_put_watch(engine->store, &watch);
    }
    return status;
}

static enum status end_standing(struct engine *engine, const struct peer *sender, struct subject *subject,
                                const uint8_t *event)
{
    struct subject_standing *standing = subjects_standing(subject, sender->stored.number, event);

    if (standing != NULL) {
        subjects_unstand(subject, standing);
        subject->dirty = true;
    }
    return store_drop_replan(engine->store, sender->stored.number, event);
}

enum status targets_accepted(struct engine *engine, struct peer *sender, struct store_place place,
                             const struct core *core, const struct job_event *event,
                             const struct outcome *outcome, struct subject *subject)
{
    static const struct taking_how how = {.kind = RECORD_RECALLED, .notice = WIRE__NOTICE_KIND__TAKEN_BACK};
    const struct catalogue_event *type = &engine->rulebook->catalogue->events[event->request.event];
    struct target target;
    enum status status = wait_for_all(engine, sender, place, core->event, type->corrects, outcome);

    if (status != STATUS_OK || type->corrects == CORRECTION_VALUES)
        return status;
    status = targets_find(engine, core, event, subject, &target);
    if (status != STATUS_OK || !target.found)
        return status;
    status =
        removing_event(engine, target.place, &target.outcome, &how, "its sender has taken it back", false);
    if (status == STATUS_OK)
        status = end_standing(engine, sender, subject, target.event);
    if (status == STATUS_OK && type->corrects == CORRECTION_ERASURE)
        status = erasing_asked(engine, sender, &target);
    return status;
}
