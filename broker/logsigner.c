#include "broker/logsigner.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "broker/cosigned.h"
#include "proto/checkpoint.h"
#include "proto/note.h"
#include "proto/tile_writer.h"

#define NOTE_LIMIT ((size_t)4096)

struct logsigner {
    struct db *reader;
    bool apart; /* it is not the writer's connection */
    bool fresh; /* there may be no checkpoint yet, whatever stands in the log */
    struct checkpoints *checkpoints;
    struct note_key *key;
    struct byte_view origin;     /* the key's name */
    struct tile_writer *checked; /* with everything read back */
    struct byte_buffer note;     /* of the last checkpoint */
    struct byte_buffer next;     /* of the one being signed */
    struct checkpoints_entry last;
};

enum status logsigner_new(struct db *store, const struct logbook_options *options, struct logsigner **ret,
                          struct logbook_reason *reason)
{
    struct logsigner *signer = calloc(1, sizeof *signer);
    enum status status = STATUS_NO_MEMORY;

    if (signer == NULL)
        return logcheck_why(reason, status, "%s", status_text(status));
    signer->apart = options->reader != NULL;
    signer->reader = signer->apart ? options->reader : store;
    signer->next = bytes_buffer(NOTE_LIMIT);
    signer->fresh = options->fresh;
    status = note_key_new(bytes_of_string(options->origin), NOTE_KEY_ED25519, options->key, &signer->key);
    if (status != STATUS_OK) {
        status =
            logcheck_why(reason, status, "the log's name or key cannot be used: %s", status_text(status));
        goto out;
    }
    signer->origin = note_key_name(signer->key);
    status = checkpoints_open(options->checkpoint_path, options->vfs, &signer->checkpoints);
    if (status != STATUS_OK)
        logcheck_why(reason, status, "the checkpoint database %s cannot be opened: %s",
                     options->checkpoint_path, status_text(status));
out:
    if (status == STATUS_OK)
        *ret = signer;
    else
        logsigner_free(&signer);
    return status;
}

void logsigner_free(struct logsigner **signer)
{
    struct logsigner *gone = *signer;

    if (gone == NULL)
        return;
    tile_writer_free(&gone->checked);
    checkpoints_close(&gone->checkpoints);
    note_key_free(&gone->key);
    bytes_buffer_free(&gone->note);
    bytes_buffer_free(&gone->next);
    free(gone);
    *signer = NULL;
}

struct db *logsigner_reader(const struct logsigner *signer)
{
    return signer->reader;
}

bool logsigner_apart(const struct logsigner *signer)
{
    return signer->apart;
}

const struct checkpoints_entry *logsigner_last(const struct logsigner *signer)
{
    return &signer->last;
}

const struct note_key *logsigner_key(const struct logsigner *signer)
{
    return signer->key;
}

struct checkpoints *logsigner_checkpoints(const struct logsigner *signer)
{
    return signer->checkpoints;
}

/* Signs size and root, and puts the checkpoint in the place of the last one (NULL: none). */
static enum status sign(struct logsigner *signer, uint64_t size, const struct digest *root, int64_t now,
                        const struct checkpoints_entry *before, struct logbook_reason *reason)
{
    const struct checkpoint checkpoint = {.origin = signer->origin, .size = size, .root = *root};
    struct checkpoints_entry entry = {.size = size, .root = *root, .time = now};

    bytes_buffer_clear(&signer->next);
    enum status status = checkpoint_sign(&checkpoint, signer->key, &signer->next);
    if (status != STATUS_OK)
        return logcheck_why(reason, status, "the checkpoint could not be signed: %s", status_text(status));
    entry.note = bytes_buffer_view(&signer->next);
    CRASH_POINT("logbook.sign.signed");
    status = checkpoints_replace(signer->checkpoints, before, &entry);
    if (status == STATUS_FORKED)
        return logcheck_why(reason, status, "somebody else has signed a checkpoint of this log meanwhile");
    if (status != STATUS_OK)
        return logcheck_why(reason, status, "the checkpoint could not be stored: %s", status_text(status));
    CRASH_POINT("logbook.sign.stored");
    struct byte_buffer spare = signer->note;
    signer->note = signer->next;
    signer->next = spare;
    signer->next.limit = NOTE_LIMIT;
    signer->last = entry;
    return STATUS_OK;
}

/* The stored checkpoint is this log's, and says what its columns say. */
static enum status check_note(struct logsigner *signer, struct logbook_reason *reason)
{
    struct checkpoint signed_one;
    enum status status = checkpoint_open(signer->last.note, signer->key, NULL, &signed_one);

    if (status == STATUS_MISMATCH)
        return logcheck_why(reason, status, "the stored checkpoint is another log's");
    if (status == STATUS_UNKNOWN_KEY || status == STATUS_BAD_SIGNATURE)
        return logcheck_why(reason, STATUS_BAD_SIGNATURE,
                            "the stored checkpoint does not bear this log's signature");
    if (status == STATUS_OK && (signed_one.size != signer->last.size ||
                                memcmp(&signed_one.root, &signer->last.root, sizeof signed_one.root) != 0))
        status = STATUS_BAD_FORMAT;
    if (status == STATUS_OK)
        return status;
    return logcheck_why(reason, status == STATUS_BAD_FORMAT ? STATUS_CORRUPT : status,
                        "the stored checkpoint cannot be used: %s", status_text(status));
}

/* A fork that was found before is not forgotten by starting again. */
static enum status check_fork(struct logsigner *signer, struct logbook_reason *reason)
{
    struct byte_buffer text = bytes_buffer(sizeof reason->text);
    enum status status = cosigned_fork(signer->checkpoints, &text);

    if (status == STATUS_OK)
        status = logcheck_why(reason, STATUS_FORKED, "%.*s", (int)text.size, (const char *)text.data);
    else if (status == STATUS_NOT_FOUND)
        status = STATUS_OK;
    else
        logcheck_why(reason, status, "the forks that were found cannot be read: %s", status_text(status));
    bytes_buffer_free(&text);
    return status;
}

enum status logsigner_start(struct logsigner *signer, const struct logcheck_head *head, int64_t now,
                            struct logbook_reason *reason)
{
    enum status status = check_fork(signer, reason);

    if (status != STATUS_OK)
        return status;
    status = checkpoints_read(signer->checkpoints, &signer->note, &signer->last);
    if (status == STATUS_NOT_FOUND && head->size > 0 && !signer->fresh)
        return logcheck_why(reason, status,
                            "the log holds %" PRIu64
                            " entries, but its checkpoints are gone; put checkpoint.db back, or begin a new "
                            "log (concordat-broker new-log)",
                            head->size);
    if (status == STATUS_NOT_FOUND) {
        CRASH_POINT("logbook.open.first");
        const struct digest empty = merkle_empty_root();
        return sign(signer, 0, &empty, now, NULL, reason);
    }
    if (status != STATUS_OK)
        return logcheck_why(reason, status, "the stored checkpoint cannot be read: %s", status_text(status));
    status = check_note(signer, reason);
    if (status == STATUS_OK && head->size < signer->last.size)
        return logcheck_why(reason, STATUS_ROLLBACK,
                            "the log holds %" PRIu64 " entries, fewer than the %" PRIu64
                            " that were signed: this is an older copy of the database",
                            head->size, signer->last.size);
    return status;
}

enum status logsigner_check(struct logsigner *signer, struct logbook_reason *reason)
{
    return logcheck_edge(signer->reader, signer->last.size, &signer->last.root, "was signed",
                         &signer->checked, reason);
}

/* The head that is read may be a later one than that which is to be signed. */
static bool head_agrees(const struct logcheck_head *head, const struct logbook_task *task)
{
    return head->size > task->size ||
           (head->size == task->size && memcmp(&head->root, &task->root, sizeof head->root) == 0);
}

/* What stands in the database is what was committed, as far as it goes beyond what was checked before. */
static enum status read_back(struct logsigner *signer, const struct logbook_task *task,
                             struct logbook_reason *reason)
{
    struct logcheck_head head;
    enum status status = logcheck_read_head(signer->reader, &head, reason);

    if (status == STATUS_OK)
        status = logcheck_read_back(signer->reader, signer->checked, task->size, reason);
    if (status != STATUS_OK)
        return status;
    CRASH_POINT("logbook.sign.read");
    struct digest found = tile_writer_root(signer->checked);
    if (!head_agrees(&head, task) || memcmp(&found, &task->root, sizeof found) != 0)
        return logcheck_why(reason, STATUS_CORRUPT,
                            "the entries read back from the database are not those that were written to it");
    return STATUS_OK;
}

enum status logsigner_sign(struct logsigner *signer, const struct logbook_task *task,
                           struct logbook_reason *reason)
{
    const struct checkpoints_entry before = signer->last;
    enum status status;

    if (task->now < before.time)
        return logcheck_why(
            reason, STATUS_ROLLBACK,
            "the clock shows a time before the last checkpoint's: nothing is signed until it is right");
    status = read_back(signer, task, reason);
    return status == STATUS_OK ? sign(signer, task->size, &task->root, task->now, &before, reason) : status;
}
