#include "agent/proving.h"

#include <stdlib.h>

#include "agent/incidents.h"
#include "agent/marks.h"
#include "agent/reconcile.h"

#define ASKED_AT_ONCE 128
#define SIGNED_AFTER  ((int64_t)1000) /* milliseconds; the broker signs its log on an interval */
#define PATIENCE      ((int64_t)60 * 1000)
#define LONGEST_PAUSE ((int64_t)60 * 60 * 1000)
#define DAY           CIVIL_DAY_MS

enum phase { IDLE, COUNT, SENT, RECEIVED };

struct proving {
    struct agent *agent;
    struct reconcile *reconcile; /* of the bundle in force; NULL outside of rounds */
    enum phase phase;
    uint64_t request; /* 0: none under way */
    int64_t asked_at;
    uint64_t counter; /* what was asked for from */
    size_t gained;    /* entries kept in this round */
    int64_t pause;    /* between rounds while proofs are owed */
    int64_t not_before;
    int64_t last_round; /* when one last ended; 0: none in this process */
};

enum status proving_new(struct agent *agent, struct proving **ret_proving)
{
    struct proving *proving = calloc(1, sizeof *proving);

    if (proving == NULL)
        return STATUS_NO_MEMORY;
    proving->agent = agent;
    proving->pause = (int64_t)agent->settings.proof_seconds * 1000;
    *ret_proving = proving;
    return STATUS_OK;
}

void proving_free(struct proving **proving)
{
    if (*proving != NULL)
        reconcile_free(&(*proving)->reconcile);
    free(*proving);
    *proving = NULL;
}

void proving_drop(struct proving *proving)
{
    reconcile_free(&proving->reconcile);
    proving->phase = IDLE;
    proving->request = 0;
    proving->last_round = 0;
}

bool proving_waits(const struct proving *proving, uint64_t request)
{
    return proving->request != 0 && proving->request == request;
}

/* ---- when ---- */

/* The oldest event whose proof is owed, or INT64_MAX. */
static enum status oldest_owed(struct proving *proving, int64_t *ret_since)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(proving->agent->db,
                     "SELECT coalesce((SELECT min(since) FROM proof_due WHERE proved = 0),"
                     " (SELECT min(since) FROM proof_due WHERE proved = 1), 9223372036854775807)",
                     &statement);

    if (status != STATUS_OK)
        return status;
    status = db_step(statement, &row);
    if (status == STATUS_OK && row)
        *ret_since = db_column_int64(statement, 0);
    db_reset(statement);
    return status;
}

static int64_t later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

enum status proving_next(struct proving *proving, int64_t now, int64_t *ret_at)
{
    int64_t owed = INT64_MAX;
    enum status status = STATUS_OK;

    if (proving->phase != IDLE) {
        *ret_at = proving->request == 0 ? now : proving->asked_at + PATIENCE;
        return STATUS_OK;
    }
    if (proving->last_round == 0) {
        *ret_at = later_of(proving->not_before, now);
        return STATUS_OK;
    }
    status = oldest_owed(proving, &owed);
    if (status != STATUS_OK)
        return status;
    *ret_at = proving->last_round + DAY;
    if (owed != INT64_MAX && later_of(owed + SIGNED_AFTER, proving->last_round + proving->pause) < *ret_at)
        *ret_at = later_of(owed + SIGNED_AFTER, proving->last_round + proving->pause);
    *ret_at = later_of(*ret_at, proving->not_before);
    return STATUS_OK;
}

/* ---- rounds ---- */

static void end_round(struct proving *proving, int64_t now)
{
    const int64_t usual = (int64_t)proving->agent->settings.proof_seconds * 1000;

    reconcile_free(&proving->reconcile);
    proving->phase = IDLE;
    proving->request = 0;
    proving->last_round = now;
    if (proving->gained > 0 || proving->pause == 0)
        proving->pause = usual;
    else if (proving->pause < LONGEST_PAUSE)
        proving->pause *= 2;
    proving->gained = 0;
}

void proving_later(struct proving *proving, int64_t now, int64_t delay)
{
    end_round(proving, now);
    proving->not_before = now + delay;
}

static enum status begin_phase(struct proving *proving, enum phase phase)
{
    proving->phase = phase;
    if (phase == COUNT)
        return STATUS_OK;
    return proofs_next(proving->agent, phase == SENT ? PROOFS_SENT : PROOFS_RECEIVED, &proving->counter);
}

static enum status begin_round(struct proving *proving, int64_t now)
{
    int64_t born = 0;
    enum status status = marks_get(proving->agent, "born", &born);

    if (status == STATUS_OK && born == 0)
        status = marks_set(proving->agent, "born", now);
    if (status == STATUS_OK)
        status = reconcile_new(proving->agent, &proving->reconcile);
    if (status == STATUS_NOT_FOUND || status == STATUS_BAD_FORMAT || status == STATUS_UNSUPPORTED) {
        proving_later(proving, now, LONGEST_PAUSE); /* no log that we could verify */
        return STATUS_NOT_FOUND;
    }
    return status == STATUS_OK ? begin_phase(proving, COUNT) : status;
}

static void append_request(struct proving *proving, uint64_t request, struct byte_buffer *ret)
{
    Wire__Frame frame = WIRE__FRAME__INIT;
    Wire__LogRequest asked = WIRE__LOG_REQUEST__INIT;

    asked.first_counter = proving->phase == COUNT ? 1 : proving->counter;
    asked.count = proving->phase == COUNT ? 1 : ASKED_AT_ONCE;
    asked.as_sender = proving->phase == SENT;
    if (proving->phase == COUNT) {
        asked.has_newest_count = 1;
        asked.newest_count = 1;
    }
    frame.version = WIRE_VERSION;
    frame.request = request;
    frame.verb_case = WIRE__FRAME__VERB_LOG_REQUEST;
    frame.log_request = &asked;
    wire_pack(&frame.base, ret);
}

enum status proving_ask(struct proving *proving, uint64_t request, int64_t now, struct byte_buffer *ret)
{
    int64_t at = 0;
    enum status status = proving_next(proving, now, &at);

    if (status != STATUS_OK)
        return status;
    if (at > now)
        return STATUS_NOT_FOUND;
    if (proving->request != 0) { /* no answer came: whoever withholds it is told of by what is overdue */
        proving_later(proving, now, proving->pause);
        return STATUS_NOT_FOUND;
    }
    if (proving->phase == IDLE)
        status = begin_round(proving, now);
    if (status != STATUS_OK)
        return status;
    proving->request = request;
    proving->asked_at = now;
    append_request(proving, request, ret);
    return ret->status;
}

/* ---- answers ---- */

static enum status take_entries(struct proving *proving, enum proofs_role role, const Wire__LogAnswer *answer,
                                int64_t now, bool *ret_more)
{
    bool kept = answer->n_entries > 0;
    enum status status = STATUS_OK;

    if (answer->n_entries == 0)
        status = reconcile_end(proving->agent, role, proving->counter, now);
    for (size_t i = 0; i < answer->n_entries && kept && status == STATUS_OK; i++) {
        status = reconcile_entry(proving->reconcile, role, proving->counter, answer->entries[i], now, &kept);
        if (kept && status == STATUS_OK) {
            proving->counter++;
            proving->gained++;
        }
    }
    *ret_more = kept;
    return status;
}

/* Whatever else it answered, the newest count is one entry or none. */
static enum status take_count(struct proving *proving, const Wire__LogAnswer *answer, int64_t now)
{
    return answer->n_entries == 0 ? STATUS_OK : reconcile_count(proving->reconcile, answer->entries[0], now);
}

static enum status go_on(struct proving *proving, bool more, int64_t now)
{
    if (proving->phase == COUNT)
        return begin_phase(proving, SENT);
    if (more)
        return STATUS_OK;
    if (proving->phase == SENT)
        return begin_phase(proving, RECEIVED);
    end_round(proving, now);
    return reconcile_overdue(proving->agent, now);
}

enum status proving_answer(struct proving *proving, uint64_t request, const Wire__LogAnswer *answer,
                           int64_t now)
{
    struct db *db = proving->agent->db;
    bool more = false;
    enum status status = STATUS_OK;

    if (!proving_waits(proving, request))
        return STATUS_OK;
    proving->request = 0;
    status = db_begin(db);
    if (status == STATUS_OK && proving->phase == COUNT)
        status = take_count(proving, answer, now);
    else if (status == STATUS_OK)
        status =
            take_entries(proving, proving->phase == SENT ? PROOFS_SENT : PROOFS_RECEIVED, answer, now, &more);
    if (status == STATUS_OK)
        status = go_on(proving, more, now);
    if (status == STATUS_OK)
        return db_commit(db);
    db_rollback(db);
    proving_drop(proving);
    return status;
}
