/* feed_store_settle and feed_store_vanished: comparing the rows of a file with one another and with the last
 * extract. Both walk through feed_key in its order, so that a large file needs no memory. */

#include "agent/feed_sql.h"

#include <stdio.h>
#include <string.h>

#include "base/civil.h"

#define RECORD_STORAGE ((size_t)1 << 20)

/* Rows whose look-ups are sorted at once: SQLite sorts in memory (base/db.c). */
#define SLICE_ROWS 16384

/* The bounds of a slice of all look-ups, by their first byte; the last one ends above all of them. */
static void slice_bounds(unsigned slice, unsigned slices, uint8_t low[static 1],
                         uint8_t high[static VAULT_LOOKUP_SIZE + 1], size_t *ret_high_size)
{
    low[0] = (uint8_t)(slice * 256 / slices);
    memset(high, 0xff, VAULT_LOOKUP_SIZE + 1);
    *ret_high_size = VAULT_LOOKUP_SIZE + 1;
    if (slice + 1 < slices) {
        high[0] = (uint8_t)((slice + 1) * 256 / slices);
        *ret_high_size = 1;
    }
}

enum status feed_store_index(const struct feed_store *store, int64_t run, int64_t rows, unsigned *slice,
                             bool *ret_more)
{
    struct db_statement *statement = NULL;
    unsigned slices = 1;
    uint8_t low[1];
    uint8_t high[VAULT_LOOKUP_SIZE + 1];
    size_t high_size = 0;
    enum status status = db_statement(
        store->db,
        "INSERT INTO feed_key (run, key, row) SELECT ?3, key, id FROM"
        " (SELECT pnc AS key, id FROM feed_row WHERE id BETWEEN ?1 AND ?2 AND pnc >= ?4 AND pnc < ?5"
        " UNION ALL"
        " SELECT prison, id FROM feed_row WHERE id BETWEEN ?1 AND ?2 AND prison >= ?4 AND prison < ?5)"
        " ORDER BY key, id",
        &statement);

    if (status != STATUS_OK)
        return status;
    while (slices < 256 && rows / slices > SLICE_ROWS)
        slices *= 2;
    slice_bounds(*slice, slices, low, high, &high_size);
    feed_sql_bind_run(statement, 1, run);
    db_bind_int64(statement, 3, run);
    db_bind_blob(statement, 4, bytes_view(low, sizeof low));
    db_bind_blob(statement, 5, bytes_view(high, high_size));
    status = db_run(statement);
    if (status != STATUS_OK)
        return status;
    *slice += 1;
    *ret_more = *slice < slices;
    return STATUS_OK;
}

/* Rows with one key: the first good one, and the first good one that differs from it. */
struct group {
    uint8_t key[VAULT_LOOKUP_SIZE];
    int64_t first;
    int64_t other; /* 0: none differs */
    bool many;     /* more than one good row */
};

static enum status look_at_group(const struct feed_store *store, int64_t run, struct group *group)
{
    struct db_statement *statement = NULL;
    uint8_t digest[VAULT_LOOKUP_SIZE] = {0};
    bool row = false;
    enum status status = db_statement(store->db,
                                      "SELECT r.id, r.digest FROM feed_key k JOIN feed_row r ON r.id = k.row"
                                      " WHERE k.run = ? AND k.key = ? AND r.state = 0 ORDER BY k.row",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, run);
    db_bind_blob(statement, 2, bytes_view(group->key, VAULT_LOOKUP_SIZE));
    while ((status = db_step(statement, &row)) == STATUS_OK && row) {
        const struct byte_view found = db_column_blob(statement, 1);

        if (found.size != VAULT_LOOKUP_SIZE) {
            db_reset(statement);
            return STATUS_CORRUPT;
        }
        if (group->first == 0) {
            group->first = db_column_int64(statement, 0);
            memcpy(digest, found.data, sizeof digest);
            continue;
        }
        group->many = true;
        if (memcmp(digest, found.data, sizeof digest) != 0) {
            group->other = db_column_int64(statement, 0);
            db_reset(statement);
            break;
        }
    }
    return status;
}

/* The value of a label in a kept row; empty if it has none. */
static enum status value_of(const struct feed_store *store, int64_t id, const char *label, char *out,
                            size_t size)
{
    struct db_statement *statement = NULL;
    struct byte_buffer storage = bytes_buffer(RECORD_STORAGE);
    struct feed_row values = {0};
    bool row = false;
    enum status status = db_statement(store->db, "SELECT record FROM feed_row WHERE id = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, id);
    status = db_step(statement, &row);
    if (status == STATUS_OK && row) {
        status = feed_sql_open_row(store, id, db_column_blob(statement, 0), &storage, &values);
        db_reset(statement);
    }
    out[0] = '\0';
    if (status == STATUS_OK)
        feed_row_text(&values, label, out, size);
    bytes_buffer_wipe(&storage);
    return status;
}

/* Rejects the good rows of a group between two ids; each is told of a line that it differs from. */
static enum status reject_rows(const struct feed_store *store, int64_t run, const struct group *group,
                               int64_t from, int64_t to, const struct feed_reject *reject)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(store->db,
                     "UPDATE feed_row SET state = 1, place = ?, reason = ? WHERE state = 0 AND id IN"
                     " (SELECT row FROM feed_key WHERE run = ? AND key = ? AND row BETWEEN ? AND ?)",
                     &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, reject->column);
    db_bind_text(statement, 2, reject->reason);
    db_bind_int64(statement, 3, run);
    db_bind_blob(statement, 4, bytes_view(group->key, VAULT_LOOKUP_SIZE));
    db_bind_int64(statement, 5, from);
    db_bind_int64(statement, 6, to);
    return db_run(statement);
}

static enum status reject_group(const struct feed_store *store, int64_t run, const struct group *group,
                                const char *column)
{
    const unsigned long long first = (uint64_t)group->first & UINT32_MAX;
    const unsigned long long other = (uint64_t)group->other & UINT32_MAX;
    const int64_t last = feed_sql_row_id(run, UINT32_MAX);
    struct feed_reject reject = {0};
    char date[2][CIVIL_DATE_SIZE + 8];
    const char *what = "differs";
    enum status status = value_of(store, group->first, "release_date", date[0], sizeof date[0]);

    if (status == STATUS_OK)
        status = value_of(store, group->other, "release_date", date[1], sizeof date[1]);
    if (status != STATUS_OK)
        return status;
    if (strcmp(date[0], date[1]) != 0)
        what = "gives another date";
    feed_reject_set(&reject, first, column, "line %llu is about the same person and %s: neither counts",
                    other, what);
    status = reject_rows(store, run, group, group->first, group->first, &reject);
    if (status != STATUS_OK)
        return status;
    feed_reject_set(&reject, other, column, "line %llu is about the same person and %s: neither counts",
                    first, what);
    return reject_rows(store, run, group, group->first + 1, last, &reject);
}

static enum status pass_over_again(const struct feed_store *store, int64_t run, const struct group *group,
                                   int64_t *again)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(store->db,
                                      "UPDATE feed_row SET state = 2 WHERE state = 0 AND id IN"
                                      " (SELECT row FROM feed_key WHERE run = ? AND key = ? AND row > ?)",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, run);
    db_bind_blob(statement, 2, bytes_view(group->key, VAULT_LOOKUP_SIZE));
    db_bind_int64(statement, 3, group->first);
    status = db_run(statement);
    if (status == STATUS_OK)
        *again += db_changes(store->db);
    return status;
}

/* The next key after this one that more than one row has. */
static enum status next_group(const struct feed_store *store, int64_t run, struct group *group)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(store->db,
                                      "SELECT key FROM feed_key WHERE run = ? AND key > ? GROUP BY key"
                                      " HAVING count(*) > 1 ORDER BY key LIMIT 1",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, run);
    db_bind_blob(statement, 2, bytes_view(group->key, VAULT_LOOKUP_SIZE));
    status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    if (!row)
        return STATUS_NOT_FOUND;
    *group = (struct group){0};
    if (db_column_blob(statement, 0).size == VAULT_LOOKUP_SIZE)
        memcpy(group->key, db_column_blob(statement, 0).data, VAULT_LOOKUP_SIZE);
    db_reset(statement);
    return STATUS_OK;
}

enum status feed_store_settle(const struct feed_store *store, int64_t run, const char *column,
                              int64_t *ret_again)
{
    struct group group = {{0}, 0, 0, false};
    int64_t again = 0;
    enum status status = STATUS_OK;

    while (status == STATUS_OK) {
        status = next_group(store, run, &group);
        if (status == STATUS_OK)
            status = look_at_group(store, run, &group);
        if (status != STATUS_OK || !group.many)
            continue;
        status = group.other != 0 ? reject_group(store, run, &group, column)
                                  : pass_over_again(store, run, &group, &again);
    }
    if (status != STATUS_NOT_FOUND)
        return status;
    *ret_again = again;
    return STATUS_OK;
}

/* ---- against the last extract ------------------------------------------------------------------------- */

static enum status count_known(const struct feed_store *store, int64_t run, int64_t *ret_known)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(store->db,
                     "SELECT count(*) FROM feed_current c"
                     " JOIN feed_cover n ON n.run = ?2 AND n.establishment = c.establishment"
                     " JOIN feed_row r ON r.id BETWEEN c.run << 32 AND (c.run << 32) + 4294967295"
                     " WHERE c.feed = ?1 AND r.state = 0 AND r.establishment = c.establishment",
                     &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, store->feed);
    db_bind_int64(statement, 2, run);
    status = db_step(statement, &row);
    if (status == STATUS_OK && row) {
        *ret_known = db_column_int64(statement, 0);
        db_reset(statement);
    }
    return status;
}

/* Whether the kept row's date is ahead of today; a row without a date counts as ahead. */
static enum status is_ahead(const struct feed_store *store, int64_t id, struct byte_view record,
                            int32_t today, struct byte_buffer *storage, bool *ret_ahead)
{
    struct feed_row values = {0};
    char text[CIVIL_DATE_SIZE];
    int32_t date = 0;
    enum status status = feed_sql_open_row(store, id, record, storage, &values);

    if (status != STATUS_OK)
        return status;
    feed_row_text(&values, "release_date", text, sizeof text);
    *ret_ahead = civil_parse_date(text, &date) != STATUS_OK || date > today;
    return STATUS_OK;
}

/*
 * Rows of the last extract of which neither look-up is in the run. Each row is met once: under its PNC id, or
 * under its prison number if it has no other.
 */
static enum status vanished_rows(const struct feed_store *store, int64_t run, struct db_statement **ret)
{
    enum status status =
        db_statement(store->db,
                     "SELECT r.id, r.record FROM feed_current c"
                     " JOIN feed_cover n ON n.run = ?2 AND n.establishment = c.establishment"
                     " JOIN feed_key k ON k.run = c.run AND"
                     " NOT EXISTS (SELECT 1 FROM feed_key m WHERE m.run = ?2 AND m.key = k.key)"
                     " JOIN feed_row r ON r.id = k.row AND r.establishment = c.establishment AND r.state = 0"
                     " AND k.key = coalesce(r.pnc, r.prison)"
                     " WHERE c.feed = ?1 AND (r.pnc IS NULL OR r.prison IS NULL OR"
                     " NOT EXISTS (SELECT 1 FROM feed_key m WHERE m.run = ?2 AND m.key = r.prison))",
                     ret);

    if (status != STATUS_OK)
        return status;
    db_bind_text(*ret, 1, store->feed);
    db_bind_int64(*ret, 2, run);
    return STATUS_OK;
}

enum status feed_store_vanished(const struct feed_store *store, int64_t run, int32_t today,
                                int64_t *ret_known, int64_t *ret_gone)
{
    struct db_statement *statement = NULL;
    struct byte_buffer storage = bytes_buffer(RECORD_STORAGE);
    int64_t known = 0;
    int64_t gone = 0;
    bool row = false;
    enum status status = count_known(store, run, &known);

    if (status == STATUS_OK)
        status = vanished_rows(store, run, &statement);
    while (status == STATUS_OK && (status = db_step(statement, &row)) == STATUS_OK && row) {
        bool ahead = false;

        status = is_ahead(store, db_column_int64(statement, 0), db_column_blob(statement, 1), today, &storage,
                          &ahead);
        if (status != STATUS_OK)
            db_reset(statement);
        else if (ahead)
            gone++;
        else
            known--;
    }
    bytes_buffer_wipe(&storage);
    if (status != STATUS_OK)
        return status;
    *ret_known = known;
    *ret_gone = gone;
    return STATUS_OK;
}
