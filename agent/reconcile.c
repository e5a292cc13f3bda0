#include "agent/reconcile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agree.h"
#include "agent/incidents.h"
#include "agent/marks.h"
#include "certs/witnesses.h"

struct reconcile {
    struct agent *agent;
    struct note_key *log;
    struct witnesses *witnesses;
    struct byte_buffer opened;    /* the checkpoint that was verified last, or empty */
    struct checkpoint checkpoint; /* borrows from it */
    bool final;                   /* enough witnesses cosigned it */
    struct log_proof proof;       /* room for the one being looked at */
    struct entry_proof_told told; /* likewise */
};

static const char *as(enum proofs_role role)
{
    return role == PROOFS_SENT ? "sender" : "recipient";
}

enum status reconcile_new(struct agent *agent, struct reconcile **ret_reconcile)
{
    const struct bundle *bundle = agent->membership->bundle;
    const char *vkey = bundle_log_vkey(bundle);
    struct reconcile *reconcile = NULL;
    enum status status = STATUS_OK;

    if (vkey == NULL || vkey[0] == '\0')
        return STATUS_NOT_FOUND;
    reconcile = calloc(1, sizeof *reconcile);
    if (reconcile == NULL)
        return STATUS_NO_MEMORY;
    reconcile->agent = agent;
    status = note_key_parse(bytes_of_string(vkey), &reconcile->log);
    if (status == STATUS_OK)
        status = witnesses_new(bundle, &reconcile->witnesses);
    if (status == STATUS_OK)
        *ret_reconcile = reconcile;
    else
        reconcile_free(&reconcile);
    return status;
}

void reconcile_free(struct reconcile **reconcile)
{
    if (*reconcile == NULL)
        return;
    note_key_free(&(*reconcile)->log);
    witnesses_free(&(*reconcile)->witnesses);
    bytes_buffer_free(&(*reconcile)->opened);
    free(*reconcile);
    *reconcile = NULL;
}

/* ---- one entry by itself ---- */

static struct entry_proof proof_of(const Wire__LogEntry *entry)
{
    return (struct entry_proof){.entry = entry->entry.data,
                                .account_salt = entry->account_salt.data,
                                .account = wire_view(entry->account),
                                .personal_salt = entry->has_personal_salt ? entry->personal_salt.data : NULL,
                                .personal = wire_view(entry->personal)};
}

static enum status count_witnesses(struct reconcile *reconcile, const struct note *note)
{
    struct note_signed cosigned[WITNESSES_MAX];
    size_t count = 0;
    const enum status status = witnesses_signed(reconcile->witnesses, note, cosigned, &count, NULL);

    reconcile->final = status == STATUS_OK && witnesses_final(reconcile->witnesses, count);
    return status;
}

/* Opens a checkpoint and counts its witnesses, unless it is the one that was opened last: many entries come
 * under one. */
static enum status open_checkpoint(struct reconcile *reconcile, struct byte_view bytes)
{
    struct note note;
    enum status status = STATUS_OK;

    if (bytes.size > 0 && bytes_equal(bytes, bytes_buffer_view(&reconcile->opened)))
        return STATUS_OK;
    bytes_buffer_free(&reconcile->opened);
    reconcile->opened = bytes_buffer(NOTE_SIZE_MAX);
    bytes_append_view(&reconcile->opened, bytes);
    status = reconcile->opened.status;
    if (status == STATUS_OK)
        status = checkpoint_open(bytes_buffer_view(&reconcile->opened), reconcile->log, &note,
                                 &reconcile->checkpoint);
    if (status == STATUS_OK)
        status = count_witnesses(reconcile, &note);
    if (status != STATUS_OK)
        bytes_buffer_free(&reconcile->opened);
    return status;
}

/* Commitments, inclusion, signatures; told and final are filled in. */
static enum status verify(struct reconcile *reconcile, const Wire__LogEntry *entry)
{
    const struct entry_proof proof = proof_of(entry);
    enum status status = log_proof_parse(wire_view(entry->proof), &reconcile->proof);

    if (status == STATUS_OK && reconcile->proof.index != entry->index)
        status = STATUS_BAD_PROOF;
    if (status == STATUS_OK)
        status = open_checkpoint(reconcile, reconcile->proof.checkpoint);
    return status == STATUS_OK
               ? entry_proof_verify_under(&proof, &reconcile->proof, &reconcile->checkpoint, &reconcile->told)
               : status;
}

/* Is it an entry that counts us so, with that number? */
static bool is_ours(const struct reconcile *reconcile, enum proofs_role role, uint64_t counter)
{
    const struct entry_proof_told *told = &reconcile->told;
    const struct byte_view us = bytes_of_string(reconcile->agent->settings.member);

    if (role == PROOFS_SENT)
        return (told->kind == RECORD_ACCEPTED || told->kind == RECORD_REFUSED) &&
               bytes_equal(told->account.from, us) && told->account.from_counter == counter;
    return told->kind == RECORD_DISCLOSED && bytes_equal(told->account.to, us) &&
           told->account.to_counter == counter;
}

/* ---- beside its neighbours ---- */

static enum status out_of_order(struct reconcile *reconcile, enum proofs_role role, uint64_t counter,
                                const struct proofs_brief *other, int64_t now)
{
    return incidents_add(reconcile->agent->db, now,
                         "the log is out of order: our number %" PRIu64 " as %s is its entry %" PRIu64
                         ", and our number %" PRIu64 " its entry %" PRIu64,
                         counter, as(role), reconcile->told.index, other->counter, other->index);
}

/* Our numbers and times ascend with the log's indexes. */
static enum status check_order(struct reconcile *reconcile, enum proofs_role role, uint64_t counter,
                               int64_t now)
{
    const struct entry_proof_told *told = &reconcile->told;
    struct proofs_brief other;
    enum status status = proofs_before(reconcile->agent, role, counter, &other);

    if (status == STATUS_OK && (other.index >= told->index || other.time > told->account.time))
        return out_of_order(reconcile, role, counter, &other, now);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        status = proofs_after(reconcile->agent, role, counter, &other);
    if (status == STATUS_OK && (other.index <= told->index || other.time < told->account.time))
        return out_of_order(reconcile, role, counter, &other, now);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* One event has one entry; refused ones may be tried again. */
static enum status check_repeat(struct reconcile *reconcile, const struct proofs_event *event,
                                uint64_t counter, int64_t now)
{
    struct proofs_brief other;
    char id[UUID_TEXT_SIZE];
    enum status status = proofs_of(reconcile->agent, event, &other);

    if (status != STATUS_OK || other.counter == counter || other.entry[1] == RECORD_REFUSED ||
        reconcile->told.kind == RECORD_REFUSED)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    uuid_format(event->id, id);
    return incidents_add(reconcile->agent->db, now,
                         "the log says twice that event %s was passed on: entries %" PRIu64 " and %" PRIu64
                         " (our numbers %" PRIu64 " and %" PRIu64 " as %s)",
                         id, other.index, reconcile->told.index, other.counter, counter, as(event->role));
}

/* ---- beside our own tables ---- */

/* What was told before there was a proof: the number with the delivery, the index with the outcome. */
static enum status check_due(struct reconcile *reconcile, const struct proofs_event *event, uint64_t counter,
                             int64_t now)
{
    struct proofs_due due;
    char id[UUID_TEXT_SIZE];
    const enum status status = proofs_owed(reconcile->agent, event, &due);

    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    uuid_format(event->id, id);
    if (due.counter != 0 && due.counter != counter)
        return incidents_add(reconcile->agent->db, now,
                             "event %s was delivered as our number %" PRIu64
                             ", and the log has it as %" PRIu64,
                             id, due.counter, counter);
    if (due.has_index && due.index != reconcile->told.index && reconcile->told.kind == RECORD_ACCEPTED)
        return incidents_add(reconcile->agent->db, now,
                             "the broker said that event %s is entry %" PRIu64
                             " of the log, and it is %" PRIu64,
                             id, due.index, reconcile->told.index);
    return STATUS_OK;
}

static struct proofs_event event_of(const struct reconcile *reconcile, enum proofs_role role)
{
    const struct entry_proof_told *told = &reconcile->told;

    return (struct proofs_event){.role = role, .member = told->account.from, .id = told->personal.event.data};
}

/* The event in our outbox or inbox, and what of it the entry says otherwise. */
static enum status check_event(struct reconcile *reconcile, enum proofs_role role, uint64_t counter,
                               int64_t now, bool *ret_met)
{
    const struct entry_proof_told *told = &reconcile->told;
    const struct proofs_event event = event_of(reconcile, role);
    const char *differs = NULL;
    char id[UUID_TEXT_SIZE];
    enum status status = check_repeat(reconcile, &event, counter, now);

    if (status == STATUS_OK)
        status = check_due(reconcile, &event, counter, now);
    if (status == STATUS_OK)
        status = agree_event(reconcile->agent, role, told, ret_met, &differs);
    if (status != STATUS_OK)
        return status;
    uuid_format(event.id, id);
    if (differs != NULL)
        return incidents_add(reconcile->agent->db, now,
                             "entry %" PRIu64 " of the log differs from our own event %s: %s", told->index,
                             id, differs);
    if (*ret_met || role == PROOFS_RECEIVED)
        return STATUS_OK; /* what was not received may still be on its way */
    return agree_before_us(reconcile->agent, told->account.time)
               ? STATUS_OK
               : incidents_add(reconcile->agent->db, now,
                               "entry %" PRIu64 " of the log says that we sent event %s, which we did not",
                               told->index, id);
}

/* ---- keeping ---- */

static enum status keep(struct reconcile *reconcile, enum proofs_role role, uint64_t counter,
                        const Wire__LogEntry *entry, bool met)
{
    const struct entry_proof_told *told = &reconcile->told;
    const struct entry_proof proof = proof_of(entry);
    const bool has_event = told->has_personal && told->personal.event.size == UUID_SIZE;
    struct proofs_row row = {
        .role = role,
        .counter = counter,
        .index = told->index,
        .kind = told->kind,
        .time = told->account.time,
        .member = role == PROOFS_SENT ? bytes_of_string("") : told->account.from,
        .event = has_event ? told->personal.event.data : NULL,
        .final = reconcile->final,
        .met = met,
        .entry = proof.entry,
        .account_salt = proof.account_salt,
        .account = proof.account,
        .personal_salt = proof.personal_salt,
        .personal = proof.personal,
        .log_proof = wire_view(entry->proof),
    };
    const struct proofs_event about = event_of(reconcile, role);
    bool erased = false;
    enum status status = has_event ? agree_erased(reconcile->agent, &about, &erased) : STATUS_OK;

    if (erased)
        row.personal_salt = NULL;
    if (status == STATUS_OK)
        status = proofs_keep(reconcile->agent, &row);
    if (status == STATUS_OK && has_event && told->kind != RECORD_REFUSED)
        status = proofs_settle(reconcile->agent, &about, row.final);
    /* Erased before we had it: only what was told before says which event it is about. */
    if (status == STATUS_OK && !has_event && met)
        status = agree_settle_unknown(reconcile->agent, role, counter, told->index, row.final);
    return status;
}

static enum status refuse(struct reconcile *reconcile, enum proofs_role role, uint64_t counter,
                          const char *why, int64_t now)
{
    return incidents_add(reconcile->agent->db, now,
                         "the broker has not proved the log's entry of our number %" PRIu64 " as %s: %s",
                         counter, as(role), why);
}

/* An entry whose personal part is gone has nothing to be met; but it cannot be gone without a reason. */
static enum status check_gone(struct reconcile *reconcile, enum proofs_role role, uint64_t counter,
                              int64_t now, bool *ret_met)
{
    const struct entry_proof_told *told = &reconcile->told;
    enum status status =
        agree_gone(reconcile->agent, role, counter, told->index, told->account.time, now, ret_met);

    if (status != STATUS_OK || *ret_met)
        return status;
    return incidents_add(
        reconcile->agent->db, now,
        "the broker holds back what entry %" PRIu64 " of the log, our number %" PRIu64
        " as %s, is about: its retention cannot be over, and nothing that it could be was erased",
        told->index, counter, as(role));
}

static enum status take_new(struct reconcile *reconcile, enum proofs_role role, uint64_t counter,
                            const Wire__LogEntry *entry, int64_t now)
{
    const struct entry_proof_told *told = &reconcile->told;
    bool met = false;
    enum status status = check_order(reconcile, role, counter, now);

    if (status == STATUS_OK && told->has_personal)
        status = check_event(reconcile, role, counter, now, &met);
    else if (status == STATUS_OK)
        status = check_gone(reconcile, role, counter, now, &met);
    return status == STATUS_OK ? keep(reconcile, role, counter, entry, met) : status;
}

enum status reconcile_entry(struct reconcile *reconcile, enum proofs_role role, uint64_t counter,
                            const Wire__LogEntry *entry, int64_t now, bool *ret_kept)
{
    struct agent *agent = reconcile->agent;
    struct proofs_brief here;
    enum status status = verify(reconcile, entry);

    *ret_kept = false;
    if (status == STATUS_NO_MEMORY)
        return status;
    if (status != STATUS_OK)
        return refuse(reconcile, role, counter, status_text(status), now);
    if (!is_ours(reconcile, role, counter) ||
        (reconcile->told.has_personal && reconcile->told.personal.event.size != UUID_SIZE))
        return refuse(reconcile, role, counter, "it answered with another entry", now);
    status = proofs_at(agent, role, counter, &here);
    if (status == STATUS_NOT_FOUND) {
        *ret_kept = true;
        return take_new(reconcile, role, counter, entry, now);
    }
    if (status != STATUS_OK)
        return status;
    if (here.index != reconcile->told.index || memcmp(here.entry, entry->entry.data, RECORD_ENTRY_SIZE) != 0)
        return incidents_add(agent->db, now,
                             "the log is forked: it has two entries of our number %" PRIu64
                             " as %s, at %" PRIu64 " and at %" PRIu64,
                             counter, as(role), here.index, reconcile->told.index);
    *ret_kept = true;
    return here.final ? STATUS_OK : keep(reconcile, role, counter, entry, here.met);
}

/* ---- counts ---- */

static const char *const counted_marks[] = {
    [PROOFS_SENT] = "counted.sent", [PROOFS_RECEIVED] = "counted.received"};

/* All our entries before the count's own index are those that it counts, and no others. */
static enum status check_counted(struct reconcile *reconcile, enum proofs_role role, uint64_t counted,
                                 int64_t now)
{
    struct agent *agent = reconcile->agent;
    struct proofs_brief other;
    bool wrong = false;
    enum status status = proofs_at(agent, role, counted, &other);

    wrong = status == STATUS_OK && other.index > reconcile->told.index;
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        status = proofs_after(agent, role, counted, &other);
    wrong = wrong || (status == STATUS_OK && other.index < reconcile->told.index);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    if (wrong)
        return incidents_add(agent->db, now,
                             "entry %" PRIu64 " of the log counts %" PRIu64
                             " entries of ours as %s, which is not how many it has",
                             reconcile->told.index, counted, as(role));
    return marks_set(agent, counted_marks[role], (int64_t)counted);
}

static bool is_count(const struct reconcile *reconcile)
{
    const struct record_account *account = &reconcile->told.account;

    return reconcile->told.kind == RECORD_COUNT &&
           bytes_equal(account->from, bytes_of_string(reconcile->agent->settings.member)) &&
           bytes_equal(account->outcome, bytes_of_string("counted")) && account->detail_count == 2 &&
           account->details[0].size == 8 && account->details[1].size == 8;
}

enum status reconcile_count(struct reconcile *reconcile, const Wire__LogEntry *entry, int64_t now)
{
    const struct record_account *account = &reconcile->told.account;
    enum status status = verify(reconcile, entry);

    if (status == STATUS_NO_MEMORY)
        return status;
    if (status != STATUS_OK || !is_count(reconcile))
        return incidents_add(reconcile->agent->db, now, "the broker has not proved the log's count of us: %s",
                             status != STATUS_OK ? status_text(status) : "it answered with another entry");
    status = check_counted(reconcile, PROOFS_SENT, bytes_get_u64(account->details[0].data), now);
    return status == STATUS_OK
               ? check_counted(reconcile, PROOFS_RECEIVED, bytes_get_u64(account->details[1].data), now)
               : status;
}

/* ---- what is missing ---- */

enum status reconcile_end(struct agent *agent, enum proofs_role role, uint64_t counter, int64_t now)
{
    int64_t counted = 0;
    struct proofs_brief held;
    enum status status = marks_get(agent, counted_marks[role], &counted);

    if (status == STATUS_OK && counted >= (int64_t)counter)
        status = incidents_add(agent->db, now,
                               "the log counts %" PRId64
                               " entries of ours as %s, and does not show number %" PRIu64,
                               counted, as(role), counter);
    if (status != STATUS_OK)
        return status;
    status = proofs_at(agent, role, counter, &held); /* it was there once, provisional */
    if (status == STATUS_OK)
        return incidents_add(agent->db, now,
                             "the log showed our number %" PRIu64 " as %s, entry %" PRIu64
                             ", and does not show it any more",
                             counter, as(role), held.index);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status reconcile_overdue(struct agent *agent, int64_t now)
{
    struct db_statement *statement = NULL;
    int64_t counts[3] = {0};
    bool row = false;
    enum status status = db_statement(
        agent->db, "SELECT role, count(*) FROM proof_due WHERE proved = 0 AND since < ? GROUP BY role",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, now - (int64_t)agent->settings.proof_hours * 60 * 60 * 1000);
    while ((status = db_step(statement, &row)) == STATUS_OK && row) {
        const int64_t role = db_column_int64(statement, 0);
        if (role == PROOFS_SENT || role == PROOFS_RECEIVED)
            counts[role] = db_column_int64(statement, 1);
    }
    for (int role = PROOFS_SENT; role <= PROOFS_RECEIVED && status == STATUS_OK; role++) {
        if (counts[role] > 0)
            status =
                incidents_add(agent->db, now, "after %" PRIu32 " hours the log has not proved %s that we %s",
                              agent->settings.proof_hours, counts[role] == 1 ? "an event" : "events",
                              role == PROOFS_SENT ? "sent" : "received");
    }
    return status;
}

/* ---- from outbox and inbox ---- */

enum status reconcile_delivered(struct agent *agent, struct byte_view from,
                                const uint8_t event[static UUID_SIZE], uint64_t counter, int64_t now)
{
    const struct proofs_event of = {.role = PROOFS_RECEIVED, .member = from, .id = event};
    const struct proofs_due due = {.counter = counter};
    char id[UUID_TEXT_SIZE];
    enum status status = proofs_owe(agent, &of, &due, now);

    uuid_format(event, id);
    if (status == STATUS_MISMATCH)
        return incidents_add(agent->db, now, "event %s was delivered to us under more than one number", id);
    return status == STATUS_OK ? agree_later(agent, &of, now) : status;
}

enum status reconcile_accepted(struct agent *agent, const uint8_t event[static UUID_SIZE],
                               const uint64_t *index, int64_t now)
{
    const struct proofs_event of = {.role = PROOFS_SENT, .id = event};
    const struct proofs_due due = {.has_index = index != NULL, .index = index != NULL ? *index : 0};

    return proofs_owe(agent, &of, &due, now);
}
