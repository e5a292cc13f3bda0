#include "agent/inbox_event.h"

#include <string.h>

#include "agent/inbox_content.h"
#include "agent/reports.h"

void inbox_event_free(struct inbox_event *event)
{
    bytes_buffer_wipe(&event->kept);
    event->has_content = false;
    event->item_count = 0;
}

#define COLUMNS "id, event, sender, state, late, opened, received, until, header, content"

/* The row that the statement stands on, whose columns are COLUMNS. */
static enum status read_row(struct agent *agent, struct db_statement *statement, struct inbox_event *ret)
{
    struct inbox_event event = {.id = db_column_int64(statement, 0),
                                .state = (enum inbox_state)db_column_int64(statement, 3),
                                .late = db_column_int64(statement, 4) != 0,
                                .opened = db_column_int64(statement, 5) != 0,
                                .received = db_column_int64(statement, 6),
                                .until = db_column_int64(statement, 7),
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

enum status inbox_event_opened(struct agent *agent, const struct inbox_event *event, const char *officer,
                               int64_t now)
{
    const struct report report = {.kind = REPORT_OPENED,
                                  .from = bytes_of_string(event->sender),
                                  .event = event->core.event,
                                  .header = event->header,
                                  .officer = officer};
    struct db_statement *statement = NULL;
    enum status status = STATUS_OK;

    if (event->opened || event->state == INBOX_QUARANTINED || event->state == INBOX_RECALLED)
        return STATUS_OK;
    status = db_statement(agent->db, "UPDATE inbox SET opened = 1 WHERE id = ?", &statement);
    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, event->id);
    status = db_run(statement);
    return status == STATUS_OK ? reports_queue(agent, &report, now) : status;
}

enum status inbox_event_counts(struct agent *agent, int64_t ret_counts[static 4])
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(agent->db, "SELECT state, count(*) FROM inbox GROUP BY state", &statement);

    memset(ret_counts, 0, 4 * sizeof *ret_counts);
    while (status == STATUS_OK && (status = db_step(statement, &row)) == STATUS_OK && row) {
        const int64_t state = db_column_int64(statement, 0);

        if (state >= 0 && state < 4)
            ret_counts[state] = db_column_int64(statement, 1);
    }
    return status;
}
