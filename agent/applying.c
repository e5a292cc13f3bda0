#include "agent/applying.h"

#include <string.h>

#include "agent/alerts.h"
#include "agent/inbox_content.h"
#include "agent/listing.h"
#include "agent/proofs.h"
#include "agent/reports.h"

#define TRACE_MS (366 * CIVIL_DAY_MS) /* of an event that never came */

static const struct byte_view *item_value(const void *values, const char *label)
{
    return items_find(values, label);
}

static enum status confirm(struct agent *agent, struct byte_view from, const uint8_t *event,
                           const uint8_t *header, int64_t now)
{
    const struct report report = {.kind = REPORT_CONFIRMED,
                                  .from = from,
                                  .event = event,
                                  .header = header,
                                  .officer = "automatic:agent"};

    return reports_queue(agent, &report, now);
}

/* ---- other values ---- */

static enum status put_content(struct agent *agent, const struct inbox_event *original,
                               const uint8_t *correction)
{
    struct db_statement *statement = NULL;
    enum status status = inbox_content_keep(agent, original);

    if (status == STATUS_OK)
        status = db_statement(agent->db, "UPDATE inbox SET corrected = ? WHERE id = ?", &statement);
    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(correction, UUID_SIZE));
    db_bind_int64(statement, 2, original->id);
    return db_run(statement);
}

static enum status correct(struct agent *agent, struct byte_view from, const struct envelope_delivered *event,
                           const struct arrival *arrival)
{
    const struct listing listing = {.event = arrival->target,
                                    .subject = event->core.subject,
                                    .protocol = event->core.protocol,
                                    .from = from,
                                    .value = item_value,
                                    .values = arrival->items};
    struct inbox_event original;
    enum status status = inbox_event_of(agent, from, arrival->target, &original);

    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    if (original.has_content && (original.state == INBOX_STORED || original.state == INBOX_SUPERSEDED)) {
        for (size_t i = 0; i < original.item_count; i++)
            for (size_t k = 0; k < arrival->items->count; k++)
                if (bytes_equal(original.items[i].label, arrival->items->list[k].label))
                    original.items[i].value = arrival->items->list[k].value;
        status = put_content(agent, &original, event->core.event);
    }
    inbox_event_free(&original);
    return status == STATUS_OK ? listing_correct(agent, &listing) : status;
}

/* ---- taking back ---- */

/* A trace, so that it is refused if it comes after all. */
static enum status bury(struct agent *agent, struct byte_view from, const struct arrival *arrival,
                        const uint8_t *correction, enum inbox_state state, int64_t now)
{
    static const uint8_t nothing[HEADER_DIGEST_SIZE] = {0};
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        agent->db,
        "INSERT INTO inbox (event, sender, state, late, opened, received, until, header, section, corrected)"
        " VALUES (?1, ?2, ?3, 0, 0, ?4, ?5, ?6, ?6, ?7)"
        " ON CONFLICT (event, sender) DO UPDATE SET state = ?3, content = NULL, corrected = ?7",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(arrival->target, UUID_SIZE));
    db_bind_text_view(statement, 2, from);
    db_bind_int64(statement, 3, (int64_t)state);
    db_bind_int64(statement, 4, now);
    db_bind_int64(statement, 5, now + TRACE_MS);
    db_bind_blob(statement, 6, bytes_view(nothing, sizeof nothing));
    db_bind_blob(statement, 7, bytes_view(correction, UUID_SIZE));
    return db_run(statement);
}

static enum status drop_corrections(struct agent *agent, struct byte_view from, const struct arrival *arrival,
                                    const uint8_t *correction, enum inbox_state state)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(agent->db,
                                      "UPDATE inbox SET state = ?1, content = NULL, corrected = ?4"
                                      " WHERE target = ?2 AND sender = ?3 AND event <> ?4",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)state);
    db_bind_blob(statement, 2, bytes_view(arrival->target, UUID_SIZE));
    db_bind_text_view(statement, 3, from);
    db_bind_blob(statement, 4, bytes_view(correction, UUID_SIZE));
    return db_run(statement);
}

static enum status take_back(struct agent *agent, struct byte_view from,
                             const struct envelope_delivered *event, const struct arrival *arrival,
                             int64_t now)
{
    const enum inbox_state state = arrival->corrects == CORRECTION_ERASURE ? INBOX_ERASED : INBOX_RETRACTED;
    enum status status = bury(agent, from, arrival, event->core.event, state, now);

    const struct proofs_event of = {.role = PROOFS_RECEIVED, .member = from, .id = arrival->target};
    if (status == STATUS_OK && state == INBOX_ERASED)
        status = proofs_forget_person(agent, &of);
    if (status == STATUS_OK)
        status = drop_corrections(agent, from, arrival, event->core.event, state);
    return status == STATUS_OK ? alerts_clear(agent, from, arrival->target) : status;
}

enum status applying_correction(struct agent *agent, struct byte_view from,
                                const struct envelope_delivered *event, const struct arrival *arrival,
                                int64_t now)
{
    enum status status = arrival->corrects == CORRECTION_VALUES ? correct(agent, from, event, arrival)
                                                                : take_back(agent, from, event, arrival, now);

    return status == STATUS_OK ? confirm(agent, from, event->core.event, event->header_digest, now) : status;
}

enum status applying_again(struct agent *agent, struct byte_view from,
                           const uint8_t event[static CORE_EVENT_SIZE], int64_t now)
{
    struct inbox_event correction;
    enum status status = inbox_event_of(agent, from, event, &correction);

    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    if (correction.state != INBOX_QUARANTINED)
        status = confirm(agent, from, event, correction.header, now);
    inbox_event_free(&correction);
    return status;
}
