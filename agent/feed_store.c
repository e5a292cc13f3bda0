#include "agent/feed_store.h"

#include <string.h>

#include "agent/feed_sql.h"
#include "base/civil.h"
#include "proto/canonical.h"

#define SWEEP_ROWS 1000

enum run_state { RUN_READING, RUN_KEPT, RUN_OVER };

/* ---- a file while it is read -------------------------------------------------------------------------- */

enum status feed_store_start(const struct feed_store *store, int64_t *ret_run)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(store->db, "INSERT INTO feed_run (feed, state) VALUES (?, 0)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, store->feed);
    status = db_run(statement);
    if (status == STATUS_OK)
        *ret_run = db_last_rowid(store->db);
    return status;
}

static void bind_key(const struct feed_store *store, struct db_statement *statement, int parameter,
                     const char *use, struct byte_view value, uint8_t key[static VAULT_LOOKUP_SIZE])
{
    if (value.size == 0) {
        db_bind_null(statement, parameter);
        return;
    }
    vault_lookup(store->vault, use, value, key);
    db_bind_blob(statement, parameter, bytes_view(key, VAULT_LOOKUP_SIZE));
}

enum status feed_store_add(const struct feed_store *store, int64_t run, const char *establishment,
                           const struct feed_row *row)
{
    struct db_statement *statement = NULL;
    struct byte_buffer sealed = bytes_buffer(FEED_SQL_RECORD_MAX);
    uint8_t pnc[VAULT_LOOKUP_SIZE];
    uint8_t prison[VAULT_LOOKUP_SIZE];
    uint8_t digest[VAULT_LOOKUP_SIZE];
    const int64_t id = feed_sql_row_id(run, row->line);
    enum status status = feed_store_digest(store, row, digest);

    if (status == STATUS_OK)
        status = feed_sql_seal_row(store, id, row, &sealed);
    if (status == STATUS_OK)
        status = db_statement(store->db,
                              "INSERT INTO feed_row (id, state, establishment, pnc, prison, digest, record)"
                              " VALUES (?, 0, ?, ?, ?, ?, ?)",
                              &statement);
    if (status != STATUS_OK)
        goto out;
    db_bind_int64(statement, 1, id);
    db_bind_text(statement, 2, establishment);
    bind_key(store, statement, 3, "pnc_id", feed_row_value(row, "pnc_id"), pnc);
    bind_key(store, statement, 4, "prison_no", feed_row_value(row, "prison_no"), prison);
    db_bind_blob(statement, 5, bytes_view(digest, sizeof digest));
    db_bind_blob(statement, 6, bytes_buffer_view(&sealed));
    status = db_run(statement);
out:
    bytes_buffer_free(&sealed);
    return status;
}

enum status feed_store_reject(const struct feed_store *store, int64_t run, const struct feed_reject *reject,
                              const struct feed_row *row)
{
    static const struct feed_row nothing;
    struct db_statement *statement = NULL;
    uint8_t pnc[VAULT_LOOKUP_SIZE];
    uint8_t prison[VAULT_LOOKUP_SIZE];
    enum status status = db_statement(
        store->db, "INSERT INTO feed_row (id, state, pnc, prison, place, reason) VALUES (?, 1, ?, ?, ?, ?)",
        &statement);

    if (status != STATUS_OK)
        return status;
    row = row != NULL ? row : &nothing;
    db_bind_int64(statement, 1, feed_sql_row_id(run, reject->line));
    bind_key(store, statement, 2, "pnc_id", feed_row_value(row, "pnc_id"), pnc);
    bind_key(store, statement, 3, "prison_no", feed_row_value(row, "prison_no"), prison);
    db_bind_text(statement, 4, reject->column);
    db_bind_text(statement, 5, reject->reason);
    return db_run(statement);
}

enum status feed_store_covers(const struct feed_store *store, int64_t run, const char *establishment)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        store->db, "INSERT OR IGNORE INTO feed_cover (run, establishment) VALUES (?, ?)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, run);
    db_bind_text(statement, 2, establishment);
    return db_run(statement);
}

enum status feed_store_counts(const struct feed_store *store, int64_t run, struct feed_counts *ret)
{
    struct db_statement *statement = NULL;
    struct feed_counts counts = {0};
    bool row = false;
    enum status status = db_statement(store->db,
                                      "SELECT total(state = 0), total(state = 1),"
                                      " total(state = 1 AND pnc IS NULL AND prison IS NULL)"
                                      " FROM feed_row WHERE id BETWEEN ? AND ?",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    feed_sql_bind_run(statement, 1, run);
    status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status;
    counts.good = db_column_int64(statement, 0);
    counts.rejected = db_column_int64(statement, 1);
    counts.nameless = db_column_int64(statement, 2);
    db_reset(statement);
    *ret = counts;
    return STATUS_OK;
}

static void copy_text(char *out, size_t size, const char *text)
{
    const size_t length = strnlen(text, size - 1);

    memcpy(out, text, length);
    out[length] = '\0';
}

enum status feed_store_next_reject(const struct feed_store *store, int64_t run, uint64_t *line,
                                   struct feed_reject *ret)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(store->db,
                     "SELECT id, place, reason FROM feed_row WHERE id > ? AND id <= ? AND state = 1"
                     " ORDER BY id LIMIT 1",
                     &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, feed_sql_row_id(run, *line));
    db_bind_int64(statement, 2, feed_sql_row_id(run, UINT32_MAX));
    status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    if (!row)
        return STATUS_NOT_FOUND;
    *line = ret->line = (uint64_t)db_column_int64(statement, 0) & UINT32_MAX;
    copy_text(ret->column, sizeof ret->column, db_column_text(statement, 1));
    copy_text(ret->reason, sizeof ret->reason, db_column_text(statement, 2));
    db_reset(statement);
    return STATUS_OK;
}

enum status feed_store_next_good(const struct feed_store *store, int64_t run, uint64_t *line,
                                 struct byte_buffer *storage, struct feed_row *ret_row)
{
    struct db_statement *statement = NULL;
    bool row = false;
    int64_t id = 0;
    enum status status = db_statement(
        store->db,
        "SELECT id, record FROM feed_row WHERE id > ? AND id <= ? AND state = 0 ORDER BY id LIMIT 1",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, feed_sql_row_id(run, *line));
    db_bind_int64(statement, 2, feed_sql_row_id(run, UINT32_MAX));
    status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    if (!row)
        return STATUS_NOT_FOUND;
    id = db_column_int64(statement, 0);
    status = feed_sql_open_row(store, id, db_column_blob(statement, 1), storage, ret_row);
    db_reset(statement);
    if (status == STATUS_OK)
        *line = (uint64_t)id & UINT32_MAX;
    return status;
}

static enum status has_key(const struct feed_store *store, int64_t run, const char *use,
                           struct byte_view value, bool *ret_has)
{
    uint8_t key[VAULT_LOOKUP_SIZE];

    *ret_has = false;
    if (value.size == 0)
        return STATUS_OK;
    vault_lookup(store->vault, use, value, key);
    return feed_sql_has_key(store, run, bytes_view(key, sizeof key), ret_has);
}

enum status feed_store_has(const struct feed_store *store, int64_t run, struct byte_view pnc_id,
                           struct byte_view prison_no, bool *ret_has)
{
    bool has = false;
    enum status status = has_key(store, run, "pnc_id", pnc_id, &has);

    if (status == STATUS_OK && !has)
        status = has_key(store, run, "prison_no", prison_no, &has);
    if (status == STATUS_OK)
        *ret_has = has;
    return status;
}

/* ---- the last extract --------------------------------------------------------------------------------- */

enum status feed_store_enforce(const struct feed_store *store, int64_t run)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(store->db,
                                      "INSERT INTO feed_current (feed, establishment, run)"
                                      " SELECT ?1, establishment, ?2 FROM feed_cover WHERE run = ?2"
                                      " ON CONFLICT (feed, establishment) DO UPDATE SET run = excluded.run",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, store->feed);
    db_bind_int64(statement, 2, run);
    status = db_run(statement);
    if (status == STATUS_OK)
        status = db_statement(store->db,
                              "UPDATE feed_run SET state ="
                              " iif(id IN (SELECT run FROM feed_current), 1, 2)"
                              " WHERE feed = ? AND (state = 1 OR id = ?)",
                              &statement);
    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, store->feed);
    db_bind_int64(statement, 2, run);
    return db_run(statement);
}

enum status feed_store_drop(const struct feed_store *store, int64_t run)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(store->db, "UPDATE feed_run SET state = 2 WHERE id = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, run);
    return db_run(statement);
}

enum status feed_store_abandon(const struct feed_store *store)
{
    return db_exec(store->db, "UPDATE feed_run SET state = 2 WHERE state = 0");
}

/* The newest row with that key among the last extracts; nameless_only: only rows without a PNC id. */
static enum status find_key(const struct feed_store *store, const char *use, struct byte_view value,
                            bool without_pnc, struct byte_buffer *storage, struct feed_row *ret_row)
{
    struct db_statement *statement = NULL;
    uint8_t key[VAULT_LOOKUP_SIZE];
    bool row = false;
    enum status status = STATUS_NOT_FOUND;

    if (value.size == 0)
        return STATUS_NOT_FOUND;
    status = db_statement(store->db,
                          "SELECT r.id, r.record FROM feed_current c"
                          " JOIN feed_key k ON k.run = c.run AND k.key = ?2"
                          " JOIN feed_row r ON r.id = k.row AND r.establishment = c.establishment"
                          " WHERE c.feed = ?1 AND r.state = 0 AND (?3 = 0 OR r.pnc IS NULL)"
                          " ORDER BY r.id DESC LIMIT 1",
                          &statement);
    if (status != STATUS_OK)
        return status;
    vault_lookup(store->vault, use, value, key);
    db_bind_text(statement, 1, store->feed);
    db_bind_blob(statement, 2, bytes_view(key, sizeof key));
    db_bind_int64(statement, 3, without_pnc ? 1 : 0);
    status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    if (!row)
        return STATUS_NOT_FOUND;
    status = feed_sql_open_row(store, db_column_int64(statement, 0), db_column_blob(statement, 1), storage,
                               ret_row);
    db_reset(statement);
    return status;
}

enum status feed_store_find(const struct feed_store *store, struct byte_view pnc_id,
                            struct byte_view prison_no, struct byte_buffer *storage, struct feed_row *ret_row)
{
    enum status status = find_key(store, "pnc_id", pnc_id, false, storage, ret_row);

    if (status == STATUS_NOT_FOUND)
        status = find_key(store, "prison_no", prison_no, pnc_id.size > 0, storage, ret_row);
    return status;
}

/* ---- the feed ----------------------------------------------------------------------------------------- */

enum status feed_store_see(const struct feed_store *store, const struct feed_row *row, int64_t now,
                           bool *ret_new)
{
    struct db_statement *statement = NULL;
    uint8_t digest[VAULT_LOOKUP_SIZE];
    enum status status = feed_store_digest(store, row, digest);

    if (status == STATUS_OK)
        status = db_statement(
            store->db, "INSERT OR IGNORE INTO feed_seen (feed, digest, at) VALUES (?, ?, ?)", &statement);
    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, store->feed);
    db_bind_blob(statement, 2, bytes_view(digest, sizeof digest));
    db_bind_int64(statement, 3, now);
    status = db_run(statement);
    if (status == STATUS_OK)
        *ret_new = db_changes(store->db) > 0;
    return status;
}

enum status feed_store_unsee(const struct feed_store *store, const struct feed_row *row)
{
    struct db_statement *statement = NULL;
    uint8_t digest[VAULT_LOOKUP_SIZE];
    enum status status = feed_store_digest(store, row, digest);

    if (status == STATUS_OK)
        status = db_statement(store->db, "DELETE FROM feed_seen WHERE feed = ? AND digest = ?", &statement);
    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, store->feed);
    db_bind_blob(statement, 2, bytes_view(digest, sizeof digest));
    return db_run(statement);
}

enum status feed_store_last(const struct feed_store *store, struct feed_last *ret)
{
    struct db_statement *statement = NULL;
    struct feed_last last = {.look_day = INT32_MIN};
    bool row = false;
    enum status status = db_statement(
        store->db, "SELECT look_day, at, rows, rejected, file FROM feed_state WHERE feed = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, store->feed);
    status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    if (row) {
        const struct byte_view file = db_column_blob(statement, 4);

        last.look_day = (int32_t)db_column_int64(statement, 0);
        last.at = db_column_int64(statement, 1);
        last.rows = db_column_int64(statement, 2);
        last.rejected = db_column_int64(statement, 3);
        if (file.size == DIGEST_SIZE)
            memcpy(last.file, file.data, DIGEST_SIZE);
        db_reset(statement);
    }
    *ret = last;
    return STATUS_OK;
}

enum status feed_store_note(const struct feed_store *store, const struct feed_last *last)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(store->db,
                                      "INSERT OR REPLACE INTO feed_state"
                                      " (feed, look_day, at, rows, rejected, file) VALUES (?, ?, ?, ?, ?, ?)",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, store->feed);
    db_bind_int64(statement, 2, last->look_day);
    db_bind_int64(statement, 3, last->at);
    db_bind_int64(statement, 4, last->rows);
    db_bind_int64(statement, 5, last->rejected);
    db_bind_blob(statement, 6, bytes_view(last->file, DIGEST_SIZE));
    return db_run(statement);
}

static enum status delete_some(const struct feed_store *store, const char *sql, int64_t first, int64_t last,
                               bool *ret_more)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(store->db, sql, &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, first);
    db_bind_int64(statement, 2, last);
    db_bind_int64(statement, 3, SWEEP_ROWS);
    status = db_run(statement);
    if (status == STATUS_OK)
        *ret_more = db_changes(store->db) > 0;
    return status;
}

static enum status sweep_run(const struct feed_store *store, int64_t run)
{
    bool more = false;
    enum status status = delete_some(
        store, "DELETE FROM feed_row WHERE id IN (SELECT id FROM feed_row WHERE id BETWEEN ? AND ? LIMIT ?)",
        feed_sql_row_id(run, 0), feed_sql_row_id(run, UINT32_MAX), &more);

    if (status == STATUS_OK && !more)
        status = delete_some(store,
                             "DELETE FROM feed_key WHERE run = ?1 AND run = ?2 AND (key, row) IN"
                             " (SELECT key, row FROM feed_key WHERE run = ?1 LIMIT ?3)",
                             run, run, &more);
    if (status == STATUS_OK && !more)
        status = delete_some(store, "DELETE FROM feed_cover WHERE run = ?1 AND run = ?2 AND ?3 > 0", run, run,
                             &more);
    if (status == STATUS_OK && !more)
        status =
            delete_some(store, "DELETE FROM feed_run WHERE id = ?1 AND id = ?2 AND ?3 > 0", run, run, &more);
    return status;
}

enum status feed_store_sweep(const struct feed_store *store, int64_t until, bool *ret_more)
{
    struct db_statement *statement = NULL;
    bool row = false;
    bool seen = false;
    int64_t run = 0;
    enum status status =
        db_statement(store->db, "SELECT id FROM feed_run WHERE state = 2 ORDER BY id LIMIT 1", &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    if (row) {
        run = db_column_int64(statement, 0);
        db_reset(statement);
        status = sweep_run(store, run);
    } else {
        status = delete_some(store,
                             "DELETE FROM feed_seen WHERE (feed, digest) IN"
                             " (SELECT feed, digest FROM feed_seen WHERE at BETWEEN ? AND ? LIMIT ?)",
                             0, until, &seen);
    }
    if (status == STATUS_OK)
        *ret_more = row || seen;
    return status;
}
