#include "broker/ending.h"

#include <string.h>

#include "broker/accepting.h"
#include "broker/judging.h"
#include "broker/recheck.h"
#include "proto/field.h"
#include "proto/wire_check.h"

#define RECALL_FRAME 256

/* Field numbers of messages Recall and RecallItem in wire.proto. */
enum { ITEMS = 1 };
enum { FROM = 1, EVENT, REASON };

/* Places of one slice that are to be taken out. */
struct taking {
    struct store_slice_key key;
    uint32_t sender;
    const char *reason;
    uint8_t places[STORE_MASK_SIZE];
    uint8_t marks[STORE_BATCH_EVENTS * STORE_MARK_SIZE]; /* copied: the store's own go with its next verb */
    uint8_t live[STORE_MASK_SIZE];
    uint32_t count;
};

static void take_slice(struct taking *taking, const struct store_slice *slice)
{
    taking->key = slice->key;
    taking->sender = slice->sender;
    taking->count = slice->count;
    memset(taking->places, 0, sizeof taking->places);
    memcpy(taking->live, slice->live, sizeof taking->live);
    memcpy(taking->marks, slice->marks.data, slice->marks.size);
}

static struct store_mark mark_at(const struct taking *taking, size_t place)
{
    return store_mark_read(taking->marks + place * STORE_MARK_SIZE);
}

/* ---- taking out ---- */

static bool may_hold(const struct engine *engine, const struct peer *recipient, struct store_slice_key key)
{
    return key.batch <= engine->started_after || key.batch <= recipient->handed[key.urgent ? 0 : 1];
}

static enum status tell_recalled(struct engine *engine, const struct taking *taking, const struct core *core,
                                 struct peer *recipient)
{
    struct store_recall recall = {
        .recipient = taking->key.recipient, .sender = taking->sender, .reason = taking->reason};
    struct byte_buffer *body = &engine->body;
    struct outgoing *frame = NULL;
    enum status status;

    memcpy(recall.event, core->event, STORE_EVENT_SIZE);
    status = store_put_recall(engine->store, &recall);
    if (status != STATUS_OK || recipient->connection == 0)
        return status;
    bytes_buffer_clear(body);
    field_put_start(body, ITEMS,
                    field_size_bytes(FROM, core->from.size) + field_size_bytes(EVENT, STORE_EVENT_SIZE) +
                        field_size_bytes(REASON, strlen(taking->reason)));
    field_put_bytes(body, FROM, core->from);
    field_put_bytes(body, EVENT, bytes_view(core->event, STORE_EVENT_SIZE));
    field_put_bytes(body, REASON, bytes_of_string(taking->reason));
    status = outgoing_frame(recipient->connection, recipient->stored.id, 0, WIRE__FRAME__VERB_RECALL,
                            bytes_buffer_view(body), &frame);
    return status == STATUS_OK ? engine_answer(engine, frame) : status;
}

static enum status take_one(struct engine *engine, const struct taking *taking, size_t place)
{
    struct store_mark mark = mark_at(taking, place);
    struct peer *recipient = peers_number(engine->peers, taking->key.recipient);
    struct peer *sender = peers_number(engine->peers, taking->sender);
    struct core core;
    uint8_t index[8];
    struct byte_view detail = bytes_view(index, sizeof index);
    enum status status = recheck_core(engine, (struct store_place){taking->key.batch, mark.index}, &core);

    if (status != STATUS_OK || recipient == NULL || sender == NULL)
        return status == STATUS_OK ? STATUS_CORRUPT : status;
    bool held = may_hold(engine, recipient, taking->key);
    struct record_account account =
        accepting_account(engine, &core, rulebook_find(engine->rulebook, core.protocol));
    struct record_personal personal = {.subject = bytes_view(core.subject, CORE_SUBJECT_SIZE),
                                       .officer = core.officer,
                                       .event = bytes_view(core.event, CORE_EVENT_SIZE)};
    bytes_put_u64(index, mark.entry);
    account.to = bytes_of_string(recipient->stored.id);
    account.outcome = bytes_of_string(held ? "in-flight" : "undelivered");
    account.reason = bytes_of_string(taking->reason);
    account.details = &detail;
    account.detail_count = 1;
    (void)records_add(&engine->records, RECORD_RECALLED, &account,
                      records_personal(&engine->records, &personal));
    if (sender->stored.undelivered > 0)
        sender->stored.undelivered--;
    sender->dirty = true;
    return held ? tell_recalled(engine, taking, &core, recipient) : STATUS_OK;
}

/* Writes and logs what was marked to be taken out of one slice. */
static enum status take_out(struct engine *engine, const struct taking *taking)
{
    enum status status = STATUS_OK;

    if (store_mask_count(taking->places) == 0)
        return STATUS_OK;
    status = engine_write(engine);
    if (status == STATUS_OK)
        status = store_take_out(engine->store, taking->key, taking->places);
    if (status != STATUS_OK)
        return status;
    (void)engine_records(engine, NULL, 0);
    for (size_t i = 0; status == STATUS_OK && i < taking->count; i++) {
        if (store_mask_get(taking->places, i))
            status = take_one(engine, taking, i);
    }
    struct peer *recipient = peers_number(engine->peers, taking->key.recipient);
    bool whole = false;
    if (recipient != NULL)
        engine->in_flight -= peers_settle(recipient, taking->key, taking->places, &whole);
    return status == STATUS_OK ? engine_append(engine) : status;
}

/* ---- what is to be taken out ---- */

static enum status mark_subject(struct engine *engine, struct taking *taking, const struct subject *subject,
                                uint32_t cleared, const uint8_t *ending)
{
    for (size_t i = 0; i < taking->count; i++) {
        struct store_mark mark = mark_at(taking, i);
        struct core core;
        if (!store_mask_get(taking->live, i) || (mark.rests_on & cleared) == 0 ||
            memcmp(mark.tag, subject->key + 4, STORE_TAG_SIZE) != 0)
            continue;
        enum status status = recheck_core(engine, (struct store_place){taking->key.batch, mark.index}, &core);
        if (status != STATUS_OK)
            return status;
        if (memcmp(core.subject, subject->key, CORE_SUBJECT_SIZE) == 0 &&
            memcmp(core.event, ending, STORE_EVENT_SIZE) != 0 &&
            bytes_equal(core.protocol, bytes_of_string(subject->protocol->id)))
            store_mask_set(taking->places, i);
    }
    return STATUS_OK;
}

enum status ending_recall(struct engine *engine, const struct subject *subject, uint32_t cleared,
                          const uint8_t event[static STORE_EVENT_SIZE])
{
    struct store_slice_key after = {0};
    struct store_slice slice;
    struct taking taking = {.reason = (cleared & REGISTER_GROUND_CONSENTS) != 0
                                          ? "the consent that this rested on was withdrawn"
                                          : "the person is no longer on the list as when this was sent"};
    enum status status;

    for (;;) {
        status = store_next_marks(engine->store, after, &slice);
        if (status != STATUS_OK)
            return status == STATUS_NOT_FOUND ? STATUS_OK : status;
        after = slice.key;
        take_slice(&taking, &slice);
        status = mark_subject(engine, &taking, subject, cleared, event);
        if (status == STATUS_OK)
            status = take_out(engine, &taking);
        if (status != STATUS_OK)
            return status;
    }
}

/* ---- another bundle ---- */

static bool same_protocol(const struct rulebook *before, const struct rulebook_protocol *now)
{
    const struct rulebook_protocol *old =
        before == NULL ? NULL : rulebook_find(before, bytes_of_string(now->protocol->id));

    return old != NULL && memcmp(old->digest, now->digest, DIGEST_SIZE) == 0;
}

/* For an event that changes the register only what its rule says can be asked again: the register has moved
 * on. */
static bool rule_remains(const struct protocol *protocol, const struct job_event *event, const char *to,
                         const struct section *section)
{
    uint16_t from = protocol_find_party(protocol, event->request.from);
    uint16_t party = protocol_find_party(protocol, bytes_of_string(to));
    const struct protocol_pair *pair;
    struct label_set labels = {{0}};
    struct byte_view rest = section->labels;
    struct byte_view name;

    if (from == PROTOCOL_NONE || party == PROTOCOL_NONE)
        return false;
    while (section_next_label(&rest, &name)) {
        uint16_t label = catalogue_find_label(protocol->catalogue, name);
        if (label == CATALOGUE_NONE)
            return false;
        label_set_add(&labels, label);
    }
    pair = protocol_pair_of(protocol, event->request.event, protocol->parties[from].class_index);
    for (uint16_t i = 0; i < pair->route_count; i++) {
        const struct protocol_route *route = &protocol->routes[pair->first_route + i];
        if (route->stopped == 0 && route->to_class == protocol->parties[party].class_index &&
            bytes_equal(bytes_of_string(protocol->rules[route->rule].id), section->rule) &&
            label_set_within(&labels, &route->labels))
            return true;
    }
    return false;
}

/* Would the section be granted now? */
static enum status still_granted(struct engine *engine, struct store_place place, const char *to,
                                 const struct section *section, bool *ret_granted, uint32_t *ret_rests_on)
{
    struct recheck again;
    struct subject *subject = NULL;
    enum status status = recheck_event(engine, place, &again);

    *ret_granted = false;
    if (status != STATUS_OK || again.event.protocol == NULL || again.event.problem != NULL)
        return status;
    const struct protocol *protocol = again.event.protocol->protocol;
    if (!rule_remains(protocol, &again.event, to, section))
        return STATUS_OK;
    *ret_granted = true;
    if (engine->rulebook->catalogue->events[again.event.request.event].effect != EFFECT_NONE)
        return STATUS_OK;
    status = subjects_get(engine->subjects, protocol, again.core.subject, &subject);
    if (status == STATUS_OK)
        status = judging_decide(engine, &again.core, &again.event, subject, NULL);
    if (status != STATUS_OK || engine->decision->reason == POLICY_TOO_LATE)
        return status; /* it was in time when it was accepted */
    const struct policy_recipient *granted = policy_recipient(engine->decision, bytes_of_string(to));
    *ret_granted = granted != NULL;
    if (granted != NULL)
        *ret_rests_on = granted->rests_on;
    return STATUS_OK;
}

static enum status decide_again(struct engine *engine, const struct rulebook *before, struct taking *taking,
                                const struct peer *recipient)
{
    struct store_slice slice;
    size_t offset = 0;
    enum status status = store_get_slice(engine->store, taking->key, &slice);

    if (status != STATUS_OK)
        return status;
    bytes_buffer_clear(&engine->scratch);
    bytes_append_view(&engine->scratch, slice.sections);
    if (engine->scratch.status != STATUS_OK)
        return engine->scratch.status;
    for (size_t i = 0; status == STATUS_OK && i < taking->count; i++) {
        struct store_mark mark = mark_at(taking, i);
        struct store_place place = {taking->key.batch, mark.index};
        uint32_t rests_on = mark.rests_on;
        struct section section;
        struct core core;
        bool granted = false;
        struct byte_view bytes = bytes_view(engine->scratch.data + offset, mark.size);
        offset += mark.size;
        if (!store_mask_get(taking->live, i))
            continue;
        status = recheck_core(engine, place, &core);
        if (status != STATUS_OK)
            break;
        const struct rulebook_protocol *protocol = rulebook_find(engine->rulebook, core.protocol);
        if (protocol != NULL && same_protocol(before, protocol))
            continue;
        if (section_decode(bytes, &section) != STATUS_OK)
            return STATUS_CORRUPT;
        status = still_granted(engine, place, recipient->stored.id, &section, &granted, &rests_on);
        if (status == STATUS_OK && !granted)
            store_mask_set(taking->places, i);
        else if (status == STATUS_OK && rests_on != mark.rests_on)
            status = store_rest_on(engine->store, taking->key, i, rests_on);
    }
    return status;
}

static bool all_unchanged(const struct engine *engine, const struct rulebook *before)
{
    if (before == NULL || before->protocol_count != engine->rulebook->protocol_count)
        return false;
    for (size_t i = 0; i < engine->rulebook->protocol_count; i++) {
        if (!same_protocol(before, &engine->rulebook->protocols[i]))
            return false;
    }
    return true;
}

enum status ending_bundle(struct engine *engine, const struct rulebook *before)
{
    struct store_slice_key after = {0};
    struct store_slice slice;
    struct taking taking;
    bool unchanged = all_unchanged(engine, before);
    enum status status;

    for (;;) {
        status = store_next_marks(engine->store, after, &slice);
        if (status != STATUS_OK)
            return status == STATUS_NOT_FOUND ? STATUS_OK : status;
        after = slice.key;
        take_slice(&taking, &slice);
        struct peer *recipient = peers_number(engine->peers, after.recipient);
        if (recipient == NULL)
            return STATUS_CORRUPT;
        if (peers_entry(recipient, engine->rulebook, engine->now) == NULL &&
            directory_known(engine->rulebook->directory, recipient->stored.id) != NULL &&
            directory_state_at(directory_known(engine->rulebook->directory, recipient->stored.id),
                               engine->now) != DIRECTORY_REVOKED) {
            continue; /* expired or not valid yet: it may be renewed */
        }
        if (peers_entry(recipient, engine->rulebook, engine->now) == NULL) {
            taking.reason = "the recipient is no longer a member";
            memcpy(taking.places, taking.live, sizeof taking.places);
        } else if (!unchanged) {
            taking.reason = "the protocol no longer grants this";
            status = decide_again(engine, before, &taking, recipient);
        }
        if (status == STATUS_OK)
            status = take_out(engine, &taking);
        if (status != STATUS_OK)
            return status;
    }
}

/* ---- telling again ---- */

struct telling {
    struct engine *engine;
    size_t count;
};

static enum status tell_one(void *context, const struct store_recall *recall)
{
    struct telling *telling = context;
    struct byte_buffer *body = &telling->engine->body;
    const struct peer *sender = peers_number(telling->engine->peers, recall->sender);

    if (sender == NULL)
        return STATUS_CORRUPT;
    if (telling->count == RECALL_FRAME)
        return STATUS_OK; /* the rest with the next connection */
    field_put_start(body, ITEMS,
                    field_size_bytes(FROM, strlen(sender->stored.id)) +
                        field_size_bytes(EVENT, STORE_EVENT_SIZE) +
                        field_size_bytes(REASON, strlen(recall->reason)));
    field_put_bytes(body, FROM, bytes_of_string(sender->stored.id));
    field_put_bytes(body, EVENT, bytes_view(recall->event, STORE_EVENT_SIZE));
    field_put_bytes(body, REASON, bytes_of_string(recall->reason));
    telling->count++;
    return body->status;
}

enum status ending_tell(struct engine *engine, struct peer *recipient)
{
    struct telling telling = {.engine = engine};
    struct outgoing *frame = NULL;
    enum status status;

    bytes_buffer_clear(&engine->body);
    status = store_each_recall(engine->store, recipient->stored.number, tell_one, &telling);
    if (status != STATUS_OK || telling.count == 0)
        return status;
    status = outgoing_frame(recipient->connection, recipient->stored.id, 0, WIRE__FRAME__VERB_RECALL,
                            bytes_buffer_view(&engine->body), &frame);
    return status == STATUS_OK ? engine_answer(engine, frame) : status;
}
