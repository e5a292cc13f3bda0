#include "agent/notices.h"

#include <string.h>

#include "agent/alerts.h"
#include "agent/applying.h"
#include "agent/inbox.h"
#include "agent/incidents.h"
#include "agent/outbox_row.h"
#include "agent/receipts.h"
#include "agent/reports.h"
#include "proto/envelope.h"

/* ---- about an event of ours ---- */

/* Sets one column of one recipient's section of one event. */
static enum status set_column(struct agent *agent, const char *sql, int64_t value, const Wire__Notice *notice)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(agent->db, sql, &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, value);
    db_bind_blob(statement, 2, wire_view(notice->event));
    db_bind_text(statement, 3, notice->to);
    return db_run(statement);
}

#define OF_EVENT " WHERE outbox = (SELECT id FROM outbox WHERE event = ?2) AND recipient = ?3"

static enum status outbox_of(struct agent *agent, const Wire__Notice *notice, int64_t *ret_outbox)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(agent->db, "SELECT id FROM outbox WHERE event = ?", &statement);

    *ret_outbox = 0;
    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, wire_view(notice->event));
    status = db_step(statement, &row);
    if (status == STATUS_OK && row) {
        *ret_outbox = db_column_int64(statement, 0);
        db_reset(statement);
    }
    return status;
}

/* No receipt will come. */
static enum status end_section(struct agent *agent, const Wire__Notice *notice, enum outbox_delivery state,
                               int64_t now)
{
    int64_t outbox = 0;
    enum status status = set_column(agent, "UPDATE outbox_section SET state = ?1" OF_EVENT " AND state = 0",
                                    (int64_t)state, notice);

    if (status == STATUS_OK)
        status = outbox_of(agent, notice, &outbox);
    return status == STATUS_OK ? receipts_settled(agent, outbox, now) : status;
}

/* The header that we published under this id. */
static enum status published(struct agent *agent, const uint8_t *event,
                             uint8_t ret[static HEADER_DIGEST_SIZE])
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(agent->db, "SELECT header FROM outbox WHERE event = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    status = db_step(statement, &row);
    if (status == STATUS_OK && !row)
        return STATUS_NOT_FOUND;
    if (status == STATUS_OK && db_column_blob(statement, 0).size == HEADER_DIGEST_SIZE)
        memcpy(ret, db_column_blob(statement, 0).data, HEADER_DIGEST_SIZE);
    else if (status == STATUS_OK)
        status = STATUS_NOT_FOUND;
    db_reset(statement);
    return status;
}

/* Verifies the recipient's own word: signature, place, and that it is about what we published to it. */
static enum status verify_report(struct agent *agent, const Wire__Notice *notice, struct wire_arena *arena,
                                 const Wire__Report **ret)
{
    const Wire__SignedReport *given = notice->report;
    const struct directory_entry *entry = NULL;
    const ProtobufCMessage *message = NULL;
    uint8_t header[HEADER_DIGEST_SIZE];
    struct batch_signer signer;
    struct digest root;
    enum status status =
        membership_certificate(agent->membership, wire_view(given->certificate), &entry, &signer);

    if (status == STATUS_OK)
        status = envelope_path_root(wire_view(given->report), given->index, given->count, given->path,
                                    given->n_path, &root);
    if (status == STATUS_OK)
        status = batch_verify_root(BATCH_PURPOSE_REPORTS, entry->signing, &signer, given->count, &root,
                                   given->signature.data);
    if (status == STATUS_OK)
        status = wire_unpack(&wire__report__descriptor, wire_view(given->report), given->report.len, arena,
                             &message);
    if (status == STATUS_OK)
        status = published(agent, notice->event.data, header);
    if (status != STATUS_OK)
        return status;
    const Wire__Report *report = (const Wire__Report *)(const void *)message;
    if (strcmp(entry->member, notice->to) != 0 || strcmp(report->by, notice->to) != 0 ||
        strcmp(report->from, notice->from) != 0 ||
        !bytes_equal(wire_view(report->event), wire_view(notice->event)) ||
        !bytes_equal(wire_view(report->header), bytes_view(header, sizeof header)) ||
        directory_state_at(entry, (int64_t)report->time) != DIRECTORY_IN_FORCE)
        return STATUS_MISMATCH;
    *ret = report;
    return STATUS_OK;
}

static enum status take_report(struct agent *agent, const Wire__Notice *notice, int64_t now)
{
    struct wire_arena arena = wire_arena(WIRE_ARENA_FRAME);
    const Wire__Report *report = NULL;
    enum status status = verify_report(agent, notice, &arena, &report);

    if (status == STATUS_OK && report->kind == WIRE__REPORT_KIND__CONFIRMED)
        status = set_column(agent, "UPDATE outbox_section SET confirmed = ?1" OF_EVENT, (int64_t)report->time,
                            notice);
    else if (status == STATUS_OK)
        status = set_column(agent, "UPDATE outbox_section SET acknowledged = ?1" OF_EVENT,
                            (int64_t)report->time, notice);
    else if (status != STATUS_NO_MEMORY && status != STATUS_CRYPTO)
        status =
            incidents_add(agent->db, now, "a report of %.64s that the broker handed on does not verify: %s",
                          notice->to, status_text(status));
    wire_arena_free(&arena);
    return status;
}

static enum status about_ours(struct agent *agent, const Wire__Notice *notice, int64_t now)
{
    switch (notice->kind) {
    case WIRE__NOTICE_KIND__NOT_COLLECTED:
        return set_column(agent, "UPDATE outbox_section SET uncollected = ?1" OF_EVENT " AND state = 0",
                          (int64_t)notice->time, notice);
    case WIRE__NOTICE_KIND__ESCALATED:
        return set_column(agent, "UPDATE outbox_section SET escalated = ?1" OF_EVENT, (int64_t)notice->time,
                          notice);
    case WIRE__NOTICE_KIND__RAN_OUT:
        return end_section(agent, notice, OUTBOX_EXPIRED, now);
    case WIRE__NOTICE_KIND__REPLACED:
        return end_section(agent, notice, OUTBOX_REPLACED, now);
    case WIRE__NOTICE_KIND__TAKEN_BACK:
        return end_section(agent, notice, OUTBOX_RECALLED, now);
    case WIRE__NOTICE_KIND__REPORTED:
        return take_report(agent, notice, now);
    case WIRE__NOTICE_KIND__REMINDED:
    case _WIRE__NOTICE_KIND_IS_INT_SIZE:
    default:
        return STATUS_OK;
    }
}

/* ---- about an event that we are to receive ---- */

static enum status about_theirs(struct agent *agent, const Wire__Notice *notice, int64_t now)
{
    if (notice->kind == WIRE__NOTICE_KIND__REMINDED)
        return applying_again(agent, bytes_of_string(notice->from), notice->event.data, now);
    if (notice->kind == WIRE__NOTICE_KIND__ESCALATED)
        return inbox_escalated(agent, bytes_of_string(notice->from), notice->event.data,
                               (int64_t)notice->time);
    return STATUS_OK;
}

enum status notices_take(struct agent *agent, const Wire__Notices *notices, int64_t now)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; i < notices->n_notices && status == STATUS_OK; i++) {
        const Wire__Notice *notice = notices->notices[i];

        if (strcmp(notice->from, agent->settings.member) == 0)
            status = about_ours(agent, notice, now);
        else if (strcmp(notice->to, agent->settings.member) == 0)
            status = about_theirs(agent, notice, now);
    }
    return status == STATUS_OK ? receipts_confirmed(agent, notices->id) : status;
}
