#include "broker/proving.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/counted.h"
#include "broker/engine.h"
#include "broker/index_db.h"
#include "broker/logtiles.h"
#include "proto/log_proof.h"
#include "proto/tile_reader.h"

#define WAITING      256                 /* requests */
#define ANSWER_BYTES ((size_t)200 << 10) /* of entries and proofs in one answer; a frame has more room */
#define PATH_BYTES   2048                /* of a proof without its checkpoint, roughly */
#define LIMIT_ENTRY  ((size_t)1 << 18)
#define RETRY_MS     2000u

/* A checkpoint under which proofs are made. */
struct proving_head {
    uint64_t size;
    struct byte_buffer note;
};

enum { FINAL, NEWEST, HEADS };

/* What the store thread hands over. */
struct proving_request {
    uint64_t connection;
    uint64_t request;
    char member[MEMBER_ID_LENGTH + 1];
    enum counted_role role;
    uint64_t first;
    uint32_t count;
    struct proving_head heads[HEADS];
};

/* An entry and what is left of its record, copied. */
struct proving_entry {
    uint64_t index;
    struct byte_buffer bytes; /* entry ‖ account salt ‖ [personal salt ‖] account ‖ personal */
    size_t account_size;
    bool personal;
};

struct proving {
    struct mailbox *requests;
    struct outgoing_queue *outgoing;
    struct db *store;
    struct db *index; /* NULL until there is one */
    char index_path[PATH_MAX];
    struct tile_reader *tiles[HEADS];
    uint64_t tiles_size[HEADS];
    _Atomic uint64_t wanted; /* a final checkpoint of this size is waited for; 0: none */
    pthread_t thread;
    bool running;
};

static void free_request(struct proving_request **request)
{
    for (size_t i = 0; *request != NULL && i < HEADS; i++)
        bytes_buffer_free(&(*request)->heads[i].note);
    free(*request);
    *request = NULL;
}

/* ---- collecting ---- */

struct collected {
    const struct proving_request *request;
    size_t note_size; /* of the larger note */
    struct proving_entry entries[WIRE_BATCH_MAX];
    size_t count;
    size_t bytes;
};

static void forget(struct collected *collected, size_t from)
{
    for (size_t i = from; i < collected->count; i++)
        bytes_buffer_wipe(&collected->entries[i].bytes);
    collected->count = from;
}

static enum status collect(void *context, const struct counted_entry *found)
{
    struct collected *collected = context;
    struct logrow_block block;

    if (collected->request->role == COUNTED_COUNT) /* the newest is wanted */
        forget(collected, 0);
    if (logrow_block(found->row, found->record, &block) != STATUS_OK)
        return STATUS_CORRUPT;
    const size_t size = found->record->account.size + block.part.size + PATH_BYTES;
    if (collected->count > 0 &&
        (collected->count == WIRE_BATCH_MAX || collected->bytes + size + collected->note_size > ANSWER_BYTES))
        return STATUS_CLOSED;
    collected->bytes += size + collected->note_size;

    struct proving_entry *entry = &collected->entries[collected->count++];
    *entry = (struct proving_entry){.index = found->index,
                                    .bytes = bytes_buffer(LIMIT_ENTRY),
                                    .account_size = found->record->account.size,
                                    .personal = block.salt != NULL};
    bytes_append(&entry->bytes, found->record->entry, RECORD_ENTRY_SIZE);
    bytes_append(&entry->bytes, found->record->account_salt, RECORD_SALT_SIZE);
    if (entry->personal)
        bytes_append(&entry->bytes, block.salt, RECORD_SALT_SIZE);
    bytes_append_view(&entry->bytes, found->record->account);
    if (entry->personal)
        bytes_append_view(&entry->bytes, block.part);
    return entry->bytes.status;
}

/* ---- answering ---- */

/* A reader of the tree of this size; it keeps tiles, so that neighbours' proofs cost little. */
static enum status set_size(struct proving *proving, size_t head, uint64_t size)
{
    const struct tile_source source = logtiles_source(proving->store);

    if (proving->tiles[head] != NULL && proving->tiles_size[head] == size)
        return STATUS_OK;
    tile_reader_free(&proving->tiles[head]);
    proving->tiles_size[head] = size;
    return tile_reader_new(&source, size, &proving->tiles[head]);
}

/* Under the newest final checkpoint, if that covers the entry; else it is provisional. */
static enum status make_proof(struct proving *proving, const struct proving_request *request, uint64_t index,
                              struct byte_buffer *ret)
{
    const size_t at = index < request->heads[FINAL].size ? FINAL : NEWEST;
    const struct proving_head *head = &request->heads[at];
    struct log_proof proof = {.index = index, .checkpoint = bytes_buffer_view(&head->note)};
    enum status status = set_size(proving, at, head->size);

    if (at == NEWEST)
        atomic_store(&proving->wanted, head->size);
    if (status == STATUS_OK)
        status = tile_reader_path(proving->tiles[at], index, proof.path, &proof.path_length);
    return status == STATUS_OK ? log_proof_format(&proof, ret) : status;
}

static void fill_in(const struct proving_entry *entry, const struct byte_buffer *proof, Wire__LogEntry *out)
{
    struct byte_reader reader = bytes_reader(bytes_buffer_view(&entry->bytes));

    wire__log_entry__init(out);
    out->index = entry->index;
    out->entry = wire_data(bytes_read_view(&reader, RECORD_ENTRY_SIZE));
    out->account_salt = wire_data(bytes_read_view(&reader, RECORD_SALT_SIZE));
    if (entry->personal) {
        out->has_personal_salt = 1;
        out->personal_salt = wire_data(bytes_read_view(&reader, RECORD_SALT_SIZE));
    }
    out->account = wire_data(bytes_read_view(&reader, entry->account_size));
    if (entry->personal) {
        out->has_personal = 1;
        out->personal = wire_data(reader.rest);
    }
    out->proof = wire_data(bytes_buffer_view(proof));
}

static enum status pack_answer(struct proving *proving, const struct collected *collected,
                               struct byte_buffer *ret)
{
    struct byte_buffer proofs[WIRE_BATCH_MAX];
    Wire__LogEntry entries[WIRE_BATCH_MAX];
    Wire__LogEntry *pointers[WIRE_BATCH_MAX];
    Wire__LogAnswer answer = WIRE__LOG_ANSWER__INIT;
    enum status status = STATUS_OK;
    size_t made = 0;

    for (; made < collected->count && status == STATUS_OK; made++) {
        proofs[made] = bytes_buffer(LOG_PROOF_SIZE_MAX);
        status = make_proof(proving, collected->request, collected->entries[made].index, &proofs[made]);
        fill_in(&collected->entries[made], &proofs[made], &entries[made]);
        pointers[made] = &entries[made];
    }
    answer.n_entries = made;
    answer.entries = pointers;
    if (status == STATUS_OK)
        wire_pack(&answer.base, ret);
    for (size_t i = 0; i < made; i++)
        bytes_buffer_free(&proofs[i]);
    return status == STATUS_OK ? ret->status : status;
}

/* The index may have been removed and made again since. */
static void open_index(struct proving *proving)
{
    if (proving->index != NULL)
        db_close(&proving->index);
    if (index_db_open(proving->index_path, true, &proving->index) != STATUS_OK)
        proving->index = NULL;
}

static enum status find(struct proving *proving, struct collected *collected)
{
    const struct proving_request *request = collected->request;
    struct counted_query query = {.store = proving->store,
                                  .index = proving->index,
                                  .member = request->member,
                                  .role = request->role,
                                  .first = request->first,
                                  .count = request->count,
                                  .size = request->heads[NEWEST].size};

    return counted_find(&query, collect, collected);
}

static enum status make_answer(struct proving *proving, const struct proving_request *request,
                               struct byte_buffer *ret)
{
    struct collected *collected = calloc(1, sizeof *collected);
    enum status status = STATUS_NO_MEMORY;

    if (collected == NULL)
        return status;
    collected->request = request;
    for (size_t i = 0; i < HEADS; i++)
        if (request->heads[i].note.size > collected->note_size)
            collected->note_size = request->heads[i].note.size;
    status = find(proving, collected);
    if (status == STATUS_OK)
        status = pack_answer(proving, collected, ret);
    forget(collected, 0);
    free(collected);
    return status;
}

static void forget_tiles(struct proving *proving)
{
    for (size_t i = 0; i < HEADS; i++)
        tile_reader_free(&proving->tiles[i]);
}

static enum status error_frame(const struct proving_request *request, struct outgoing **ret)
{
    struct byte_buffer body = bytes_buffer(4096);
    Wire__Error error = WIRE__ERROR__INIT;
    static char text[] = "the log's entries cannot be looked up now; try again";

    error.code = WIRE__ERROR_CODE__NOT_NOW;
    error.text = text;
    error.has_retry_after = 1;
    error.retry_after = RETRY_MS;
    wire_pack(&error.base, &body);
    enum status status = body.status;
    if (status == STATUS_OK)
        status = outgoing_frame(request->connection, request->member, request->request,
                                WIRE__FRAME__VERB_ERROR, bytes_buffer_view(&body), ret);
    bytes_buffer_free(&body);
    return status;
}

/* Whatever goes wrong, the member asks again; that the log's own files are in order is looked after where
 * they are written. */
static void answer(struct proving *proving, const struct proving_request *request)
{
    struct byte_buffer body = bytes_buffer(WIRE_FRAME_LIMIT);
    struct outgoing *frame = NULL;

    open_index(proving);
    enum status status = make_answer(proving, request, &body);
    if (status == STATUS_OK)
        status = outgoing_frame(request->connection, request->member, request->request,
                                WIRE__FRAME__VERB_LOG_ANSWER, bytes_buffer_view(&body), &frame);
    if (status != STATUS_OK) {
        forget_tiles(proving);
        status = error_frame(request, &frame);
    }
    if (status == STATUS_OK)
        outgoing_put(proving->outgoing, &frame);
    bytes_buffer_wipe(&body);
}

static void *run(void *context)
{
    struct proving *proving = context;
    void *item = NULL;

    while (mailbox_take(proving->requests, -1, &item) == STATUS_OK) {
        struct proving_request *request = item;
        answer(proving, request);
        free_request(&request);
    }
    return NULL;
}

/* ---- starting and stopping ---- */

static enum status open_store(const char *folder, struct proving *proving)
{
    const struct db_options options = {
        .application_id = LOGROW_STORE_APPLICATION,
        .user_version = LOGROW_STORE_VERSION,
        .schema_sql = "",
        .read_only = true,
        .cache_kib = 512,
    };
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s/broker.db", folder);
    int index_size = snprintf(proving->index_path, sizeof proving->index_path, "%s/index.db", folder);

    if (size < 0 || size >= (int)sizeof path || index_size < 0 ||
        index_size >= (int)sizeof proving->index_path)
        return STATUS_TOO_LARGE;
    return db_open(path, &options, &proving->store);
}

enum status proving_start(const char *folder, struct outgoing_queue *outgoing, struct proving **ret)
{
    struct proving *proving = calloc(1, sizeof *proving);
    enum status status = STATUS_NO_MEMORY;

    if (proving == NULL)
        return status;
    proving->outgoing = outgoing;
    status = mailbox_new(WAITING, &proving->requests);
    if (status == STATUS_OK)
        status = open_store(folder, proving);
    if (status == STATUS_OK && pthread_create(&proving->thread, NULL, run, proving) != 0)
        status = STATUS_NO_MEMORY;
    if (status != STATUS_OK) {
        proving_stop(&proving);
        return status;
    }
    proving->running = true;
    *ret = proving;
    return STATUS_OK;
}

void proving_stop(struct proving **proving)
{
    struct proving *gone = *proving;
    void *item = NULL;

    *proving = NULL;
    if (gone == NULL)
        return;
    if (gone->requests != NULL) {
        while (mailbox_take(gone->requests, 0, &item) == STATUS_OK) {
            struct proving_request *request = item;
            free_request(&request);
        }
        mailbox_close(gone->requests);
    }
    if (gone->running)
        (void)pthread_join(gone->thread, NULL);
    mailbox_free(&gone->requests);
    forget_tiles(gone);
    db_close(&gone->store);
    db_close(&gone->index);
    free(gone);
}

/* ---- the store thread's side ---- */

static enum counted_role role_of(const Wire__LogRequest *asked)
{
    if (asked->has_newest_count && asked->newest_count)
        return COUNTED_COUNT;
    return asked->as_sender ? COUNTED_SENDER : COUNTED_RECIPIENT;
}

/* The log's signature and no more cosignatures than make it final, so that proofs stay small. */
static enum status take_head(struct proving_head *head, const struct witnessing_note *given, size_t most)
{
    struct note note;
    size_t count = 0;
    enum status status = note_parse(given->note, &note);

    head->size = given->size;
    head->note = bytes_buffer(NOTE_SIZE_MAX);
    if (status == STATUS_OK)
        status = note_start(note.text, &head->note);
    for (size_t i = 0; status == STATUS_OK && i < note.signature_count && count < most + 1; i++, count++)
        note_append_signature(&note.signatures[i], &head->note);
    return status == STATUS_OK ? head->note.status : status;
}

static enum status take_heads(const struct engine *engine, struct proving_request *request)
{
    const struct witnessing_note newest = witnessing_newest(engine->witnessing);
    const size_t quorum = witnessing_summary(engine->witnessing).quorum;
    struct witnessing_note final;
    enum status status = take_head(&request->heads[NEWEST], &newest, quorum);

    if (status == STATUS_OK)
        status = witnessing_final(engine->witnessing, &final);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK; /* nothing is final yet */
    return status == STATUS_OK ? take_head(&request->heads[FINAL], &final, quorum) : status;
}

static enum status make_request(const struct engine *engine, const struct job *job,
                                struct proving_request **ret)
{
    const Wire__LogRequest *asked = job->frame->log_request;
    struct proving_request *request = calloc(1, sizeof *request);

    if (request == NULL)
        return STATUS_NO_MEMORY;
    request->connection = job->connection;
    request->request = job->frame->request;
    memcpy(request->member, job->member, sizeof request->member);
    request->role = role_of(asked);
    request->first = asked->first_counter;
    request->count = asked->count;
    const enum status status = take_heads(engine, request);
    if (status == STATUS_OK)
        *ret = request;
    else
        free_request(&request);
    return status;
}

void proving_tick(struct engine *engine)
{
    const uint64_t size = engine->proving == NULL ? 0 : atomic_exchange(&engine->proving->wanted, 0);

    if (size > 0)
        witnessing_want(engine->witnessing, size);
}

enum status proving_handle(struct engine *engine, struct job *job)
{
    struct peer *peer = peers_take(engine->peers, bytes_of_string(job->member));
    struct proving_request *request = NULL;

    if (peer == NULL)
        return STATUS_NO_MEMORY;
    if (engine->proving == NULL)
        return engine_answer_error(engine, job, WIRE__ERROR_CODE__UNSUPPORTED,
                                   "this broker keeps its log in memory and proves nothing");
    peers_count_minute(peer, engine->now);
    if (peer->log_entries >= engine->limits.log_entries_per_minute)
        return engine_answer_error(engine, job, WIRE__ERROR_CODE__NOT_NOW,
                                   "too many log entries within a minute; ask later");
    peer->log_entries += job->frame->log_request->count;
    enum status status = make_request(engine, job, &request);
    if (status != STATUS_OK)
        return status;
    if (mailbox_try_put(engine->proving->requests, request) == STATUS_OK)
        return STATUS_OK;
    free_request(&request);
    return engine_answer_error(engine, job, WIRE__ERROR_CODE__NOT_NOW,
                               "the broker has too much to prove now; ask again");
}
