#include "broker/taking.h"

#include <string.h>

#include "broker/accepting.h"
#include "broker/notices.h"
#include "broker/recheck.h"
#include "broker/telling.h"

void taking_start(struct taking *taking, const struct store_slice *slice, const struct taking_how *how)
{
    static const struct taking_how recall = {
        .kind = RECORD_RECALLED, .notice = WIRE__NOTICE_KIND__TAKEN_BACK, .tell = true};

    taking->how = how == NULL ? &recall : how;
    taking->key = slice->key;
    taking->sender = slice->sender;
    taking->count = slice->count;
    memset(taking->places, 0, sizeof taking->places);
    memcpy(taking->live, slice->live, sizeof taking->live);
    memcpy(taking->marks, slice->marks.data, slice->count * STORE_MARK_SIZE);
}

struct store_mark taking_mark(const struct taking *taking, size_t place)
{
    return store_mark_read(taking->marks + place * STORE_MARK_SIZE);
}

void taking_add(struct taking *taking, size_t place, const char *reason)
{
    store_mask_set(taking->places, place);
    taking->reasons[place] = reason;
}

/* One slice while it is taken out. */
struct out {
    struct engine *engine;
    const struct taking *taking;
    struct peer *recipient;
    struct peer *sender;
};

bool taking_held(const struct engine *engine, const struct peer *recipient, struct store_slice_key key)
{
    return key.batch <= engine->started_after || key.batch <= recipient->handed[key.urgent ? 0 : 1];
}

static void log_one(const struct out *out, const struct core *core, const char *reason, bool held,
                    uint64_t entry)
{
    struct engine *engine = out->engine;
    struct record_account account =
        accepting_account(engine, core, rulebook_find(engine->rulebook, core->protocol));
    struct record_personal personal = {.subject = bytes_view(core->subject, CORE_SUBJECT_SIZE),
                                       .officer = core->officer,
                                       .event = bytes_view(core->event, CORE_EVENT_SIZE)};
    uint8_t index[8];
    struct byte_view detail = bytes_view(index, sizeof index);

    bytes_put_u64(index, entry);
    account.to = bytes_of_string(out->recipient->stored.id);
    account.outcome = bytes_of_string(held && out->taking->how->tell ? "in-flight" : "undelivered");
    account.reason = bytes_of_string(reason);
    account.details = &detail;
    account.detail_count = 1;
    (void)records_add(&engine->records, out->taking->how->kind, &account,
                      records_personal(&engine->records, &personal));
}

/* The recipient has it no longer, so that a repeat may reach it again once it is entitled. */
static enum status unreach(const struct out *out, const struct core *core)
{
    const struct rulebook_protocol *protocol = rulebook_find(out->engine->rulebook, core->protocol);
    struct subject *subject = NULL;
    struct subject_standing *standing;
    enum status status;

    if (protocol == NULL)
        return STATUS_OK;
    status = subjects_get(out->engine->subjects, protocol->protocol, core->subject, &subject);
    if (status != STATUS_OK)
        return status;
    standing =
        subjects_standing(subject, out->taking->sender, core->has_repeats ? core->repeats : core->event);
    if (standing != NULL && subjects_unreach(standing, out->recipient->stored.number))
        subject->dirty = true;
    return STATUS_OK;
}

/* Nobody has to take note of what never came. */
static enum status unwatch(const struct out *out, const uint8_t *event)
{
    struct store_watch watch = {.kind = STORE_WATCH_ACKNOWLEDGE,
                                .recipient = out->taking->key.recipient,
                                .sender = out->taking->sender};

    memcpy(watch.event, event, STORE_EVENT_SIZE);
    return out->taking->key.urgent ? store_drop_watch(out->engine->store, &watch) : STATUS_OK;
}

/* It never came, so nothing that corrects it goes there either. */
static enum status note_ended(const struct out *out, const uint8_t *event)
{
    struct store_watch watch = {.kind = STORE_WATCH_ENDED,
                                .recipient = out->taking->key.recipient,
                                .sender = out->taking->sender,
                                .since = out->engine->now,
                                .due = INT64_MAX};

    memcpy(watch.event, event, STORE_EVENT_SIZE);
    return store_put_watch(out->engine->store, &watch);
}

static enum status tell_sender(const struct out *out, const struct core *core, const char *reason)
{
    const struct notice notice = {.kind = out->taking->how->notice,
                                  .from = core->from,
                                  .to = bytes_of_string(out->recipient->stored.id),
                                  .event = core->event,
                                  .text = reason};

    return notices_put(out->engine, out->sender, &notice);
}

static enum status take_one(struct out *out, size_t place)
{
    const struct taking *taking = out->taking;
    struct store_mark mark = taking_mark(taking, place);
    const char *reason = taking->reasons[place];
    struct store_recall recall = {
        .recipient = taking->key.recipient, .sender = taking->sender, .reason = reason};
    bool held = taking_held(out->engine, out->recipient, taking->key);
    struct core core;
    enum status status =
        recheck_core(out->engine, (struct store_place){taking->key.batch, mark.index}, &core);

    if (status == STATUS_OK || status == STATUS_NOT_FOUND) {
        if (out->sender->stored.undelivered > 0)
            out->sender->stored.undelivered--;
        out->sender->dirty = true;
    }
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status; /* erased: nothing is left to tell of */
    log_one(out, &core, reason, held, mark.entry);
    memcpy(recall.event, core.event, STORE_EVENT_SIZE);
    status = held && taking->how->tell ? telling_recall(out->engine, &recall) : STATUS_OK;
    if (status == STATUS_OK)
        status = unwatch(out, core.event);
    if (status == STATUS_OK && !held)
        status = note_ended(out, core.event);
    if (status == STATUS_OK)
        status = tell_sender(out, &core, reason);
    return status == STATUS_OK ? unreach(out, &core) : status;
}

enum status taking_out(struct engine *engine, const struct taking *taking)
{
    struct out out = {.engine = engine,
                      .taking = taking,
                      .recipient = peers_number(engine->peers, taking->key.recipient),
                      .sender = peers_number(engine->peers, taking->sender)};
    bool whole = false;
    enum status status = STATUS_OK;

    if (store_mask_count(taking->places) == 0)
        return STATUS_OK;
    status = out.recipient == NULL || out.sender == NULL ? STATUS_CORRUPT : engine_write(engine);
    if (status == STATUS_OK)
        status = store_take_out(engine->store, taking->key, taking->places);
    if (status != STATUS_OK)
        return status;
    (void)engine_records(engine, NULL, 0);
    for (size_t i = 0; status == STATUS_OK && i < taking->count; i++) {
        if (store_mask_get(taking->places, i))
            status = take_one(&out, i);
    }
    engine->in_flight -= peers_settle(out.recipient, taking->key, taking->places, &whole);
    return status == STATUS_OK ? engine_append(engine) : status;
}
