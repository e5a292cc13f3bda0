#include "broker/retention.h"

#include <stdlib.h>
#include <string.h>

#include "broker/erasing.h"
#include "broker/recheck.h"
#include "broker/removing.h"
#include "broker/retention_periods.h"
#include "proto/merkle.h"

#define STATE         "retention"
#define STATE_LIMIT   ((size_t)4 << 10)
#define RUNS_AT_ONCE  250                     /* indexes in one entry */
#define PARTS_AT_ONCE 1024                    /* blocks in one step */
#define AGAIN_AFTER   (7 * INT64_C(86400000)) /* what the register rests on is looked at every week */

/* An event whose retention is over. */
struct expired_event {
    char sender[MEMBER_ID_LENGTH + 1];
    uint8_t event[STORE_EVENT_SIZE];
};

/* One step through the log, for one period. */
struct step {
    struct engine *engine;
    const struct retention_periods *periods;
    size_t period;
    int64_t before; /* what was committed later stays */
    size_t longest; /* period of the block that is looked at */
    bool stopped;
    uint64_t stop; /* an entry that is too young */
    size_t run_count;
    struct journal_line runs[RUNS_AT_ONCE];
    struct digest leaf; /* of the first entry of the block that is looked at */
    size_t block_count;
    struct logparts_block blocks[PARTS_AT_ONCE];
    size_t event_count;
    struct expired_event events[PARTS_AT_ONCE];
};

/* ---- which parts ---- */

static void add_run(struct step *step, uint64_t first, uint64_t count)
{
    if (step->run_count > 0 &&
        step->runs[step->run_count - 1].first + step->runs[step->run_count - 1].count == first) {
        step->runs[step->run_count - 1].count += count;
        return;
    }
    step->runs[step->run_count++] = (struct journal_line){.first = first, .count = count, .hash = step->leaf};
}

static void add_event(struct step *step, const struct logparts_part *part)
{
    struct expired_event *event = &step->events[step->event_count];
    const struct byte_view from = part->account->from;

    if ((part->kinds & LOGPARTS_KIND(RECORD_ACCEPTED)) == 0 ||
        part->personal->event.size != STORE_EVENT_SIZE || from.size > MEMBER_ID_LENGTH)
        return;
    memset(event, 0, sizeof *event);
    memcpy(event->sender, from.data, from.size);
    memcpy(event->event, part->personal->event.data, STORE_EVENT_SIZE);
    step->event_count++;
}

static bool look(void *context, const struct logparts_part *part)
{
    struct step *step = context;
    const size_t period =
        retention_periods_find(step->periods, step->engine->rulebook, part->kind, part->account);

    if (part->account->time > step->before) {
        step->stopped = true;
        step->stop = part->first;
        return false;
    }
    if (part->index == part->first || period < step->longest)
        step->longest = period;
    if (part->index == part->first)
        step->leaf = merkle_leaf(bytes_view(part->entry, RECORD_ENTRY_SIZE));
    if (!part->last || step->longest != step->period)
        return true;
    step->blocks[step->block_count++] = part->block;
    add_run(step, part->first, part->index - part->first + 1);
    add_event(step, part);
    return step->block_count < PARTS_AT_ONCE && step->run_count < RUNS_AT_ONCE;
}

/* ---- what goes ---- */

static bool same_place(struct store_place a, struct store_place b)
{
    return a.batch == b.batch && a.index == b.index;
}

/* Whether what is known of the person rests on it, or it stands for those who may become entitled. */
static enum status is_needed(struct engine *engine, struct store_place place, const struct core *core,
                             bool *ret)
{
    const struct rulebook_protocol *protocol = rulebook_find(engine->rulebook, core->protocol);
    struct subject *subject = NULL;
    enum status status;

    const struct peer *sender = peers_find(engine->peers, core->from);

    *ret = sender != NULL && glass_find(engine->glass, sender->stored.number, core->event) != NULL;
    if (*ret || protocol == NULL)
        return STATUS_OK;
    status = subjects_get(engine->subjects, protocol->protocol, core->subject, &subject);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < REGISTER_GROUNDS; i++)
        *ret = *ret || (subject->grounds[i].set && same_place(subject->grounds[i].place, place));
    for (size_t i = 0; i < subject->merged_count; i++)
        *ret = *ret || same_place(subject->merged[i], place);
    for (size_t i = 0; i < subject->standing_count; i++)
        *ret = *ret || same_place(subject->standing[i].place, place);
    return STATUS_OK;
}

/* Nobody is to get any more what is over; otherwise the sections would outlive their header. */
static enum status take_out(struct engine *engine, struct store_place place)
{
    static const struct taking_how how = {.kind = RECORD_EXPIRED, .notice = WIRE__NOTICE_KIND__RAN_OUT};
    const struct batch_held *batch = NULL;
    struct outcome outcome;
    enum status status = batches_get(engine->batches, place.batch, &batch);

    if (status == STATUS_OK)
        status = batches_outcome(batch, place.index, &outcome);
    return status == STATUS_OK ? removing_event(engine, place, &outcome, &how,
                                                "its retention ended before it was delivered", false)
                               : status;
}

/* The event leaves the store, or is kept for another while: then it stands in *ret_kept. */
static enum status end_event(struct engine *engine, uint32_t sender,
                             const uint8_t event[static STORE_EVENT_SIZE], bool *ret_kept)
{
    struct store_place place;
    struct core core;
    enum status status = batches_find(engine->batches, sender, event, &place);

    *ret_kept = false;
    if (status == STATUS_OK)
        status = batches_holds(engine->batches, place);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status; /* erased already */
    status = recheck_core(engine, place, &core);
    if (status == STATUS_OK)
        status = is_needed(engine, place, &core, ret_kept);
    if (status != STATUS_OK || *ret_kept)
        return status;
    status = take_out(engine, place);
    return status == STATUS_OK ? erasing_drop(engine, sender, event, place) : status;
}

static enum status end_events(struct engine *engine, const struct step *step)
{
    struct store_watch watch = {.kind = STORE_WATCH_RETAINED, .since = engine->now};
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < step->event_count; i++) {
        const struct expired_event *event = &step->events[i];
        const struct peer *sender = peers_find(engine->peers, bytes_of_string(event->sender));
        bool kept = false;
        if (sender == NULL)
            continue;
        status = end_event(engine, sender->stored.number, event->event, &kept);
        if (status != STATUS_OK || !kept)
            continue;
        watch.sender = sender->stored.number;
        watch.due = engine->now + AGAIN_AFTER;
        memcpy(watch.event, event->event, STORE_EVENT_SIZE);
        status = store_put_watch(engine->store, &watch);
    }
    return status;
}

enum status retention_again(struct engine *engine, struct store_watch *watch)
{
    bool kept = false;
    enum status status = end_event(engine, watch->sender, watch->event, &kept);

    if (status != STATUS_OK)
        return status;
    watch->due = engine->now + AGAIN_AFTER;
    return kept ? store_put_watch(engine->store, watch) : store_drop_watch(engine->store, watch);
}

/* An entry that names what went: a detail for each run of entries, its first and how many. */
static enum status log_expired(struct engine *engine, const struct step *step)
{
    uint8_t numbers[RUNS_AT_ONCE][16];
    struct byte_view details[RUNS_AT_ONCE];
    const struct record_account account = {.time = engine->now,
                                           .outcome = bytes_of_string("expired"),
                                           .reason = bytes_of_string("its retention ended"),
                                           .details = details,
                                           .detail_count = step->run_count};

    for (size_t i = 0; i < step->run_count; i++) {
        bytes_put_u64(numbers[i], step->runs[i].first);
        bytes_put_u64(numbers[i] + 8, step->runs[i].count);
        details[i] = bytes_view(numbers[i], sizeof numbers[i]);
    }
    (void)engine_records(engine, NULL, 0);
    (void)records_add(&engine->records, RECORD_ERASED, &account, RECORDS_NO_PERSONAL);
    return engine_append(engine);
}

/* ---- a round ---- */

static enum status read_periods(struct engine *engine, struct retention_periods *periods)
{
    struct byte_view stored;
    enum status status = store_get_state(engine->store, STATE, &stored);

    retention_periods_of(engine->rulebook, periods);
    if (status == STATUS_OK)
        retention_periods_resume(periods, stored);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status write_periods(struct engine *engine, const struct retention_periods *periods)
{
    struct byte_buffer stored = bytes_buffer(STATE_LIMIT);
    enum status status;

    retention_periods_store(periods, &stored);
    status = stored.status;
    if (status == STATUS_OK)
        status = store_put_state(engine->store, STATE, bytes_buffer_view(&stored));
    bytes_buffer_free(&stored);
    return status;
}

static enum status overwrite(struct engine *engine, struct step *step)
{
    enum status status = erasing_note(engine, step->runs, step->run_count);

    for (size_t i = 0; status == STATUS_OK && i < step->block_count; i++)
        status = logbook_blank(engine->logbook, &step->blocks[i]);
    if (status == STATUS_OK)
        status = end_events(engine, step);
    if (status == STATUS_OK)
        status = log_expired(engine, step);
    return status;
}

/* Some thousand entries for one period; *ret_done when none of it is left that is old enough. */
static enum status go_on(struct engine *engine, struct retention_periods *periods, struct step *step,
                         bool *ret_done)
{
    struct retention_period *period = &periods->list[step->period];
    uint64_t next = period->next;
    enum status status = STATUS_OK;

    step->before = civil_add_duration(engine->expiring_since, period->length, -1);
    status = logbook_parts(engine->logbook, period->next, look, step, &next);
    if (status != STATUS_OK)
        return status;
    if (step->stopped)
        next = step->stop;
    *ret_done = step->stopped || next == logbook_size(engine->logbook);
    if (next == period->next)
        return STATUS_OK;
    period->next = next;
    status = engine_write(engine);
    if (status == STATUS_OK && step->block_count > 0) {
        status = overwrite(engine, step);
        periods->forget = true;
    }
    return status == STATUS_OK ? write_periods(engine, periods) : status;
}

/* One period after the other until some of the log was gone through: those that are done cost a look at one
 * entry. */
static enum status go_round(struct engine *engine, struct retention_periods *periods, bool *ret_done)
{
    struct step *step = malloc(sizeof *step);
    bool wrote = false;
    bool done = true;
    enum status status = step == NULL ? STATUS_NO_MEMORY : STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && done && !wrote && i < periods->count; i++) {
        uint64_t next = periods->list[i].next;
        memset(step, 0, sizeof *step);
        step->engine = engine;
        step->periods = periods;
        step->period = i;
        status = go_on(engine, periods, step, &done);
        wrote = periods->list[i].next != next;
    }
    free(step);
    *ret_done = done && !wrote;
    return status;
}

enum status retention_forget(struct engine *engine)
{
    struct retention_periods periods;
    enum status status = read_periods(engine, &periods);

    periods.forget = true;
    return status == STATUS_OK ? write_periods(engine, &periods) : status;
}

/* What was overwritten is committed: it goes from the write-ahead log and the index too. */
static enum status forget(struct engine *engine, struct retention_periods *periods)
{
    if (periods->forget && !engine->expired_last) {
        engine->expired_last = true;
        erasing_forget(engine);
        return STATUS_OK;
    }
    if (engine->forgetting || (engine->index != NULL && index_rebuilding(engine->index)))
        return STATUS_OK;
    engine->expired_last = false;
    engine->expiring = false;
    if (!periods->forget)
        return STATUS_OK;
    periods->forget = false;
    enum status status = engine_write(engine);
    return status == STATUS_OK ? write_periods(engine, periods) : status;
}

enum status retention_run(struct engine *engine)
{
    struct retention_periods periods;
    bool done = false;
    enum status status;

    if (!engine->expiring && engine->expiring_since != 0 &&
        engine->now - engine->expiring_since < engine->limits.retention_every)
        return STATUS_OK;
    if (!engine->expiring)
        engine->expiring_since = engine->now;
    engine->expiring = true;
    status = read_periods(engine, &periods);
    if (status == STATUS_OK)
        status = go_round(engine, &periods, &done);
    return status == STATUS_OK && done ? forget(engine, &periods) : status;
}
