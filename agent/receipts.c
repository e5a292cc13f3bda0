#include "agent/receipts.h"

#include <string.h>

#include "agent/due.h"
#include "agent/inbox.h"
#include "agent/incidents.h"
#include "agent/outbox_row.h"
#include "base/crash.h"
#include "proto/header.h"

const char receipts_schema[] =
    "CREATE TABLE receipt_due (id INTEGER PRIMARY KEY, receipt BLOB NOT NULL) STRICT;";

#define RECEIPTS_IN_BATCH 256
#define HEAD_SIZE_MAX     BUNDLE_HEAD_LARGEST

/* ---- those that we give
 * ---------------------------------------------------------------------------------------- */

static const struct due_queue queue = {
    .insert = "INSERT INTO receipt_due (receipt) VALUES (?)",
    .oldest = "SELECT id, receipt FROM receipt_due ORDER BY id LIMIT ?",
    .forget = "DELETE FROM receipt_due WHERE id <= ?",
};

enum status receipts_queue(struct agent *agent, const struct receipt *receipt)
{
    struct byte_buffer bytes = bytes_buffer(RECEIPT_SIZE_MAX);
    enum status status = receipt_encode(receipt, &bytes);

    if (status == STATUS_OK)
        status = due_add(agent, &queue, bytes_buffer_view(&bytes));
    bytes_buffer_free(&bytes);
    return status;
}

enum status receipts_batch(struct agent *agent, uint64_t request, int64_t now, struct byte_buffer *ret,
                           int64_t *ret_last, size_t *ret_count)
{
    struct byte_buffer head = bytes_buffer(HEAD_SIZE_MAX);
    struct due_batch batch = {0};
    struct batch_signer signer;
    enum status status = due_oldest(agent, &queue, RECEIPTS_IN_BATCH, RECEIPT_SIZE_MAX, &batch);

    if (status == STATUS_OK)
        status = membership_signer(agent->membership, agent->settings.member, now, &signer);
    if (status != STATUS_OK)
        goto out;
    wire_pack(&bundle_signed_head(agent->membership->bundle)->base, &head);
    status = head.status;
    if (status == STATUS_OK)
        status = receipt_batch_build(request, &signer, keystore_signing(agent->keystore), batch.items,
                                     batch.count, bytes_buffer_view(&head), ret);
    if (status == STATUS_OK) {
        *ret_last = batch.last;
        *ret_count = batch.count;
    }
out:
    due_batch_free(&batch);
    bytes_buffer_free(&head);
    return status;
}

enum status receipts_stored(struct agent *agent, int64_t last, int64_t now)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(agent->db, "SELECT receipt FROM receipt_due WHERE id <= ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, last);
    while (status == STATUS_OK && (status = db_step(statement, &row)) == STATUS_OK && row) {
        struct receipt receipt;

        status = receipt_decode(db_column_blob(statement, 0), &receipt);
        if (status == STATUS_OK)
            status = inbox_receipted(agent, receipt.from, receipt.event, now);
    }
    db_reset(statement);
    return status == STATUS_OK ? due_forget(agent, &queue, last) : status;
}

/* ---- those that we get
 * ----------------------------------------------------------------------------------------- */

enum status receipts_after(struct agent *agent, uint64_t *ret_id)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(agent->db, "SELECT value FROM cursor WHERE name = 'receipts'", &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    *ret_id = row ? (uint64_t)db_column_int64(statement, 0) : 0;
    if (row)
        db_reset(statement);
    return STATUS_OK;
}

enum status receipts_confirmed(struct agent *agent, uint64_t id)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(agent->db,
                                      "INSERT INTO cursor (name, value) VALUES ('receipts', ?)"
                                      " ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)id);
    return db_run(statement);
}

/* The outbox row and section that a receipt speaks of; *ret_row 0: it is not for what we sent. */
static enum status find_section(struct agent *agent, const struct receipt *receipt, int64_t *ret_row)
{
    struct db_statement *statement = NULL;
    bool row = false;
    int64_t found = 0;
    enum status status =
        db_statement(agent->db,
                     "SELECT o.id, o.header, s.section FROM outbox AS o JOIN outbox_section AS s"
                     " ON s.outbox = o.id AND s.recipient = ? WHERE o.event = ? AND o.state BETWEEN 1 AND 3",
                     &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text_view(statement, 1, receipt->to);
    db_bind_blob(statement, 2, bytes_view(receipt->event, UUID_SIZE));
    status = db_step(statement, &row);
    if (status == STATUS_OK && row) {
        if (bytes_equal(db_column_blob(statement, 1), bytes_view(receipt->header, sizeof receipt->header)) &&
            bytes_equal(db_column_blob(statement, 2), bytes_view(receipt->section, sizeof receipt->section)))
            found = db_column_int64(statement, 0);
        db_reset(statement);
    }
    if (status == STATUS_OK)
        *ret_row = found;
    return status;
}

static enum status mark_section(struct agent *agent, int64_t outbox, const struct receipt *receipt)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        agent->db,
        "UPDATE outbox_section SET state = ? WHERE outbox = ? AND recipient = ? AND state NOT IN (1, 2)",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, receipt->outcome == RECEIPT_STORED ? OUTBOX_STORED : OUTBOX_QUARANTINED);
    db_bind_int64(statement, 2, outbox);
    db_bind_text_view(statement, 3, receipt->to);
    return db_run(statement);
}

enum status receipts_settled(struct agent *agent, int64_t outbox, int64_t now)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(agent->db,
                     "UPDATE outbox SET state = 3, changed = ?1 WHERE id = ?2 AND state = 2 AND NOT EXISTS"
                     " (SELECT 1 FROM outbox_section WHERE outbox = ?2 AND state = 0)",
                     &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, now);
    db_bind_int64(statement, 2, outbox);
    return db_run(statement);
}

static enum status apply(struct agent *agent, const struct receipt *receipt, int64_t now)
{
    char id[UUID_TEXT_SIZE];
    int64_t outbox = 0;
    enum status status = find_section(agent, receipt, &outbox);

    if (status != STATUS_OK)
        return status;
    uuid_format(receipt->event, id);
    if (outbox == 0)
        return incidents_add(agent->db, now, "a receipt of %.*s for event %s is not for what was sent",
                             (int)receipt->to.size, (const char *)receipt->to.data, id);
    status = mark_section(agent, outbox, receipt);
    if (status == STATUS_OK)
        status = receipts_settled(agent, outbox, now);
    CRASH_POINT("receipts.confirm");
    if (status == STATUS_OK && receipt->outcome == RECEIPT_QUARANTINED)
        status = incidents_add(agent->db, now, "%.*s put event %s of ours into quarantine",
                               (int)receipt->to.size, (const char *)receipt->to.data, id);
    return status;
}

enum status receipts_confirm(struct agent *agent, const Wire__ForwardedReceipts *forwarded, int64_t now)
{
    struct receipt receipts[RECEIPTS_IN_BATCH];
    const struct directory_entry *entry = NULL;
    struct batch_signer signer;
    enum status status = STATUS_TOO_LARGE;

    if (forwarded->n_receipts > RECEIPTS_IN_BATCH)
        return status;
    status = membership_certificate(agent->membership, wire_view(forwarded->certificate), &entry, &signer);
    if (status != STATUS_OK)
        return status;
    status = receipt_forwarded_verify(forwarded, bytes_of_string(agent->settings.member),
                                      bytes_of_string(entry->member), &signer, entry->signing, receipts);
    for (size_t i = 0; i < forwarded->n_receipts && status == STATUS_OK; i++) {
        if (directory_state_at(entry, receipts[i].time) != DIRECTORY_IN_FORCE)
            continue;
        status = apply(agent, &receipts[i], now);
    }
    return status == STATUS_OK ? receipts_confirmed(agent, forwarded->id) : status;
}
