#include "agent/inbox.h"

#include <string.h>

#include "agent/alerts.h"
#include "agent/applying.h"
#include "agent/consents.h"
#include "agent/inbox_content.h"
#include "agent/inbox_event.h"
#include "agent/incidents.h"
#include "agent/listing.h"
#include "agent/questions.h"
#include "agent/receipts.h"
#include "agent/reconcile.h"
#include "agent/reports.h"
#include "agent/withdrawing.h"
#include "base/crash.h"

/*
 * state: enum inbox_state. header, section: digests, by which a repetition is recognised. content: sealed
 * (inbox_content.c); NULL in a tombstone. target: of a correction, the event that it is about; corrected: the
 * last event that corrected, retracted or erased this one. until: the end of retention. person: look-up of
 * protocol and subject. acknowledge_by: of an urgent event, by our own clock and the sender's `created`;
 * acknowledged, escalated: when, or 0. Since layout 2 receipted: when the broker had stored our receipt, or
 * 0.
 */
const char inbox_schema[] =
    "CREATE TABLE inbox ("
    " id INTEGER PRIMARY KEY,"
    " event BLOB NOT NULL,"
    " sender TEXT NOT NULL,"
    " state INTEGER NOT NULL,"
    " late INTEGER NOT NULL,"
    " opened INTEGER NOT NULL,"
    " acknowledge_by INTEGER NOT NULL DEFAULT 0,"
    " acknowledged INTEGER NOT NULL DEFAULT 0,"
    " escalated INTEGER NOT NULL DEFAULT 0,"
    " person BLOB,"
    " received INTEGER NOT NULL,"
    " until INTEGER NOT NULL,"
    " supersedes BLOB,"
    " target BLOB,"
    " corrected BLOB,"
    " header BLOB NOT NULL,"
    " section BLOB NOT NULL,"
    " content BLOB,"
    " UNIQUE (event, sender)) STRICT;"
    "CREATE INDEX inbox_until ON inbox (until);"
    "CREATE INDEX inbox_person ON inbox (person) WHERE person IS NOT NULL;"
    "CREATE INDEX inbox_supersedes ON inbox (supersedes) WHERE supersedes IS NOT NULL;";

#define TOMBSTONE_MS (366 * CIVIL_DAY_MS)

/* What is in flight may be recalled, and a receipt may cross with that. After a day it has been delivered. */
#define RECALL_AFTER_RECEIPT_MS CIVIL_DAY_MS

const char *inbox_state_text(enum inbox_state state)
{
    static const char *const texts[] = {"stored",     "quarantined", "recalled",
                                        "superseded", "retracted",   "erased"};

    return texts[state];
}

/* ---- storing
 * --------------------------------------------------------------------------------------------------- */

/* What is here of the same sender and id. */
struct known {
    bool here;
    bool same; /* header and section */
    enum inbox_state state;
};

static enum status find_known(struct agent *agent, struct byte_view from, const uint8_t *event,
                              const struct envelope_delivered *delivered, struct known *ret)
{
    struct db_statement *statement = NULL;
    struct known known = {0};
    enum status status = db_statement(
        agent->db, "SELECT state, header, section FROM inbox WHERE event = ? AND sender = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    db_bind_text_view(statement, 2, from);
    status = db_step(statement, &known.here);
    if (status == STATUS_OK && known.here) {
        known.state = (enum inbox_state)db_column_int64(statement, 0);
        known.same = delivered != NULL &&
                     bytes_equal(db_column_blob(statement, 1),
                                 bytes_view(delivered->header_digest, HEADER_DIGEST_SIZE)) &&
                     bytes_equal(db_column_blob(statement, 2),
                                 bytes_view(delivered->section_digest, SECTION_DIGEST_SIZE));
        db_reset(statement);
    }
    if (status == STATUS_OK)
        *ret = known;
    return status;
}

enum status inbox_known(struct agent *agent, struct byte_view from, const uint8_t event[static UUID_SIZE],
                        bool *ret_known)
{
    struct known known = {0};
    enum status status = find_known(agent, from, event, NULL, &known);

    if (status == STATUS_OK)
        *ret_known = known.here;
    return status;
}

static enum status seal_content(struct agent *agent, struct byte_view from,
                                const struct envelope_delivered *event, const struct arrival *arrival,
                                struct byte_buffer *ret)
{
    struct byte_buffer plain = bytes_buffer(INBOX_CONTENT_LIMIT);
    uint8_t place[INBOX_CONTENT_PLACE];
    enum status status = STATUS_OK;

    inbox_content_encode(event, arrival, &plain);
    status = plain.status;
    if (status == STATUS_OK)
        status = vault_seal(agent->vault, inbox_content_place(event->core.event, from, place),
                            bytes_buffer_view(&plain), ret);
    bytes_buffer_wipe(&plain);
    return status;
}

static enum status insert(struct agent *agent, struct byte_view from, const struct envelope_delivered *event,
                          const struct arrival *arrival, enum inbox_state state, int64_t now)
{
    struct db_statement *statement = NULL;
    struct byte_buffer content = bytes_buffer(INBOX_CONTENT_LIMIT + VAULT_OVERHEAD);
    uint8_t person[VAULT_LOOKUP_SIZE];
    enum status status = seal_content(agent, from, event, arrival, &content);

    if (status == STATUS_OK)
        status = db_statement(agent->db,
                              "INSERT INTO inbox (event, sender, state, late, opened, received, until,"
                              " supersedes, header, section, content, acknowledge_by, target, person)"
                              " VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                              &statement);
    if (status == STATUS_OK) {
        db_bind_blob(statement, 1, bytes_view(event->core.event, UUID_SIZE));
        db_bind_text_view(statement, 2, from);
        db_bind_int64(statement, 3, (int64_t)state);
        db_bind_int64(statement, 4, arrival->late ? 1 : 0);
        db_bind_int64(statement, 5, now);
        db_bind_int64(statement, 6, arrival->until);
        if (event->core.has_supersedes)
            db_bind_blob(statement, 7, bytes_view(event->core.supersedes, UUID_SIZE));
        else
            db_bind_null(statement, 7);
        db_bind_blob(statement, 8, bytes_view(event->header_digest, HEADER_DIGEST_SIZE));
        db_bind_blob(statement, 9, bytes_view(event->section_digest, SECTION_DIGEST_SIZE));
        db_bind_blob(statement, 10, bytes_buffer_view(&content));
        db_bind_int64(statement, 11, arrival->acknowledge_by);
        if (arrival->corrects != CORRECTION_NONE)
            db_bind_blob(statement, 12, bytes_view(arrival->target, UUID_SIZE));
        else
            db_bind_null(statement, 12);
        inbox_event_person(agent, event->core.protocol, event->core.subject, person);
        db_bind_blob(statement, 13, bytes_view(person, sizeof person));
        status = db_run(statement);
    }
    bytes_buffer_free(&content);
    return status;
}

/* Marks what this event replaces, and this event if its replacement came before it. */
static enum status supersede(struct agent *agent, struct byte_view from, const struct core *core)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        agent->db,
        "UPDATE inbox SET state = 3 WHERE sender = ?1 AND state = 0 AND (event = ?2 OR (event = ?3"
        " AND EXISTS (SELECT 1 FROM inbox AS n WHERE n.supersedes = ?3 AND n.sender = ?1"
        " AND n.state IN (0, 3))))",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text_view(statement, 1, from);
    if (core->has_supersedes)
        db_bind_blob(statement, 2, bytes_view(core->supersedes, UUID_SIZE));
    else
        db_bind_null(statement, 2);
    db_bind_blob(statement, 3, bytes_view(core->event, UUID_SIZE));
    return db_run(statement);
}

static const struct byte_view *item_value(const void *values, const char *label)
{
    return items_find(values, label);
}

static enum status follow(struct agent *agent, struct byte_view from, const struct core *core,
                          const struct arrival *arrival, int64_t now)
{
    const struct listing listing = {.event = core->event,
                                    .subject = core->subject,
                                    .protocol = core->protocol,
                                    .from = from,
                                    .created = core->created,
                                    .value = item_value,
                                    .values = arrival->items};
    const struct byte_view *scope = items_find(arrival->items, "scope");
    enum status status = supersede(agent, from, core);

    if (status == STATUS_OK)
        status = questions_note(agent, core, arrival->until, now);
    if (status == STATUS_OK && scope != NULL &&
        (arrival->effect == EFFECT_CONSENT || arrival->effect == EFFECT_WITHDRAW))
        status = consents_note(agent, core->protocol, core->subject, *scope,
                               arrival->effect == EFFECT_CONSENT, core->created);
    if (status == STATUS_OK && scope != NULL && arrival->effect == EFFECT_WITHDRAW)
        status = withdrawing_apply(agent, core->protocol, core->subject, *scope, core->created);
    if (status == STATUS_OK && arrival->effect == EFFECT_REMOVE)
        status = inbox_removed(agent, core->protocol, core->subject, now);
    return status == STATUS_OK ? listing_apply(agent, arrival->effect, &listing) : status;
}

static enum status set_aside(struct agent *agent, struct byte_view from,
                             const struct envelope_delivered *event, enum arrival_reason reason, int64_t now)
{
    const struct report report = {.kind = REPORT_QUARANTINED,
                                  .from = from,
                                  .event = event->core.event,
                                  .header = event->header_digest,
                                  .officer = "automatic:agent",
                                  .code = arrival_code(reason)};
    char id[UUID_TEXT_SIZE];
    enum status status = reports_queue(agent, &report, now);

    uuid_format(event->core.event, id);
    if (status == STATUS_OK)
        status = incidents_add(agent->db, now, "event %s from %.*s is in quarantine: %s", id, (int)from.size,
                               (const char *)from.data, arrival_text(reason));
    return status;
}

static enum status give_receipt(struct agent *agent, struct byte_view from,
                                const struct envelope_delivered *event, bool stored, int64_t now)
{
    struct receipt receipt = {.to = bytes_of_string(agent->settings.member),
                              .from = from,
                              .outcome = stored ? RECEIPT_STORED : RECEIPT_QUARANTINED,
                              .time = now,
                              .counter = event->counter};

    memcpy(receipt.event, event->core.event, UUID_SIZE);
    memcpy(receipt.header, event->header_digest, sizeof receipt.header);
    memcpy(receipt.section, event->section_digest, sizeof receipt.section);
    memcpy(receipt.bundle, bundle_head_digest(agent->membership->bundle), sizeof receipt.bundle);
    const enum status status = reconcile_delivered(agent, from, event->core.event, event->counter, now);
    return status == STATUS_OK ? receipts_queue(agent, &receipt) : status;
}

enum status inbox_store(struct agent *agent, struct byte_view from, const struct envelope_delivered *event,
                        const struct arrival *arrival, int64_t now)
{
    const bool stored = arrival->reason == ARRIVAL_NONE;
    struct known known = {0};
    enum status status = find_known(agent, from, event->core.event, event, &known);

    if (status != STATUS_OK)
        return status;
    if (known.here) {
        const bool gone = known.state == INBOX_RETRACTED || known.state == INBOX_ERASED;
        const bool kept =
            known.same && (known.state == INBOX_STORED || known.state == INBOX_SUPERSEDED || gone);

        if (!known.same && known.state != INBOX_RECALLED && !gone)
            status = set_aside(agent, from, event, ARRIVAL_REPEATED, now);
        return status == STATUS_OK ? give_receipt(agent, from, event, kept, now) : status;
    }
    status = insert(agent, from, event, arrival, stored ? INBOX_STORED : INBOX_QUARANTINED, now);
    CRASH_POINT("inbox.insert");
    if (status == STATUS_OK && stored && arrival->corrects != CORRECTION_NONE)
        status = applying_correction(agent, from, event, arrival, now);
    if (status == STATUS_OK)
        status = stored ? follow(agent, from, &event->core, arrival, now)
                        : set_aside(agent, from, event, arrival->reason, now);
    return status == STATUS_OK ? give_receipt(agent, from, event, stored, now) : status;
}

/* ---- acknowledgement
 * --------------------------------------------------------------------------------------------- */

enum status inbox_escalated(struct agent *agent, struct byte_view from, const uint8_t event[static UUID_SIZE],
                            int64_t at)
{
    struct db_statement *statement = NULL;
    bool row = false;
    bool done = false;
    enum status status = db_statement(
        agent->db, "SELECT acknowledged <> 0 OR opened <> 0 FROM inbox WHERE event = ? AND sender = ?",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    db_bind_text_view(statement, 2, from);
    status = db_step(statement, &row);
    if (status == STATUS_OK && row) {
        done = db_column_int64(statement, 0) != 0;
        db_reset(statement);
    }
    if (status != STATUS_OK || done)
        return status; /* our word about it has crossed with the broker's */
    status =
        db_statement(agent->db, "UPDATE inbox SET escalated = ? WHERE event = ? AND sender = ?", &statement);
    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, at);
    db_bind_blob(statement, 2, bytes_view(event, UUID_SIZE));
    db_bind_text_view(statement, 3, from);
    status = db_run(statement);
    return status == STATUS_OK ? alerts_raise(agent, from, event, at) : status;
}

/* ---- recall and retention
 * --------------------------------------------------------------------------------------- */

/* Until when a trace must stay: longer than any rule lets an event come. */
static int64_t trace_until(const struct agent *agent, int64_t now)
{
    int64_t until = now + TOMBSTONE_MS;

    for (size_t i = 0; agent->membership != NULL && i < agent->membership->protocol_count; i++) {
        const int64_t end =
            CIVIL_DAY_MS +
            civil_add_duration(now, protocol_longest_retention(agent->membership->protocols[i]), 1);

        if (end > until)
            until = end;
    }
    return until;
}

static enum status bury(struct agent *agent, struct byte_view from, const uint8_t event[static UUID_SIZE],
                        int64_t now)
{
    static const uint8_t nothing[HEADER_DIGEST_SIZE] = {0};
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        agent->db,
        "INSERT INTO inbox (event, sender, state, late, opened, received, until, header, section)"
        " VALUES (?, ?, 2, 0, 0, ?, ?, ?, ?)"
        " ON CONFLICT (event, sender) DO UPDATE SET state = 2, content = NULL",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    db_bind_text_view(statement, 2, from);
    db_bind_int64(statement, 3, now);
    db_bind_int64(statement, 4, trace_until(agent, now));
    db_bind_blob(statement, 5, bytes_view(nothing, sizeof nothing));
    db_bind_blob(statement, 6, bytes_view(nothing, sizeof nothing));
    return db_run(statement);
}

/* What is here of an event that the broker recalls. */
struct recalled {
    uint8_t header[HEADER_DIGEST_SIZE]; /* zeros: it was never here */
    bool delivered;                     /* long ago, by a receipt that the broker has */
};

static enum status find_recalled(struct agent *agent, struct byte_view from,
                                 const uint8_t event[static UUID_SIZE], int64_t now, struct recalled *ret)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(
        agent->db, "SELECT header, receipted, content IS NOT NULL FROM inbox WHERE event = ? AND sender = ?",
        &statement);

    memset(ret, 0, sizeof *ret);
    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    db_bind_text_view(statement, 2, from);
    status = db_step(statement, &row);
    if (status == STATUS_OK && row) {
        const int64_t receipted = db_column_int64(statement, 1);

        if (db_column_blob(statement, 0).size == HEADER_DIGEST_SIZE)
            memcpy(ret->header, db_column_blob(statement, 0).data, HEADER_DIGEST_SIZE);
        ret->delivered =
            receipted != 0 && now - receipted > RECALL_AFTER_RECEIPT_MS && db_column_int64(statement, 2) != 0;
    }
    db_reset(statement);
    return status;
}

/* A broker takes back what is on its way, and nothing else: what is delivered its sender retracts. */
static enum status keep_delivered(struct agent *agent, struct byte_view from,
                                  const uint8_t event[static UUID_SIZE], int64_t now)
{
    char id[UUID_TEXT_SIZE];

    uuid_format(event, id);
    return incidents_add(
        agent->db, now,
        "the broker recalled event %s of %.*s, which was delivered and receipted more than a "
        "day before: it is kept; ask %.*s, who can retract it",
        id, (int)from.size, (const char *)from.data, (int)from.size, (const char *)from.data);
}

enum status inbox_recall(struct agent *agent, struct byte_view from, const uint8_t event[static UUID_SIZE],
                         int64_t now)
{
    struct recalled recalled;
    const struct report report = {.kind = REPORT_RECALLED,
                                  .from = from,
                                  .event = event,
                                  .header = recalled.header,
                                  .officer = "automatic:agent"};
    enum status status = find_recalled(agent, from, event, now, &recalled);

    if (status != STATUS_OK)
        return status;
    if (recalled.delivered)
        return keep_delivered(agent, from, event, now);
    status = bury(agent, from, event, now);
    if (status == STATUS_OK)
        status = alerts_clear(agent, from, event);
    CRASH_POINT("inbox.recall");
    return status == STATUS_OK ? reports_queue(agent, &report, now) : status;
}

enum status inbox_receipted(struct agent *agent, struct byte_view from, const uint8_t event[static UUID_SIZE],
                            int64_t now)
{
    struct db_statement *statement = NULL;
    const enum status status = db_statement(
        agent->db, "UPDATE inbox SET receipted = ? WHERE event = ? AND sender = ? AND receipted = 0",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, now);
    db_bind_blob(statement, 2, bytes_view(event, UUID_SIZE));
    db_bind_text_view(statement, 3, from);
    return db_run(statement);
}

enum status inbox_removed(struct agent *agent, struct byte_view protocol,
                          const uint8_t subject[static CORE_SUBJECT_SIZE], int64_t now)
{
    const struct protocol *loaded =
        agent->membership == NULL ? NULL : membership_protocol(agent->membership, protocol);
    struct db_statement *statement = NULL;
    uint8_t person[VAULT_LOOKUP_SIZE];
    enum status status = STATUS_OK;

    if (loaded == NULL || !loaded->has_after_removal)
        return STATUS_OK;
    status = db_statement(agent->db,
                          "UPDATE inbox SET until = min(until, ?) WHERE person = ? AND content IS NOT NULL",
                          &statement);
    if (status != STATUS_OK)
        return status;
    inbox_event_person(agent, protocol, subject, person);
    db_bind_int64(statement, 1, civil_add_duration(now, loaded->after_removal, 1));
    db_bind_blob(statement, 2, bytes_view(person, sizeof person));
    return db_run(statement);
}

/* The log proofs of what ends lose what they say about its person. */
static enum status forget_proofs(struct agent *agent, int64_t now)
{
    struct db_statement *statement = NULL;
    const enum status status = db_statement(
        agent->db,
        "UPDATE proof SET personal = NULL WHERE role % 10 = 2 AND personal IS NOT NULL AND (event, member)"
        " IN (SELECT event, sender FROM inbox WHERE until <= ?)",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, now);
    return db_run(statement);
}

enum status inbox_forget(struct agent *agent, int64_t now)
{
    struct db_statement *statement = NULL;
    enum status status = alerts_forget(agent, now, now - TOMBSTONE_MS);

    if (status == STATUS_OK)
        status = forget_proofs(agent, now);
    if (status == STATUS_OK)
        status = db_statement(agent->db, "DELETE FROM inbox WHERE until <= ?", &statement);
    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, now);
    status = db_run(statement);
    return status == STATUS_OK ? questions_forget(agent, now) : status;
}
