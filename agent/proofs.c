#include "agent/proofs.h"

#include <string.h>

/*
 * role: enum proofs_role. member: the other side, of what we sent empty. met: 1 when the event was found in
 * our outbox or inbox. account: salt ‖ part. personal: the same, sealed at rest. path: hashes, leaf's sibling
 * first. proof_note.note: a checkpoint's signed note. proof_due.counter, log_index: as the broker told us
 * before there was a proof, or -1. mark: single numbers by name (marks.h).
 */
const char proofs_schema[] =
    "CREATE TABLE proof_note (id INTEGER PRIMARY KEY, note BLOB NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE proof ("
    " role INTEGER NOT NULL,"
    " counter INTEGER NOT NULL,"
    " log_index INTEGER NOT NULL,"
    " kind INTEGER NOT NULL,"
    " at INTEGER NOT NULL,"
    " member TEXT NOT NULL,"
    " event BLOB,"
    " final INTEGER NOT NULL,"
    " met INTEGER NOT NULL,"
    " entry BLOB NOT NULL,"
    " account BLOB NOT NULL,"
    " personal BLOB,"
    " path BLOB NOT NULL,"
    " note INTEGER NOT NULL REFERENCES proof_note (id),"
    " PRIMARY KEY (role, counter)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX proof_event ON proof (event, role, member) WHERE event IS NOT NULL;"
    "CREATE INDEX proof_provisional ON proof (role, counter) WHERE final = 0;"
    "CREATE INDEX proof_unmet ON proof (role, counter) WHERE met = 0;"
    "CREATE INDEX proof_at ON proof (at);"
    "CREATE INDEX proof_by_note ON proof (note);"
    "CREATE TABLE proof_due ("
    " role INTEGER NOT NULL,"
    " event BLOB NOT NULL,"
    " member TEXT NOT NULL,"
    " counter INTEGER NOT NULL,"
    " log_index INTEGER NOT NULL,"
    " since INTEGER NOT NULL,"
    " proved INTEGER NOT NULL,"
    " PRIMARY KEY (role, event, member)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX proof_due_since ON proof_due (proved, since);"
    "CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

#define ROW_LIMIT ((size_t)256 << 10)

/* ---- what is owed ---- */

static void bind_event(struct db_statement *statement, const struct proofs_event *event)
{
    db_bind_int64(statement, 1, (int64_t)event->role);
    db_bind_blob(statement, 2, bytes_view(event->id, UUID_SIZE));
    db_bind_text_view(statement, 3, event->role == PROOFS_SENT ? bytes_of_string("") : event->member);
}

enum status proofs_owed(struct agent *agent, const struct proofs_event *event, struct proofs_due *ret)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(
        agent->db, "SELECT counter, log_index FROM proof_due WHERE role = ?1 AND event = ?2 AND member = ?3",
        &statement);

    if (status != STATUS_OK)
        return status;
    bind_event(statement, event);
    status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    const int64_t counter = db_column_int64(statement, 0);
    const int64_t index = db_column_int64(statement, 1);
    *ret = (struct proofs_due){.counter = counter < 0 ? 0 : (uint64_t)counter,
                               .has_index = index >= 0,
                               .index = index < 0 ? 0 : (uint64_t)index};
    db_reset(statement);
    return STATUS_OK;
}

static enum status insert_due(struct agent *agent, const struct proofs_event *event,
                              const struct proofs_due *due, int64_t now)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(agent->db,
                                      "INSERT INTO proof_due (role, event, member, counter, log_index, since,"
                                      " proved) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    bind_event(statement, event);
    db_bind_int64(statement, 4, due->counter > 0 && due->counter <= INT64_MAX ? (int64_t)due->counter : -1);
    db_bind_int64(statement, 5, due->has_index && due->index <= INT64_MAX ? (int64_t)due->index : -1);
    db_bind_int64(statement, 6, now);
    return db_run(statement);
}

enum status proofs_owe(struct agent *agent, const struct proofs_event *event, const struct proofs_due *due,
                       int64_t now)
{
    struct proofs_due before;
    struct proofs_brief here;
    enum status status = proofs_owed(agent, event, &before);

    if (status == STATUS_OK)
        return before.counter == due->counter ? STATUS_OK : STATUS_MISMATCH;
    if (status == STATUS_NOT_FOUND)
        status = proofs_of(agent, event, &here);
    if (status == STATUS_OK && due->counter != 0 && here.counter != due->counter)
        return STATUS_MISMATCH;
    if (status == STATUS_OK && here.final)
        return STATUS_OK;
    return status == STATUS_OK || status == STATUS_NOT_FOUND ? insert_due(agent, event, due, now) : status;
}

enum status proofs_settle(struct agent *agent, const struct proofs_event *event, bool final)
{
    struct db_statement *statement = NULL;
    enum status status =
        final
            ? db_statement(agent->db, "DELETE FROM proof_due WHERE role = ?1 AND event = ?2 AND member = ?3",
                           &statement)
            : db_statement(agent->db,
                           "UPDATE proof_due SET proved = 1 WHERE role = ?1 AND event = ?2 AND member = ?3",
                           &statement);

    if (status != STATUS_OK)
        return status;
    bind_event(statement, event);
    return db_run(statement);
}

/* ---- keeping ---- */

#define PLACE_SIZE (8 + 1 + 8)

static struct byte_view place_of(enum proofs_role role, uint64_t counter, uint8_t out[static PLACE_SIZE])
{
    memcpy(out, "proof.pe", 8);
    out[8] = (uint8_t)(role % PROOFS_LOG_AGO); /* as it was sealed */
    bytes_put_u64(out + 9, counter);
    return bytes_view(out, PLACE_SIZE);
}

static enum status keep_note(struct agent *agent, struct byte_view note, int64_t *ret_id)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(agent->db, "INSERT OR IGNORE INTO proof_note (note) VALUES (?)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, note);
    status = db_run(statement);
    if (status == STATUS_OK)
        status = db_statement(agent->db, "SELECT id FROM proof_note WHERE note = ?", &statement);
    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, note);
    status = db_step(statement, &row);
    if (status == STATUS_OK && row)
        *ret_id = db_column_int64(statement, 0);
    db_reset(statement);
    return status == STATUS_OK && !row ? STATUS_CORRUPT : status;
}

static enum status seal_personal(struct agent *agent, const struct proofs_row *row, struct byte_buffer *ret)
{
    struct byte_buffer plain = bytes_buffer(ROW_LIMIT);
    uint8_t place[PLACE_SIZE];
    enum status status;

    bytes_append(&plain, row->personal_salt, RECORD_SALT_SIZE);
    bytes_append_view(&plain, row->personal);
    status = plain.status;
    if (status == STATUS_OK)
        status = vault_seal(agent->vault, place_of(row->role, row->counter, place), bytes_buffer_view(&plain),
                            ret);
    bytes_buffer_wipe(&plain);
    return status;
}

static void bind_row(struct db_statement *statement, const struct proofs_row *row)
{
    db_bind_int64(statement, 1, (int64_t)row->role);
    db_bind_int64(statement, 2, (int64_t)row->counter);
    db_bind_int64(statement, 3, (int64_t)row->index);
    db_bind_int64(statement, 4, (int64_t)row->kind);
    db_bind_int64(statement, 5, row->time);
    db_bind_text_view(statement, 6, row->member);
    if (row->event != NULL)
        db_bind_blob(statement, 7, bytes_view(row->event, UUID_SIZE));
    else
        db_bind_null(statement, 7);
    db_bind_int64(statement, 8, row->final ? 1 : 0);
    db_bind_int64(statement, 9, row->met ? 1 : 0);
    db_bind_blob(statement, 10, bytes_view(row->entry, RECORD_ENTRY_SIZE));
}

/* What an erasure has taken away does not come back with a newer proof. */
static enum status insert_row(struct agent *agent, const struct proofs_row *row, struct byte_view account,
                              const struct byte_buffer *personal, struct byte_view path, int64_t note)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        agent->db,
        "INSERT INTO proof (role, counter, log_index, kind, at, member, event, final, met, entry, account,"
        " personal, path, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
        " ON CONFLICT (role, counter) DO UPDATE SET final = excluded.final, met = max(met, excluded.met),"
        " path = excluded.path, note = excluded.note",
        &statement);

    if (status != STATUS_OK)
        return status;
    bind_row(statement, row);
    db_bind_blob(statement, 11, account);
    if (row->personal_salt != NULL)
        db_bind_blob(statement, 12, bytes_buffer_view(personal));
    else
        db_bind_null(statement, 12);
    db_bind_blob(statement, 13, path);
    db_bind_int64(statement, 14, note);
    return db_run(statement);
}

enum status proofs_keep(struct agent *agent, const struct proofs_row *row)
{
    struct byte_buffer account = bytes_buffer(ROW_LIMIT);
    struct byte_buffer personal = bytes_buffer(ROW_LIMIT + VAULT_OVERHEAD);
    struct log_proof log;
    int64_t note = 0;
    enum status status = log_proof_parse(row->log_proof, &log);

    bytes_append(&account, row->account_salt, RECORD_SALT_SIZE);
    bytes_append_view(&account, row->account);
    if (status == STATUS_OK)
        status = account.status;
    if (status == STATUS_OK && row->personal_salt != NULL)
        status = seal_personal(agent, row, &personal);
    if (status == STATUS_OK)
        status = keep_note(agent, log.checkpoint, &note);
    if (status == STATUS_OK)
        status = insert_row(agent, row, bytes_buffer_view(&account), &personal,
                            bytes_view(log.path, log.path_length * sizeof log.path[0]), note);
    bytes_buffer_free(&account);
    bytes_buffer_free(&personal);
    return status;
}

/* ---- finding ---- */

#define BRIEF "SELECT counter, log_index, at, final, met, entry FROM proof "

static enum status read_brief(struct db_statement *statement, struct proofs_brief *ret)
{
    bool row = false;
    enum status status = db_step(statement, &row);

    if (status != STATUS_OK || !row)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    const struct byte_view entry = db_column_blob(statement, 5);
    if (entry.size != RECORD_ENTRY_SIZE) {
        db_reset(statement);
        return STATUS_CORRUPT;
    }
    ret->counter = (uint64_t)db_column_int64(statement, 0);
    ret->index = (uint64_t)db_column_int64(statement, 1);
    ret->time = db_column_int64(statement, 2);
    ret->final = db_column_int64(statement, 3) != 0;
    ret->met = db_column_int64(statement, 4) != 0;
    memcpy(ret->entry, entry.data, RECORD_ENTRY_SIZE);
    db_reset(statement);
    return STATUS_OK;
}

static enum status brief_by(struct db_statement *statement, enum proofs_role role, uint64_t counter,
                            struct proofs_brief *ret)
{
    db_bind_int64(statement, 1, (int64_t)role);
    db_bind_int64(statement, 2, (int64_t)counter);
    return read_brief(statement, ret);
}

enum status proofs_at(struct agent *agent, enum proofs_role role, uint64_t counter, struct proofs_brief *ret)
{
    struct db_statement *statement = NULL;
    const enum status status = db_statement(agent->db, BRIEF "WHERE role = ?1 AND counter = ?2", &statement);

    return status == STATUS_OK ? brief_by(statement, role, counter, ret) : status;
}

enum status proofs_before(struct agent *agent, enum proofs_role role, uint64_t counter,
                          struct proofs_brief *ret)
{
    struct db_statement *statement = NULL;
    const enum status status = db_statement(
        agent->db, BRIEF "WHERE role = ?1 AND counter < ?2 ORDER BY counter DESC LIMIT 1", &statement);

    return status == STATUS_OK ? brief_by(statement, role, counter, ret) : status;
}

enum status proofs_after(struct agent *agent, enum proofs_role role, uint64_t counter,
                         struct proofs_brief *ret)
{
    struct db_statement *statement = NULL;
    const enum status status = db_statement(
        agent->db, BRIEF "WHERE role = ?1 AND counter > ?2 ORDER BY counter LIMIT 1", &statement);

    return status == STATUS_OK ? brief_by(statement, role, counter, ret) : status;
}

enum status proofs_of(struct agent *agent, const struct proofs_event *event, struct proofs_brief *ret)
{
    struct db_statement *statement = NULL;
    const enum status status = db_statement(
        agent->db, BRIEF "WHERE event = ?2 AND role = ?1 AND member = ?3 ORDER BY counter LIMIT 1",
        &statement);

    if (status != STATUS_OK)
        return status;
    bind_event(statement, event);
    return read_brief(statement, ret);
}

enum status proofs_next(struct agent *agent, enum proofs_role role, uint64_t *ret_counter)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(agent->db,
                     "SELECT coalesce((SELECT min(counter) FROM proof WHERE role = ?1 AND final = 0),"
                     " (SELECT max(counter) FROM proof WHERE role = ?1), 1)",
                     &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)role);
    status = db_step(statement, &row);
    if (status == STATUS_OK && row)
        *ret_counter = (uint64_t)db_column_int64(statement, 0);
    db_reset(statement);
    return status;
}

/* ---- reading one ---- */

/* The file's form again, from what is kept of it: without an extra. */
static enum status format_proof(struct db_statement *statement, uint64_t index, struct byte_buffer *ret)
{
    const struct byte_view path = db_column_blob(statement, 9);
    struct log_proof log = {.index = index, .checkpoint = db_column_blob(statement, 10)};

    if (path.size % DIGEST_SIZE != 0 || path.size > sizeof log.path)
        return STATUS_CORRUPT;
    if (path.size > 0)
        memcpy(log.path, path.data, path.size);
    log.path_length = path.size / DIGEST_SIZE;
    return log_proof_format(&log, ret);
}

/* Where the parts of a row stand in the bytes that are given out with it. */
struct places {
    size_t event;
    size_t entry;
    size_t account;
    size_t personal;
    size_t proof;
    size_t end;
};

static enum status copy_row(struct agent *agent, struct db_statement *statement, enum proofs_role role,
                            uint64_t counter, struct byte_buffer *bytes, struct places *at)
{
    uint8_t place[PLACE_SIZE];
    enum status status = STATUS_OK;

    bytes_append_string(bytes, db_column_text(statement, 3));
    at->event = bytes->size;
    bytes_append_view(bytes, db_column_blob(statement, 4));
    at->entry = bytes->size;
    bytes_append_view(bytes, db_column_blob(statement, 6));
    at->account = bytes->size;
    bytes_append_view(bytes, db_column_blob(statement, 7));
    at->personal = bytes->size;
    if (!db_column_is_null(statement, 8))
        status =
            vault_open(agent->vault, place_of(role, counter, place), db_column_blob(statement, 8), bytes);
    at->proof = bytes->size;
    if (status == STATUS_OK)
        status = format_proof(statement, (uint64_t)db_column_int64(statement, 0), bytes);
    at->end = bytes->size;
    if (status == STATUS_OK)
        status = bytes->status;
    const bool good = at->account - at->entry == RECORD_ENTRY_SIZE &&
                      at->personal - at->account > RECORD_SALT_SIZE &&
                      (at->proof == at->personal || at->proof - at->personal >= RECORD_SALT_SIZE);
    return status == STATUS_OK && !good ? STATUS_CORRUPT : status;
}

static void point(struct proofs_row *row, const struct byte_buffer *bytes, const struct places *at)
{
    const uint8_t *data = bytes->data;

    row->member = bytes_view(data, at->event);
    row->event = at->entry - at->event == UUID_SIZE ? data + at->event : NULL;
    row->entry = data + at->entry;
    row->account_salt = data + at->account;
    row->account =
        bytes_view(data + at->account + RECORD_SALT_SIZE, at->personal - at->account - RECORD_SALT_SIZE);
    row->log_proof = bytes_view(data + at->proof, at->end - at->proof);
    if (at->proof == at->personal)
        return;
    row->personal_salt = data + at->personal;
    row->personal =
        bytes_view(data + at->personal + RECORD_SALT_SIZE, at->proof - at->personal - RECORD_SALT_SIZE);
}

enum status proofs_read(struct agent *agent, enum proofs_role role, uint64_t counter,
                        struct byte_buffer *ret_bytes, struct proofs_row *ret_row)
{
    struct byte_buffer bytes = bytes_buffer(2 * ROW_LIMIT + LOG_PROOF_SIZE_MAX);
    struct proofs_row found = {.role = role, .counter = counter};
    struct db_statement *statement = NULL;
    struct places at = {0};
    bool row = false;
    enum status status = db_statement(
        agent->db,
        "SELECT p.log_index, p.kind, p.at, p.member, p.event, p.final, p.entry, p.account,"
        " p.personal, p.path, n.note, p.met FROM proof AS p JOIN proof_note AS n ON n.id = p.note"
        " WHERE p.role = ?1 AND p.counter = ?2",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)role);
    db_bind_int64(statement, 2, (int64_t)counter);
    status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    found.index = (uint64_t)db_column_int64(statement, 0);
    found.kind = (enum record_kind)db_column_int64(statement, 1);
    found.time = db_column_int64(statement, 2);
    found.final = db_column_int64(statement, 5) != 0;
    found.met = db_column_int64(statement, 11) != 0;
    status = copy_row(agent, statement, role, counter, &bytes, &at);
    db_reset(statement);
    if (status != STATUS_OK) {
        bytes_buffer_wipe(&bytes);
        return status;
    }
    point(&found, &bytes, &at);
    *ret_bytes = bytes;
    *ret_row = found;
    return STATUS_OK;
}

/* ---- changing ---- */

/* By way of negative numbers, as a row must not meet another on its way. */
enum status proofs_other_log(struct agent *agent)
{
    return db_exec(agent->db, "UPDATE proof SET role = -(role + 10), final = 1;"
                              "UPDATE proof SET role = -role;"
                              "DELETE FROM proof_due;"
                              "DELETE FROM mark WHERE name IN ('counted.sent', 'counted.received')");
}

enum status proofs_met(struct agent *agent, enum proofs_role role, uint64_t counter)
{
    struct db_statement *statement = NULL;
    const enum status status =
        db_statement(agent->db, "UPDATE proof SET met = 1 WHERE role = ?1 AND counter = ?2", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)role);
    db_bind_int64(statement, 2, (int64_t)counter);
    return db_run(statement);
}

enum status proofs_forget_person(struct agent *agent, const struct proofs_event *event)
{
    struct db_statement *statement = NULL;
    const enum status status = db_statement(
        agent->db, "UPDATE proof SET personal = NULL WHERE event = ?2 AND role % 10 = ?1 AND member = ?3",
        &statement);

    if (status != STATUS_OK)
        return status;
    bind_event(statement, event);
    return db_run(statement);
}

/* The highest number of each role stays, so that what comes after it can be asked for. */
enum status proofs_purge(struct agent *agent, int64_t now)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(agent->db,
                                      "DELETE FROM proof WHERE at < ?1 AND final = 1 AND counter <"
                                      " (SELECT max(counter) FROM proof AS p WHERE p.role = proof.role)",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, now - (int64_t)agent->settings.proof_days * CIVIL_DAY_MS);
    status = db_run(statement);
    if (status != STATUS_OK)
        return status;
    return db_exec(agent->db, "DELETE FROM proof_note WHERE NOT EXISTS"
                              " (SELECT 1 FROM proof WHERE proof.note = proof_note.id)");
}
