#pragma once

#include "agent/feed_reject.h"
#include "agent/feed_row.h"
#include "agent/vault.h"
#include "base/db.h"
#include "proto/pseudonym.h"
#include "proto/uuid.h"

/*
 * What feeds keep in agent.db: the rows of a file while it is read, the last extract of each establishment,
 * what was told about whom, and rows that were seen. Rows stand under numbers run << 32 | line, so that the
 * rows of one file lie together and are only ever appended; people are found in them by look-up (vault.h).
 * Except for the queries, everything must be called inside a transaction. Statuses are those of base/db.h,
 * agent/vault.h and STATUS_NO_MEMORY.
 */
#define FEED_STORE_SCHEMA                                                                                    \
    "CREATE TABLE feed_run (id INTEGER PRIMARY KEY AUTOINCREMENT, feed TEXT NOT NULL,"                       \
    " state INTEGER NOT NULL) STRICT;"                                                                       \
    "CREATE TABLE feed_row (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, establishment TEXT,"             \
    " pnc BLOB, prison BLOB, digest BLOB, place TEXT, reason TEXT, record BLOB) STRICT;"                     \
    "CREATE TABLE feed_key (run INTEGER NOT NULL, key BLOB NOT NULL, row INTEGER NOT NULL,"                  \
    " PRIMARY KEY (run, key, row)) STRICT, WITHOUT ROWID;"                                                   \
    "CREATE TABLE feed_cover (run INTEGER NOT NULL, establishment TEXT NOT NULL,"                            \
    " PRIMARY KEY (run, establishment)) STRICT, WITHOUT ROWID;"                                              \
    "CREATE TABLE feed_current (feed TEXT NOT NULL, establishment TEXT NOT NULL, run INTEGER NOT NULL,"      \
    " PRIMARY KEY (feed, establishment)) STRICT, WITHOUT ROWID;"                                             \
    "CREATE TABLE feed_told (id INTEGER PRIMARY KEY, feed TEXT NOT NULL, person BLOB NOT NULL,"              \
    " event BLOB NOT NULL, establishment TEXT NOT NULL, digest BLOB NOT NULL, record BLOB NOT NULL,"         \
    " UNIQUE (feed, person)) STRICT;"                                                                        \
    "CREATE TABLE feed_seen (feed TEXT NOT NULL, digest BLOB NOT NULL, at INTEGER NOT NULL,"                 \
    " PRIMARY KEY (feed, digest)) STRICT, WITHOUT ROWID;"                                                    \
    "CREATE TABLE feed_state (feed TEXT PRIMARY KEY, look_day INTEGER NOT NULL, at INTEGER NOT NULL,"        \
    " file BLOB NOT NULL, rows INTEGER NOT NULL, rejected INTEGER NOT NULL) STRICT;"

struct feed_store {
    struct db *db;
    struct vault *vault;
    const char *feed; /* whose rows these are; borrowed */
};

/* ---- a file while it is read ---- */

/* feed_store_start - the number of a new run. */
enum status feed_store_start(const struct feed_store *store, int64_t *ret_run);

/* feed_store_add - a good row. establishment is "" for feeds that have none. */
enum status feed_store_add(const struct feed_store *store, int64_t run, const char *establishment,
                           const struct feed_row *row);

/* feed_store_reject - a rejected row; of `row` only what says of whom it is. row may be NULL. */
enum status feed_store_reject(const struct feed_store *store, int64_t run, const struct feed_reject *reject,
                              const struct feed_row *row);

/* feed_store_covers - the file has rows of that establishment, good or not. */
enum status feed_store_covers(const struct feed_store *store, int64_t run, const char *establishment);

/*
 * feed_store_index - all rows are there: make them findable, a slice a call. *slice starts with 0 and is
 * moved on; *ret_more: call again.
 *
 * rows  how many there are
 */
enum status feed_store_index(const struct feed_store *store, int64_t run, int64_t rows, unsigned *slice,
                             bool *ret_more);

/*
 * feed_store_settle - after that: find rows of one person. The same row again does not count; rows
 * that differ are rejected, all of them.
 *
 * column      named in the rejects: heading of the date, or NULL
 * ret_again   rows that did not count
 */
enum status feed_store_settle(const struct feed_store *store, int64_t run, const char *column,
                              int64_t *ret_again);

/* What a run holds. */
struct feed_counts {
    int64_t good;
    int64_t rejected;
    int64_t nameless; /* rejected, and neither PNC id nor prison number can be read */
};
enum status feed_store_counts(const struct feed_store *store, int64_t run, struct feed_counts *ret);

/* feed_store_next_reject - the first rejected row of the run after *line, which is moved on. */
enum status feed_store_next_reject(const struct feed_store *store, int64_t run, uint64_t *line,
                                   struct feed_reject *ret);

/* feed_store_next_good - the same for good rows. row borrows from storage, which is cleared first. */
enum status feed_store_next_good(const struct feed_store *store, int64_t run, uint64_t *line,
                                 struct byte_buffer *storage, struct feed_row *ret_row);

/* feed_store_has - has the run any row, good or rejected, with that PNC id or that prison number? Either may
 * be empty. Works after feed_store_index. */
enum status feed_store_has(const struct feed_store *store, int64_t run, struct byte_view pnc_id,
                           struct byte_view prison_no, bool *ret_has);

/* ---- the last extract ---- */

/*
 * feed_store_vanished - how many rows of the last extract, of the establishments that the run covers, are
 * nowhere in the run. Rows whose date has passed (before or on `today`) are left out of both counts when they
 * are gone.
 */
enum status feed_store_vanished(const struct feed_store *store, int64_t run, int32_t today,
                                int64_t *ret_known, int64_t *ret_gone);

/* feed_store_enforce - the run is the last extract of the establishments that it covers from now on. */
enum status feed_store_enforce(const struct feed_store *store, int64_t run);

/* feed_store_drop - the run's rows are of no use any more: they go in later sweeps. */
enum status feed_store_drop(const struct feed_store *store, int64_t run);

/*
 * feed_store_find - the row of a person in the last extracts, the newest if there are several: by the PNC id,
 * or, among rows without one, by the prison number. Either may be empty. STATUS_NOT_FOUND.
 */
enum status feed_store_find(const struct feed_store *store, struct byte_view pnc_id,
                            struct byte_view prison_no, struct byte_buffer *storage,
                            struct feed_row *ret_row);

/* ---- what was told ---- */

/* The newest event about a person. */
struct feed_told {
    int64_t id; /* 0: not kept yet */
    uint8_t event[UUID_SIZE];
    char establishment[16];
    uint8_t digest[VAULT_LOOKUP_SIZE]; /* of the row that it was made from */
    struct pseudonym subject;
    struct feed_row row; /* the values told; borrows from the storage given */
};

/* feed_store_person - how a person is named in feed_told. */
void feed_store_person(const struct feed_store *store, struct byte_view identity,
                       uint8_t out[static VAULT_LOOKUP_SIZE]);

/* feed_store_digest - what two rows with the same values have in common. */
enum status feed_store_digest(const struct feed_store *store, const struct feed_row *row,
                              uint8_t out[static VAULT_LOOKUP_SIZE]);

enum status feed_store_told(const struct feed_store *store, struct byte_view identity,
                            struct byte_buffer *storage, struct feed_told *ret);

/* feed_store_next_told - the next after *cursor (start with 0). STATUS_NOT_FOUND at the end. */
enum status feed_store_next_told(const struct feed_store *store, int64_t *cursor, struct byte_buffer *storage,
                                 struct feed_told *ret);
enum status feed_store_tell(const struct feed_store *store, struct byte_view identity,
                            const struct feed_told *told);
enum status feed_store_forget(const struct feed_store *store, int64_t id);

/* feed_store_forget_person - in every feed. */
enum status feed_store_forget_person(const struct feed_store *store, struct byte_view identity);

/* feed_store_see - *ret_new: this row was not seen before, and now is. */
enum status feed_store_see(const struct feed_store *store, const struct feed_row *row, int64_t now,
                           bool *ret_new);

/* feed_store_unsee - it was not sent after all. */
enum status feed_store_unsee(const struct feed_store *store, const struct feed_row *row);

/* ---- the feed ---- */

struct feed_last {
    int32_t look_day; /* of the last daily look; INT32_MIN: none */
    int64_t at;       /* of the last file; 0: none */
    uint8_t file[DIGEST_SIZE];
    int64_t rows;
    int64_t rejected;
};

enum status feed_store_last(const struct feed_store *store, struct feed_last *ret);
enum status feed_store_note(const struct feed_store *store, const struct feed_last *last);

/* feed_store_abandon - runs of any feed that were under way when the agent ended: nothing of them counts. */
enum status feed_store_abandon(const struct feed_store *store);

/*
 * feed_store_sweep - delete some of what is of no use any more, and rows seen before `until`. *ret_more: call
 * again.
 */
enum status feed_store_sweep(const struct feed_store *store, int64_t until, bool *ret_more);
