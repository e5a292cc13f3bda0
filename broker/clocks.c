#include "broker/clocks.h"

#include <string.h>

#include "base/civil.h"
#include "broker/accepting.h"
#include "broker/erasing.h"
#include "broker/notices.h"
#include "broker/recheck.h"
#include "broker/retention.h"
#include "broker/taking.h"

#define DUE_AT_ONCE    64
#define SLICES_AT_ONCE 64
#define REPORT_ROOM    ((size_t)4 << 10)
#define ESCALATED      UINT64_MAX           /* a watch's value: both sides have been told */
#define ESCALATED_MS   (366 * CIVIL_DAY_MS) /* of a protocol that is gone */

/* ---- starting and stopping ---- */

enum status clocks_accepted(struct engine *engine, const struct peer *sender, struct store_place place,
                            const uint8_t event[static STORE_EVENT_SIZE], const struct judging *judging)
{
    struct store_watch watch = {.kind = STORE_WATCH_ACKNOWLEDGE,
                                .sender = sender->stored.number,
                                .place = place,
                                .since = engine->now};
    enum status status = STATUS_OK;

    memcpy(watch.event, event, STORE_EVENT_SIZE);
    for (size_t i = 0; status == STATUS_OK && i < judging->outcome.recipient_count; i++) {
        const struct judging_part *part = &judging->parts[i];
        if (!part->urgent)
            continue;
        watch.recipient = judging->outcome.recipients[i].number;
        watch.due = part->acknowledge_by;
        watch.value = part->entry;
        status = store_put_watch(engine->store, &watch);
    }
    return status;
}

static bool stops(const Wire__Report *report, enum store_watch_kind *ret_kind)
{
    *ret_kind = report->kind == WIRE__REPORT_KIND__CONFIRMED ? STORE_WATCH_CONFIRM : STORE_WATCH_ACKNOWLEDGE;
    return report->kind == WIRE__REPORT_KIND__OPENED || report->kind == WIRE__REPORT_KIND__ACKNOWLEDGED ||
           report->kind == WIRE__REPORT_KIND__CONFIRMED;
}

enum status clocks_reported(struct engine *engine, const struct job *job, size_t index, const struct peer *by,
                            struct peer *sender, enum record_kind *ret_kind)
{
    const Wire__Report *report = job->reports[index];
    struct byte_buffer signed_report = bytes_buffer(REPORT_ROOM);
    struct store_watch watch = {.recipient = by->stored.number, .sender = sender->stored.number};
    struct notice notice = {.kind = WIRE__NOTICE_KIND__REPORTED,
                            .from = bytes_of_string(sender->stored.id),
                            .to = bytes_of_string(by->stored.id),
                            .event = report->event.data};
    enum status status = STATUS_NOT_FOUND;

    memcpy(watch.event, report->event.data, STORE_EVENT_SIZE);
    if (stops(report, &watch.kind))
        status = store_find_watch(engine->store, &watch);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    if (watch.kind == STORE_WATCH_CONFIRM)
        *ret_kind = (enum record_kind)watch.value;
    notices_report(job, index, &signed_report);
    notice.report = bytes_buffer_view(&signed_report);
    status = signed_report.status;
    if (status == STATUS_OK)
        status = store_drop_watch(engine->store, &watch);
    if (status == STATUS_OK)
        status = notices_put(engine, sender, &notice);
    bytes_buffer_free(&signed_report);
    return status;
}

/* ---- telling ---- */

/* The entry that a period ran out for one recipient of an event, and a notice to its sender, and to that
 * recipient if `both`. STATUS_NOT_FOUND when the event was erased. */
struct telling {
    struct store_place place;
    uint32_t recipient;
    enum record_kind kind;
    const char *outcome;
    uint64_t entry; /* the `disclosed` that it is about; 0: none */
    Wire__NoticeKind notice;
    const char *text;
    bool both;
};

static enum status tell(struct engine *engine, const struct telling *telling)
{
    struct peer *to = peers_number(engine->peers, telling->recipient);
    struct peer *from = NULL;
    struct notice notice = {.kind = telling->notice, .text = telling->text};
    uint8_t number[8];
    const struct byte_view detail = bytes_view(number, sizeof number);
    struct core core;
    enum status status = recheck_core(engine, telling->place, &core);

    if (status == STATUS_OK)
        from = peers_find(engine->peers, core.from);
    if (status == STATUS_OK && (to == NULL || from == NULL))
        status = STATUS_NOT_FOUND;
    if (status != STATUS_OK)
        return status;
    struct record_account account =
        accepting_account(engine, &core, rulebook_find(engine->rulebook, core.protocol));
    const struct record_personal personal = {.subject = bytes_view(core.subject, CORE_SUBJECT_SIZE),
                                             .officer = core.officer,
                                             .event = bytes_view(core.event, CORE_EVENT_SIZE)};
    bytes_put_u64(number, telling->entry);
    account.to = bytes_of_string(to->stored.id);
    account.outcome = bytes_of_string(telling->outcome);
    account.reason = bytes_of_string(telling->text);
    account.details = &detail;
    account.detail_count = telling->entry == 0 ? 0 : 1;
    (void)engine_records(engine, NULL, 0);
    (void)records_add(&engine->records, telling->kind, &account,
                      records_personal(&engine->records, &personal));
    notice.from = core.from;
    notice.to = account.to;
    notice.event = core.event;
    status = notices_put(engine, from, &notice);
    if (status == STATUS_OK && telling->both)
        status = notices_put(engine, to, &notice);
    return status == STATUS_OK ? engine_append(engine) : status;
}

/* ---- watches that are due ---- */

bool clocks_escalated(const struct store_watch *watch)
{
    return watch->kind == STORE_WATCH_ACKNOWLEDGE && (watch->value == ESCALATED || watch->due == INT64_MAX);
}

/* When nobody can have it any more: the longest that a rule of its protocol lets anybody keep it. */
static enum status end_of(struct engine *engine, struct store_place place, int64_t *ret_end)
{
    const struct rulebook_protocol *found = NULL;
    struct core core;
    enum status status = recheck_core(engine, place, &core);

    if (status != STATUS_OK)
        return status;
    found = rulebook_find(engine->rulebook, core.protocol);
    *ret_end = found == NULL
                   ? core.created + ESCALATED_MS
                   : civil_add_duration(core.created, protocol_longest_retention(found->protocol), 1);
    return STATUS_OK;
}

/* Nobody took note of it in time. It stays listed until somebody does, or nobody holds it any more. */
static enum status escalate(struct engine *engine, struct store_watch *watch)
{
    int64_t end = 0;
    enum status status = end_of(engine, watch->place, &end);

    if (status != STATUS_OK)
        return status;
    if (watch->value == ESCALATED)
        return store_drop_watch(engine->store, watch);
    status = tell(
        engine, &(struct telling){.place = watch->place,
                                  .recipient = watch->recipient,
                                  .kind = RECORD_ESCALATED,
                                  .outcome = "unacknowledged",
                                  .entry = watch->value,
                                  .notice = WIRE__NOTICE_KIND__ESCALATED,
                                  .text = "nobody has acknowledged this urgent event in time: tell the duty "
                                          "contact",
                                  .both = true});

    watch->due = end > engine->now ? end : engine->now + 1;
    watch->value = ESCALATED;
    return status == STATUS_OK ? store_put_watch(engine->store, watch) : status;
}

/* A correction, retraction or erasure that this recipient has not confirmed. */
static enum status remind(struct engine *engine, struct store_watch *watch)
{
    enum status status =
        tell(engine, &(struct telling){.place = watch->place,
                                       .recipient = watch->recipient,
                                       .kind = (enum record_kind)watch->value,
                                       .outcome = "reminded",
                                       .notice = WIRE__NOTICE_KIND__REMINDED,
                                       .text = "the recipient has not confirmed yet that it was applied",
                                       .both = true});

    watch->due = engine->now + engine->limits.remind_every;
    return status == STATUS_OK ? store_put_watch(engine->store, watch) : status;
}

/* Nobody waits for anything about an event that is gone. */
static enum status drop_if_erased(struct engine *engine, const struct store_watch *watch, enum status status)
{
    return status == STATUS_NOT_FOUND ? store_drop_watch(engine->store, watch) : status;
}

static enum status run_watch(struct engine *engine, struct store_watch *watch)
{
    switch (watch->kind) {
    case STORE_WATCH_ACKNOWLEDGE:
        return drop_if_erased(engine, watch, escalate(engine, watch));
    case STORE_WATCH_CONFIRM:
        return drop_if_erased(engine, watch, remind(engine, watch));
    case STORE_WATCH_ERASING:
        return erasing_run(engine, watch);
    case STORE_WATCH_RETAINED:
        return retention_again(engine, watch);
    case STORE_WATCH_ERASURE:
    case STORE_WATCH_ENDED:
    case STORE_WATCH_ERASED:
        break;
    }
    return STATUS_CORRUPT; /* these are never due */
}

static enum status run_watches(struct engine *engine)
{
    struct store_watch watch;

    for (size_t i = 0; i < DUE_AT_ONCE; i++) {
        enum status status = store_due_watch(engine->store, engine->now, &watch);
        if (status == STATUS_OK)
            status = engine_write(engine);
        if (status == STATUS_OK)
            status = run_watch(engine, &watch);
        if (status != STATUS_OK)
            return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    }
    return STATUS_OK;
}

/* ---- the clocks of undelivered sections ---- */

static enum status look_at_mark(struct engine *engine, struct store_slice_key key, size_t place,
                                const struct store_mark *mark)
{
    enum status status = engine_write(engine);

    if (status == STATUS_OK)
        status = tell(engine,
                      &(struct telling){.place = {key.batch, mark->index},
                                        .recipient = key.recipient,
                                        .kind = RECORD_ESCALATED,
                                        .outcome = "not-collected",
                                        .entry = mark->entry,
                                        .notice = WIRE__NOTICE_KIND__NOT_COLLECTED,
                                        .text = "the deadline has passed, and the recipient has not fetched "
                                                "it"});
    return status == STATUS_OK || status == STATUS_NOT_FOUND
               ? store_set_deadline(engine->store, key, place, 0)
               : status;
}

static enum status look_at_slice(struct engine *engine, const struct store_slice *slice)
{
    static const struct taking_how expired = {.kind = RECORD_EXPIRED, .notice = WIRE__NOTICE_KIND__RAN_OUT};
    struct taking taking;
    enum status status = STATUS_OK;

    taking_start(&taking, slice, &expired);
    for (size_t i = 0; status == STATUS_OK && i < taking.count; i++) {
        const struct store_mark mark = taking_mark(&taking, i);
        if (!store_mask_get(taking.live, i))
            continue;
        if (mark.until != 0 && mark.until <= engine->now)
            taking_add(&taking, i, "its retention ended before it was delivered");
        else if (mark.deadline != 0 && mark.deadline < engine->now)
            status = look_at_mark(engine, taking.key, i, &mark);
    }
    return status == STATUS_OK ? taking_out(engine, &taking) : status;
}

/* A part of the queue at each call; from the start again after look_every. */
static enum status look(struct engine *engine)
{
    struct store_slice slice;

    if (!engine->looking && engine->now - engine->looked < engine->limits.look_every)
        return STATUS_OK;
    if (!engine->looking) {
        engine->looking = true;
        engine->looked = engine->now;
        engine->look_after = (struct store_slice_key){0};
    }
    for (size_t i = 0; i < SLICES_AT_ONCE; i++) {
        enum status status = store_next_marks(engine->store, engine->look_after, &slice);
        if (status == STATUS_NOT_FOUND) {
            engine->looking = false;
            return STATUS_OK;
        }
        if (status != STATUS_OK)
            return status;
        engine->look_after = slice.key;
        status = look_at_slice(engine, &slice);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status clocks_run(struct engine *engine)
{
    enum status status = run_watches(engine);

    if (status == STATUS_OK)
        status = look(engine);
    return status == STATUS_OK ? retention_run(engine) : status;
}
