#include "audit/verify.h"

#include <inttypes.h>
#include <string.h>

#include "audit/counters.h"
#include "audit/tree.h"
#include "proto/logrow.h"

#define PROGRESS_EVERY 65536 /* entries */

struct verify {
    struct source *source;
    const struct verify_progress *progress;
    const struct verify_memory *memory;
    struct problems *problems;
    struct tree *tree;
    struct counters *counters;
    bool have_checkpoint;
    struct checkpoint checkpoint;
    uint64_t signed_size;
    struct digest signed_root;
    uint64_t total;
    uint64_t next;   /* the entry that should come */
    bool tree_ended; /* entries are missing: what follows is not in its place */
    uint64_t erased;
};

enum status verify_checkpoint(struct byte_view note, const struct note_key *key, struct problems *problems,
                              struct checkpoint *ret_checkpoint)
{
    enum status status = checkpoint_open(note, key, NULL, ret_checkpoint);

    switch ((int)status) {
    case STATUS_OK:
    case STATUS_NO_MEMORY:
    case STATUS_CRYPTO:
        return status;
    case STATUS_UNKNOWN_KEY:
        problems_add(problems, "checkpoint: the log's key did not sign it");
        break;
    case STATUS_MISMATCH:
        problems_add(problems, "checkpoint: is another log's");
        break;
    case STATUS_BAD_SIGNATURE:
        problems_add(problems, "checkpoint: its signature does not verify");
        break;
    default:
        problems_add(problems, "checkpoint: %s", status_text(status));
        break;
    }
    return STATUS_MISMATCH;
}

enum status verify_extends(const struct remembered *since, const struct checkpoint *checkpoint,
                           const struct note_key *key, struct problems *problems)
{
    struct checkpoint before;
    uint64_t count = problems->count;
    enum status status = verify_checkpoint(bytes_buffer_view(&since->note), key, problems, &before);

    if (status == STATUS_MISMATCH)
        problems_add(problems, "what was remembered: its checkpoint is not this log's");
    if (status != STATUS_OK)
        return status;
    if (before.size != since->size || memcmp(&before.root, &since->root, sizeof before.root) != 0)
        problems_add(problems, "what was remembered: says another size or root than its checkpoint");
    else if (checkpoint->size < before.size)
        problems_add(problems,
                     "checkpoint: is for %" PRIu64 " entries, fewer than the %" PRIu64
                     " that were verified before: an older copy",
                     checkpoint->size, before.size);
    else if (checkpoint->size == before.size &&
             memcmp(&checkpoint->root, &before.root, sizeof before.root) != 0)
        problems_add(problems,
                     "checkpoint: has another root for %" PRIu64
                     " entries than the one that was verified before: "
                     "two logs bear this key",
                     before.size);
    return problems->count == count ? STATUS_OK : STATUS_MISMATCH;
}

/* ---- one record ---- */

static void check_parts(struct verify *verify, uint64_t index, const struct logrow_record *record,
                        const struct logrow_block *block)
{
    const struct byte_view none = {NULL, 0};
    enum status account = record_verify(record->entry, record->account_salt, record->account, NULL, none);

    if (account == STATUS_BAD_FORMAT) {
        problems_add(verify->problems, "entry %" PRIu64 ": is of no known version or kind", index);
        return;
    }
    if (account != STATUS_OK)
        problems_add(verify->problems, "entry %" PRIu64 ": does not match its account part", index);
    if (record_verify(record->entry, NULL, none, block->salt, block->part) != STATUS_OK)
        problems_add(verify->problems, "entry %" PRIu64 ": does not match its personal part", index);
}

static enum status check_meaning(struct verify *verify, uint64_t index, const struct logrow_record *record,
                                 const struct logrow_block *block)
{
    struct record_storage storage;
    struct record_account account;
    struct record_personal personal;

    if (block->salt != NULL && block->part.size > 0 &&
        record_decode_personal(block->part, &storage, &personal) != STATUS_OK)
        problems_add(verify->problems, "entry %" PRIu64 ": its personal part is malformed", index);
    if (record_decode_account(record->account, &storage, &account) != STATUS_OK) {
        problems_add(verify->problems, "entry %" PRIu64 ": its account part is malformed", index);
        return STATUS_OK;
    }
    if (record_kind_text(record->entry[1]) == NULL)
        return STATUS_OK;
    return counters_check(verify->counters, index, record->entry[1], &account, verify->problems);
}

static void check_signed_root(struct verify *verify)
{
    struct digest root = tree_root(verify->tree);

    if (verify->have_checkpoint && tree_size(verify->tree) == verify->signed_size &&
        memcmp(&root, &verify->signed_root, sizeof root) != 0)
        problems_add(verify->problems,
                     "checkpoint: the first %" PRIu64 " entries do not give the root that was signed",
                     verify->signed_size);
}

/* Where things stand at the checkpoint is what a later verification goes on from. */
static enum status keep_counters(struct verify *verify)
{
    struct remembered *remember = verify->memory->remember;

    if (remember == NULL || !verify->have_checkpoint || verify->next != verify->signed_size)
        return STATUS_OK;
    return counters_copy(verify->counters, remember->counters);
}

static enum status check_record(struct verify *verify, const struct logrow *row,
                                const struct logrow_record *record)
{
    uint64_t index = verify->next++;
    struct logrow_block block = {.salt = NULL};
    enum status status = STATUS_OK;

    if (!verify->tree_ended) {
        status = tree_add(verify->tree, bytes_view(record->entry, RECORD_ENTRY_SIZE));
        if (status == STATUS_OK)
            check_signed_root(verify);
    }
    if (status != STATUS_OK)
        return status;
    if (verify->progress->at != NULL && verify->next % PROGRESS_EVERY == 0)
        verify->progress->at(verify->progress->context, verify->next, verify->total);
    if (logrow_block(row, record, &block) != STATUS_OK) {
        problems_add(verify->problems, "entry %" PRIu64 ": its personal part is damaged", index);
        block = (struct logrow_block){.salt = NULL};
    } else if (block.salt == NULL) {
        verify->erased++;
    }
    check_parts(verify, index, record, &block);
    status = check_meaning(verify, index, record, &block);
    return status == STATUS_OK ? keep_counters(verify) : status;
}

/* ---- rows ---- */

static void check_place(struct verify *verify, uint64_t first)
{
    if (first == verify->next)
        return;
    if (first == verify->next + 1)
        problems_add(verify->problems, "entry %" PRIu64 ": is missing", verify->next);
    else if (first > verify->next)
        problems_add(verify->problems, "entries %" PRIu64 " to %" PRIu64 ": are missing", verify->next,
                     first - 1);
    else
        problems_add(verify->problems, "entry %" PRIu64 ": stands in two rows", first);
    verify->tree_ended = true;
    verify->next = first;
}

static enum status check_row(void *context, const struct source_row *read)
{
    struct verify *verify = context;
    struct logrow row = logrow_open(read->records, read->personal);
    struct logrow_record record;
    enum status status = STATUS_OK;
    uint64_t i = 0;

    check_place(verify, read->first);
    for (; i < read->n && status == STATUS_OK && logrow_next(&row, &record) == STATUS_OK; i++)
        status = check_record(verify, &row, &record);
    if (status != STATUS_OK)
        return status;
    if (i < read->n || logrow_next(&row, &record) != STATUS_NOT_FOUND) {
        problems_add(verify->problems,
                     "entry %" PRIu64 ": the row that starts at entry %" PRIu64 " is damaged here",
                     verify->next, read->first);
        verify->tree_ended = true;
        if (read->n <= INT64_MAX - read->first)
            verify->next = read->first + read->n;
    }
    return STATUS_OK;
}

static enum status read_tile(void *context, const struct tile_id *id, struct digest *ret_hashes)
{
    return source_tile(context, id, ret_hashes);
}

/* A tile of level 0 that was not full then may not be stored yet. */
static enum status read_edge(void *context, const struct tile_id *id, struct digest *ret_hashes)
{
    enum status status = source_tile(context, id, ret_hashes);

    if (id->level == 0 && (status == STATUS_NOT_FOUND || status == STATUS_CORRUPT))
        status = source_leaves(context, id->n * TILE_WIDTH, id->width, ret_hashes);
    return status;
}

/* Goes on where the earlier verification ended; *ret_go_on false (and told) when this log does not. */
static enum status resume(struct verify *verify, const struct note_key *key, bool *ret_go_on)
{
    const struct remembered *since = verify->memory->since;
    const struct tile_source edge = {.read = read_edge, .context = verify->source};
    enum status status;

    *ret_go_on = false;
    if (!verify->have_checkpoint) {
        problems_add(verify->problems, "the log cannot be held against what was verified before");
        return STATUS_OK;
    }
    status = verify_extends(since, &verify->checkpoint, key, verify->problems);
    if (status == STATUS_MISMATCH)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = tree_resume(verify->tree, &edge, since->size);
    if (status == STATUS_NOT_FOUND || status == STATUS_CORRUPT) {
        problems_add(verify->problems, "the tiles of the first %" PRIu64 " entries are missing or damaged",
                     since->size);
        return STATUS_OK;
    }
    if (status != STATUS_OK)
        return status;
    struct digest root = tree_root(verify->tree);
    if (memcmp(&root, &since->root, sizeof root) != 0) {
        problems_add(verify->problems,
                     "the first %" PRIu64
                     " entries no longer give the root that was verified before: this is no "
                     "extension of that log",
                     since->size);
        return STATUS_OK;
    }
    *ret_go_on = true;
    verify->next = since->size;
    status = counters_copy(since->counters, verify->counters);
    return status == STATUS_OK ? keep_counters(verify) : status;
}

/* ---- the whole ---- */

static enum status read_checkpoint(struct verify *verify, const struct note_key *key)
{
    struct source_checkpoint stored;
    struct checkpoint checkpoint;
    enum status status = source_checkpoint(verify->source, &stored);

    if (status == STATUS_NOT_FOUND || status == STATUS_CORRUPT) {
        problems_add(verify->problems, "checkpoint: %s",
                     status == STATUS_CORRUPT ? "is damaged" : "there is none");
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status = verify_checkpoint(stored.note, key, verify->problems, &checkpoint);
    if (status != STATUS_OK)
        return status == STATUS_MISMATCH ? STATUS_OK : status;
    if (stored.size != checkpoint.size || memcmp(&stored.root, &checkpoint.root, sizeof stored.root) != 0)
        problems_add(verify->problems, "checkpoint: its table says another size or root than its note");
    if (verify->memory->remember != NULL)
        bytes_append_view(&verify->memory->remember->note, stored.note);
    verify->have_checkpoint = true;
    verify->checkpoint = checkpoint;
    verify->signed_size = checkpoint.size;
    verify->signed_root = checkpoint.root;
    return STATUS_OK;
}

static enum status check_rows(struct verify *verify, const struct digest *head_root, uint64_t rows_end)
{
    enum status status = source_rows(verify->source, verify->next, verify->total, check_row, verify);

    if (status == STATUS_OK && !verify->tree_ended)
        status = tree_finish(verify->tree);
    if (status != STATUS_OK)
        return status;
    struct digest root = tree_root(verify->tree);
    if (verify->next != verify->total || rows_end != verify->total)
        problems_add(verify->problems, "head: says %" PRIu64 " entries, but the rows end after %" PRIu64,
                     verify->total, rows_end);
    else if (verify->tree_ended)
        problems_add(verify->problems, "the tree was recomputed up to entry %" PRIu64 " only",
                     tree_size(verify->tree));
    else if (memcmp(&root, head_root, sizeof root) != 0)
        problems_add(verify->problems, "head: its root is not that of the %" PRIu64 " entries",
                     verify->total);
    return STATUS_OK;
}

static enum status check_log(struct verify *verify, const struct note_key *key)
{
    struct digest head_root;
    uint64_t rows_end = 0;
    enum status status =
        read_checkpoint(verify, key); /* before the head, so that the log is at least as long */

    if (status == STATUS_OK && verify->memory->since != NULL) {
        bool go_on = false;
        status = resume(verify, key, &go_on);
        if (status != STATUS_OK || !go_on)
            return status;
    }
    if (status != STATUS_OK)
        return status;
    check_signed_root(verify);
    status = source_head(verify->source, &verify->total, &head_root, &rows_end);
    if (status == STATUS_CORRUPT) {
        problems_add(verify->problems, "head: is damaged");
        return STATUS_OK;
    }
    if (status != STATUS_OK)
        return status;
    if (verify->have_checkpoint && verify->signed_size > verify->total)
        problems_add(verify->problems,
                     "head: says %" PRIu64 " entries, fewer than the %" PRIu64
                     " that were signed: an older copy",
                     verify->total, verify->signed_size);
    return check_rows(verify, &head_root, rows_end);
}

/* What a later verification goes on from; the counters were kept on the way. */
static enum status remember(struct verify *verify)
{
    struct remembered *remembered = verify->memory->remember;

    if (remembered == NULL || !verify->have_checkpoint || verify->problems->count > 0)
        return STATUS_OK;
    remembered->size = verify->signed_size;
    remembered->root = verify->signed_root;
    remembered->records = true;
    return remembered->note.status;
}

enum status verify_broker_since(struct source *source, const struct note_key *key,
                                const struct verify_progress *progress, const struct verify_memory *memory,
                                struct problems *problems, struct verify_result *ret)
{
    struct verify verify = {.source = source, .progress = progress, .memory = memory, .problems = problems};
    const struct tree_options options = {.read = read_tile, .context = source};
    enum status status = tree_new(&options, problems, &verify.tree);

    if (status == STATUS_OK)
        status = counters_new(&verify.counters);
    if (status == STATUS_OK)
        status = check_log(&verify, key);
    if (status == STATUS_CORRUPT) {
        problems_add(problems, "entry %" PRIu64 ": the database itself is damaged here: %s", verify.next,
                     source_error(source));
        status = STATUS_OK;
    }
    if (status == STATUS_OK)
        status = remember(&verify);
    if (status == STATUS_OK)
        *ret = (struct verify_result){
            .entries = verify.total, .signed_entries = verify.signed_size, .erased = verify.erased};
    tree_free(&verify.tree);
    counters_free(&verify.counters);
    return status;
}

enum status verify_broker(struct source *source, const struct note_key *key,
                          const struct verify_progress *progress, struct problems *problems,
                          struct verify_result *ret)
{
    const struct verify_memory none = {.since = NULL};

    return verify_broker_since(source, key, progress, &none, problems, ret);
}
