#include "broker/erasing.h"

#include <string.h>

#include "proto/digest.h"
#include "proto/header.h"
#include "proto/merkle.h"

#define ERASED_AT_ONCE 250        /* indexes in one entry */
#define FORGET         UINT64_MAX /* a watch's value: the log is done, the rest of the disk is not */

enum status erasing_asked(struct engine *engine, const struct peer *sender, const struct target *target)
{
    struct store_watch watch = {.kind = STORE_WATCH_ERASURE,
                                .sender = sender->stored.number,
                                .place = target->place,
                                .since = engine->now,
                                .due = INT64_MAX,
                                .value = target->outcome.log_index};

    memcpy(watch.event, target->event, STORE_EVENT_SIZE);
    return store_put_watch(engine->store, &watch);
}

/* ---- the officer's word ---- */

struct wanted {
    const uint8_t *event;
    uint32_t sender; /* 0: whoever asked for it */
    size_t found;
    struct store_watch watch;
};

static enum status look_at(void *context, const struct store_watch *watch)
{
    struct wanted *wanted = context;

    if (memcmp(watch->event, wanted->event, STORE_EVENT_SIZE) == 0 &&
        (wanted->sender == 0 || watch->sender == wanted->sender)) {
        wanted->watch = *watch;
        wanted->found++;
    }
    return STATUS_OK;
}

static enum status log_confirmed(struct engine *engine, const struct store_watch *watch,
                                 const struct erasing_officer *officer)
{
    const struct peer *sender = peers_number(engine->peers, watch->sender);
    uint8_t index[8];
    const struct byte_view detail = bytes_view(index, sizeof index);
    const struct record_personal personal = {.officer = bytes_of_string(officer->name)};
    struct record_account account = {.time = engine->now,
                                     .from = bytes_of_string(sender == NULL ? "" : sender->stored.id),
                                     .outcome = bytes_of_string("confirmed"),
                                     .reason = bytes_of_string(officer->how),
                                     .details = &detail,
                                     .detail_count = 1};

    bytes_put_u64(index, watch->value);
    (void)engine_records(engine, NULL, 0);
    (void)records_add(&engine->records, RECORD_ERASED, &account,
                      records_personal(&engine->records, &personal));
    return engine_append(engine);
}

/* Under what an erased event's id is remembered. Ids are random, so a digest tells nothing of one. */
static struct store_watch erased_mark(uint32_t sender, const uint8_t event[static STORE_EVENT_SIZE])
{
    static const char domain[] = "concordat/erased/v1";
    struct store_watch watch = {.kind = STORE_WATCH_ERASED, .sender = sender, .due = INT64_MAX};
    const struct byte_view parts[] = {bytes_view(domain, sizeof domain), bytes_view(event, STORE_EVENT_SIZE)};
    uint8_t digest[DIGEST_SIZE];

    digest_sha256_parts(parts, sizeof parts / sizeof parts[0], digest);
    memcpy(watch.event, digest, STORE_EVENT_SIZE);
    return watch;
}

enum status erasing_was(struct engine *engine, uint32_t sender, const uint8_t event[static STORE_EVENT_SIZE],
                        bool *ret)
{
    struct store_watch watch = erased_mark(sender, event);
    enum status status = store_find_watch(engine->store, &watch);

    *ret = status == STATUS_OK;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status remember(struct engine *engine, uint32_t sender, const uint8_t *event)
{
    const struct store_watch mark = erased_mark(sender, event);

    return store_put_watch(engine->store, &mark);
}

/* Whatever is waited for after the event, by that recipient (0: of nobody). */
static enum status drop_watches(struct engine *engine, uint32_t sender, const uint8_t *event,
                                uint32_t recipient)
{
    static const enum store_watch_kind kinds[] = {STORE_WATCH_ACKNOWLEDGE, STORE_WATCH_CONFIRM,
                                                  STORE_WATCH_ENDED};
    struct store_watch watch = {.recipient = recipient, .sender = sender};
    enum status status = STATUS_OK;

    memcpy(watch.event, event, STORE_EVENT_SIZE);
    for (size_t i = 0; status == STATUS_OK && i < sizeof kinds / sizeof kinds[0]; i++) {
        watch.kind = kinds[i];
        status = store_drop_watch(engine->store, &watch);
    }
    return status == STATUS_OK ? store_drop_recall(engine->store, recipient, sender, event) : status;
}

enum status erasing_note(struct engine *engine, struct journal_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        lines[i].time = engine->now;
    return engine->folder == NULL ? STATUS_OK : journal_append(engine->folder, lines, count);
}

/* That an event leaves its batch, unless it has already. */
static enum status note_event(struct engine *engine, struct store_place place)
{
    struct journal_line line = {.event = true, .first = place.batch, .count = place.index};
    const struct batch_held *batch = NULL;
    enum status status = batches_get(engine->batches, place.batch, &batch);

    if (status != STATUS_OK || place.index >= batch->count || batch->headers[place.index].size == 0)
        return status;
    header_leaf(batch->headers[place.index], line.hash.bytes);
    return erasing_note(engine, &line, 1);
}

enum status erasing_drop(struct engine *engine, uint32_t sender, const uint8_t event[static STORE_EVENT_SIZE],
                         struct store_place place)
{
    enum status status = note_event(engine, place);

    if (status == STATUS_OK)
        status = batches_blank(engine->batches, place);

    if (status == STATUS_OK)
        status = store_drop_ground(engine->store, place);
    if (status == STATUS_OK)
        status = store_drop_replan(engine->store, sender, event);
    if (status == STATUS_OK)
        status = store_drop_reports(engine->store, sender, event);
    for (size_t i = 0; status == STATUS_OK && i < peers_count(engine->peers); i++)
        status = drop_watches(engine, sender, event, peers_at(engine->peers, i)->stored.number);
    return status;
}

enum status erasing_confirmed(struct engine *engine, const char *from,
                              const uint8_t event[static STORE_EVENT_SIZE],
                              const struct erasing_officer *officer)
{
    const struct peer *sender = from == NULL ? NULL : peers_find(engine->peers, bytes_of_string(from));
    struct wanted wanted = {.event = event, .sender = sender == NULL ? 0 : sender->stored.number};
    enum status status = from != NULL && sender == NULL ? STATUS_NOT_FOUND : STATUS_OK;

    if (status == STATUS_OK)
        status = store_each_watch(engine->store, STORE_WATCH_ERASURE, look_at, &wanted);
    if (status == STATUS_OK && wanted.found != 1)
        status = wanted.found == 0 ? STATUS_NOT_FOUND : STATUS_EXISTS;
    if (status == STATUS_OK)
        status = engine_write(engine);
    if (status == STATUS_OK)
        status = log_confirmed(engine, &wanted.watch, officer);
    if (status == STATUS_OK)
        status = erasing_drop(engine, wanted.watch.sender, wanted.watch.event, wanted.watch.place);
    if (status == STATUS_OK)
        status = remember(engine, wanted.watch.sender, wanted.watch.event);
    if (status == STATUS_OK)
        status = store_drop_watch(engine->store, &wanted.watch);
    if (status != STATUS_OK)
        return status;
    wanted.watch.kind = STORE_WATCH_ERASING;
    wanted.watch.due = engine->now;
    wanted.watch.value = 0;
    return store_put_watch(engine->store, &wanted.watch);
}

/* ---- the log ---- */

/* An entry that names what was erased. */
static enum status log_erased(struct engine *engine, const struct store_watch *watch, const uint64_t *indexes,
                              size_t count)
{
    const struct peer *sender = peers_number(engine->peers, watch->sender);
    uint8_t numbers[ERASED_AT_ONCE][8];
    struct byte_view details[ERASED_AT_ONCE];
    struct record_account account = {.time = engine->now,
                                     .from = bytes_of_string(sender == NULL ? "" : sender->stored.id),
                                     .outcome = bytes_of_string("erased"),
                                     .details = details,
                                     .detail_count = count};

    for (size_t i = 0; i < count; i++) {
        bytes_put_u64(numbers[i], indexes[i]);
        details[i] = bytes_view(numbers[i], sizeof numbers[i]);
    }
    (void)engine_records(engine, NULL, 0);
    (void)records_add(&engine->records, RECORD_ERASED, &account, RECORDS_NO_PERSONAL);
    return engine_append(engine);
}

/* Whose event an entry is about: what recipients report about an event stands under its sender in `to`,
 * everything else under its sender in `from`. Ids are each sender's own, so the id alone says nothing. */
static struct byte_view owner(enum record_kind kind, const struct record_account *account)
{
    static const char *const reported[] = {"opened",  "acknowledged", "confirmed",
                                           "deleted", "not-held",     "quarantined"};

    if (kind == RECORD_OVERRIDE)
        return account->from; /* whoever confirms does so by an event of the own */
    for (size_t i = 0; i < sizeof reported / sizeof reported[0]; i++) {
        if (bytes_equal(account->outcome, bytes_of_string(reported[i])))
            return account->to;
    }
    return account->from;
}

struct gathering {
    const uint8_t *event;
    struct byte_view sender;
    size_t count;
    uint64_t indexes[ERASED_AT_ONCE];
    struct logparts_block blocks[ERASED_AT_ONCE];
    struct journal_line lines[ERASED_AT_ONCE];
};

static bool gather(void *context, const struct logparts_part *part)
{
    struct gathering *gathering = context;

    if ((part->kinds & LOGPARTS_KEPT) != 0 ||
        !bytes_equal(part->personal->event, bytes_view(gathering->event, STORE_EVENT_SIZE)) ||
        !bytes_equal(owner(part->kind, part->account), gathering->sender))
        return true;
    gathering->indexes[gathering->count] = part->index;
    gathering->lines[gathering->count] = (struct journal_line){
        .first = part->index, .count = 1, .hash = merkle_leaf(bytes_view(part->entry, RECORD_ENTRY_SIZE))};
    gathering->blocks[gathering->count++] = part->block;
    return gathering->count < ERASED_AT_ONCE;
}

static enum status erase_part(struct engine *engine, struct store_watch *watch)
{
    const struct peer *sender = peers_number(engine->peers, watch->sender);
    struct gathering gathering = {.event = watch->event};
    uint64_t next = 0;
    enum status status = sender == NULL ? STATUS_CORRUPT : STATUS_OK;

    if (status == STATUS_OK) {
        gathering.sender = bytes_of_string(sender->stored.id);
        status = logbook_parts(engine->logbook, watch->value, gather, &gathering, &next);
    }
    if (status == STATUS_OK)
        status = erasing_note(engine, gathering.lines, gathering.count);
    for (size_t i = 0; status == STATUS_OK && i < gathering.count; i++)
        status = logbook_blank(engine->logbook, &gathering.blocks[i]);
    if (status == STATUS_OK)
        watch->value =
            next == logbook_size(engine->logbook) && gathering.count < ERASED_AT_ONCE ? FORGET : next;
    return status == STATUS_OK && gathering.count > 0
               ? log_erased(engine, watch, gathering.indexes, gathering.count)
               : status;
}

void erasing_forget(struct engine *engine)
{
    engine->forgetting = true;
    if (engine->index != NULL)
        index_rebuild(engine->index);
}

/* What was overwritten is committed: it goes from the write-ahead log and the index too. Whoever is killed
 * meanwhile begins with this again. */
static enum status forget(struct engine *engine, struct store_watch *watch)
{
    if (engine->erasing_last) {
        if (engine->forgetting || (engine->index != NULL && index_rebuilding(engine->index)))
            return store_put_watch(engine->store, watch);
        engine->erasing_last = false;
        return store_drop_watch(engine->store, watch);
    }
    engine->erasing_last = true;
    erasing_forget(engine);
    return store_put_watch(engine->store, watch);
}

enum status erasing_run(struct engine *engine, struct store_watch *watch)
{
    enum status status;

    watch->due = engine->now + 1; /* once in a tick: others want the store too */
    if (watch->value == FORGET)
        return forget(engine, watch);
    status = erase_part(engine, watch);
    return status == STATUS_OK ? store_put_watch(engine->store, watch) : status;
}
