#include "agent/outbox.h"

#include <string.h>

#include "agent/agent.h"
#include "agent/compose.h"
#include "agent/outbox_row.h"
#include "agent/questions.h"
#include "base/crash.h"

/*
 * state: enum outbox_state. subject: look-up of the pseudonym; events about one person leave in their order.
 * due: not to be planned before. differs: how often a plan was not what the protocol says. content: the
 * prepared event; envelope: header, opening and sections once sealed; answer: reason and refusals as JSON;
 * all three sealed at rest. standing: 1 while it may be repeated for somebody entitled later.
 * corrects: enum correction, and target the event that it is about. An erased event keeps an empty content.
 * outbox_section.state: enum outbox_delivery; uncollected, escalated, acknowledged, confirmed: when that was
 * told, or 0. cursor: where we are in streams of the broker.
 */
const char outbox_schema[] =
    "CREATE TABLE outbox ("
    " id INTEGER PRIMARY KEY,"
    " event BLOB NOT NULL UNIQUE,"
    " state INTEGER NOT NULL,"
    " subject BLOB NOT NULL,"
    " type TEXT NOT NULL,"
    " due INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL,"
    " differs INTEGER NOT NULL,"
    " created INTEGER NOT NULL,"
    " changed INTEGER NOT NULL,"
    " standing INTEGER NOT NULL,"
    " repeats BLOB,"
    " corrects INTEGER NOT NULL DEFAULT 0,"
    " target BLOB,"
    " header BLOB,"
    " content BLOB NOT NULL,"
    " envelope BLOB,"
    " answer BLOB) STRICT;"
    "CREATE INDEX outbox_state ON outbox (state, id);"
    "CREATE INDEX outbox_open ON outbox (subject, id) WHERE state < 2;"
    "CREATE INDEX outbox_repeats ON outbox (repeats) WHERE repeats IS NOT NULL;"
    "CREATE INDEX outbox_target ON outbox (target) WHERE target IS NOT NULL;"
    "CREATE TABLE outbox_section ("
    " outbox INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,"
    " recipient TEXT NOT NULL,"
    " rule TEXT NOT NULL,"
    " labels TEXT NOT NULL,"
    " section BLOB NOT NULL,"
    " state INTEGER NOT NULL,"
    " late INTEGER NOT NULL,"
    " urgent INTEGER NOT NULL,"
    " uncollected INTEGER NOT NULL DEFAULT 0,"
    " escalated INTEGER NOT NULL DEFAULT 0,"
    " acknowledged INTEGER NOT NULL DEFAULT 0,"
    " confirmed INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (outbox, recipient)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE cursor (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

static bool standing(const struct agent *agent, struct byte_view type)
{
    const struct catalogue *catalogue = agent->membership->catalogue;
    const uint16_t event = catalogue_find_event(catalogue, type);

    return event != CATALOGUE_NONE && catalogue->events[event].standing;
}

static enum correction corrects(const struct agent *agent, struct byte_view type)
{
    const struct catalogue *catalogue = agent->membership->catalogue;
    const uint16_t event = catalogue_find_event(catalogue, type);

    return event == CATALOGUE_NONE ? CORRECTION_NONE : catalogue->events[event].corrects;
}

static enum status insert(struct agent *agent, const struct prepared *prepared, struct byte_view content)
{
    struct db_statement *statement = NULL;
    uint8_t subject[VAULT_LOOKUP_SIZE];
    uint8_t target[UUID_SIZE];
    enum status status = db_statement(
        agent->db,
        "INSERT INTO outbox (event, state, subject, type, due, attempts, differs, created, changed,"
        " standing, repeats, content, corrects, target) VALUES (?, 0, ?, ?, 0, 0, 0, ?, ?, ?, ?, ?, ?, ?)",
        &statement);

    if (status != STATUS_OK)
        return status;
    outbox_row_subject(agent, prepared->subject, subject);
    db_bind_blob(statement, 1, bytes_view(prepared->event, UUID_SIZE));
    db_bind_blob(statement, 2, bytes_view(subject, sizeof subject));
    db_bind_text_view(statement, 3, prepared->type);
    db_bind_int64(statement, 4, prepared->created);
    db_bind_int64(statement, 5, prepared->created);
    db_bind_int64(statement, 6, standing(agent, prepared->type) && !prepared->has_repeats ? 1 : 0);
    if (prepared->has_repeats)
        db_bind_blob(statement, 7, bytes_view(prepared->repeats, UUID_SIZE));
    else
        db_bind_null(statement, 7);
    db_bind_blob(statement, 8, content);
    db_bind_int64(statement, 9, (int64_t)corrects(agent, prepared->type));
    if (prepared_target(prepared, target))
        db_bind_blob(statement, 10, bytes_view(target, sizeof target));
    else
        db_bind_null(statement, 10);
    return db_run(statement);
}

/* Gives the event its id and puts it into the table. */
static enum status put(struct agent *agent, struct prepared *prepared, int64_t now)
{
    struct byte_buffer plain = bytes_buffer(PREPARED_SIZE_MAX);
    struct byte_buffer sealed = bytes_buffer(PREPARED_SIZE_MAX + VAULT_OVERHEAD);
    enum status status = uuid_next(&agent->ids, now, prepared->event);

    prepared->created = now;
    if (prepared->occurred == 0)
        prepared->occurred = now;
    if (status == STATUS_OK)
        status = prepared_encode(prepared, &plain);
    if (status == STATUS_OK)
        status =
            outbox_row_seal(agent, OUTBOX_ROW_CONTENT, prepared->event, bytes_buffer_view(&plain), &sealed);
    if (status == STATUS_OK)
        status = insert(agent, prepared, bytes_buffer_view(&sealed));
    if (status == STATUS_OK && prepared->has_correlation)
        status = questions_answered(agent, prepared->correlation, prepared->event);
    bytes_buffer_wipe(&plain);
    bytes_buffer_free(&sealed);
    return status;
}

enum status outbox_queue(struct agent *agent, const struct draft *draft, int64_t now,
                         uint8_t ret_event[static UUID_SIZE], struct draft_reason *ret_reason)
{
    struct byte_buffer storage = bytes_buffer(PREPARED_SIZE_MAX);
    struct prepared prepared;
    enum status status = compose_event(agent, draft, now, &storage, &prepared, ret_reason);

    if (status == STATUS_OK) {
        prepared.occurred = draft->occurred;
        status = put(agent, &prepared, now);
    }
    if (status == STATUS_OK)
        memcpy(ret_event, prepared.event, UUID_SIZE);
    CRASH_POINT("outbox.queue");
    bytes_buffer_wipe(&storage);
    return status;
}

enum status outbox_state(struct agent *agent, const uint8_t event[static UUID_SIZE],
                         enum outbox_state *ret_state)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(agent->db, "SELECT state FROM outbox WHERE event = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    if (!row)
        return STATUS_NOT_FOUND;
    *ret_state = (enum outbox_state)db_column_int64(statement, 0);
    db_reset(statement);
    return STATUS_OK;
}

/* Whether a standing event of ours may be repeated now: accepted, not superseded, no repeat under way. */
static enum status repeatable(struct agent *agent, const uint8_t event[static UUID_SIZE], bool *ret)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(agent->db,
                     "SELECT 1 FROM outbox AS o WHERE o.event = ?1 AND o.standing = 1 AND o.state IN (2, 3)"
                     " AND NOT EXISTS (SELECT 1 FROM outbox AS r WHERE r.repeats = ?1 AND r.state < 2)",
                     &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    status = db_step(statement, &row);
    if (status == STATUS_OK && row)
        db_reset(statement);
    if (status == STATUS_OK)
        *ret = row;
    return status;
}

enum status outbox_repeat(struct agent *agent, const uint8_t event[static UUID_SIZE], int64_t now)
{
    struct byte_buffer kept = bytes_buffer(PREPARED_SIZE_MAX);
    struct prepared prepared;
    bool may = false;
    enum status status = repeatable(agent, event, &may);

    if (status == STATUS_OK && !may)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        status = outbox_row_content(agent, event, &kept);
    if (status == STATUS_OK)
        status = prepared_decode(bytes_buffer_view(&kept), &prepared);
    if (status == STATUS_OK) {
        memcpy(prepared.repeats, event, UUID_SIZE);
        prepared.has_repeats = true;
        prepared.has_supersedes = false;
        status = put(agent, &prepared, now);
    }
    bytes_buffer_wipe(&kept);
    return status;
}

enum status outbox_resume(struct agent *agent)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(agent->db, "SELECT max(event) FROM outbox", &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status;
    if (!db_column_is_null(statement, 0) && db_column_blob(statement, 0).size == UUID_SIZE)
        status = uuid_resume(&agent->ids, db_column_blob(statement, 0).data);
    db_reset(statement);
    return status;
}
