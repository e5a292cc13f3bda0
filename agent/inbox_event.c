#include "agent/inbox_event.h"

#include "agent/looks.h"

#include <string.h>

#include "agent/alerts.h"
#include "agent/inbox_content.h"
#include "agent/reports.h"

void inbox_event_free(struct inbox_event *event)
{
    bytes_buffer_wipe(&event->kept);
    event->has_content = false;
    event->item_count = 0;
}

#define COLUMNS                                                                                              \
    "id, event, sender, state, late, opened, received, until, header, content, acknowledge_by, "             \
    "acknowledged,"                                                                                          \
    " escalated, (SELECT n.event FROM inbox AS n WHERE n.supersedes = inbox.event AND n.sender = "           \
    "inbox.sender"                                                                                           \
    " AND n.state IN (0, 3) ORDER BY n.id DESC LIMIT 1), corrected"

/* The row that the statement stands on, whose columns are COLUMNS. */
static enum status read_row(struct agent *agent, struct db_statement *statement, struct inbox_event *ret)
{
    struct inbox_event event = {.id = db_column_int64(statement, 0),
                                .state = (enum inbox_state)db_column_int64(statement, 3),
                                .late = db_column_int64(statement, 4) != 0,
                                .opened = db_column_int64(statement, 5) != 0,
                                .received = db_column_int64(statement, 6),
                                .until = db_column_int64(statement, 7),
                                .acknowledge_by = db_column_int64(statement, 10),
                                .acknowledged = db_column_int64(statement, 11),
                                .escalated = db_column_int64(statement, 12),
                                .is_corrected = db_column_blob(statement, 14).size == UUID_SIZE,
                                .has_successor = db_column_blob(statement, 13).size == UUID_SIZE,
                                .kept = bytes_buffer(INBOX_CONTENT_LIMIT)};
    const struct byte_view id = db_column_blob(statement, 1);
    const struct byte_view header = db_column_blob(statement, 8);
    const struct byte_view sender = bytes_of_string(db_column_text(statement, 2));
    uint8_t place[INBOX_CONTENT_PLACE];
    enum status status = STATUS_OK;

    if (id.size != UUID_SIZE || header.size != HEADER_DIGEST_SIZE || sender.size >= sizeof event.sender)
        return STATUS_CORRUPT;
    memcpy(event.core.event, id.data, UUID_SIZE);
    memcpy(event.header, header.data, HEADER_DIGEST_SIZE);
    memcpy(event.sender, sender.data, sender.size);
    if (event.is_corrected)
        memcpy(event.correction, db_column_blob(statement, 14).data, UUID_SIZE);
    if (event.has_successor)
        memcpy(event.successor, db_column_blob(statement, 13).data, UUID_SIZE);
    if (!db_column_is_null(statement, 9)) {
        status = vault_open(agent->vault, inbox_content_place(id.data, sender, place),
                            db_column_blob(statement, 9), &event.kept);
        if (status == STATUS_OK)
            status = inbox_content_decode(&event);
    }
    if (status != STATUS_OK) {
        inbox_event_free(&event);
        return status;
    }
    *ret = event;
    return STATUS_OK;
}

static enum status read_one(struct agent *agent, struct db_statement *statement, struct inbox_event *ret)
{
    bool row = false;
    enum status status = db_step(statement, &row);

    if (status == STATUS_OK && !row)
        return STATUS_NOT_FOUND;
    if (status == STATUS_OK) {
        status = read_row(agent, statement, ret);
        db_reset(statement);
    }
    return status;
}

enum status inbox_event_next(struct agent *agent, int64_t *cursor, struct inbox_event *ret)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(agent->db, "SELECT " COLUMNS " FROM inbox WHERE id > ? ORDER BY id LIMIT 1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, *cursor);
    status = read_one(agent, statement, ret);
    if (status == STATUS_OK)
        *cursor = ret->id;
    return status;
}

void inbox_event_person(const struct agent *agent, struct byte_view protocol,
                        const uint8_t subject[static CORE_SUBJECT_SIZE],
                        uint8_t out[static VAULT_LOOKUP_SIZE])
{
    struct byte_buffer name = bytes_buffer(4096);

    bytes_append(&name, subject, CORE_SUBJECT_SIZE);
    bytes_append_view(&name, protocol);
    vault_lookup(agent->vault, "inbox", bytes_buffer_view(&name), out);
    bytes_buffer_free(&name);
}

enum status inbox_event_about(struct agent *agent, struct byte_view protocol,
                              const uint8_t subject[static CORE_SUBJECT_SIZE], int64_t *cursor,
                              struct inbox_event *ret)
{
    struct db_statement *statement = NULL;
    uint8_t person[VAULT_LOOKUP_SIZE];
    enum status status = db_statement(
        agent->db, "SELECT " COLUMNS " FROM inbox WHERE person = ? AND id > ? ORDER BY id LIMIT 1",
        &statement);

    if (status != STATUS_OK)
        return status;
    inbox_event_person(agent, protocol, subject, person);
    db_bind_blob(statement, 1, bytes_view(person, sizeof person));
    db_bind_int64(statement, 2, *cursor);
    status = read_one(agent, statement, ret);
    if (status == STATUS_OK)
        *cursor = ret->id;
    return status;
}

enum status inbox_event_empty_corrections(struct agent *agent, const struct inbox_event *event)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        agent->db, "UPDATE inbox SET state = 2, content = NULL WHERE target = ? AND sender = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event->core.event, UUID_SIZE));
    db_bind_text(statement, 2, event->sender);
    return db_run(statement);
}

enum status inbox_event_empty(struct agent *agent, const struct inbox_event *event)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(agent->db, "UPDATE inbox SET state = 2, content = NULL WHERE id = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, event->id);
    status = db_run(statement);
    if (status == STATUS_OK)
        status = inbox_event_empty_corrections(agent, event);
    return status == STATUS_OK ? alerts_clear(agent, bytes_of_string(event->sender), event->core.event)
                               : status;
}

enum status inbox_event_find(struct agent *agent, const uint8_t event[static UUID_SIZE],
                             struct inbox_event *ret)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        agent->db, "SELECT " COLUMNS " FROM inbox WHERE event = ? ORDER BY id LIMIT 1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    return read_one(agent, statement, ret);
}

enum status inbox_event_of(struct agent *agent, struct byte_view sender,
                           const uint8_t event[static UUID_SIZE], struct inbox_event *ret)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(agent->db, "SELECT " COLUMNS " FROM inbox WHERE event = ? AND sender = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    db_bind_text_view(statement, 2, sender);
    return read_one(agent, statement, ret);
}

/* Whether there is nothing that anybody could look at. */
static bool is_gone(const struct inbox_event *event)
{
    return event->state == INBOX_QUARANTINED || event->state == INBOX_RECALLED ||
           event->state == INBOX_RETRACTED || event->state == INBOX_ERASED;
}

/* What somebody did with it, once: noted in its row, reported, and no alert any more. */
static enum status note(struct agent *agent, const struct inbox_event *event, const char *sql,
                        enum report_kind kind, const char *officer, int64_t now)
{
    const struct report report = {.kind = kind,
                                  .from = bytes_of_string(event->sender),
                                  .event = event->core.event,
                                  .header = event->header,
                                  .officer = officer};
    struct db_statement *statement = NULL;
    enum status status = db_statement(agent->db, sql, &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, now);
    db_bind_int64(statement, 2, event->id);
    status = db_run(statement);
    if (status == STATUS_OK)
        status = alerts_clear(agent, report.from, event->core.event);
    return status == STATUS_OK ? reports_queue(agent, &report, now) : status;
}

enum status inbox_event_opened(struct agent *agent, const struct inbox_event *event, const char *officer,
                               int64_t now)
{
    static const char sql[] =
        "UPDATE inbox SET opened = 1, acknowledged = CASE WHEN acknowledge_by = 0 OR acknowledged <> 0"
        " THEN acknowledged ELSE ?1 END WHERE id = ?2";
    char code[LOOKS_CODE_SIZE] = "";
    struct report again = {.kind = REPORT_OPENED,
                           .from = bytes_of_string(event->sender),
                           .event = event->core.event,
                           .header = event->header,
                           .officer = officer};
    bool new = false;
    enum status status = is_gone(event) ? STATUS_OK : looks_note(agent, event->id, officer, now, &new, code);

    if (status != STATUS_OK || !new)
        return status;
    again.code = code[0] == '\0' ? NULL : code;
    return event->opened ? reports_queue(agent, &again, now)
                         : note(agent, event, sql, REPORT_OPENED, officer, now);
}

enum status inbox_event_acknowledged(struct agent *agent, const struct inbox_event *event,
                                     const char *officer, int64_t now)
{
    if (is_gone(event))
        return STATUS_REFUSED;
    if (event->acknowledged != 0)
        return STATUS_OK;
    return note(agent, event, "UPDATE inbox SET acknowledged = ?1 WHERE id = ?2", REPORT_ACKNOWLEDGED,
                officer, now);
}

enum status inbox_event_counts(struct agent *agent, struct inbox_counts *ret)
{
    struct db_statement *statement = NULL;
    struct inbox_counts counts = {{0}, 0, 0};
    bool row = false;
    enum status status =
        db_statement(agent->db,
                     "SELECT state, count(*), sum(late <> 0), sum(acknowledge_by <> 0 AND"
                     " acknowledged = 0 AND opened = 0 AND state = 0) FROM inbox GROUP BY state",
                     &statement);

    while (status == STATUS_OK && (status = db_step(statement, &row)) == STATUS_OK && row) {
        const int64_t state = db_column_int64(statement, 0);

        if (state >= 0 && state < INBOX_STATES)
            counts.by_state[state] = db_column_int64(statement, 1);
        counts.late += db_column_int64(statement, 2);
        counts.unacknowledged += db_column_int64(statement, 3);
    }
    *ret = counts;
    return status;
}
