#include "broker/index.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker/counted.h"
#include "broker/index_db.h"
#include "broker/logtiles.h"
#include "proto/logrow.h"

#define CHUNK_ENTRIES 16384 /* in one transaction, and in one reading of the log */
#define PAUSE_MS      100   /* between transactions, so that many commits make one */
#define FULL_MS       5000  /* before trying again on a full disk */
#define WAL_PAGES     2000  /* after which the WAL is copied into the database */
#define CACHE_SLOTS   4096  /* a power of two */
#define POSTINGS_MAX  32768 /* collected before they are written */

/* A term met lately: its number, and the row that was last posted for it. */
struct cached {
    struct index_word word;
    int64_t term;
    uint64_t row;
};

struct posting {
    int64_t term;
    uint64_t row;
};

struct index {
    char *path;
    struct db *db;
    struct db *store; /* read_only */
    struct cached *cache;
    struct posting *postings;
    size_t posting_count;
    struct index_mark mark; /* the thread's own */
    pthread_t thread;
    bool threaded; /* thread, mutex and condition exist */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    /* under the mutex */
    uint64_t target;
    uint64_t indexed;
    bool stop;
    bool rebuild;
    enum status error;
};

/* ---- posting ---- */

static size_t slot_of(const struct index_word *word)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < word->size; i++)
        hash = (hash ^ word->bytes[i]) * 16777619u;
    return (hash ^ hash >> 16) & (CACHE_SLOTS - 1);
}

static int compare_postings(const void *a, const void *b)
{
    const struct posting *x = a;
    const struct posting *y = b;

    if (x->term != y->term)
        return x->term < y->term ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* In the table's own order, so that neighbours go to the same page one after the other. */
static enum status write_postings(struct index *index)
{
    enum status status = STATUS_OK;

    qsort(index->postings, index->posting_count, sizeof *index->postings, compare_postings);
    for (size_t i = 0; i < index->posting_count && status == STATUS_OK; i++)
        status = index_db_post(index->db, index->postings[i].term, index->postings[i].row);
    index->posting_count = 0;
    return status;
}

static enum status post(struct index *index, uint64_t row, char letter, struct byte_view value)
{
    struct index_word word = index_db_word(letter, value);
    enum status status = STATUS_OK;

    if (word.size == 0)
        return status;
    struct cached *cached = &index->cache[slot_of(&word)];
    if (cached->word.size != word.size || memcmp(cached->word.bytes, word.bytes, word.size) != 0) {
        cached->word.size = 0;
        status = index_db_add_term(index->db, &word, &cached->term);
        if (status != STATUS_OK)
            return status;
        cached->word = word;
        cached->row = UINT64_MAX;
    }
    if (cached->row == row)
        return status;
    cached->row = row;
    if (index->posting_count == POSTINGS_MAX)
        status = write_postings(index);
    index->postings[index->posting_count++] = (struct posting){cached->term, row};
    return status;
}

/* Whom the record counts, so that a member's own entries are found by counter (broker/counted.h). */
static enum status post_counted(struct index *index, uint64_t row, const struct logrow_record *record)
{
    struct record_outline outline;
    enum counted_role role;

    if (!counted_of(record, &role, &outline))
        return STATUS_OK;
    return post(index, row, (char)role, role == COUNTED_RECIPIENT ? outline.to : outline.from);
}

static enum status post_account(struct index *index, uint64_t row, const struct logrow_record *record)
{
    struct record_outline outline;
    const char *kind = record_kind_text(record->entry[1]);

    if (kind == NULL || record_outline(record->account, &outline) != STATUS_OK)
        return STATUS_CORRUPT;
    enum status status = post(index, row, 'm', outline.from);
    if (status == STATUS_OK)
        status = post(index, row, 'm', outline.to);
    if (status == STATUS_OK)
        status = post(index, row, 't', outline.type);
    if (status == STATUS_OK)
        status = post(index, row, 'o', outline.outcome);
    if (status == STATUS_OK)
        status = post(index, row, 'o', bytes_of_string(kind));
    if (status == STATUS_OK)
        status = post_counted(index, row, record);
    return status;
}

static enum status post_personal(struct index *index, uint64_t at, const struct logrow *row,
                                 const struct logrow_record *record)
{
    struct logrow_block block;
    struct byte_view subject;

    if (logrow_block(row, record, &block) != STATUS_OK)
        return STATUS_CORRUPT;
    if (block.salt == NULL || block.part.size == 0)
        return STATUS_OK;
    if (record_subject(block.part, &subject) != STATUS_OK)
        return STATUS_CORRUPT;
    return post(index, at, 's', subject);
}

/* Damage ends the index for good; searches then look through the log itself, and say so when they come to it.
 */
static enum status index_row(void *context, uint64_t first, uint64_t n, struct byte_view records,
                             struct byte_view personal)
{
    struct index *index = context;
    struct logrow row = logrow_open(records, personal);
    struct logrow_record record;
    uint32_t place = UINT32_MAX; /* of the block that was posted last */
    enum status status = first == index->mark.indexed ? STATUS_OK : STATUS_CORRUPT;

    for (uint64_t i = 0; i < n && status == STATUS_OK; i++) {
        if (logrow_next(&row, &record) != STATUS_OK)
            return STATUS_CORRUPT;
        if (first + i == 0)
            memcpy(index->mark.first, record.entry, RECORD_ENTRY_SIZE);
        status = post_account(index, first, &record);
        if (status == STATUS_OK && record.place != place)
            status = post_personal(index, first, &row, &record);
        place = record.place;
    }
    if (status == STATUS_OK)
        index->mark.indexed = first + n;
    return status;
}

static enum status clear(struct index *index)
{
    enum status status = index_db_clear(index->db);

    memset(index->cache, 0, CACHE_SLOTS * sizeof *index->cache);
    if (status == STATUS_OK || status == STATUS_BUSY)
        memset(&index->mark, 0, sizeof index->mark);
    return status;
}

/* Rows until `end` is covered, in one transaction. */
static enum status index_chunk(struct index *index, uint64_t end)
{
    const struct index_mark before = index->mark;
    enum status status = db_begin(index->db);

    if (status == STATUS_OK)
        status = logtiles_rows(index->store, index->mark.indexed, end, index_row, index);
    if (status == STATUS_OK)
        status = write_postings(index);
    if (status == STATUS_OK)
        status = index_db_write_mark(index->db, &index->mark);
    if (status == STATUS_OK)
        status = db_commit(index->db);
    else
        db_rollback(index->db);
    if (status != STATUS_OK) {
        index->mark = before;
        index->posting_count = 0;
        memset(index->cache, 0,
               CACHE_SLOTS * sizeof *index->cache); /* terms may have gone with the rollback */
        return status;
    }
    if (db_wal_pages(index->db) > WAL_PAGES)
        status = db_checkpoint(index->db, false);
    return status == STATUS_BUSY ? STATUS_OK : status;
}

/* ---- the thread ---- */

static struct timespec after_ms(long ms)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_nsec += ms % 1000 * 1000000;
    time.tv_sec += ms / 1000 + time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

/* With the mutex held: rests for so long, unless it is time to stop. */
static void rest(struct index *index, long ms)
{
    struct timespec end = after_ms(ms);

    while (!index->stop && pthread_cond_timedwait(&index->wake, &index->mutex, &end) == 0)
        continue;
}

/* With the mutex held, which it lets go of meanwhile; false when it has to be tried again. */
static bool rebuild(struct index *index)
{
    (void)pthread_mutex_unlock(&index->mutex);
    enum status status = clear(index);
    (void)pthread_mutex_lock(&index->mutex);
    index->indexed = index->mark.indexed;
    if (status == STATUS_OK)
        index->rebuild = false;
    else if (status != STATUS_BUSY && status != STATUS_NO_SPACE)
        index->error = status;
    else
        rest(index, PAUSE_MS);
    return status == STATUS_OK;
}

static void *run(void *context)
{
    struct index *index = context;

    (void)pthread_mutex_lock(&index->mutex);
    while (!index->stop && index->error == STATUS_OK) {
        if (index->rebuild && !rebuild(index))
            continue;
        if (index->target <= index->indexed) {
            (void)pthread_cond_wait(&index->wake, &index->mutex);
            continue;
        }
        uint64_t end = index->target;
        bool behind = end - index->indexed > CHUNK_ENTRIES;
        if (behind)
            end = index->indexed + CHUNK_ENTRIES;
        (void)pthread_mutex_unlock(&index->mutex);
        enum status status = index_chunk(index, end);
        (void)pthread_mutex_lock(&index->mutex);
        index->indexed = index->mark.indexed;
        if (status != STATUS_OK && status != STATUS_NO_SPACE)
            index->error = status;
        else if (!behind || status == STATUS_NO_SPACE)
            rest(index, status == STATUS_OK ? PAUSE_MS : FULL_MS);
    }
    (void)pthread_mutex_unlock(&index->mutex);
    return NULL;
}

static enum status start(struct index *index)
{
    pthread_condattr_t attributes;
    enum status status = STATUS_IO;

    if (pthread_mutex_init(&index->mutex, NULL) != 0)
        return status;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int failed = pthread_cond_init(&index->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    if (failed != 0)
        goto out_mutex;
    if (pthread_create(&index->thread, NULL, run, index) == 0) {
        index->threaded = true;
        return STATUS_OK;
    }
    (void)pthread_cond_destroy(&index->wake);
out_mutex:
    (void)pthread_mutex_destroy(&index->mutex);
    return status;
}

/* ---- opening ---- */

static enum status open_store(const char *path, struct db **ret_store)
{
    const struct db_options options = {
        .application_id = LOGROW_STORE_APPLICATION,
        .user_version = LOGROW_STORE_VERSION,
        .oldest = LOGROW_STORE_OLDEST,
        .schema_sql = "",
        .read_only = true,
        .cache_kib = 256,
    };

    return db_open(path, &options, ret_store);
}

static enum status take_entry(void *context, uint64_t first, uint64_t n, struct byte_view records,
                              struct byte_view personal)
{
    struct logrow row = logrow_open(records, personal);
    struct logrow_record record;

    (void)n;
    if (first != 0 || logrow_next(&row, &record) != STATUS_OK)
        return STATUS_CORRUPT;
    memcpy(context, record.entry, RECORD_ENTRY_SIZE);
    return STATUS_OK;
}

/* STATUS_MISMATCH when the index is of another log, or of more of it than there is. */
static enum status check_mark(struct index *index, uint64_t end)
{
    uint8_t first[RECORD_ENTRY_SIZE] = {0};
    enum status status = index_db_read_mark(index->db, &index->mark);

    if (status == STATUS_OK && end > 0 && index->mark.indexed > 0)
        status = logtiles_rows(index->store, 0, 1, take_entry, first);
    if (status != STATUS_OK || index->mark.indexed == 0)
        return status;
    bool ours = index->mark.indexed <= end && memcmp(first, index->mark.first, sizeof first) == 0;
    return ours ? STATUS_OK : STATUS_MISMATCH;
}

/* Opens the database, or, when it is of no use, removes it and makes a new one. */
static enum status open_db(struct index *index, uint64_t end)
{
    enum status status = index_db_open(index->path, false, &index->db);

    if (status == STATUS_MISMATCH)
        return status; /* not an index at all: whoever put it there should know */
    if (status == STATUS_OK)
        status = check_mark(index, end);
    if (status != STATUS_CORRUPT && status != STATUS_UNSUPPORTED && status != STATUS_NEWER &&
        status != STATUS_MISMATCH)
        return status;
    db_close(&index->db);
    status = index_db_remove(index->path);
    if (status == STATUS_OK)
        status = index_db_open(index->path, false, &index->db);
    return status == STATUS_OK ? check_mark(index, end) : status;
}

enum status index_open(const struct index_options *options, struct index **ret)
{
    struct index *index = calloc(1, sizeof *index);
    enum status status = STATUS_NO_MEMORY;
    uint64_t end = 0;

    if (index == NULL)
        return status;
    index->path = strdup(options->path);
    index->cache = calloc(CACHE_SLOTS, sizeof *index->cache);
    index->postings = calloc(POSTINGS_MAX, sizeof *index->postings);
    if (index->path == NULL || index->cache == NULL || index->postings == NULL)
        goto out;
    status = open_store(options->store_path, &index->store);
    if (status == STATUS_OK)
        status = logtiles_end(index->store, &end);
    if (status == STATUS_OK)
        status = open_db(index, end);
    if (status != STATUS_OK)
        goto out;
    index->indexed = index->mark.indexed;
    index->target = end;
    status = start(index);
out:
    if (status == STATUS_OK)
        *ret = index;
    else
        index_close(&index);
    return status;
}

void index_close(struct index **index)
{
    struct index *closing = *index;

    if (closing == NULL)
        return;
    if (closing->threaded) {
        (void)pthread_mutex_lock(&closing->mutex);
        closing->stop = true;
        (void)pthread_cond_signal(&closing->wake);
        (void)pthread_mutex_unlock(&closing->mutex);
        (void)pthread_join(closing->thread, NULL);
        (void)pthread_cond_destroy(&closing->wake);
        (void)pthread_mutex_destroy(&closing->mutex);
    }
    db_close(&closing->db);
    db_close(&closing->store);
    free(closing->cache);
    free(closing->postings);
    free(closing->path);
    free(closing);
    *index = NULL;
}

void index_feed(struct index *index, uint64_t first, uint64_t n)
{
    (void)pthread_mutex_lock(&index->mutex);
    if (first + n > index->target) {
        bool idle = index->target <= index->indexed;
        index->target = first + n;
        if (idle)
            (void)pthread_cond_signal(&index->wake);
    }
    (void)pthread_mutex_unlock(&index->mutex);
}

void index_rebuild(struct index *index)
{
    (void)pthread_mutex_lock(&index->mutex);
    index->rebuild = true;
    (void)pthread_cond_signal(&index->wake);
    (void)pthread_mutex_unlock(&index->mutex);
}

bool index_rebuilding(struct index *index)
{
    (void)pthread_mutex_lock(&index->mutex);
    bool rebuilding = index->rebuild && index->error == STATUS_OK;
    (void)pthread_mutex_unlock(&index->mutex);
    return rebuilding;
}

uint64_t index_mark(struct index *index)
{
    (void)pthread_mutex_lock(&index->mutex);
    uint64_t indexed = index->indexed;
    (void)pthread_mutex_unlock(&index->mutex);
    return indexed;
}

enum status index_error(struct index *index)
{
    (void)pthread_mutex_lock(&index->mutex);
    enum status error = index->error;
    (void)pthread_mutex_unlock(&index->mutex);
    return error;
}
