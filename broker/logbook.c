#include "broker/logbook.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "broker/checkpoints.h"
#include "broker/logcheck.h"
#include "broker/logparts.h"
#include "broker/logtiles.h"
#include "proto/checkpoint.h"
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
    struct db *reader; /* what was written is read back through it */
    struct checkpoints *checkpoints;
    struct note_key *key;
    struct byte_view origin; /* the key's name */
    const struct random_source *random;
    bool replay;
    struct tile_writer *edge;    /* with everything appended */
    struct tile_writer *checked; /* with everything read back */
    uint64_t committed;          /* entries */
    bool saved;                  /* nothing was appended since logbook_save */
    bool closed;
    struct byte_buffer records; /* of the row being built */
    struct byte_buffer personal;
    struct byte_buffer note; /* of the last checkpoint */
    struct byte_buffer next; /* of the one being signed */
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
    logbook->reader = options->reader == NULL ? store : options->reader;
    logbook->random = options->random;
    logbook->replay = options->replay;
    logbook->saved = true;
    logbook->records = bytes_buffer(LOGROW_MAX);
    logbook->personal = bytes_buffer(LOGROW_MAX);
    logbook->next = bytes_buffer(NOTE_LIMIT);
    status = note_key_new(bytes_of_string(options->origin), NOTE_KEY_ED25519, options->key, &logbook->key);
    if (status != STATUS_OK) {
        status =
            logcheck_why(reason, status, "the log's name or key cannot be used: %s", status_text(status));
        goto out;
    }
    logbook->origin = note_key_name(logbook->key);
    status = checkpoints_open(options->checkpoint_path, options->vfs, &logbook->checkpoints);
    if (status != STATUS_OK)
        logcheck_why(reason, status, "the checkpoint database %s cannot be opened: %s",
                     options->checkpoint_path, status_text(status));
out:
    if (status == STATUS_OK)
        *ret = logbook;
    else
        logbook_close(&logbook);
    return status;
}

/* Signs size and root, and puts the checkpoint in the place of the last one (NULL: none). */
static enum status sign(struct logbook *logbook, uint64_t size, const struct digest *root, int64_t now,
                        const struct checkpoints_entry *before, struct logbook_reason *reason)
{
    const struct checkpoint checkpoint = {.origin = logbook->origin, .size = size, .root = *root};
    struct checkpoints_entry entry = {.size = size, .root = *root, .time = now};

    bytes_buffer_clear(&logbook->next);
    enum status status = checkpoint_sign(&checkpoint, logbook->key, &logbook->next);
    if (status != STATUS_OK)
        return logcheck_why(reason, status, "the checkpoint could not be signed: %s", status_text(status));
    entry.note = bytes_buffer_view(&logbook->next);
    CRASH_POINT("logbook.sign.signed");
    status = checkpoints_replace(logbook->checkpoints, before, &entry);
    if (status == STATUS_FORKED)
        return logcheck_why(reason, status, "somebody else has signed a checkpoint of this log meanwhile");
    if (status != STATUS_OK)
        return logcheck_why(reason, status, "the checkpoint could not be stored: %s", status_text(status));
    CRASH_POINT("logbook.sign.stored");
    struct byte_buffer spare = logbook->note;
    logbook->note = logbook->next;
    logbook->next = spare;
    logbook->next.limit = NOTE_LIMIT;
    logbook->last = entry;
    return STATUS_OK;
}

/* The stored checkpoint is this log's, and says what its columns say. */
static enum status check_note(struct logbook *logbook, struct logbook_reason *reason)
{
    struct checkpoint signed_one;
    enum status status = checkpoint_open(logbook->last.note, logbook->key, NULL, &signed_one);

    if (status == STATUS_MISMATCH)
        return logcheck_why(reason, status, "the stored checkpoint is another log's");
    if (status == STATUS_UNKNOWN_KEY || status == STATUS_BAD_SIGNATURE)
        return logcheck_why(reason, STATUS_BAD_SIGNATURE,
                            "the stored checkpoint does not bear this log's signature");
    if (status == STATUS_OK && (signed_one.size != logbook->last.size ||
                                memcmp(&signed_one.root, &logbook->last.root, sizeof signed_one.root) != 0))
        status = STATUS_BAD_FORMAT;
    if (status == STATUS_OK)
        return status;
    return logcheck_why(reason, status == STATUS_BAD_FORMAT ? STATUS_CORRUPT : status,
                        "the stored checkpoint cannot be used: %s", status_text(status));
}

static enum status read_checkpoint(struct logbook *logbook, const struct logcheck_head *head, int64_t now,
                                   struct logbook_reason *reason)
{
    enum status status = checkpoints_read(logbook->checkpoints, &logbook->note, &logbook->last);

    if (status == STATUS_NOT_FOUND && head->size > 0)
        return logcheck_why(reason, status,
                            "the log holds %" PRIu64
                            " entries, but its checkpoints are gone; restore checkpoint.db",
                            head->size);
    if (status == STATUS_NOT_FOUND) {
        CRASH_POINT("logbook.open.first");
        return sign(logbook, 0, &head->root, now, NULL, reason);
    }
    if (status != STATUS_OK)
        return logcheck_why(reason, status, "the stored checkpoint cannot be read: %s", status_text(status));
    status = check_note(logbook, reason);
    if (status == STATUS_OK && head->size < logbook->last.size)
        return logcheck_why(reason, STATUS_ROLLBACK,
                            "the log holds %" PRIu64 " entries, fewer than the %" PRIu64
                            " that were signed: this is an older copy of the database",
                            head->size, logbook->last.size);
    return status;
}

static enum status check(struct logbook *logbook, int64_t now, struct logbook_reason *reason)
{
    const struct checkpoints_entry *last = &logbook->last;
    struct logcheck_head head;
    enum status status = logcheck_read_head(logbook->reader, &head, reason);

    if (status == STATUS_OK)
        status = read_checkpoint(logbook, &head, now, reason);
    if (status == STATUS_OK && head.size == last->size &&
        memcmp(&head.root, &last->root, sizeof head.root) != 0)
        return logcheck_why(
            reason, STATUS_FORKED,
            "the log has another root than the one that was signed for its %" PRIu64 " entries", head.size);
    if (status == STATUS_OK)
        status = logcheck_end(logbook->reader, &head, reason);
    if (status == STATUS_OK)
        status =
            logcheck_edge(logbook->reader, last->size, &last->root, "was signed", &logbook->checked, reason);
    if (status == STATUS_OK)
        status = logcheck_edge(logbook->reader, head.size, &head.root, "was saved with them", &logbook->edge,
                               reason);
    if (status == STATUS_OK && logbook->replay)
        status = logcheck_replay(logbook->reader, last->size, &last->root, &head, reason);
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
    tile_writer_free(&book->checked);
    checkpoints_close(&book->checkpoints);
    note_key_free(&book->key);
    bytes_buffer_wipe(&book->records);
    bytes_buffer_wipe(&book->personal);
    bytes_buffer_free(&book->note);
    bytes_buffer_free(&book->next);
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

/* What stands in the database is what was committed, as far as it goes beyond what was checked before. */
static enum status read_back(struct logbook *logbook, struct digest *ret_root, struct logbook_reason *reason)
{
    struct logcheck_head head;
    enum status status = logcheck_read_head(logbook->reader, &head, reason);

    if (status == STATUS_OK)
        status = logcheck_read_back(logbook->reader, logbook->checked, logbook->committed, reason);
    if (status != STATUS_OK)
        return status;
    CRASH_POINT("logbook.sign.read");
    struct digest written = tile_writer_root(logbook->edge);
    struct digest found = tile_writer_root(logbook->checked);
    if (head.size != logbook->committed || memcmp(&head.root, &written, sizeof written) != 0 ||
        memcmp(&found, &written, sizeof written) != 0)
        return logcheck_why(reason, STATUS_CORRUPT,
                            "the entries read back from the database are not those that were written to it");
    *ret_root = found;
    return STATUS_OK;
}

enum status logbook_sign(struct logbook *logbook, int64_t now, struct logbook_reason *ret_reason)
{
    struct logbook_reason reason = {""};
    struct checkpoints_entry before = logbook->last;
    struct digest root;
    enum status status = STATUS_OK;

    assert(!db_in_transaction(logbook->store) && tile_writer_size(logbook->edge) == logbook->committed);
    if (logbook->closed)
        status = logcheck_why(&reason, STATUS_CLOSED,
                              "the log is closed until it has been checked by a new start");
    else if (!logbook_unsigned(logbook))
        return STATUS_OK;
    else if (now < before.time)
        status = logcheck_why(
            &reason, STATUS_ROLLBACK,
            "the clock shows a time before the last checkpoint's: nothing is signed until it is right");
    if (status == STATUS_OK) {
        status = read_back(logbook, &root, &reason);
        if (status == STATUS_OK)
            status = sign(logbook, logbook->committed, &root, now, &before, &reason);
        logbook->closed = status != STATUS_OK && status != STATUS_NO_SPACE;
    }
    if (status != STATUS_OK)
        *ret_reason = reason;
    return status;
}

enum status logbook_note(const struct logbook *logbook, struct byte_view text, struct byte_buffer *ret)
{
    enum status status;

    assert(text.size > logbook->origin.size &&
           (memcmp(text.data, logbook->origin.data, logbook->origin.size) != 0 ||
            text.data[logbook->origin.size] != '\n'));
    status = note_start(text, ret);
    return status == STATUS_OK ? note_sign(text, logbook->key, 0, ret) : status;
}

struct logbook_checkpoint logbook_checkpoint(const struct logbook *logbook)
{
    const struct checkpoints_entry *last = &logbook->last;

    return (struct logbook_checkpoint){
        .size = last->size, .root = last->root, .time = last->time, .note = last->note};
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
