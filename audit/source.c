#include "audit/source.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/archive.h"
#include "certs/keystore.h"
#include "proto/logrow.h"
#include "proto/merkle.h"

#define NOTE_LIMIT  NOTE_SIZE_MAX
#define CHUNK_ROWS  64 /* read in one go */
#define LEVEL_SHIFT 48 /* tile.id = level << 48 | n */

struct source {
    struct db *store;
    struct db *checkpoints;
    struct byte_buffer note;
    struct byte_buffer final_note;
};

static enum status open_one(const char *folder, const char *name, int32_t application, int32_t version,
                            int32_t oldest, struct db **ret, struct source_reason *reason)
{
    const struct db_options options = {
        .application_id = application,
        .user_version = version,
        .oldest = oldest,
        .schema_sql = "",
        .read_only = true,
        .cache_kib = 4096,
    };
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    enum status status =
        length < 0 || (size_t)length >= sizeof path ? STATUS_BAD_ARGUMENT : db_open(path, &options, ret);

    if (status == STATUS_NOT_FOUND)
        snprintf(reason->text, sizeof reason->text, "%.400s: not found; is this a broker's folder?", path);
    else if (status != STATUS_OK)
        snprintf(reason->text, sizeof reason->text, "%.400s: %s", path, status_text(status));
    return status;
}

enum status source_open(const char *folder, struct source **ret, struct source_reason *ret_reason)
{
    struct source *source = calloc(1, sizeof *source);

    if (source == NULL) {
        snprintf(ret_reason->text, sizeof ret_reason->text, "%s", status_text(STATUS_NO_MEMORY));
        return STATUS_NO_MEMORY;
    }
    source->note = bytes_buffer(NOTE_LIMIT);
    source->final_note = bytes_buffer(NOTE_LIMIT);
    enum status status = open_one(folder, "broker.db", LOGROW_STORE_APPLICATION, LOGROW_STORE_VERSION,
                                  LOGROW_STORE_OLDEST, &source->store, ret_reason);
    if (status == STATUS_OK)
        status = open_one(folder, "checkpoint.db", LOGROW_CHECKPOINT_APPLICATION, LOGROW_CHECKPOINT_VERSION,
                          LOGROW_CHECKPOINT_OLDEST, &source->checkpoints, ret_reason);
    if (status == STATUS_OK)
        *ret = source;
    else
        source_close(&source);
    return status;
}

void source_close(struct source **source)
{
    if (*source == NULL)
        return;
    db_close(&(*source)->store);
    db_close(&(*source)->checkpoints);
    bytes_buffer_free(&(*source)->note);
    bytes_buffer_free(&(*source)->final_note);
    free(*source);
    *source = NULL;
}

const char *source_error(const struct source *source)
{
    return db_error_text(source->store);
}

/* Size, root and note of a row; its note goes into bytes. */
static enum status take_checkpoint(struct db_statement *statement, struct byte_buffer *bytes,
                                   struct source_checkpoint *ret)
{
    struct source_checkpoint checkpoint;
    int64_t size = db_column_int64(statement, 0);
    struct byte_view root = db_column_blob(statement, 1);

    bytes_buffer_clear(bytes);
    bytes_append_view(bytes, db_column_blob(statement, 2));
    if (size < 0 || root.size != DIGEST_SIZE || bytes->status != STATUS_OK)
        return STATUS_CORRUPT;
    checkpoint.size = (uint64_t)size;
    memcpy(checkpoint.root.bytes, root.data, DIGEST_SIZE);
    checkpoint.note = bytes_buffer_view(bytes);
    *ret = checkpoint;
    return STATUS_OK;
}

/* A row of table cosigned; STATUS_NOT_FOUND also when the table is not there yet. */
static enum status read_cosigned(struct source *source, int64_t id, struct byte_buffer *bytes,
                                 struct source_checkpoint *ret)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(source->checkpoints,
                     "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'cosigned'", &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    db_reset(statement);
    status =
        db_statement(source->checkpoints, "SELECT size, root, note FROM cosigned WHERE id = ?1", &statement);
    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, id);
    status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    status = take_checkpoint(statement, bytes, ret);
    db_reset(statement);
    return status;
}

static bool begins_with(struct byte_view bytes, struct byte_view beginning)
{
    return bytes.size >= beginning.size && bytes_equal(bytes_view(bytes.data, beginning.size), beginning);
}

/* The same note with the cosignatures that it has, if the one offered last is this one. */
static enum status add_cosignatures(struct source *source, struct source_checkpoint *checkpoint)
{
    struct byte_buffer bytes = bytes_buffer(NOTE_LIMIT);
    struct source_checkpoint offered;
    enum status status = read_cosigned(source, 1, &bytes, &offered);

    if (status == STATUS_OK && offered.size == checkpoint->size &&
        begins_with(offered.note, checkpoint->note)) {
        struct byte_buffer plain = source->note;
        source->note = bytes;
        bytes = plain;
        checkpoint->note = bytes_buffer_view(&source->note);
    }
    bytes_buffer_free(&bytes);
    return status == STATUS_NOT_FOUND || status == STATUS_CORRUPT ? STATUS_OK : status;
}

enum status source_checkpoint(struct source *source, struct source_checkpoint *ret)
{
    struct db_statement *statement = NULL;
    struct source_checkpoint checkpoint;
    bool row = false;
    enum status status =
        db_statement(source->checkpoints, "SELECT size, root, note FROM checkpoint WHERE id = 1", &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    status = take_checkpoint(statement, &source->note, &checkpoint);
    db_reset(statement);
    if (status == STATUS_OK)
        status = add_cosignatures(source, &checkpoint);
    if (status == STATUS_OK)
        *ret = checkpoint;
    return status;
}

enum status source_cosigned(struct source *source, struct source_checkpoint *ret)
{
    return read_cosigned(source, 2, &source->final_note, ret);
}

static enum status read_head(struct source *source, uint64_t *ret_size, struct digest *ret_root)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(source->store, "SELECT state FROM head WHERE id = 1", &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    if (!row) {
        *ret_size = 0;
        *ret_root = merkle_empty_root();
        return STATUS_OK;
    }
    struct byte_view state = db_column_blob(statement, 0);
    if (state.size == LOGROW_HEAD_SIZE && bytes_get_u64(state.data) <= INT64_MAX) {
        *ret_size = bytes_get_u64(state.data);
        memcpy(ret_root->bytes, state.data + 8, DIGEST_SIZE);
    } else {
        status = STATUS_CORRUPT;
    }
    db_reset(statement);
    return status;
}

static enum status read_end(struct source *source, uint64_t *ret_end)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(source->store, "SELECT first, n FROM log ORDER BY first DESC LIMIT 1", &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    *ret_end = 0;
    if (row) {
        int64_t first = db_column_int64(statement, 0);
        int64_t n = db_column_int64(statement, 1);
        if (first < 0 || n < 0 || n > INT64_MAX - first)
            status = STATUS_CORRUPT;
        else
            *ret_end = (uint64_t)first + (uint64_t)n;
        db_reset(statement);
    }
    return status;
}

enum status source_head(struct source *source, uint64_t *ret_size, struct digest *ret_root,
                        uint64_t *ret_rows_end)
{
    uint64_t size = 0;
    uint64_t end = 0;
    struct digest root;
    enum status status = db_exec(source->store, "BEGIN"); /* both of the same moment */

    if (status != STATUS_OK)
        return status;
    status = read_head(source, &size, &root);
    if (status == STATUS_OK)
        status = read_end(source, &end);
    enum status ended = db_exec(source->store, "COMMIT");
    if (status == STATUS_OK)
        status = ended;
    if (status == STATUS_OK) {
        *ret_size = size;
        *ret_root = root;
        *ret_rows_end = end;
    }
    return status;
}

/* Up to CHUNK_ROWS rows; *first is then where to go on, or end. */
static enum status read_chunk(struct source *source, uint64_t *first, uint64_t end,
                              enum status (*row)(void *context, const struct source_row *row), void *context)
{
    struct db_statement *statement = NULL;
    uint64_t next = end;
    enum status status =
        db_statement(source->store,
                     "SELECT first, n, records, personal FROM log WHERE first >= ?1 AND first < ?2"
                     " ORDER BY first LIMIT ?3",
                     &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)*first);
    db_bind_int64(statement, 2, (int64_t)end);
    db_bind_int64(statement, 3, CHUNK_ROWS);
    for (size_t count = 0;; count++) {
        bool there = false;
        status = db_step(statement, &there);
        if (status != STATUS_OK || !there)
            break;
        const struct source_row read = {
            .first = (uint64_t)db_column_int64(statement, 0),
            .n = (uint64_t)db_column_int64(statement, 1),
            .records = db_column_blob(statement, 2),
            .personal = db_column_blob(statement, 3),
        };
        if (count == CHUNK_ROWS - 1)
            next = read.first + 1;
        status = row(context, &read);
        if (status != STATUS_OK)
            break;
    }
    db_reset(statement);
    *first = next;
    return status;
}

enum status source_rows(struct source *source, uint64_t first, uint64_t end,
                        enum status (*row)(void *context, const struct source_row *row), void *context)
{
    enum status status = STATUS_OK;

    while (status == STATUS_OK && first < end)
        status = read_chunk(source, &first, end, row, context);
    return status;
}

enum status source_rows_around(struct source *source, uint64_t first, uint64_t end,
                               enum status (*row)(void *context, const struct source_row *row), void *context)
{
    struct db_statement *statement = NULL;
    bool there = false;
    enum status status = db_statement(
        source->store, "SELECT first FROM log WHERE first <= ?1 ORDER BY first DESC LIMIT 1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)first);
    status = db_step(statement, &there);
    if (status != STATUS_OK)
        return status;
    if (there)
        first = (uint64_t)db_column_int64(statement, 0);
    db_reset(statement);
    return source_rows(source, first, end, row, context);
}

enum status source_tile(struct source *source, const struct tile_id *id, struct digest *ret_hashes)
{
    struct db_statement *statement = NULL;
    bool row = false;
    size_t wanted = id->width * sizeof *ret_hashes;
    enum status status = db_statement(source->store, "SELECT hashes FROM tile WHERE id = ?1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)((uint64_t)id->level << LEVEL_SHIFT | id->n));
    status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    struct byte_view hashes = db_column_blob(statement, 0);
    if (hashes.size < wanted || hashes.size % DIGEST_SIZE != 0)
        status = STATUS_CORRUPT;
    else
        memcpy(ret_hashes, hashes.data, wanted);
    db_reset(statement);
    return status;
}

struct leaves {
    uint64_t next;
    uint64_t end;
    struct digest *hashes;
};

static enum status take_leaves(void *context, const struct source_row *read)
{
    struct leaves *leaves = context;
    struct logrow row = logrow_open(read->records, read->personal);
    struct logrow_record record;

    for (uint64_t i = read->first; i < read->first + read->n && leaves->next < leaves->end; i++) {
        if (logrow_next(&row, &record) != STATUS_OK)
            return STATUS_CORRUPT;
        if (i == leaves->next) {
            *leaves->hashes++ = merkle_leaf(bytes_view(record.entry, RECORD_ENTRY_SIZE));
            leaves->next++;
        }
    }
    return STATUS_OK;
}

enum status source_leaves(struct source *source, uint64_t first, size_t count, struct digest *ret_hashes)
{
    struct leaves leaves = {.next = first, .end = first + count, .hashes = ret_hashes};
    enum status status = source_rows_around(source, first, first + count, take_leaves, &leaves);

    return status == STATUS_OK && leaves.next < leaves.end ? STATUS_NOT_FOUND : status;
}

/* ---- the key ---- */

static enum status own_key(const char *folder, struct note_key **ret, struct source_reason *reason)
{
    struct keystore *keystore = NULL;
    enum status status = keystore_load(folder, &keystore);

    if (status == STATUS_OK && keystore_log_vkey(keystore) == NULL)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        status = note_key_parse(bytes_of_string(keystore_log_vkey(keystore)), ret);
    if (status != STATUS_OK)
        snprintf(
            reason->text, sizeof reason->text,
            "%.300s: there is neither a bundle nor a log key to check signatures with (%s); give --key VKEY",
            folder, status_text(status));
    keystore_free(&keystore);
    return status;
}

enum status source_log_key(const char *folder, struct note_key **ret, struct source_reason *ret_reason)
{
    struct bundle *bundle = NULL;
    struct bundle_reason why = {{0}};
    enum status status = archive_newest(folder, &bundle, &why);

    if (status == STATUS_NOT_FOUND)
        return own_key(folder, ret, ret_reason);
    if (status != STATUS_OK) {
        snprintf(ret_reason->text, sizeof ret_reason->text, "%.200s: the newest bundle cannot be read: %s",
                 folder, why.text);
        return status;
    }
    status = note_key_parse(bytes_of_string(bundle_log_vkey(bundle)), ret);
    if (status != STATUS_OK)
        snprintf(ret_reason->text, sizeof ret_reason->text, "%.300s: the bundle's log key cannot be used: %s",
                 folder, status_text(status));
    bundle_free(&bundle);
    return status;
}
