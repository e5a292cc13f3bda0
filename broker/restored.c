#include "broker/restored.h"

#include <string.h>

#include "base/civil.h"
#include "broker/erasing.h"
#include "broker/layout.h"
#include "broker/recheck.h"
#include "broker/removing.h"
#include "broker/retention.h"
#include "certs/archive.h"
#include "proto/checkpoint.h"
#include "proto/header.h"
#include "proto/note.h"

#define RUNS_AT_ONCE 250
#define TEXT_LIMIT   ((size_t)64 << 10)

/* ---- what is said ---- */

/* Origin, size ‖ root and digest of the old log's last checkpoint, as far as its text can be read: it was
 * verified when it was taken. */
struct old_log {
    struct byte_view details[3];
    size_t count;
    uint8_t head[8 + DIGEST_SIZE];
    uint8_t digest[DIGEST_SIZE];
};

static void read_old(struct byte_view note, struct old_log *ret)
{
    struct checkpoint checkpoint;
    struct note parsed;

    memset(ret, 0, sizeof *ret);
    if (note_parse(note, &parsed) != STATUS_OK || checkpoint_parse(parsed.text, &checkpoint) != STATUS_OK)
        return;
    bytes_put_u64(ret->head, checkpoint.size);
    memcpy(ret->head + 8, checkpoint.root.bytes, DIGEST_SIZE);
    digest_sha256(note, ret->digest);
    ret->details[0] = checkpoint.origin;
    ret->details[1] = bytes_view(ret->head, sizeof ret->head);
    ret->details[2] = bytes_view(ret->digest, sizeof ret->digest);
    ret->count = 3;
}

static enum status log_restored(struct engine *engine, struct byte_view why, struct byte_view note)
{
    struct old_log old;
    struct record_account account = {.time = engine->now,
                                     .outcome = bytes_of_string(note.size > 0 ? "new-log" : "restored"),
                                     .reason = why};

    read_old(note, &old);
    account.details = old.details;
    account.detail_count = old.count;
    (void)engine_records(engine, NULL, 0);
    (void)records_add(&engine->records, RECORD_INCIDENT, &account, RECORDS_NO_PERSONAL);
    return engine_append(engine);
}

/* ---- what was erased since ---- */

struct again {
    struct engine *engine;
    size_t run_count;
    struct journal_line runs[RUNS_AT_ONCE];
};

/* An entry that names what went once more: a detail for each run of entries, its first and how many. */
static enum status log_again(struct again *again)
{
    struct engine *engine = again->engine;
    uint8_t numbers[RUNS_AT_ONCE][16];
    struct byte_view details[RUNS_AT_ONCE];
    const struct record_account account = {.time = engine->now,
                                           .outcome = bytes_of_string("expired"),
                                           .reason = bytes_of_string("overwritten again after a restore"),
                                           .details = details,
                                           .detail_count = again->run_count};

    if (again->run_count == 0)
        return STATUS_OK;
    for (size_t i = 0; i < again->run_count; i++) {
        bytes_put_u64(numbers[i], again->runs[i].first);
        bytes_put_u64(numbers[i] + 8, again->runs[i].count);
        details[i] = bytes_view(numbers[i], sizeof numbers[i]);
    }
    again->run_count = 0;
    (void)engine_records(engine, NULL, 0);
    (void)records_add(&engine->records, RECORD_ERASED, &account, RECORDS_NO_PERSONAL);
    return engine_append(engine);
}

static enum status parts_again(struct again *again, const struct journal_line *line)
{
    struct engine *engine = again->engine;
    struct digest leaf;
    enum status status = logbook_leaf(engine->logbook, line->first, &leaf);

    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && memcmp(&leaf, &line->hash, sizeof leaf) != 0))
        return STATUS_OK; /* newer than what was restored, or another entry in its place */
    for (uint64_t i = 0; status == STATUS_OK && i < line->count; i++)
        status = logbook_erase(engine->logbook, line->first + i);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    again->runs[again->run_count++] = *line;
    return again->run_count == RUNS_AT_ONCE ? log_again(again) : STATUS_OK;
}

static bool same_place(struct store_place a, struct store_place b)
{
    return a.batch == b.batch && a.index == b.index;
}

/* In the state that was restored something may rest on the event that ended before it was erased. What rested
 * on it is nothing that may be granted from: the record ends, and whoever may lists the person anew. */
static enum status end_facts(struct engine *engine, uint32_t sender, const struct core *core,
                             struct store_place place)
{
    const struct rulebook_protocol *protocol = rulebook_find(engine->rulebook, core->protocol);
    struct subject *subject = NULL;
    struct subject_standing *standing;
    bool rests = false;
    enum status status;

    if (protocol == NULL)
        return STATUS_OK;
    status = subjects_get(engine->subjects, protocol->protocol, core->subject, &subject);
    if (status != STATUS_OK)
        return status;
    standing = subjects_standing(subject, sender, core->event);
    if (standing != NULL)
        subjects_unstand(subject, standing);
    for (size_t i = 0; i < REGISTER_GROUNDS; i++)
        rests = rests || (subject->grounds[i].set && same_place(subject->grounds[i].place, place));
    for (size_t i = 0; i < subject->merged_count; i++)
        rests = rests || same_place(subject->merged[i], place);
    if (rests) {
        register_init(&subject->state);
        subject->state.entry.removed_at = engine->now;
        memset(subject->grounds, 0, sizeof subject->grounds);
        subject->merged_count = 0;
        subject->version++;
        subject->changed_at = engine->now;
    }
    subject->dirty = subject->dirty || rests || standing != NULL;
    return STATUS_OK;
}

static enum status event_again(struct again *again, const struct journal_line *line)
{
    static const struct taking_how how = {.kind = RECORD_RECALLED, .notice = WIRE__NOTICE_KIND__TAKEN_BACK};
    struct engine *engine = again->engine;
    const struct store_place place = {line->first, (uint32_t)line->count};
    const struct batch_held *batch = NULL;
    uint8_t event[STORE_EVENT_SIZE];
    uint32_t sender;
    struct digest leaf;
    struct outcome outcome;
    struct core core;
    enum status status = batches_get(engine->batches, place.batch, &batch);

    if (status != STATUS_OK || place.index >= batch->count || batch->headers[place.index].size == 0)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    header_leaf(batch->headers[place.index], leaf.bytes);
    if (memcmp(&leaf, &line->hash, sizeof leaf) != 0)
        return STATUS_OK;
    sender = batch->sender;
    memcpy(event, batches_event(batch->headers[place.index]), sizeof event);
    status = recheck_core(engine, place, &core);
    if (status == STATUS_OK)
        status = end_facts(engine, sender, &core, place);
    if (status == STATUS_OK)
        status = batches_get(engine->batches, place.batch, &batch);
    if (status == STATUS_OK)
        status = batches_outcome(batch, place.index, &outcome);
    if (status == STATUS_OK)
        status = removing_event(engine, place, &outcome, &how, "it was erased before a restore", false);
    return status == STATUS_OK ? erasing_drop(engine, sender, event, place) : status;
}

static enum status do_again(void *context, const struct journal_line *line)
{
    struct again *again = context;

    return line->event ? event_again(again, line) : parts_again(again, line);
}

static enum status erase_again(struct engine *engine)
{
    struct again again = {.engine = engine};
    enum status status = engine->folder == NULL ? STATUS_OK : journal_read(engine->folder, do_again, &again);

    if (status == STATUS_OK)
        status = log_again(&again);
    return status == STATUS_OK ? retention_forget(engine) : status;
}

/* ---- what was lost comes again ---- */

#define STATE_NEW_LOG_AT "new-log-at"

static enum status remember_when(struct engine *engine)
{
    uint8_t when[8];

    bytes_put_u64(when, (uint64_t)engine->now);
    return store_put_state(engine->store, STATE_NEW_LOG_AT, bytes_view(when, sizeof when));
}

static enum status recall_when(struct engine *engine)
{
    struct byte_view stored;
    enum status status = store_get_state(engine->store, STATE_NEW_LOG_AT, &stored);

    if (status == STATUS_OK && stored.size == 8)
        engine->new_log_at = (int64_t)bytes_get_u64(stored.data);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static bool was_in_force(const struct engine *engine, const uint8_t head[static DIGEST_SIZE])
{
    bool found = false;

    for (uint64_t serial = bundle_serial(engine->rulebook->bundle) - 1; serial > 0 && !found; serial--) {
        struct bundle *bundle = NULL;
        if (archive_get(engine->folder, serial, &bundle, NULL) != STATUS_OK)
            continue;
        found = memcmp(bundle_head_digest(bundle), head, DIGEST_SIZE) == 0;
        bundle_free(&bundle);
    }
    return found;
}

bool restored_takes(struct engine *engine, const struct core *core)
{
    if (engine->new_log_at == 0 || engine->folder == NULL || core->created >= engine->new_log_at ||
        engine->now - engine->new_log_at > RESTORED_DAYS * CIVIL_DAY_MS)
        return false;
    for (size_t i = 0; i < engine->head_count; i++) {
        if (memcmp(engine->heads[i], core->bundle, DIGEST_SIZE) == 0)
            return true;
    }
    if (engine->head_count == ENGINE_OLD_HEADS || !was_in_force(engine, core->bundle))
        return false;
    memcpy(engine->heads[engine->head_count++], core->bundle, DIGEST_SIZE);
    return true;
}

/* ---- a start ---- */

enum status restored_enter(struct engine *engine)
{
    struct byte_buffer why = bytes_buffer(TEXT_LIMIT);
    struct byte_buffer note = bytes_buffer(TEXT_LIMIT);
    struct byte_view stored;
    enum status status = store_get_state(engine->store, LAYOUT_RESTORED, &stored);

    if (status == STATUS_OK)
        bytes_append_view(&why, stored);
    if (why.size == 0) {
        status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
        goto out;
    }
    status = store_get_state(engine->store, LAYOUT_NEW_LOG, &stored);
    if (status == STATUS_OK)
        bytes_append_view(&note, stored);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        status = why.status == STATUS_OK ? note.status : why.status;
    if (status == STATUS_OK)
        status = engine_write(engine);
    if (status == STATUS_OK)
        status = log_restored(engine, bytes_buffer_view(&why), bytes_buffer_view(&note));
    if (status == STATUS_OK)
        status = erase_again(engine);
    if (status == STATUS_OK)
        status = store_put_state(engine->store, LAYOUT_RESTORED, bytes_view(NULL, 0));
    if (status == STATUS_OK)
        status = store_put_state(engine->store, LAYOUT_NEW_LOG, bytes_view(NULL, 0));
    if (status == STATUS_OK && note.size > 0)
        status = remember_when(engine);
out:
    if (status == STATUS_OK)
        status = recall_when(engine);
    bytes_buffer_free(&why);
    bytes_buffer_free(&note);
    return status;
}
