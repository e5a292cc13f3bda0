#include "agent/feed_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/feed_happening.h"
#include "agent/feed_list.h"
#include "agent/feed_release.h"
#include "agent/feed_source.h"
#include "base/crash.h"

#define ROWS_A_STEP 500
#define SENT_A_STEP 200
#define ROW_STORAGE ((size_t)1 << 20)

/* A feed of events goes from reading to sending, the others from reading to comparing. */
enum phase { PHASE_READ, PHASE_INDEX, PHASE_APPLY, PHASE_SEND, PHASE_DONE };

struct feed_import {
    struct feed_job job;
    enum phase phase;
    bool accept_missing;
    int fd; /* its copy is the source's: for looking whether the file is still the same */
    struct feed_identity identity;
    struct feed_source *source;
    unsigned slice;   /* PHASE_INDEX */
    uint64_t sent_to; /* PHASE_SEND: the last line */
    struct feed_record record;
    struct feed_row row;
    struct feed_reject reject;
};

/* ---- opening ------------------------------------------------------------------------------------------ */

static enum status refuse(struct feed_refusal *ret_refusal, enum status status, const char *text)
{
    (void)snprintf(ret_refusal->text, sizeof ret_refusal->text, "%s", text);
    return status;
}

/* Without a list nobody is on the scheme, and that must not be mistaken for a list with nobody on it. */
static enum status check_list(const struct feed_job *job, struct feed_refusal *ret_refusal)
{
    bool received = false;
    enum status status = STATUS_OK;

    if (job->mapping->does == FEED_DOES_LIST)
        return STATUS_OK;
    status = people_received(job->agent->people, &received);
    if (status == STATUS_OK && !received)
        return refuse(ret_refusal, STATUS_STALE,
                      "no list of the people on the scheme has been received yet, so nobody can be matched: "
                      "the file waits until the police have sent one");
    return status;
}

static enum status open_source(struct feed_import *import, const char *path, struct feed_refusal *ret_refusal)
{
    struct feed_input *input = NULL;
    int copy = -1;
    enum status status = feed_files_open(path, &import->fd, &import->identity);

    if (status == STATUS_UNSUPPORTED)
        return refuse(ret_refusal, status, "not a regular file: links, folders and devices are left alone");
    if (status != STATUS_OK)
        return status;
    copy = dup(import->fd);
    if (copy < 0)
        return STATUS_IO;
    status = feed_input_of_file(copy, import->job.mapping->encoding, &input);
    return status == STATUS_OK ? feed_source_new(import->job.mapping, input, &import->source) : status;
}

static enum status start_run(struct feed_import *import)
{
    struct db *db = import->job.store.db;
    enum status status = db_begin(db);

    if (status != STATUS_OK)
        return status;
    status = feed_store_start(&import->job.store, &import->job.run);
    if (status == STATUS_OK)
        return db_commit(db);
    db_rollback(db);
    return status;
}

enum status feed_import_open(const struct feed_import_options *options, int64_t now,
                             struct feed_import **ret_import, struct feed_refusal *ret_refusal)
{
    struct feed_import *import = calloc(1, sizeof *import);
    enum status status = STATUS_NO_MEMORY;

    if (import == NULL)
        return STATUS_NO_MEMORY;
    import->fd = -1;
    import->accept_missing = options->accept_missing;
    status = feed_job_open(options->agent, options->feed, options->mapping, options->officer, now,
                           &import->job, ret_refusal);
    if (status == STATUS_OK)
        status = check_list(&import->job, ret_refusal);
    if (status == STATUS_OK)
        status = open_source(import, options->path, ret_refusal);
    if (status == STATUS_OK)
        status = start_run(import);
    if (status != STATUS_OK)
        goto out;
    (void)snprintf(import->job.page->file, sizeof import->job.page->file, "%s", options->file);
    *ret_import = import;
    import = NULL;
out:
    feed_import_close(&import);
    return status;
}

/* What was read of a file that did not come to count goes in later sweeps. */
static void drop_run(struct feed_import *import)
{
    struct db *db = import->job.store.db;

    if (import->job.run == 0 || import->phase == PHASE_DONE || db_begin(db) != STATUS_OK)
        return;
    if (feed_store_drop(&import->job.store, import->job.run) == STATUS_OK)
        (void)db_commit(db); /* otherwise feed_store_abandon finds it at the next start */
    else
        db_rollback(db);
}

void feed_import_close(struct feed_import **import)
{
    if (*import == NULL)
        return;
    drop_run(*import);
    feed_source_free(&(*import)->source);
    if ((*import)->fd >= 0)
        (void)close((*import)->fd);
    feed_row_wipe(&(*import)->row);
    feed_job_close(&(*import)->job);
    free(*import);
    *import = NULL;
}

const struct feed_page *feed_import_page(const struct feed_import *import)
{
    return import->job.page;
}

const struct feed_store *feed_import_store(const struct feed_import *import)
{
    return &import->job.store;
}

int64_t feed_import_run(const struct feed_import *import)
{
    return import->job.run;
}

const struct feed_identity *feed_import_identity(const struct feed_import *import)
{
    return &import->identity;
}

/* ---- reading ------------------------------------------------------------------------------------------ */

static enum status keep_good(struct feed_import *import)
{
    struct feed_job *job = &import->job;
    char establishment[16] = "";
    bool concerns = true;
    enum status status = STATUS_OK;

    if (job->mapping->does == FEED_DOES_EVENTS)
        status = feed_happening_concerns(job, &import->row, &concerns);
    if (status != STATUS_OK || !concerns)
        return status;
    if (job->mapping->does == FEED_DOES_RELEASES)
        feed_row_text(&import->row, "prison", establishment, sizeof establishment);
    status = feed_store_add(&job->store, job->run, establishment, &import->row);
    return status == STATUS_OK ? feed_store_covers(&job->store, job->run, establishment) : status;
}

/* A row of ours that is rejected or skipped shows all the same that the file covers its establishment. */
static enum status cover(struct feed_import *import)
{
    const struct feed_value *value = feed_mapping_value(&import->job.mapping->values, "prison");
    char establishment[16];
    struct byte_view text = {0};

    if (import->job.mapping->does != FEED_DOES_RELEASES || value == NULL || value->from_count != 1)
        return STATUS_OK;
    text = import->record.fields[value->from[0]];
    if (text.size >= sizeof establishment || !feed_binding_speaks_for(import->job.binding, text))
        return STATUS_OK;
    memcpy(establishment, text.data, text.size);
    establishment[text.size] = '\0';
    return feed_store_covers(&import->job.store, import->job.run, establishment);
}

static enum feed_row_state check(struct feed_import *import, enum feed_row_state state)
{
    static const char *const needed = "pnc_id";
    struct feed_job *job = &import->job;
    const struct feed_value *value = feed_mapping_value(&job->mapping->values, needed);

    if (state != FEED_ROW_GOOD)
        return state;
    if (job->mapping->does == FEED_DOES_RELEASES && !feed_release_check(job, &import->row, &import->reject))
        return FEED_ROW_REJECTED;
    if (job->mapping->does == FEED_DOES_LIST && feed_row_value(&import->row, needed).size == 0) {
        feed_reject_set(&import->reject, import->row.line,
                        value->from_count > 0 ? job->mapping->fields[value->from[0]] : NULL,
                        "empty: people are listed by their PNC id");
        return FEED_ROW_REJECTED;
    }
    if (job->mapping->does == FEED_DOES_RELEASES && feed_row_value(&import->row, "pnc_id").size == 0 &&
        feed_row_value(&import->row, "prison_no").size == 0) {
        feed_reject_set(&import->reject, import->row.line, NULL,
                        "neither PNC id nor prison number: whose row this is cannot be told");
        return FEED_ROW_REJECTED;
    }
    return FEED_ROW_GOOD;
}

static enum status take_row(struct feed_import *import, const struct feed_reject *broken)
{
    struct feed_job *job = &import->job;
    struct feed_page *page = job->page;
    enum feed_row_state state =
        feed_row_read(job->binding, &import->record, broken, job->today, &import->row, &import->reject);

    page->rows++;
    if (state == FEED_ROW_ELSEWHERE) {
        page->elsewhere++;
        return STATUS_OK;
    }
    page->ours++;
    state = check(import, state);
    if (state == FEED_ROW_GOOD)
        return keep_good(import);
    if (state == FEED_ROW_SKIPPED)
        page->skipped++;
    if (state == FEED_ROW_REJECTED) {
        enum status status = feed_store_reject(&job->store, job->run, &import->reject, &import->row);

        if (status != STATUS_OK)
            return status;
    }
    return cover(import);
}

/* STATUS_NOT_FOUND: the file has ended. */
static enum status read_rows(struct feed_import *import, struct feed_refusal *ret_refusal)
{
    for (size_t i = 0; i < ROWS_A_STEP; i++) {
        struct feed_reject broken = {0};
        enum status status = feed_source_next(import->source, &import->record, &broken, ret_refusal);

        if (status != STATUS_OK && status != STATUS_BAD_FORMAT)
            return status;
        status = take_row(import, status == STATUS_BAD_FORMAT ? &broken : NULL);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* The file has ended: was it the same all the time? */
static enum status check_identity(struct feed_import *import, struct feed_refusal *ret_refusal)
{
    const uint64_t size = feed_input_size(feed_source_input(import->source));
    struct feed_identity now_is;
    enum status status = feed_files_stat(import->fd, &now_is);

    if (status == STATUS_OK &&
        (!feed_files_same(&now_is, &import->identity) || size != (uint64_t)import->identity.size))
        return refuse(ret_refusal, STATUS_BUSY, "the file was written to while it was read");
    return status;
}

static enum status step_read(struct feed_import *import, struct feed_refusal *ret_refusal)
{
    struct db *db = import->job.store.db;
    enum status status = db_begin(db);
    bool ended = false;

    if (status != STATUS_OK)
        return status;
    status = read_rows(import, ret_refusal);
    if (status == STATUS_NOT_FOUND) {
        ended = true;
        status = check_identity(import, ret_refusal);
    }
    if (status != STATUS_OK) {
        db_rollback(db);
        return status;
    }
    status = db_commit(db);
    CRASH_POINT("feed.rows_kept");
    if (status == STATUS_OK && ended)
        import->phase = import->job.mapping->does == FEED_DOES_EVENTS ? PHASE_SEND : PHASE_INDEX;
    return status;
}

static enum status step_index(struct feed_import *import)
{
    struct db *db = import->job.store.db;
    bool more = false;
    enum status status = db_begin(db);

    if (status != STATUS_OK)
        return status;
    status = feed_store_index(&import->job.store, import->job.run, (int64_t)import->job.page->ours,
                              &import->slice, &more);
    if (status != STATUS_OK) {
        db_rollback(db);
        return status;
    }
    status = db_commit(db);
    if (status == STATUS_OK && !more)
        import->phase = PHASE_APPLY;
    return status;
}

/* ---- the file as a whole ------------------------------------------------------------------------------ */

static const char *date_column(const struct feed_mapping *mapping)
{
    const struct feed_value *value =
        feed_mapping_value(&mapping->values, mapping->does == FEED_DOES_RELEASES ? "release_date" : "pnc_id");

    return value != NULL && value->from_count > 0 ? mapping->fields[value->from[0]] : NULL;
}

static enum status count_rejects(struct feed_import *import)
{
    struct feed_counts counts = {0};
    enum status status = feed_store_counts(&import->job.store, import->job.run, &counts);

    if (status == STATUS_OK)
        import->job.page->rejected = (uint64_t)counts.rejected;
    return status;
}

static enum status settle(struct feed_import *import)
{
    struct feed_job *job = &import->job;
    int64_t again = 0;
    enum status status = feed_store_settle(&job->store, job->run, date_column(job->mapping), &again);

    if (status != STATUS_OK)
        return status;
    job->page->repeated = (uint64_t)again;
    return count_rejects(import);
}

/* Whether a person has to look first; then page->held says why. */
static enum status hold(struct feed_import *import, bool *ret_hold)
{
    struct feed_job *job = &import->job;

    *ret_hold = false;
    if (job->page->rows == 0) {
        *ret_hold = true;
        (void)snprintf(job->page->held.text, sizeof job->page->held.text,
                       "the file has no rows; that is an error, not \"nobody\"");
        return STATUS_OK;
    }
    if (import->accept_missing)
        return STATUS_OK;
    return job->mapping->does == FEED_DOES_LIST ? feed_list_hold(job, ret_hold)
                                                : feed_release_hold(job, ret_hold);
}

static enum status put_in_force(struct feed_import *import)
{
    struct feed_job *job = &import->job;
    enum status status = STATUS_OK;

    if (job->mapping->does == FEED_DOES_RELEASES) {
        status = feed_store_enforce(&job->store, job->run);
        return status == STATUS_OK ? feed_release_look(job) : status;
    }
    status = feed_list_apply(job);
    return status == STATUS_OK ? feed_store_drop(&job->store, job->run) : status;
}

static enum status note(struct feed_import *import)
{
    struct feed_job *job = &import->job;
    struct feed_last last = {0};
    uint8_t digest[DIGEST_SIZE];
    enum status status = feed_store_last(&job->store, &last);

    if (status != STATUS_OK)
        return status;
    feed_input_digest(feed_source_input(import->source), digest);
    job->page->again = last.at != 0 && memcmp(digest, last.file, DIGEST_SIZE) == 0;
    memcpy(last.file, digest, DIGEST_SIZE);
    last.at = job->now;
    last.rows = (int64_t)job->page->rows;
    last.rejected = (int64_t)job->page->rejected;
    if (job->mapping->does == FEED_DOES_RELEASES)
        last.look_day = job->today;
    return feed_store_note(&job->store, &last);
}

static enum status apply(struct feed_import *import)
{
    bool held = false;
    enum status status = settle(import);

    if (status == STATUS_OK)
        status = hold(import, &held);
    if (status == STATUS_OK && held)
        return feed_store_drop(&import->job.store, import->job.run);
    if (status == STATUS_OK)
        status = put_in_force(import);
    return status == STATUS_OK ? note(import) : status;
}

/* Some of the rows of a feed of events. STATUS_NOT_FOUND: that was all. */
static enum status send_rows(struct feed_import *import)
{
    struct feed_job *job = &import->job;
    struct byte_buffer storage = bytes_buffer(ROW_STORAGE);
    struct feed_row row = {0};
    enum status status = STATUS_OK;

    for (size_t i = 0; i < SENT_A_STEP && status == STATUS_OK; i++) {
        status = feed_store_next_good(&job->store, job->run, &import->sent_to, &storage, &row);
        if (status == STATUS_OK)
            status = feed_happening_send(job, &row);
    }
    bytes_buffer_wipe(&storage);
    return status;
}

static enum status finish_sending(struct feed_import *import)
{
    enum status status = count_rejects(import);

    if (status == STATUS_OK)
        status = feed_store_drop(&import->job.store, import->job.run);
    return status == STATUS_OK ? note(import) : status;
}

static enum status step_send(struct feed_import *import)
{
    struct db *db = import->job.store.db;
    bool ended = false;
    enum status status = db_begin(db);

    if (status != STATUS_OK)
        return status;
    status = send_rows(import);
    ended = status == STATUS_NOT_FOUND;
    if (ended)
        status = finish_sending(import);
    if (status != STATUS_OK) {
        db_rollback(db);
        return status;
    }
    status = db_commit(db);
    CRASH_POINT("feed.rows_sent");
    if (status == STATUS_OK && ended)
        import->phase = PHASE_DONE;
    return status;
}

static enum status step_apply(struct feed_import *import)
{
    struct db *db = import->job.store.db;
    enum status status = db_begin(db);

    if (status != STATUS_OK)
        return status;
    status = apply(import);
    if (status != STATUS_OK) {
        db_rollback(db);
        return status;
    }
    CRASH_POINT("feed.before_commit");
    status = db_commit(db);
    CRASH_POINT("feed.after_commit");
    if (status == STATUS_OK)
        import->phase = PHASE_DONE;
    return status;
}

enum status feed_import_step(struct feed_import *import, bool *ret_done, struct feed_refusal *ret_refusal)
{
    enum status status = STATUS_OK;

    switch (import->phase) {
    case PHASE_READ:
        status = step_read(import, ret_refusal);
        break;
    case PHASE_INDEX:
        status = step_index(import);
        break;
    case PHASE_APPLY:
        status = step_apply(import);
        break;
    case PHASE_SEND:
        status = step_send(import);
        break;
    case PHASE_DONE:
    default:
        break;
    }
    if (status == STATUS_OK)
        *ret_done = import->phase == PHASE_DONE;
    return status;
}

enum status feed_import_look(struct feed_job *job)
{
    struct feed_last last = {0};
    enum status status = db_begin(job->store.db);

    if (status != STATUS_OK)
        return status;
    status = feed_store_last(&job->store, &last);
    if (status == STATUS_OK)
        status = feed_release_look(job);
    last.look_day = job->today;
    if (status == STATUS_OK)
        status = feed_store_note(&job->store, &last);
    if (status == STATUS_OK)
        return db_commit(job->store.db);
    db_rollback(job->store.db);
    return status;
}
