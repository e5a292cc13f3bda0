#include "broker/removing.h"

#include <string.h>

#include "broker/recheck.h"

/* What is to be taken out, of whom. */
struct removing {
    struct store_place place;
    const struct taking_how *how;
    const char *reason;
    bool spare;
};

static enum status end_slice(struct engine *engine, const struct removing *removing,
                             struct store_slice_key key)
{
    const struct peer *recipient = peers_number(engine->peers, key.recipient);
    struct taking taking;
    struct store_slice slice;
    enum status status = store_get_slice(engine->store, key, &slice);

    if (status != STATUS_OK || recipient == NULL)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    taking_start(&taking, &slice, removing->how);
    for (size_t i = 0; i < taking.count; i++) {
        if (taking_mark(&taking, i).index == removing->place.index && store_mask_get(taking.live, i) &&
            !(removing->spare && peers_flies(recipient, key, i)))
            taking_add(&taking, i, removing->reason);
    }
    return taking_out(engine, &taking);
}

enum status removing_event(struct engine *engine, struct store_place place, const struct outcome *outcome,
                           const struct taking_how *how, const char *reason, bool spare)
{
    const struct removing removing = {place, how, reason, spare};
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < outcome->recipient_count; i++) {
        struct store_slice_key key = {outcome->recipients[i].number, true, place.batch};
        status = end_slice(engine, &removing, key);
        key.urgent = false;
        if (status == STATUS_OK)
            status = end_slice(engine, &removing, key);
    }
    return status;
}

enum status removing_waits(struct engine *engine, struct store_place place, uint32_t recipient, bool *ret)
{
    const struct peer *peer = peers_number(engine->peers, recipient);

    *ret = false;
    for (int urgent = 0; urgent < 2; urgent++) {
        struct store_slice_key key = {recipient, urgent != 0, place.batch};
        struct store_slice slice;
        enum status status = store_get_slice(engine->store, key, &slice);
        if (status == STATUS_NOT_FOUND)
            continue;
        if (status != STATUS_OK || peer == NULL)
            return status;
        for (size_t i = 0; i < slice.count; i++) {
            struct store_mark mark = store_mark_read(slice.marks.data + i * STORE_MARK_SIZE);
            if (mark.index == place.index && store_mask_get(slice.live, i) && !taking_held(engine, peer, key))
                *ret = true;
        }
    }
    return STATUS_OK;
}

enum status removing_replaced(struct engine *engine, const struct peer *sender,
                              const uint8_t event[static STORE_EVENT_SIZE],
                              const uint8_t subject[static CORE_SUBJECT_SIZE])
{
    static const struct taking_how replaced = {.kind = RECORD_RECALLED,
                                               .notice = WIRE__NOTICE_KIND__REPLACED};
    const struct batch_held *batch = NULL;
    struct store_place place;
    struct outcome outcome;
    struct core core;
    enum status status = batches_find(engine->batches, sender->stored.number, event, &place);

    if (status == STATUS_OK)
        status = recheck_core(engine, place, &core);
    if (status == STATUS_OK && memcmp(core.subject, subject, CORE_SUBJECT_SIZE) != 0)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = batches_get(engine->batches, place.batch, &batch);
    if (status == STATUS_OK)
        status = batches_outcome(batch, place.index, &outcome);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    return removing_event(engine, place, &outcome, &replaced,
                          "a newer event replaced it before it was delivered", true);
}
