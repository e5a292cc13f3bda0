#include "agent/agree.h"

#include <inttypes.h>
#include <string.h>

#include "agent/inbox_event.h"
#include "agent/incidents.h"
#include "agent/marks.h"
#include "agent/outbox.h"
#include "agent/outbox_row.h"

/* ---- sent ---- */

static const char *sent_differs(struct agent *agent, struct db_statement *statement,
                                const struct entry_proof_told *told)
{
    const struct byte_view header = db_column_blob(statement, 1);
    uint8_t subject[VAULT_LOOKUP_SIZE];

    if (told->personal.subject.size != CORE_SUBJECT_SIZE)
        return "the person";
    outbox_row_subject(agent, told->personal.subject.data, subject);
    if (told->kind == RECORD_ACCEPTED && header.size > 0 && !bytes_equal(header, told->personal.header))
        return "the header that was signed";
    if (!bytes_equal(bytes_of_string(db_column_text(statement, 0)), told->account.type))
        return "its type";
    if (!bytes_equal(db_column_blob(statement, 2), bytes_view(subject, sizeof subject)))
        return "the person";
    if (told->kind == RECORD_ACCEPTED && db_column_int64(statement, 3) == (int64_t)OUTBOX_REFUSED)
        return "it was refused";
    return NULL;
}

static enum status agree_sent(struct agent *agent, const struct entry_proof_told *told, bool *ret_met,
                              const char **ret_differs)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        agent->db, "SELECT type, header, subject, state FROM outbox WHERE event = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, told->personal.event);
    status = db_step(statement, ret_met);
    if (status == STATUS_OK && *ret_met) {
        *ret_differs = sent_differs(agent, statement, told);
        db_reset(statement);
    }
    return status;
}

/* ---- received ---- */

static bool same_labels(const struct inbox_event *event, const struct record_account *account)
{
    bool same = event->label_count == account->label_count;

    for (size_t i = 0; same && i < event->label_count; i++)
        same = bytes_equal(event->labels[i], account->labels[i]);
    return same;
}

static const char *received_differs(const struct inbox_event *event, const struct entry_proof_told *told)
{
    static const uint8_t nothing[HEADER_DIGEST_SIZE] = {0};

    if (!event->has_content && memcmp(event->header, nothing, sizeof nothing) == 0)
        return NULL; /* a trace of what never came */
    if (!bytes_equal(bytes_view(event->header, sizeof event->header), told->personal.header))
        return "the header that was signed";
    if (!event->has_content)
        return NULL;
    if (!bytes_equal(event->core.type, told->account.type))
        return "its type";
    if (!bytes_equal(bytes_view(event->core.subject, sizeof event->core.subject), told->personal.subject))
        return "the person";
    if (!bytes_equal(event->rule, told->account.rule))
        return "the rule";
    if (!same_labels(event, &told->account))
        return "the items";
    return NULL;
}

static enum status agree_received(struct agent *agent, const struct entry_proof_told *told, bool *ret_met,
                                  const char **ret_differs)
{
    struct inbox_event event = {0};
    const enum status status = inbox_event_of(agent, told->account.from, told->personal.event.data, &event);

    if (status == STATUS_NOT_FOUND) {
        *ret_met = false;
        return STATUS_OK;
    }
    if (status != STATUS_OK)
        return status;
    *ret_met = true;
    *ret_differs = received_differs(&event, told);
    inbox_event_free(&event);
    return STATUS_OK;
}

enum status agree_event(struct agent *agent, enum proofs_role role, const struct entry_proof_told *told,
                        bool *ret_met, const char **ret_differs)
{
    *ret_differs = NULL;
    return role == PROOFS_SENT ? agree_sent(agent, told, ret_met, ret_differs)
                               : agree_received(agent, told, ret_met, ret_differs);
}

enum status agree_erased(struct agent *agent, const struct proofs_event *event, bool *ret_erased)
{
    const bool sent = event->role == PROOFS_SENT;
    struct db_statement *statement = NULL;
    enum status status =
        sent ? db_statement(agent->db, "SELECT 1 FROM outbox WHERE event = ? AND length(content) = 0",
                            &statement)
             : db_statement(agent->db, "SELECT 1 FROM inbox WHERE event = ? AND sender = ? AND state = 5",
                            &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event->id, UUID_SIZE));
    if (!sent)
        db_bind_text_view(statement, 2, event->member);
    *ret_erased = false;
    status = db_step(statement, ret_erased);
    if (status == STATUS_OK && *ret_erased)
        db_reset(statement);
    return status;
}

/* ---- later ---- */

/* The record of a kept row, decoded again. */
static enum status tell_row(const struct proofs_row *row, struct entry_proof_told *told)
{
    enum status status = record_decode_account(row->account, &told->accounts, &told->account);

    told->kind = row->kind;
    told->index = row->index;
    told->has_personal = row->personal_salt != NULL && row->personal.size > 0;
    if (status == STATUS_OK && told->has_personal)
        status = record_decode_personal(row->personal, &told->personals, &told->personal);
    return status == STATUS_OK ? status : STATUS_CORRUPT;
}

static enum status compare_row(struct agent *agent, const struct proofs_event *event, uint64_t counter,
                               int64_t now)
{
    struct byte_buffer bytes = bytes_buffer(0);
    struct entry_proof_told told = {0};
    struct proofs_row row;
    const char *differs = NULL;
    char id[UUID_TEXT_SIZE];
    bool met = false;
    enum status status = proofs_read(agent, event->role, counter, &bytes, &row);

    if (status == STATUS_OK)
        status = tell_row(&row, &told);
    if (status == STATUS_OK && told.has_personal)
        status = agree_event(agent, event->role, &told, &met, &differs);
    uuid_format(event->id, id);
    if (status == STATUS_OK && differs != NULL)
        status =
            incidents_add(agent->db, now, "entry %" PRIu64 " of the log differs from our own event %s: %s",
                          row.index, id, differs);
    bytes_buffer_wipe(&bytes);
    return status;
}

enum status agree_later(struct agent *agent, const struct proofs_event *event, int64_t now)
{
    struct proofs_brief here;
    enum status status = proofs_of(agent, event, &here);

    if (status != STATUS_OK || here.met)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    status = compare_row(agent, event, here.counter, now);
    if (status == STATUS_OK)
        status = proofs_met(agent, event->role, here.counter);
    return status == STATUS_OK ? proofs_settle(agent, event, here.final) : status;
}

/* ---- what cannot be known ---- */

bool agree_before_us(struct agent *agent, int64_t time)
{
    int64_t born = 0;

    return marks_get(agent, "born", &born) == STATUS_OK && time < born;
}

/* No rule's retention is over so soon. */
static bool is_young(const struct agent *agent, int64_t time, int64_t now)
{
    for (size_t i = 0; agent->membership != NULL && i < agent->membership->protocol_count; i++) {
        const struct duration shortest = protocol_shortest_retention(agent->membership->protocols[i]);

        if (civil_add_duration(time, shortest, 1) <= now)
            return false;
    }
    return true;
}

/* Has any event of that side been erased here? */
static enum status any_erased(struct agent *agent, enum proofs_role role, bool *ret_any)
{
    struct db_statement *statement = NULL;
    enum status status =
        role == PROOFS_SENT
            ? db_statement(agent->db, "SELECT 1 FROM outbox WHERE length(content) = 0 LIMIT 1", &statement)
            : db_statement(agent->db, "SELECT 1 FROM inbox WHERE state = 5 LIMIT 1", &statement);

    if (status != STATUS_OK)
        return status;
    *ret_any = false;
    status = db_step(statement, ret_any);
    db_reset(statement);
    return status;
}

/* How many events we were told stand at that number or index, and how many of them have been erased here. */
static enum status count_owed(struct agent *agent, enum proofs_role role, uint64_t counter, uint64_t index,
                              int64_t *ret_owed, int64_t *ret_erased)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        role == PROOFS_SENT
            ? db_statement(agent->db,
                           "SELECT count(*), count(here.event) FROM proof_due AS due"
                           " LEFT JOIN outbox AS here ON here.event = due.event AND length(here.content) = 0"
                           " WHERE due.role = ?1 AND (due.counter = ?2 OR due.log_index = ?3)",
                           &statement)
            : db_statement(agent->db,
                           "SELECT count(*), count(here.event) FROM proof_due AS due"
                           " LEFT JOIN inbox AS here ON here.event = due.event AND here.sender = due.member"
                           " AND here.state = 5"
                           " WHERE due.role = ?1 AND (due.counter = ?2 OR due.log_index = ?3)",
                           &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)role);
    db_bind_int64(statement, 2, (int64_t)counter);
    db_bind_int64(statement, 3, (int64_t)index);
    status = db_step(statement, &row);
    *ret_owed = row ? db_column_int64(statement, 0) : 0;
    *ret_erased = row ? db_column_int64(statement, 1) : 0;
    db_reset(statement);
    return status;
}

enum status agree_gone(struct agent *agent, enum proofs_role role, uint64_t counter, uint64_t index,
                       int64_t time, int64_t now, bool *ret_gone)
{
    int64_t owed = 0;
    int64_t erased = 0;
    enum status status = STATUS_OK;

    *ret_gone = true;
    if (agree_before_us(agent, time) || !is_young(agent, time, now))
        return STATUS_OK;
    status = count_owed(agent, role, counter, index, &owed, &erased);
    if (status != STATUS_OK || owed == 0)
        return status == STATUS_OK ? any_erased(agent, role, ret_gone) : status;
    *ret_gone = erased == owed; /* number and index may have been told of two */
    return STATUS_OK;
}

enum status agree_settle_unknown(struct agent *agent, enum proofs_role role, uint64_t counter, uint64_t index,
                                 bool final)
{
    struct db_statement *statement = NULL;
    const enum status status =
        final ? db_statement(agent->db,
                             "DELETE FROM proof_due WHERE role = ?1 AND (counter = ?2 OR log_index = ?3)",
                             &statement)
              : db_statement(agent->db,
                             "UPDATE proof_due SET proved = 1 WHERE role = ?1 AND (counter = ?2 OR"
                             " log_index = ?3)",
                             &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)role);
    db_bind_int64(statement, 2, (int64_t)counter);
    db_bind_int64(statement, 3, (int64_t)index);
    return db_run(statement);
}
