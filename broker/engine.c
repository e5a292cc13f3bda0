#include "broker/engine.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/crash.h"
#include "broker/bundling.h"
#include "broker/clocks.h"
#include "broker/connecting.h"
#include "broker/containing.h"
#include "broker/control.h"
#include "broker/cosigning.h"
#include "broker/counting.h"
#include "broker/delivery.h"
#include "broker/forwarding.h"
#include "broker/overriding.h"
#include "broker/planning.h"
#include "broker/publishing.h"
#include "broker/receiving.h"
#include "broker/restored.h"
#include "broker/signature.h"
#include "broker/telling.h"

#define SUBJECTS_HELD 512
#define SCRATCH_LIMIT ((size_t)16 << 20)
#define ACTIVE_MS     INT64_C(10000)
#define DISK_MS       INT64_C(250)
#define RETRY_MS      1000u

/* ---- making and ending ---- */

static void look_at_certificates(struct engine *engine)
{
    for (size_t i = 0; i < engine->rulebook->protocol_count; i++)
        engine->active[i] = rulebook_active(engine->rulebook, &engine->rulebook->protocols[i], engine->now);
    engine->active_until = engine->now + ACTIVE_MS;
}

static enum status make_parts(struct engine *engine)
{
    enum status status = job_new(JOB_WAKE, &engine->second);

    engine->decision = calloc(1, sizeof *engine->decision);
    if (status == STATUS_OK && engine->decision == NULL)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = subjects_new(engine->store, SUBJECTS_HELD, &engine->subjects);
    if (status == STATUS_OK)
        status = batches_new(engine->store, BATCHES_LIMIT, &engine->batches);
    if (status == STATUS_OK)
        status = plans_new(&engine->plans);
    if (status == STATUS_OK)
        status = repeats_new(&engine->repeats);
    if (status == STATUS_OK)
        status = peers_load(engine->store, &engine->peers);
    if (status == STATUS_OK)
        status = glass_new(engine->store, &engine->glass);
    if (status == STATUS_OK)
        status = tally_new(engine->store, &engine->tally);
    if (status == STATUS_OK)
        status = witnessing_new(engine->logbook, engine->rulebook->bundle, engine->limits.cosign_every,
                                &engine->witnessing);
    if (status == STATUS_OK && engine->folder != NULL)
        status = proving_start(engine->folder, engine->outgoing, &engine->proving);
    if (status == STATUS_OK)
        status = store_last_batch(engine->store, &engine->started_after);
    engine->next_batch = engine->started_after + 1;
    return status;
}

static enum status finish(struct engine *engine);

enum status engine_new(const struct engine_options *options, struct engine **ret)
{
    struct engine *engine = calloc(1, sizeof *engine);
    enum status status;

    if (engine == NULL)
        return STATUS_NO_MEMORY;
    engine->limits = *options->limits;
    engine->folder = options->folder;
    engine->store = options->store;
    engine->logbook = options->logbook;
    engine->index = options->index;
    engine->outgoing = options->outgoing;
    engine->rulebook = rulebook_share(options->rulebook);
    engine->now = options->now;
    engine->last_signed = options->now;
    engine->disk_looked = options->now - DISK_MS;
    engine->scratch = bytes_buffer(SCRATCH_LIMIT);
    engine->body = bytes_buffer(SCRATCH_LIMIT);
    engine->second_arena = wire_arena(WIRE_ARENA_FRAME);
    records_init(&engine->records);
    status = make_parts(engine);
    if (status == STATUS_OK) {
        look_at_certificates(engine);
        status = restored_enter(engine);
    }
    if (status == STATUS_OK)
        status = bundling_enter(engine, NULL);
    if (status == STATUS_OK)
        status = finish(engine);
    if (status == STATUS_OK && logbook_signs_apart(engine->logbook))
        status = signing_start(engine->logbook, &engine->signing);
    if (status != STATUS_OK) {
        engine_free(&engine);
        return status;
    }
    *ret = engine;
    return STATUS_OK;
}

static void drop_answers(struct engine *engine)
{
    for (size_t i = 0; i < engine->answer_count; i++)
        outgoing_free(&engine->answers[i]);
    engine->answer_count = 0;
}

void engine_free(struct engine **engine)
{
    struct engine *gone = *engine;

    if (gone == NULL)
        return;
    signing_stop(&gone->signing);
    if (gone->writing)
        store_rollback(gone->store);
    drop_answers(gone);
    proving_stop(&gone->proving);
    free(gone->answers);
    peers_free(&gone->peers);
    subjects_free(&gone->subjects);
    batches_free(&gone->batches);
    plans_free(&gone->plans);
    repeats_free(&gone->repeats);
    glass_free(&gone->glass);
    tally_free(&gone->tally);
    witnessing_free(&gone->witnessing);
    records_free(&gone->records);
    job_free(&gone->second);
    wire_arena_free(&gone->second_arena);
    bytes_buffer_free(&gone->scratch);
    bytes_buffer_free(&gone->body);
    free(gone->decision);
    rulebook_free(&gone->rulebook);
    free(gone);
    *engine = NULL;
}

/* ---- what handlers use ---- */

enum status engine_write(struct engine *engine)
{
    if (engine->writing)
        return STATUS_OK;
    enum status status = store_begin(engine->store);
    if (status != STATUS_OK)
        return status;
    engine->writing = true;
    engine->feed_first = logbook_size(engine->logbook);
    /* First of all, so that what follows is written to the pages that this frees: each is wiped. */
    return receiving_confirmed(engine);
}

enum status engine_answer(struct engine *engine, struct outgoing *outgoing)
{
    if (engine->answer_count == engine->answer_room) {
        size_t room = engine->answer_room == 0 ? 64 : 2 * engine->answer_room;
        struct outgoing **grown = realloc(engine->answers, room * sizeof(struct outgoing *));
        if (grown == NULL) {
            outgoing_free(&outgoing);
            return STATUS_NO_MEMORY;
        }
        engine->answers = grown;
        engine->answer_room = room;
    }
    engine->answers[engine->answer_count++] = outgoing;
    return STATUS_OK;
}

enum status engine_answer_frame(struct engine *engine, const struct job *job, Wire__Frame__VerbCase verb,
                                struct byte_view body)
{
    struct outgoing *frame = NULL;
    uint64_t request = job->frame == NULL ? job->request : job->frame->request;
    enum status status = outgoing_frame(job->connection, job->member, request, verb, body, &frame);

    return status == STATUS_OK ? engine_answer(engine, frame) : status;
}

static enum status make_error(struct engine *engine, Wire__ErrorCode code, const char *text)
{
    char shown[WIRE_TEXT_MAX + 1] = {0};
    Wire__Error error = WIRE__ERROR__INIT;

    memcpy(shown, text, strnlen(text, WIRE_TEXT_MAX));
    error.code = code;
    error.text = shown;
    if (code == WIRE__ERROR_CODE__NOT_NOW) {
        error.has_retry_after = 1;
        error.retry_after = RETRY_MS;
    }
    bytes_buffer_clear(&engine->body);
    wire_pack(&error.base, &engine->body);
    return engine->body.status;
}

enum status engine_answer_error(struct engine *engine, const struct job *job, Wire__ErrorCode code,
                                const char *text)
{
    enum status status = make_error(engine, code, text);

    if (status != STATUS_OK)
        return status;
    return engine_answer_frame(engine, job, WIRE__FRAME__VERB_ERROR, bytes_buffer_view(&engine->body));
}

struct records *engine_records(struct engine *engine, const uint8_t *salts, size_t salt_count)
{
    records_start(&engine->records, logbook_size(engine->logbook), salts, salt_count);
    return &engine->records;
}

enum status engine_append(struct engine *engine)
{
    return records_append(&engine->records, engine->logbook);
}

const struct party_set *engine_active(const struct engine *engine, const struct rulebook_protocol *protocol)
{
    return &engine->active[protocol - engine->rulebook->protocols];
}

/* ---- a group ---- */

static bool is_ours(enum status status)
{
    return status == STATUS_NO_SPACE || status == STATUS_NO_MEMORY;
}

static enum status commit(struct engine *engine)
{
    enum status status = peers_save(engine->peers, engine->store);

    if (status == STATUS_OK)
        status = subjects_save(engine->subjects);
    if (status == STATUS_OK)
        status = glass_save(engine->glass, engine->store, engine->now);
    if (status == STATUS_OK)
        status = tally_save(engine->tally);
    CRASH_POINT("broker.before_records");
    if (status == STATUS_OK)
        status = logbook_save(engine->logbook);
    CRASH_POINT("broker.before_commit");
    if (status == STATUS_OK)
        status = store_commit(engine->store);
    if (status != STATUS_OK)
        return status;
    CRASH_POINT("broker.after_commit");
    engine->writing = false;
    logbook_commit(engine->logbook);
    if (engine->index != NULL && logbook_size(engine->logbook) > engine->feed_first)
        index_feed(engine->index, engine->feed_first, logbook_size(engine->logbook) - engine->feed_first);
    return STATUS_OK;
}

/* Commits what was written, then hands over the answers. */
static enum status finish(struct engine *engine)
{
    enum status status = engine->writing ? commit(engine) : STATUS_OK;

    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < engine->answer_count; i++)
        outgoing_put(engine->outgoing, &engine->answers[i]);
    engine->answer_count = 0;
    CRASH_POINT("broker.after_answers");
    subjects_trim(engine->subjects);
    return STATUS_OK;
}

/* Takes back everything that this group did to our memory of the store. */
static enum status take_back(struct engine *engine)
{
    uint64_t last = 0;
    enum status status;

    drop_answers(engine);
    if (engine->writing)
        store_rollback(engine->store);
    engine->writing = false;
    engine->handling = NULL;
    engine->count_at = 0;
    subjects_forget(engine->subjects);
    tally_forget(engine->tally);
    incidents_forget(&engine->incidents);
    batches_forget(engine->batches);
    status = logbook_rollback(engine->logbook);
    repeats_take_back(engine->repeats, logbook_size(engine->logbook));
    if (status == STATUS_OK)
        status = peers_reload(engine->peers, engine->store);
    if (status == STATUS_OK)
        status = glass_reload(engine->glass, engine->store);
    if (status == STATUS_OK)
        status = store_last_batch(engine->store, &last);
    engine->next_batch = last + 1;
    for (size_t i = 0; i < peers_count(engine->peers); i++)
        engine->in_flight -= peers_restart(peers_at(engine->peers, i));
    return status;
}

static enum status handle_frame(struct engine *engine, struct job *job)
{
    if (job->error == NULL && job->contained == 0 && containing_refuses(engine, job))
        return engine_answer_error(engine, job, WIRE__ERROR_CODE__NOT_NOW,
                                   "too many of your frames could not be handled within a minute; try later");
    if (job->error != NULL)
        return engine_answer_error(engine, job, job->error_code, job->error);
    switch ((int)job->frame->verb_case) {
    case WIRE__FRAME__VERB_PUBLISH:
        return publishing_handle(engine, job);
    case WIRE__FRAME__VERB_PLAN_REQUEST:
        return planning_handle(engine, job);
    case WIRE__FRAME__VERB_RECEIPTS:
        return receiving_receipts(engine, job);
    case WIRE__FRAME__VERB_REPORTS:
        return receiving_reports(engine, job);
    case WIRE__FRAME__VERB_LOG_REQUEST:
        return proving_handle(engine, job);
    case WIRE__FRAME__VERB_COSIGN:
        return cosigning_handle(engine, job);
    default:
        return receiving_fetch(engine, job);
    }
}

static enum status tell_bundle(struct engine *engine)
{
    struct outgoing *word = NULL;
    enum status status = outgoing_new(PIPELINE_BUNDLE, &word);

    return status == STATUS_OK ? engine_answer(engine, word) : status;
}

static enum status handle_bundle(struct engine *engine, struct job *job)
{
    struct rulebook *before = engine->rulebook;
    bool again = before == job->rulebook; /* after a group that was taken back: everything is looked at */
    enum status status = engine_write(engine);

    if (status == STATUS_OK)
        status = subjects_save(engine->subjects);
    /* It is in force from here on, whatever becomes of the group: what cannot be written now is later. */
    subjects_forget(engine->subjects);
    engine->rulebook = rulebook_share(job->rulebook);
    peers_forget_entries(engine->peers);
    look_at_certificates(engine);
    if (status == STATUS_OK)
        status = bundling_enter(engine, again ? NULL : before);
    rulebook_free(&before);
    if (status == STATUS_OK)
        status = signature_take(engine, true);
    if (status == STATUS_OK)
        status = witnessing_adopt(engine->witnessing, engine->rulebook->bundle);
    return status == STATUS_OK ? tell_bundle(engine) : status;
}

static enum status handle(struct engine *engine, struct job *job)
{
    switch (job->kind) {
    case JOB_FRAME:
        return handle_frame(engine, job);
    case JOB_CONNECTED:
        return connecting_started(engine, job, true);
    case JOB_DISCONNECTED:
        connecting_ended(engine, job);
        return STATUS_OK;
    case JOB_BUNDLE:
        return handle_bundle(engine, job);
    case JOB_CONTROL:
        return control_handle(engine, job);
    case JOB_INCIDENT:
        return incidents_handle(engine, job);
    case JOB_WAKE:
        return STATUS_OK;
    }
    return STATUS_OK;
}

/* After a group was given up: what only concerns our memory happens all the same, the rest is answered. */
static enum status answer_busy(struct engine *engine, struct job *job)
{
    switch (job->kind) {
    case JOB_CONNECTED:
        return connecting_started(engine, job, false);
    case JOB_DISCONNECTED:
        connecting_ended(engine, job);
        return STATUS_OK;
    case JOB_FRAME:
        if (job->error == NULL && job->frame->verb_case == WIRE__FRAME__VERB_FETCH)
            return receiving_fetch(engine, job);
        return engine_answer_error(engine, job, WIRE__ERROR_CODE__NOT_NOW,
                                   "the broker has no room for this now; try again");
    case JOB_CONTROL:
        return control_busy(engine, job);
    case JOB_BUNDLE:
        engine->bundle_due = true;
        return tell_bundle(engine);
    case JOB_INCIDENT: /* the gate has said it, and does so again with the next hello */
    case JOB_WAKE:
        return STATUS_OK;
    }
    return STATUS_OK;
}

static enum status run_group(struct engine *engine, struct job **jobs, size_t count)
{
    enum status status;

    CRASH_POINT("broker.before_group");
    status = overriding_due(engine); /* before anything that a suspended member may try, or another mend */
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        engine->handling = jobs[i];
        status = containing_log(engine, jobs[i]);
        if (status == STATUS_OK)
            status = handle(engine, jobs[i]);
    }
    if (status != STATUS_OK)
        return status;
    engine->handling = NULL;
    return finish(engine);
}

/* One job as a group of its own, again and again with less of it, until what cannot be handled is left out.
 */
static enum status run_alone(struct engine *engine, struct job *job)
{
    enum status status = run_group(engine, &job, 1);

    while (containing_fits(engine, status) && containing_mark(engine, job, status)) {
        status = take_back(engine);
        if (status == STATUS_OK)
            status = run_group(engine, &job, 1);
    }
    return status;
}

/* All jobs; when one of them cannot be handled, each by itself, so that it is that one's matter alone.
 * *ret_done: how many are committed. */
static enum status run_jobs(struct engine *engine, struct job **jobs, size_t count, size_t *ret_done)
{
    enum status status = run_group(engine, jobs, count);

    *ret_done = 0;
    if (!containing_fits(engine, status))
        return status;
    status = take_back(engine);
    while (status == STATUS_OK && *ret_done < count) {
        status = run_alone(engine, jobs[*ret_done]);
        if (status == STATUS_OK)
            (*ret_done)++;
    }
    return status;
}

static void look_at_disk(struct engine *engine)
{
    struct statvfs room;

    if (engine->folder == NULL || engine->now - engine->disk_looked < DISK_MS)
        return;
    engine->disk_looked = engine->now;
    if (statvfs(engine->folder, &room) == 0)
        engine->disk_full = (uint64_t)room.f_bavail * room.f_frsize < engine->limits.disk_floor;
}

static void set_time(struct engine *engine, int64_t now)
{
    if (now > engine->now)
        engine->now = now;
    if (engine->now >= engine->active_until)
        look_at_certificates(engine);
    look_at_disk(engine);
}

static enum status deliver(struct engine *engine)
{
    enum status status = STATUS_OK;

    engine->starving = false;
    for (size_t i = 0; status == STATUS_OK && i < peers_count(engine->peers); i++) {
        struct peer *peer = peers_at(engine->peers, i);
        if (peer->connection == 0)
            continue;
        status = forwarding_run(engine, peer);
        if (status == STATUS_OK)
            status = telling_run(engine, peer);
        if (status == STATUS_OK)
            status = delivery_run(engine, peer);
        if (containing_is(status)) { /* this one waits, the others do not */
            containing_tell(engine, status);
            status = STATUS_OK;
        }
    }
    CRASH_POINT("broker.after_deliveries");
    return status == STATUS_NO_MEMORY ? STATUS_OK : status;
}

enum status engine_group(struct engine *engine, struct job **jobs, size_t count, int64_t now)
{
    size_t done = 0;
    enum status status;

    set_time(engine, now);
    status = run_jobs(engine, jobs, count, &done);
    engine->handling = NULL;
    if (is_ours(status)) {
        status = take_back(engine);
        for (size_t i = done; status == STATUS_OK && i < count; i++)
            status = answer_busy(engine, jobs[i]);
        if (status == STATUS_OK)
            status = finish(engine);
        if (status == STATUS_NO_MEMORY)
            status = STATUS_OK;
    }
    if (status == STATUS_OK && engine->problem[0] != '\0')
        return STATUS_FORKED;
    return status == STATUS_OK ? deliver(engine) : status;
}

/* ---- what is due without a frame ---- */

static enum status write_due(struct engine *engine, bool all)
{
    enum status status = STATUS_OK;

    if (engine->confirmed_more)
        status = engine_write(engine);
    if (status == STATUS_OK && engine->bundle_due)
        status = bundling_enter(engine, NULL);
    if (status == STATUS_OK)
        status = planning_due(engine, all);
    if (status == STATUS_OK)
        status = counting_repeats(engine, all);
    if (status == STATUS_OK)
        status = overriding_due(engine);
    if (status == STATUS_OK)
        status = clocks_run(engine);
    if (status == STATUS_OK)
        status = counting_due(engine);
    if (status == STATUS_OK)
        status = finish(engine);
    if (containing_is(status))
        containing_tell(engine, status);
    if (is_ours(status) || containing_is(status))
        return take_back(engine);
    engine->bundle_due = false;
    return status;
}

enum status engine_tick(struct engine *engine, int64_t now)
{
    enum status status;

    set_time(engine, now);
    status = signature_take(engine, false);
    if (status == STATUS_OK)
        status = write_due(engine, false);
    if (status == STATUS_OK && engine->now - engine->last_signed >= engine->limits.sign_every)
        status = signature_ask(engine, false);
    if (status == STATUS_OK)
        status = cosigning_turn(engine);
    return status == STATUS_OK ? deliver(engine) : status;
}

enum status engine_close(struct engine *engine, int64_t now)
{
    enum status status;

    set_time(engine, now);
    status = signature_take(engine, true);
    if (status == STATUS_OK)
        status = write_due(engine, true);
    return status == STATUS_OK ? signature_ask(engine, true) : status;
}
