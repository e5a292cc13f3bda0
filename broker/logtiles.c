#include "broker/logtiles.h"

#include <string.h>

#include "proto/logrow.h"
#include "proto/merkle.h"

#define LEVEL_SHIFT 48 /* tile.id = level << 48 | n */

static int64_t row_id(const struct tile_id *id)
{
    return (int64_t)((uint64_t)id->level << LEVEL_SHIFT | id->n);
}

enum status logtiles_write(struct db *db, const struct tile_id *id, const struct digest *hashes)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(db,
                                      "INSERT INTO tile (id, hashes) VALUES (?1, ?2) ON CONFLICT (id) DO "
                                      "UPDATE SET hashes = excluded.hashes",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, row_id(id));
    db_bind_blob(statement, 2, bytes_view(hashes, id->width * sizeof *hashes));
    return db_run(statement);
}

enum status logtiles_stored(struct db *db, const struct tile_id *id, struct digest *ret_hashes)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(db, "SELECT hashes FROM tile WHERE id = ?1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, row_id(id));
    status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    struct byte_view hashes = row ? db_column_blob(statement, 0) : bytes_view(NULL, 0);
    size_t wanted = id->width * sizeof *ret_hashes;
    if (hashes.size >= wanted && hashes.size % DIGEST_SIZE == 0)
        memcpy(ret_hashes, hashes.data, wanted);
    else
        status = STATUS_CORRUPT;
    db_reset(statement);
    return status;
}

static enum status read_tile(void *context, const struct tile_id *id, struct digest *ret_hashes)
{
    struct db *db = context;
    enum status status = logtiles_stored(db, id, ret_hashes);

    if (status == STATUS_CORRUPT && id->level == 0 && id->width < TILE_WIDTH)
        status = logtiles_leaves(db, id->n * TILE_WIDTH, id->width, ret_hashes);
    return status;
}

struct tile_source logtiles_source(struct db *db)
{
    return (struct tile_source){.read = read_tile, .context = db};
}

/* Where the row that holds an entry starts; STATUS_CORRUPT if there is none before it. */
static enum status row_start(struct db *db, uint64_t entry, uint64_t *ret_first)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(db, "SELECT first FROM log WHERE first <= ?1 ORDER BY first DESC LIMIT 1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)entry);
    status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    if (row)
        *ret_first = (uint64_t)db_column_int64(statement, 0);
    db_reset(statement);
    return row ? STATUS_OK : STATUS_CORRUPT;
}

/* A row's own numbers, as far as they can be judged without its records. */
static bool follows(uint64_t expected, int64_t first, int64_t n)
{
    return first >= 0 && (uint64_t)first == expected && n > 0 &&
           (uint64_t)n <= LOGROW_MAX / RECORD_ENTRY_SIZE;
}

static enum status pass_rows(struct db_statement *statement, uint64_t start, uint64_t end, logtiles_row *row,
                             void *context)
{
    uint64_t next = start;

    while (next < end) {
        bool there = false;
        enum status status = db_step(statement, &there);
        if (status != STATUS_OK)
            return status;
        int64_t first = there ? db_column_int64(statement, 0) : -1;
        int64_t n = there ? db_column_int64(statement, 1) : 0;
        if (!there || !follows(next, first, n))
            return STATUS_CORRUPT;
        status = row(context, next, (uint64_t)n, db_column_blob(statement, 2), db_column_blob(statement, 3));
        if (status != STATUS_OK)
            return status;
        next += (uint64_t)n;
    }
    return STATUS_OK;
}

enum status logtiles_rows(struct db *db, uint64_t first, uint64_t end, logtiles_row *row, void *context)
{
    struct db_statement *statement = NULL;
    uint64_t start = 0;

    if (first >= end)
        return STATUS_OK;
    enum status status = row_start(db, first, &start);
    if (status == STATUS_OK)
        status = db_statement(
            db, "SELECT first, n, records, personal FROM log WHERE first >= ?1 ORDER BY first", &statement);
    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)start);
    status = pass_rows(statement, start, end, row, context);
    db_reset(statement);
    return status;
}

/* Leaf hashes being collected. */
struct leaves {
    uint64_t first;
    size_t count;
    struct digest *out;
};

static enum status collect_leaves(void *context, uint64_t first, uint64_t n, struct byte_view records,
                                  struct byte_view personal)
{
    struct leaves *leaves = context;
    struct logrow row = logrow_open(records, personal);
    struct logrow_record record;

    for (uint64_t i = 0; i < n; i++) {
        if (logrow_next(&row, &record) != STATUS_OK)
            return STATUS_CORRUPT;
        if (first + i >= leaves->first && first + i - leaves->first < leaves->count)
            leaves->out[first + i - leaves->first] = merkle_leaf(bytes_view(record.entry, RECORD_ENTRY_SIZE));
    }
    return logrow_next(&row, &record) == STATUS_NOT_FOUND ? STATUS_OK : STATUS_CORRUPT;
}

enum status logtiles_leaves(struct db *db, uint64_t first, size_t count, struct digest *ret_leaves)
{
    struct leaves leaves = {.first = first, .count = count, .out = ret_leaves};

    return logtiles_rows(db, first, first + count, collect_leaves, &leaves);
}

enum status logtiles_end(struct db *db, uint64_t *ret_end)
{
    struct db_statement *statement = NULL;
    bool row = false;
    uint64_t end = 0;
    enum status status = db_statement(db, "SELECT first, n FROM log ORDER BY first DESC LIMIT 1", &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    if (row) {
        int64_t first = db_column_int64(statement, 0);
        int64_t n = db_column_int64(statement, 1);
        if (first < 0 || n <= 0 || n > INT64_MAX - first)
            status = STATUS_CORRUPT;
        else
            end = (uint64_t)first + (uint64_t)n;
    }
    db_reset(statement);
    if (status == STATUS_OK)
        *ret_end = end;
    return status;
}
