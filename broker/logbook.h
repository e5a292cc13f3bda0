#pragma once

#include "base/db.h"
#include "broker/logparts.h"
#include "proto/digest.h"
#include "proto/ed25519.h"
#include "proto/logrow.h"
#include "proto/random.h"

/*
 * The disclosure log's writer: records, entries, tiles and the head in the store's database, and signed
 * checkpoints in one of their own (docs/log-format.md). It belongs to the thread that owns the store's
 * database.
 *
 *     db_begin(store)
 *     logbook_append(...)             as often as needed
 *     logbook_save(...)               once, last
 *     db_commit(store)                then logbook_commit; whenever there was no commit: db_rollback,
 * logbook_rollback logbook_sign(...)               on a timer, outside transactions
 *
 * Where persisting or reading back fails, the logbook closes: everything then returns STATUS_CLOSED, and the
 * only way on is to end the process and let logbook_open look at what is there. A full disk (STATUS_NO_SPACE)
 * does not close it.
 *
 * Crash points: logbook.open.first, logbook.append.row, logbook.append.tile, logbook.save, logbook.sign.read,
 * logbook.sign.signed, logbook.sign.stored.
 */

/* For the store's db_options, beside its own tables. Row 1 of table head is the log's; others may keep rows
 * from 2 on. */
extern const char logbook_schema[];

/* application_id and user_version of the store's database. */
#define LOGBOOK_STORE_APPLICATION LOGROW_STORE_APPLICATION
#define LOGBOOK_STORE_VERSION     LOGROW_STORE_VERSION

struct logbook;
struct checkpoints;
struct note_key;

/* Why, in one sentence for people. */
struct logbook_reason {
    char text[320];
};

struct logbook_options {
    const char *checkpoint_path;   /* of the checkpoints' own database, made when there is none; NULL: in
                                      memory, for tests */
    const struct ed25519_key *key; /* signs checkpoints; borrowed for the logbook's life */
    const char *origin; /* the log's name: key name of its vkey and first line of its checkpoints */
    const struct random_source *random;
    struct db *reader; /* a read_only connection to the store's file, through which what was written is read
                          back; NULL (a memory database) reads through the writing one. Borrowed */
    const char *vfs;   /* of the checkpoints' database; NULL but in fault tests */
    bool fresh;  /* a new log over entries that are there already: there may be no checkpoint of it yet */
    bool replay; /* read and check every entry, not only the ends: after a change of the database or a
                    restore */
};

/* What one event's records share, or what a single record has. Borrowed until logbook_append returns. */
struct logbook_personal {
    const uint8_t *salt;   /* RECORD_SALT_SIZE fresh random bytes, or NULL: drawn here */
    struct byte_view part; /* record_encode_personal */
    const uint8_t
        *commitment; /* record_commitment(salt, part), computed elsewhere (then salt too); or NULL */
};

struct logbook_record {
    enum record_kind kind;
    struct byte_view account;    /* record_encode_account */
    const uint8_t *account_salt; /* RECORD_SALT_SIZE fresh random bytes, or NULL: drawn here */
    const struct logbook_personal
        *personal; /* NULL: none. Neighbours with the same pointer share one stored block */
};

/* A signed checkpoint. note is borrowed until the next logbook_sign. */
struct logbook_checkpoint {
    uint64_t size;
    struct digest root;
    int64_t time; /* when it was signed */
    struct byte_view note;
};

/*
 * logbook_open - check what is there, and be ready to append. Must be called outside transactions.
 *
 * The check costs O(log n): the database holds at least what the last checkpoint signed, the root at that
 * size recomputed from tiles is the signed one, the root at the present size is the saved one, and the
 * records of the last row match their entries. What was committed and not signed when the broker died is
 * signed by the next logbook_sign. A new log gets a checkpoint of size 0 at once. With options->replay every
 * record, entry and tile is read too, in O(n).
 *
 * Returns STATUS_CORRUPT (stored data do not agree), STATUS_ROLLBACK (fewer entries than were signed: an
 * older copy), STATUS_FORKED (same size, another root; or a fork was found before), STATUS_NOT_FOUND
 * (entries, but the checkpoint database is gone), STATUS_BAD_SIGNATURE or STATUS_MISMATCH (the checkpoint is
 * another key's or another log's), what base/db.h returns, or STATUS_NO_MEMORY; with ret_reason filled in.
 * ret is closed with logbook_close; store and options' pointers are borrowed till then.
 */
enum status logbook_open(struct db *store, const struct logbook_options *options, int64_t now,
                         struct logbook **ret, struct logbook_reason *ret_reason);

/* logbook_close - signs nothing; accepts NULL and leaves NULL. */
void logbook_close(struct logbook **logbook);

/*
 * logbook_append - one row of n records (at least 1) within the store's transaction; they get the indexes
 * from *ret_first on. Account times must not go back from row to row: searches by time rest on it. Which
 * records carry counters, gap-free per member, is the caller's business (docs/log-format.md, "Counters").
 *
 * Returns what base/db.h returns, STATUS_NO_MEMORY, STATUS_TOO_LARGE (a row beyond 64 MiB) or the random
 * source's error: roll back the transaction and call logbook_rollback; or STATUS_CLOSED.
 */
enum status logbook_append(struct logbook *logbook, const struct logbook_record *records, size_t n,
                           uint64_t *ret_first);

/* logbook_save - the new size and root into the head; last before db_commit. Errors as for logbook_append. */
enum status logbook_save(struct logbook *logbook);

/* logbook_commit - the store's transaction was committed. Asserts that logbook_save came after the last
 * append. */
void logbook_commit(struct logbook *logbook);

/*
 * logbook_rollback - the store's transaction was not committed: forget what was appended. Harmless when
 * nothing was. Reads the right edge again. Any error closes the logbook.
 */
enum status logbook_rollback(struct logbook *logbook);

/* logbook_size - entries, those appended and not yet committed included. */
uint64_t logbook_size(const struct logbook *logbook);

/* logbook_unsigned - whether something was committed since the last checkpoint. */
bool logbook_unsigned(const struct logbook *logbook);

/*
 * logbook_sign - read back the rows and tiles committed since the last checkpoint, rehash the entries,
 * recompute the root, sign it, and replace the stored checkpoint if that is still the one before. Nothing
 * happens when nothing is new. Outside transactions.
 *
 * Returns STATUS_ROLLBACK (now is before the last checkpoint's time: nothing was signed, try later),
 * STATUS_NO_SPACE (the same); after anything else the logbook is closed: STATUS_CORRUPT (what was read back
 * is not what was written), STATUS_FORKED (somebody else has signed meanwhile), or what base/db.h returns.
 * ret_reason is filled in then.
 */
enum status logbook_sign(struct logbook *logbook, int64_t now, struct logbook_reason *ret_reason);

/*
 * The same in parts, so that a thread of its own can sign while this one goes on (broker/signing.h).
 *
 * logbook_task       what was committed by now and is to be signed; outside transactions
 * logbook_signs_apart  whether logbook_sign_task may run in another thread: it needs options->reader
 * logbook_sign_task  reads back and signs. While it runs, nothing but the log's writing functions, the size
 *                    and the last checkpoint may be used; errors as logbook_sign
 * logbook_signed     takes over what came of it: the new checkpoint, or the closing. Returns its argument, or
 *                    STATUS_NO_MEMORY
 *
 * Never while the logbook is closed, nor when nothing is new.
 */
struct logbook_task {
    uint64_t size;
    struct digest root; /* as the writer computed it */
    int64_t now;
};

struct logbook_task logbook_task(const struct logbook *logbook, int64_t now);
bool logbook_signs_apart(const struct logbook *logbook);
enum status logbook_sign_task(struct logbook *logbook, const struct logbook_task *task,
                              struct logbook_reason *ret_reason);
enum status logbook_signed(struct logbook *logbook, enum status status);

/*
 * logbook_note - another text under the log's key, as a signed note. text is one that no checkpoint can be:
 * its first line is not the log's name (asserted). Errors as note_start and note_sign.
 */
enum status logbook_note(const struct logbook *logbook, struct byte_view text, struct byte_buffer *ret);

/* logbook_checkpoint - the last one signed and stored. */
struct logbook_checkpoint logbook_checkpoint(const struct logbook *logbook);

/* For whoever collects cosignatures and makes proofs; borrowed. The checkpoints' database (never while a
 * signature is under way in another thread), the key that signs them (always), and the connection that writes
 * the log. */
struct checkpoints *logbook_checkpoints(const struct logbook *logbook);
const struct note_key *logbook_key(const struct logbook *logbook);
struct db *logbook_store(const struct logbook *logbook);

/* logbook_leaf - the leaf hash of one entry. Errors as logbook_account. */
enum status logbook_leaf(struct logbook *logbook, uint64_t index, struct digest *ret);

/* logbook_account - appends the account part of one entry. STATUS_NOT_FOUND for an index that is not below
 * the size, or as logbook_erase. */
enum status logbook_account(struct logbook *logbook, uint64_t index, struct byte_buffer *ret);

/*
 * logbook_parts - what is left of the records from entry `first` on, a few thousand entries at a time;
 * *ret_next is where to go on, the log's size when all of it was looked at. As logparts_each.
 */
enum status logbook_parts(struct logbook *logbook, uint64_t first, logparts_visitor *visit, void *context,
                          uint64_t *ret_next);

/*
 * logbook_erase - overwrite the salt and personal part that an entry commits to, in place, with zeros;
 * records that share them lose them too. Again is harmless. Within the store's transaction; empty the WAL
 * afterwards (db_checkpoint, truncating), and append the entry that says so. Returns STATUS_NOT_FOUND for an
 * index that is not below the size, STATUS_CORRUPT, or what base/db.h returns.
 */
enum status logbook_erase(struct logbook *logbook, uint64_t index);

/* logbook_blank - the same for a block that logbook_parts showed. */
enum status logbook_blank(struct logbook *logbook, const struct logparts_block *block);
