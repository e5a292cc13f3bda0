#include "broker/logbook.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "broker/logcheck.h"
#include "broker/logparts.h"
#include "broker/logsigner.h"
#include "broker/logtiles.h"
#include "proto/merkle.h"
#include "proto/note.h"
#include "proto/tile_writer.h"

#define NOTE_LIMIT ((size_t)4096)

const char logbook_schema[] =
    "CREATE TABLE log (first INTEGER PRIMARY KEY, n INTEGER NOT NULL, records BLOB NOT NULL,"
    " personal BLOB NOT NULL) STRICT;"
    "CREATE TABLE tile (id INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT;"
    "CREATE TABLE head (id INTEGER PRIMARY KEY, state BLOB NOT NULL) STRICT;";

struct logbook {
    struct db *store;
    struct logsigner *signer; /* while it signs in another thread, that thread's alone */
    const struct random_source *random;
    bool replay;
    struct tile_writer *edge; /* with everything appended */
    uint64_t committed;       /* entries */
    bool saved;               /* nothing was appended since logbook_save */
    bool closed;
    struct byte_buffer records; /* of the row being built */
    struct byte_buffer personal;
    struct byte_buffer note; /* of the last checkpoint; a copy of the signer's */
    struct checkpoints_entry last;
};

/* ---- opening ---- */

static enum status make(struct db *store, const struct logbook_options *options, struct logbook **ret,
                        struct logbook_reason *reason)
{
    struct logbook *logbook = calloc(1, sizeof *logbook);
    enum status status = STATUS_NO_MEMORY;

    if (logbook == NULL)
        return logcheck_why(reason, status, "%s", status_text(status));
    logbook->store = store;
    logbook->random = options->random;
    logbook->replay = options->replay;
    logbook->saved = true;
    logbook->records = bytes_buffer(LOGROW_MAX);
    logbook->personal = bytes_buffer(LOGROW_MAX);
    logbook->note = bytes_buffer(NOTE_LIMIT);
    status = logsigner_new(store, options, &logbook->signer, reason);
    if (status == STATUS_OK)
        *ret = logbook;
    else
        logbook_close(&logbook);
    return status;
}

/* The signer's last checkpoint, for those who ask while it signs the next. */
static enum status take_last(struct logbook *logbook)
{
    const struct checkpoints_entry *last = logsigner_last(logbook->signer);

    bytes_buffer_clear(&logbook->note);
    bytes_append_view(&logbook->note, last->note);
    if (logbook->note.status != STATUS_OK)
        return logbook->note.status;
    logbook->last = *last;
    logbook->last.note = bytes_buffer_view(&logbook->note);
    return STATUS_OK;
}

static enum status check(struct logbook *logbook, int64_t now, struct logbook_reason *reason)
{
    const struct checkpoints_entry *last = &logbook->last;
    struct db *reader = logsigner_reader(logbook->signer);
    struct logcheck_head head;
    enum status status = logcheck_read_head(reader, &head, reason);

    if (status == STATUS_OK)
        status = logsigner_start(logbook->signer, &head, now, reason);
    if (status == STATUS_OK)
        status = take_last(logbook);
    if (status == STATUS_OK && head.size == last->size &&
        memcmp(&head.root, &last->root, sizeof head.root) != 0)
        return logcheck_why(
            reason, STATUS_FORKED,
            "the log has another root than the one that was signed for its %" PRIu64 " entries", head.size);
    if (status == STATUS_OK)
        status = logcheck_end(reader, &head, reason);
    if (status == STATUS_OK)
        status = logsigner_check(logbook->signer, reason);
    if (status == STATUS_OK)
        status = logcheck_edge(reader, head.size, &head.root, "was saved with them", &logbook->edge, reason);
    if (status == STATUS_OK && logbook->replay)
        status = logcheck_replay(reader, last->size, &last->root, &head, reason);
    logbook->committed = head.size;
    return status;
}

enum status logbook_open(struct db *store, const struct logbook_options *options, int64_t now,
                         struct logbook **ret, struct logbook_reason *ret_reason)
{
    struct logbook_reason reason = {""};
    struct logbook *logbook = NULL;

    assert(!db_in_transaction(store));
    enum status status = make(store, options, &logbook, &reason);
    if (status == STATUS_OK)
        status = check(logbook, now, &reason);
    if (status == STATUS_OK) {
        *ret = logbook;
        return STATUS_OK;
    }
    logbook_close(&logbook);
    *ret_reason = reason;
    return status;
}

void logbook_close(struct logbook **logbook)
{
    struct logbook *book = *logbook;

    if (book == NULL)
        return;
    tile_writer_free(&book->edge);
    logsigner_free(&book->signer);
    bytes_buffer_wipe(&book->records);
    bytes_buffer_wipe(&book->personal);
    bytes_buffer_free(&book->note);
    free(book);
    *logbook = NULL;
}

/* ---- appending ---- */

/* A block being referred to by the records that share it. */
struct shared_block {
    const struct logbook_personal *personal; /* NULL: the empty block of a single record */
    bool started;
    uint32_t place;
    uint8_t commitment[DIGEST_SIZE];
};

/* The given salt, or a fresh one in `drawn`. */
static enum status choose_salt(struct logbook *logbook, const uint8_t *given,
                               uint8_t drawn[static RECORD_SALT_SIZE], const uint8_t **ret_salt)
{
    *ret_salt = given == NULL ? drawn : given;
    return given == NULL ? random_fill(logbook->random, drawn, RECORD_SALT_SIZE) : STATUS_OK;
}

static enum status add_block(struct logbook *logbook, const struct logbook_personal *personal,
                             struct shared_block *block)
{
    static const struct logbook_personal none = {.salt = NULL};
    uint8_t drawn[RECORD_SALT_SIZE];
    const uint8_t *salt = NULL;

    if (block->started && personal != NULL && personal == block->personal)
        return STATUS_OK;
    block->personal = personal;
    block->started = true;
    if (personal == NULL)
        personal = &none;
    assert(personal->commitment == NULL || personal->salt != NULL);
    enum status status = choose_salt(logbook, personal->salt, drawn, &salt);
    if (status != STATUS_OK)
        return status;
    logrow_add_block(&logbook->personal, salt, personal->part, &block->place);
    if (personal->commitment != NULL)
        memcpy(block->commitment, personal->commitment, DIGEST_SIZE);
    else
        record_commitment(salt, personal->part, block->commitment);
    bytes_wipe(drawn, sizeof drawn);
    return logbook->personal.status;
}

static enum status write_tile(void *context, const struct tile_id *id, const struct digest *hashes)
{
    struct logbook *logbook = context;

    if (id->level == 0 && id->width < TILE_WIDTH)
        return STATUS_OK; /* stands in the rows */
    CRASH_POINT("logbook.append.tile");
    return logtiles_write(logbook->store, id, hashes);
}

static enum status add_record(struct logbook *logbook, const struct logbook_record *given,
                              struct shared_block *block)
{
    const struct tile_sink sink = {.write = write_tile, .context = logbook};
    struct logrow_record record = {.account = given->account};
    uint8_t drawn[RECORD_SALT_SIZE];
    uint8_t commitment[DIGEST_SIZE];
    uint8_t entry[RECORD_ENTRY_SIZE];

    assert(record_kind_text((uint8_t)given->kind) != NULL);
    enum status status = add_block(logbook, given->personal, block);
    if (status == STATUS_OK)
        status = choose_salt(logbook, given->account_salt, drawn, &record.account_salt);
    if (status != STATUS_OK)
        return status;
    record_commitment(record.account_salt, given->account, commitment);
    record_entry_of(given->kind, commitment, block->commitment, entry);
    record.entry = entry;
    record.place = block->place;
    logrow_add_record(&logbook->records, &record);
    if (logbook->records.status != STATUS_OK)
        return logbook->records.status;
    struct digest leaf = merkle_leaf(bytes_view(entry, sizeof entry));
    return tile_writer_append(logbook->edge, &sink, &leaf, 1);
}

static enum status insert_row(struct logbook *logbook, uint64_t first, size_t n)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        logbook->store, "INSERT INTO log (first, n, records, personal) VALUES (?1, ?2, ?3, ?4)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)first);
    db_bind_int64(statement, 2, (int64_t)n);
    db_bind_blob(statement, 3, bytes_buffer_view(&logbook->records));
    db_bind_blob(statement, 4, bytes_buffer_view(&logbook->personal));
    return db_run(statement);
}

enum status logbook_append(struct logbook *logbook, const struct logbook_record *records, size_t n,
                           uint64_t *ret_first)
{
    const struct tile_sink sink = {.write = write_tile, .context = logbook};
    struct shared_block block = {.started = false};
    enum status status = STATUS_OK;

    if (logbook->closed)
        return STATUS_CLOSED;
    assert(n > 0 && db_in_transaction(logbook->store));
    uint64_t first = tile_writer_size(logbook->edge);
    logbook->saved = false;
    bytes_buffer_clear(&logbook->records);
    bytes_buffer_clear(&logbook->personal);
    for (size_t i = 0; i < n && status == STATUS_OK; i++)
        status = add_record(logbook, &records[i], &block);
    if (status == STATUS_OK)
        status = insert_row(logbook, first, n);
    CRASH_POINT("logbook.append.row");
    if (status == STATUS_OK)
        status = tile_writer_flush(logbook->edge, &sink);
    if (status == STATUS_OK)
        *ret_first = first;
    return status;
}

enum status logbook_save(struct logbook *logbook)
{
    struct db_statement *statement = NULL;
    uint8_t state[LOGROW_HEAD_SIZE];

    if (logbook->closed)
        return STATUS_CLOSED;
    assert(db_in_transaction(logbook->store));
    struct digest root = tile_writer_root(logbook->edge);
    bytes_put_u64(state, tile_writer_size(logbook->edge));
    memcpy(state + 8, root.bytes, DIGEST_SIZE);
    enum status status = db_statement(logbook->store,
                                      "INSERT INTO head (id, state) VALUES (1, ?1)"
                                      " ON CONFLICT (id) DO UPDATE SET state = excluded.state",
                                      &statement);
    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(state, sizeof state));
    status = db_run(statement);
    logbook->saved = status == STATUS_OK;
    CRASH_POINT("logbook.save");
    return status;
}

void logbook_commit(struct logbook *logbook)
{
    assert(logbook->saved && !logbook->closed && !db_in_transaction(logbook->store));
    logbook->committed = tile_writer_size(logbook->edge);
}

enum status logbook_rollback(struct logbook *logbook)
{
    struct logbook_reason reason = {""};
    struct logcheck_head head;
    struct tile_writer *edge = NULL;

    if (logbook->closed)
        return STATUS_CLOSED;
    assert(!db_in_transaction(logbook->store));
    if (logbook->saved && tile_writer_size(logbook->edge) == logbook->committed)
        return STATUS_OK;
    enum status status = logcheck_read_head(logbook->store, &head, &reason);
    if (status == STATUS_OK && head.size != logbook->committed)
        status = STATUS_CORRUPT;
    if (status == STATUS_OK)
        status = logcheck_edge(logbook->store, head.size, &head.root, "was saved", &edge, &reason);
    logbook->closed = status != STATUS_OK;
    if (status == STATUS_OK) {
        tile_writer_free(&logbook->edge);
        logbook->edge = edge;
        logbook->saved = true;
    }
    return status;
}

uint64_t logbook_size(const struct logbook *logbook)
{
    return tile_writer_size(logbook->edge);
}

/* ---- signing ---- */

bool logbook_unsigned(const struct logbook *logbook)
{
    return logbook->committed > logbook->last.size;
}

struct logbook_task logbook_task(const struct logbook *logbook, int64_t now)
{
    assert(!db_in_transaction(logbook->store) && tile_writer_size(logbook->edge) == logbook->committed);
    return (struct logbook_task){
        .size = logbook->committed, .root = tile_writer_root(logbook->edge), .now = now};
}

bool logbook_signs_apart(const struct logbook *logbook)
{
    return logsigner_apart(logbook->signer);
}

enum status logbook_sign_task(struct logbook *logbook, const struct logbook_task *task,
                              struct logbook_reason *ret_reason)
{
    struct logbook_reason reason = {""};
    enum status status = logsigner_sign(logbook->signer, task, &reason);

    if (status != STATUS_OK)
        *ret_reason = reason;
    return status;
}

enum status logbook_signed(struct logbook *logbook, enum status status)
{
    if (status == STATUS_OK)
        status = take_last(logbook);
    logbook->closed =
        logbook->closed || (status != STATUS_OK && status != STATUS_ROLLBACK && status != STATUS_NO_SPACE);
    return status;
}

enum status logbook_sign(struct logbook *logbook, int64_t now, struct logbook_reason *ret_reason)
{
    struct logbook_task task = logbook_task(logbook, now);

    if (logbook->closed)
        return logcheck_why(ret_reason, STATUS_CLOSED,
                            "the log is closed until it has been checked by a new start");
    if (!logbook_unsigned(logbook))
        return STATUS_OK;
    return logbook_signed(logbook, logbook_sign_task(logbook, &task, ret_reason));
}

enum status logbook_note(const struct logbook *logbook, struct byte_view text, struct byte_buffer *ret)
{
    const struct note_key *key = logsigner_key(logbook->signer);
    const struct byte_view origin = note_key_name(key);
    enum status status;

    assert(text.size > origin.size &&
           (memcmp(text.data, origin.data, origin.size) != 0 || text.data[origin.size] != '\n'));
    status = note_start(text, ret);
    return status == STATUS_OK ? note_sign(text, key, 0, ret) : status;
}

struct logbook_checkpoint logbook_checkpoint(const struct logbook *logbook)
{
    const struct checkpoints_entry *last = &logbook->last;

    return (struct logbook_checkpoint){
        .size = last->size, .root = last->root, .time = last->time, .note = last->note};
}

struct checkpoints *logbook_checkpoints(const struct logbook *logbook)
{
    return logsigner_checkpoints(logbook->signer);
}

const struct note_key *logbook_key(const struct logbook *logbook)
{
    return logsigner_key(logbook->signer);
}

struct db *logbook_store(const struct logbook *logbook)
{
    return logbook->store;
}

/* ---- looking and erasing ---- */

enum status logbook_erase(struct logbook *logbook, uint64_t index)
{
    if (logbook->closed)
        return STATUS_CLOSED;
    assert(db_in_transaction(logbook->store));
    if (index >= tile_writer_size(logbook->edge))
        return STATUS_NOT_FOUND;
    return logparts_erase(logbook->store, index);
}

enum status logbook_blank(struct logbook *logbook, const struct logparts_block *block)
{
    if (logbook->closed)
        return STATUS_CLOSED;
    assert(db_in_transaction(logbook->store));
    return logparts_blank(logbook->store, block);
}

enum status logbook_leaf(struct logbook *logbook, uint64_t index, struct digest *ret)
{
    if (index >= tile_writer_size(logbook->edge))
        return STATUS_NOT_FOUND;
    return logtiles_leaves(logbook->store, index, 1, ret);
}

enum status logbook_account(struct logbook *logbook, uint64_t index, struct byte_buffer *ret)
{
    if (index >= tile_writer_size(logbook->edge))
        return STATUS_NOT_FOUND;
    return logparts_account(logbook->store, index, ret);
}

enum status logbook_parts(struct logbook *logbook, uint64_t first, logparts_visitor *visit, void *context,
                          uint64_t *ret_next)
{
    return logparts_each(logbook->store, first, tile_writer_size(logbook->edge), visit, context, ret_next);
}
