#include "broker/pipeline.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "broker/engine.h"
#include "broker/frame.h"
#include "broker/grouping.h"
#include "broker/intake.h"
#include "broker/pipeline_storage.h"
#include "broker/quota.h"
#include "broker/verifying.h"

#define ARENAS   32    /* frames verified and not yet stored: 0.5 MiB each with 64 events */
#define WORDS    65536 /* room for what is not a frame */
#define VERDICTS 256
#define OUTGOING 8192
#define TICK_MS  50

struct worker {
    struct pipeline *pipeline;
    pthread_t thread;
    enum job_lane preferred; /* each lane is preferred by somebody, or by the only one every other time */
    bool alternates;
};

struct pipeline {
    struct pipeline_limits limits;
    struct clock clock;
    char *folder;
    bool memory;
    struct pipeline_storage storage;

    /* Between threads. */
    struct intake *intake;
    struct mailbox *verdicts;
    struct mailbox *arenas;
    struct wire_arena arena_list[ARENAS];
    struct outgoing_queue outgoing;
    pthread_mutex_t mutex; /* over rulebook */
    struct rulebook *rulebook;
    _Atomic size_t frames; /* submitted, not yet stored */
    _Atomic size_t bytes;
    _Atomic bool starving; /* deliveries wait for room in outgoing */

    /* The gate's. */
    struct quota *quota;

    /* The store thread's. */
    struct engine *engine;
    struct grouping *grouping;
    bool dead;

    struct worker workers[PIPELINE_WORKERS_MAX];
    unsigned worker_count;
    pthread_t store_thread;
    bool store_running;
};

/* Everything here can fail only through a bug. */
static void must(int error)
{
    assert(error == 0);
}

static struct rulebook *present_rulebook(struct pipeline *pipeline)
{
    struct rulebook *rulebook;

    must(pthread_mutex_lock(&pipeline->mutex));
    rulebook = rulebook_share(pipeline->rulebook);
    must(pthread_mutex_unlock(&pipeline->mutex));
    return rulebook;
}

/* ---- verify workers ---- */

static void *run_worker(void *context)
{
    struct worker *worker = context;
    struct pipeline *pipeline = worker->pipeline;
    void *arena = NULL;
    struct job *job = NULL;

    /* An arena first: then whatever was taken from the intake is soon verified, and the store thread never
     * waits for a frame that cannot be. */
    while (mailbox_take(pipeline->arenas, -1, &arena) == STATUS_OK) {
        if (intake_take(pipeline->intake, worker->preferred, &job) != STATUS_OK)
            break;
        if (worker->alternates)
            worker->preferred = worker->preferred == JOB_LANE_MAIN ? JOB_LANE_RECEIPTS : JOB_LANE_MAIN;
        if (job->kind == JOB_FRAME) {
            job->arena = arena;
            job->rulebook = present_rulebook(pipeline);
            verifying_frame(job);
            CRASH_POINT("broker.verified");
        } else {
            must(mailbox_give_back(pipeline->arenas, arena) == STATUS_OK ? 0 : 1);
        }
        must(mailbox_put(pipeline->verdicts, job) == STATUS_OK ? 0 : 1);
    }
    return NULL;
}

/* ---- the store thread ---- */

static int64_t now_of(const struct pipeline *pipeline)
{
    return clock_now(&pipeline->clock);
}

static void done_with(struct pipeline *pipeline, struct job *job)
{
    if (job->kind == JOB_FRAME) {
        atomic_fetch_sub(&pipeline->frames, 1);
        atomic_fetch_sub(&pipeline->bytes, job->bytes.size);
    }
    if (job->arena != NULL) {
        struct wire_arena *arena = job->arena;
        job->arena = NULL;
        wire_arena_reset(arena);
        must(mailbox_give_back(pipeline->arenas, arena) == STATUS_OK ? 0 : 1);
    }
    job_free(&job);
}

static void die(struct pipeline *pipeline, enum status status)
{
    struct outgoing *word = NULL;

    pipeline->dead = true;
    if (outgoing_new(PIPELINE_FATAL, &word) != STATUS_OK)
        abort(); /* nothing may go on, and nobody can be told */
    if (pipeline->engine->problem[0] != '\0')
        bytes_append_string(&word->bytes, pipeline->engine->problem);
    else
        bytes_append_format(&word->bytes, "the store cannot go on: %s: %s", status_text(status),
                            store_error(pipeline->storage.store));
    outgoing_put(&pipeline->outgoing, &word);
}

static void run_jobs(struct pipeline *pipeline, struct job **jobs, size_t count)
{
    enum status status = STATUS_OK;

    if (count == 0)
        return;
    if (!pipeline->dead)
        status = engine_group(pipeline->engine, jobs, count, now_of(pipeline));
    for (size_t i = 0; i < count; i++)
        done_with(pipeline, jobs[i]);
    if (status != STATUS_OK)
        die(pipeline, status);
}

/* Runs the next group; false when there is none now. */
static bool run_group(struct pipeline *pipeline, int64_t elapsed)
{
    struct job **jobs = NULL;
    size_t count = grouping_next(pipeline->grouping, elapsed, &jobs);

    run_jobs(pipeline, jobs, count);
    return count > 0;
}

static int next_wait(const struct pipeline *pipeline, int64_t ticked)
{
    int64_t elapsed = clock_elapsed();
    int64_t left = ticked + TICK_MS - elapsed;
    int64_t held = grouping_wait(pipeline->grouping, elapsed);

    if (held >= 0 && held < left)
        left = held;
    return left < 0 ? 0 : (int)left;
}

/* Copies what is in the WAL, if there is time for it. The sooner after a commit, the less there is of it, and
 * the shorter the next frame waits. */
static void rest(struct pipeline *pipeline, bool quiet)
{
    const bool waiting = mailbox_count(pipeline->verdicts) > 0 || intake_count(pipeline->intake) > 0;
    const enum pipeline_load load = waiting ? PIPELINE_BUSY : quiet ? PIPELINE_IDLE : PIPELINE_PAUSE;
    enum status status;

    if (pipeline->dead)
        return;
    status = pipeline_storage_rest(&pipeline->storage, load, &pipeline->engine->forgetting,
                                   &pipeline->engine->holding);
    if (status != STATUS_OK)
        die(pipeline, status);
}

static void tick(struct pipeline *pipeline)
{
    enum status status;

    if (pipeline->dead)
        return;
    status = engine_tick(pipeline->engine, now_of(pipeline));
    if (status == STATUS_OK)
        holding_look(&pipeline->engine->holding, pipeline->engine->now, pipeline->engine->disk_full);
    if (status != STATUS_OK)
        die(pipeline, status);
}

static void take_verdicts(struct pipeline *pipeline, void **items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct job *job = items[i];
        if (job->kind == JOB_WAKE)
            done_with(pipeline, job);
        else
            grouping_put(pipeline->grouping, job);
    }
}

static void *run_store(void *context)
{
    struct pipeline *pipeline = context;
    void *items[VERDICTS];
    int64_t ticked = clock_elapsed();
    bool quiet = true; /* nothing came since the last tick */
    enum status status = STATUS_OK;

    while (status != STATUS_CLOSED) {
        size_t count = 0;
        status = mailbox_take_all(pipeline->verdicts, next_wait(pipeline, ticked), items, VERDICTS, &count);
        quiet = quiet && status == STATUS_TIMEOUT;
        if (status == STATUS_OK)
            take_verdicts(pipeline, items, count);
        while (run_group(pipeline, clock_elapsed()))
            ;
        const bool due = clock_elapsed() - ticked >= TICK_MS;
        if (due || atomic_exchange(&pipeline->starving, false))
            tick(pipeline);
        rest(pipeline, due && quiet);
        if (due) {
            ticked = clock_elapsed();
            quiet = true;
        }
        atomic_store(&pipeline->starving, pipeline->engine->starving);
    }
    while (run_group(pipeline, INT64_MAX))
        ;
    if (!pipeline->dead) {
        status = engine_close(pipeline->engine, now_of(pipeline));
        if (status != STATUS_OK)
            die(pipeline, status);
    }
    return NULL;
}

/* ---- starting and stopping ---- */

static enum status make_mailboxes(struct pipeline *pipeline)
{
    enum status status = intake_new(pipeline->limits.intake_frames + WORDS, &pipeline->intake);

    if (status == STATUS_OK)
        status = mailbox_new(VERDICTS, &pipeline->verdicts);
    if (status == STATUS_OK)
        status = mailbox_new(ARENAS, &pipeline->arenas);
    if (status == STATUS_OK)
        status = mailbox_new(OUTGOING, &pipeline->outgoing.mailbox);
    if (status == STATUS_OK)
        status = quota_new(pipeline->limits.frames_per_second, &pipeline->quota);
    if (status == STATUS_OK)
        status = grouping_new(pipeline->limits.group_frames, pipeline->limits.group_bytes,
                              pipeline->limits.receipts_wait, &pipeline->grouping);
    for (size_t i = 0; status == STATUS_OK && i < ARENAS; i++) {
        pipeline->arena_list[i] = wire_arena(WIRE_ARENA_FRAME);
        status = mailbox_put(pipeline->arenas, &pipeline->arena_list[i]);
    }
    return status;
}

static enum status make_engine(struct pipeline *pipeline)
{
    struct engine_options options = {.limits = &pipeline->limits,
                                     .folder = pipeline->memory ? NULL : pipeline->folder,
                                     .store = pipeline->storage.store,
                                     .logbook = pipeline->storage.logbook,
                                     .index = pipeline->storage.index,
                                     .outgoing = &pipeline->outgoing,
                                     .rulebook = pipeline->rulebook,
                                     .now = now_of(pipeline)};

    return engine_new(&options, &pipeline->engine);
}

static enum status start_threads(struct pipeline *pipeline)
{
    if (pthread_create(&pipeline->store_thread, NULL, run_store, pipeline) != 0)
        return STATUS_NO_MEMORY;
    pipeline->store_running = true;
    for (unsigned i = 0; i < pipeline->limits.verify_workers && i < PIPELINE_WORKERS_MAX; i++) {
        struct worker *worker = &pipeline->workers[i];
        worker->pipeline = pipeline;
        worker->alternates = pipeline->limits.verify_workers == 1;
        worker->preferred = i % 2 == 0 ? JOB_LANE_MAIN : JOB_LANE_RECEIPTS;
        if (pthread_create(&worker->thread, NULL, run_worker, worker) != 0)
            return i == 0 ? STATUS_NO_MEMORY : STATUS_OK;
        pipeline->worker_count++;
    }
    return STATUS_OK;
}

static void free_jobs(struct mailbox *mailbox)
{
    void *item = NULL;

    while (mailbox != NULL && mailbox_take(mailbox, 0, &item) == STATUS_OK) {
        struct job *job = item;
        job->arena = NULL;
        job_free(&job);
    }
}

static void free_pipeline(struct pipeline *pipeline)
{
    void *item = NULL;

    engine_free(&pipeline->engine);
    pipeline_storage_close(&pipeline->storage);
    intake_free(&pipeline->intake);
    free_jobs(pipeline->verdicts);
    while (pipeline->outgoing.mailbox != NULL &&
           mailbox_take(pipeline->outgoing.mailbox, 0, &item) == STATUS_OK) {
        struct outgoing *outgoing = item;
        outgoing_free(&outgoing);
    }
    mailbox_free(&pipeline->verdicts);
    mailbox_free(&pipeline->arenas);
    mailbox_free(&pipeline->outgoing.mailbox);
    for (size_t i = 0; i < ARENAS; i++)
        wire_arena_free(&pipeline->arena_list[i]);
    quota_free(&pipeline->quota);
    rulebook_free(&pipeline->rulebook);
    must(pthread_mutex_destroy(&pipeline->mutex));
    grouping_free(&pipeline->grouping);
    free(pipeline->folder);
    free(pipeline);
}

enum status pipeline_start(const struct pipeline_options *options, struct pipeline **ret,
                           struct pipeline_reason *ret_reason)
{
    struct pipeline *pipeline = calloc(1, sizeof *pipeline);
    enum status status;

    ret_reason->text[0] = '\0';
    if (pipeline == NULL)
        return STATUS_NO_MEMORY;
    must(pthread_mutex_init(&pipeline->mutex, NULL));
    pipeline->limits = options->limits;
    pipeline->clock = *options->clock;
    pipeline->memory = options->memory;
    pipeline->folder = strdup(options->folder);
    status = pipeline->folder == NULL ? STATUS_NO_MEMORY : make_mailboxes(pipeline);
    if (status == STATUS_OK)
        status =
            rulebook_new(options->bundle, &pipeline->rulebook, ret_reason->text, sizeof ret_reason->text);
    if (status == STATUS_OK)
        status = pipeline_storage_open(options, now_of(pipeline), &pipeline->storage, ret_reason);
    if (status == STATUS_OK)
        status = make_engine(pipeline);
    if (status == STATUS_OK)
        status = start_threads(pipeline);
    if (status == STATUS_OK) {
        *ret = pipeline;
        return STATUS_OK;
    }
    if (ret_reason->text[0] == '\0')
        (void)snprintf(ret_reason->text, sizeof ret_reason->text, "the broker's store cannot start: %s",
                       status_text(status));
    pipeline_stop(&pipeline);
    return status;
}

void pipeline_stop(struct pipeline **pipeline)
{
    struct pipeline *gone = *pipeline;

    *pipeline = NULL;
    if (gone == NULL)
        return;
    /* Nobody takes what comes out any more, and nobody must wait for that. */
    if (gone->outgoing.mailbox != NULL)
        mailbox_close(gone->outgoing.mailbox);
    if (gone->intake != NULL)
        intake_close(gone->intake);
    for (unsigned i = 0; i < gone->worker_count; i++)
        must(pthread_join(gone->workers[i].thread, NULL));
    if (gone->verdicts != NULL)
        mailbox_close(gone->verdicts);
    if (gone->store_running)
        must(pthread_join(gone->store_thread, NULL));
    free_pipeline(gone);
}

/* ---- the gate's side ---- */

static enum status put_word(struct pipeline *pipeline, struct job *job)
{
    enum status status = intake_put(pipeline->intake, job);

    if (status != STATUS_OK)
        job_free(&job);
    return status;
}

static enum job_lane lane_of(struct byte_view frame)
{
    struct frame_face face = {0};

    if (frame_peek(frame, &face) != STATUS_OK)
        return JOB_LANE_MAIN;
    return face.verb == WIRE__FRAME__VERB_RECEIPTS || face.verb == WIRE__FRAME__VERB_REPORTS
               ? JOB_LANE_RECEIPTS
               : JOB_LANE_MAIN;
}

enum status pipeline_submit(struct pipeline *pipeline, const struct pipeline_frame *frame)
{
    struct job *job = NULL;
    enum status status;

    if (frame->bytes.size > WIRE_FRAME_LIMIT)
        return STATUS_TOO_LARGE;
    if (atomic_load(&pipeline->frames) >= pipeline->limits.intake_frames ||
        atomic_load(&pipeline->bytes) + frame->bytes.size > pipeline->limits.intake_bytes)
        return STATUS_BUSY;
    status = quota_take(pipeline->quota, frame->member, clock_elapsed());
    if (status == STATUS_OK)
        status = job_new(JOB_FRAME, &job);
    if (status != STATUS_OK)
        return status;
    job->connection = frame->connection;
    job->request = frame->request;
    job->lane = lane_of(frame->bytes);
    memcpy(job->member, frame->member, strnlen(frame->member, MEMBER_ID_LENGTH));
    bytes_append_view(&job->bytes, frame->bytes);
    if (job->bytes.status != STATUS_OK) {
        status = job->bytes.status;
        job_free(&job);
        return status;
    }
    atomic_fetch_add(&pipeline->frames, 1);
    atomic_fetch_add(&pipeline->bytes, frame->bytes.size);
    status = put_word(pipeline, job);
    if (status != STATUS_OK) {
        atomic_fetch_sub(&pipeline->frames, 1);
        atomic_fetch_sub(&pipeline->bytes, frame->bytes.size);
    }
    CRASH_POINT("broker.intake");
    return status;
}

/* A word about a member or its connection, with some bytes of its own. */
static enum status put_about(struct pipeline *pipeline, enum job_kind kind, uint64_t connection,
                             const char *member, struct byte_view bytes, const char *word)
{
    struct job *job = NULL;
    enum status status = job_new(kind, &job);

    if (status != STATUS_OK)
        return status;
    job->connection = connection;
    memcpy(job->member, member, strnlen(member, MEMBER_ID_LENGTH));
    job->error = word;
    bytes_append_view(&job->bytes, bytes);
    return put_word(pipeline, job);
}

enum status pipeline_connected(struct pipeline *pipeline, uint64_t connection, const char *member,
                               struct byte_view checkpoint)
{
    return put_about(pipeline, JOB_CONNECTED, connection, member, checkpoint, NULL);
}

enum status pipeline_disconnected(struct pipeline *pipeline, uint64_t connection)
{
    return put_about(pipeline, JOB_DISCONNECTED, connection, "", bytes_view(NULL, 0), NULL);
}

enum status pipeline_incident(struct pipeline *pipeline, const char *member, const char *word,
                              const char *sentence)
{
    return put_about(pipeline, JOB_INCIDENT, 0, member, bytes_of_string(sentence), word);
}

enum status pipeline_bundle(struct pipeline *pipeline, struct bundle *bundle,
                            struct pipeline_reason *ret_reason)
{
    struct job *job = NULL;
    struct rulebook *other = NULL;
    enum status status = job_new(JOB_BUNDLE, &job);

    ret_reason->text[0] = '\0';
    if (status == STATUS_OK)
        status = rulebook_new(bundle, &job->rulebook, ret_reason->text, sizeof ret_reason->text);
    if (status != STATUS_OK) {
        if (ret_reason->text[0] == '\0')
            (void)snprintf(ret_reason->text, sizeof ret_reason->text, "%s", status_text(status));
        job_free(&job);
        return status;
    }
    other = rulebook_share(job->rulebook); /* the job is out of our hands once it is put */
    status = put_word(pipeline, job);
    if (status == STATUS_OK) {
        /* From now on frames are verified under the new one; those under way are found out by the store
         * thread. */
        struct rulebook *before = NULL;
        must(pthread_mutex_lock(&pipeline->mutex));
        before = pipeline->rulebook;
        pipeline->rulebook = other;
        must(pthread_mutex_unlock(&pipeline->mutex));
        other = before;
    } else {
        (void)snprintf(ret_reason->text, sizeof ret_reason->text, "%s", status_text(status));
    }
    rulebook_free(&other);
    return status;
}

enum status pipeline_control(struct pipeline *pipeline, uint64_t token, struct byte_view json)
{
    struct job *job = NULL;
    enum status status = job_new(JOB_CONTROL, &job);

    if (status != STATUS_OK)
        return status;
    job->token = token;
    bytes_append_view(&job->bytes, json);
    if (job->bytes.status != STATUS_OK) {
        status = job->bytes.status;
        job_free(&job);
        return status;
    }
    return put_word(pipeline, job);
}

int pipeline_fd(const struct pipeline *pipeline)
{
    return mailbox_fd(pipeline->outgoing.mailbox);
}

/* Deliveries wait for what was taken now: the store thread is to look round. */
static void wake(struct pipeline *pipeline)
{
    struct job *job = NULL;

    if (atomic_load(&pipeline->outgoing.bytes) > pipeline->limits.outgoing_bytes / 2 ||
        !atomic_load(&pipeline->starving) || job_new(JOB_WAKE, &job) != STATUS_OK)
        return;
    if (mailbox_try_put(pipeline->verdicts, job) != STATUS_OK)
        job_free(&job);
}

size_t pipeline_take(struct pipeline *pipeline, struct pipeline_out **ret_out, size_t limit)
{
    size_t count = 0;
    void *item = NULL;

    while (count < limit && mailbox_take(pipeline->outgoing.mailbox, 0, &item) == STATUS_OK) {
        struct outgoing *outgoing = item;
        outgoing_taken(&pipeline->outgoing, outgoing);
        ret_out[count++] = &outgoing->face;
    }
    if (count > 0)
        wake(pipeline);
    return count;
}

void pipeline_out_free(struct pipeline *pipeline, struct pipeline_out **out)
{
    struct outgoing *outgoing = (struct outgoing *)(void *)*out;

    (void)pipeline;
    outgoing_free(&outgoing);
    *out = NULL;
}
