#include "agent/departure.h"

#include <stdlib.h>
#include <string.h>

#include "agent/incidents.h"
#include "agent/outbox.h"

#define BACKOFF_FIRST_MS   ((int64_t)200)
#define BACKOFF_LONGEST_MS ((int64_t)5 * 60 * 1000)
#define BACKOFF_DOUBLINGS  11

void departure_free(struct departure *departure)
{
    bytes_buffer_wipe(&departure->kept);
}

/* Does the type take something away? Such events are accepted even under a bundle that has expired. */
static bool takes_away(const struct agent *agent, const char *type)
{
    const struct catalogue *catalogue = agent->membership->catalogue;
    const uint16_t event = catalogue_find_event(catalogue, bytes_of_string(type));

    if (event == CATALOGUE_NONE)
        return false;
    return catalogue_takes_away(&catalogue->events[event]);
}

static enum status read_due(struct agent *agent, struct db_statement *statement, struct departure *ret)
{
    const struct byte_view event = db_column_blob(statement, 0);

    if (event.size != UUID_SIZE)
        return STATUS_CORRUPT;
    memcpy(ret->event, event.data, UUID_SIZE);
    ret->attempts = db_column_int64(statement, 1);
    ret->differs = db_column_int64(statement, 2);
    ret->kept = bytes_buffer(PREPARED_SIZE_MAX);
    return outbox_row_open(agent, OUTBOX_ROW_CONTENT, ret->event, db_column_blob(statement, 3), &ret->kept);
}

enum status departure_due(struct agent *agent, int64_t now, bool ending_only, size_t limit,
                          struct departure *ret, size_t *ret_count)
{
    struct db_statement *statement = NULL;
    bool row = false;
    size_t count = 0;
    enum status status = db_statement(
        agent->db,
        "SELECT o.event, o.attempts, o.differs, o.content, o.type FROM outbox AS o"
        " WHERE o.state = 0 AND o.due <= ? AND NOT EXISTS"
        " (SELECT 1 FROM outbox AS p WHERE p.state < 2 AND p.subject = o.subject AND p.id < o.id)"
        " ORDER BY o.id",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, now);
    while (count < limit && (status = db_step(statement, &row)) == STATUS_OK && row) {
        if (ending_only && !takes_away(agent, db_column_text(statement, 4)))
            continue;
        status = read_due(agent, statement, &ret[count]);
        count++;
        if (status != STATUS_OK)
            break;
    }
    db_reset(statement);
    if (status != STATUS_OK) {
        for (size_t i = 0; i < count; i++)
            departure_free(&ret[i]);
        return status;
    }
    *ret_count = count;
    return STATUS_OK;
}

enum status departure_next_due(struct agent *agent, int64_t *ret_due)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(agent->db, "SELECT min(due) FROM outbox WHERE state = 0", &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    *ret_due = row && !db_column_is_null(statement, 0) ? db_column_int64(statement, 0) : INT64_MAX;
    db_reset(statement);
    return STATUS_OK;
}

/* ---- sealed
 * -------------------------------------------------------------------------------------------------- */

static enum status keep_section(struct agent *agent, const struct plan *plan,
                                const struct sealed_section *section,
                                const struct policy_recipient *recipient)
{
    struct db_statement *statement = NULL;
    struct byte_buffer labels = bytes_buffer(LABELS_SIZE);
    enum status status = db_statement(
        agent->db,
        "INSERT INTO outbox_section (outbox, recipient, rule, labels, section, state, late, urgent)"
        " SELECT id, ?2, ?3, ?4, ?5, 0, ?6, ?7 FROM outbox WHERE event = ?1",
        &statement);

    if (status != STATUS_OK)
        return status;
    catalogue_format_labels(agent->membership->catalogue, &recipient->labels, &labels);
    status = labels.status;
    if (status == STATUS_OK) {
        db_bind_blob(statement, 1, bytes_view(plan->prepared.event, UUID_SIZE));
        db_bind_text(statement, 2, section->to);
        db_bind_text(statement, 3, recipient->rule);
        db_bind_text_view(statement, 4, bytes_buffer_view(&labels));
        db_bind_blob(statement, 5, bytes_view(section->digest, SECTION_DIGEST_SIZE));
        db_bind_int64(statement, 6, recipient->late ? 1 : 0);
        db_bind_int64(statement, 7, recipient->urgent ? 1 : 0);
        status = db_run(statement);
    }
    bytes_buffer_free(&labels);
    return status;
}

static enum status keep_envelope(struct agent *agent, const uint8_t event[static UUID_SIZE],
                                 const uint8_t digest[static HEADER_DIGEST_SIZE], struct byte_view envelope,
                                 int64_t now)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        agent->db, "UPDATE outbox SET state = 1, header = ?, envelope = ?, changed = ? WHERE event = ?",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(digest, HEADER_DIGEST_SIZE));
    db_bind_blob(statement, 2, envelope);
    db_bind_int64(statement, 3, now);
    db_bind_blob(statement, 4, bytes_view(event, UUID_SIZE));
    return db_run(statement);
}

enum status departure_keep(struct agent *agent, const struct plan *plan, const struct sealed_event *sealed,
                           const struct policy_decision *decision, int64_t now)
{
    struct byte_buffer plain = bytes_buffer(OUTBOX_ROW_ENVELOPE_MAX);
    struct byte_buffer kept = bytes_buffer(OUTBOX_ROW_ENVELOPE_MAX + VAULT_OVERHEAD);
    uint8_t digest[HEADER_DIGEST_SIZE];
    enum status status = sealing_keep(sealed, bytes_buffer_view(&plan->opening), &plain);

    if (status == STATUS_OK)
        status = outbox_row_seal(agent, OUTBOX_ROW_ENVELOPE, plan->prepared.event, bytes_buffer_view(&plain),
                                 &kept);
    if (status == STATUS_OK) {
        header_digest(bytes_buffer_view(&sealed->header), digest);
        status = keep_envelope(agent, plan->prepared.event, digest, bytes_buffer_view(&kept), now);
    }
    for (size_t i = 0; i < sealed->count && status == STATUS_OK; i++)
        status = keep_section(agent, plan, &sealed->sections[i], &decision->recipients[i]);
    bytes_buffer_wipe(&plain);
    bytes_buffer_free(&kept);
    return status;
}

void departure_sealed_free(struct departure_sealed *sealed)
{
    bytes_buffer_wipe(&sealed->kept);
}

enum status departure_sealed(struct agent *agent, const uint8_t after[static UUID_SIZE],
                             struct departure_sealed *ret)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(agent->db,
                     "SELECT event, envelope FROM outbox WHERE state = 1 AND id >"
                     " coalesce((SELECT id FROM outbox WHERE event = ?), 0) ORDER BY id LIMIT 1",
                     &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(after, UUID_SIZE));
    status = db_step(statement, &row);
    if (status == STATUS_OK && !row)
        return STATUS_NOT_FOUND;
    if (status != STATUS_OK)
        return status;
    if (db_column_blob(statement, 0).size != UUID_SIZE) {
        db_reset(statement);
        return STATUS_CORRUPT;
    }
    memcpy(ret->event, db_column_blob(statement, 0).data, UUID_SIZE);
    ret->kept = bytes_buffer(OUTBOX_ROW_ENVELOPE_MAX);
    status =
        outbox_row_open(agent, OUTBOX_ROW_ENVELOPE, ret->event, db_column_blob(statement, 1), &ret->kept);
    db_reset(statement);
    if (status == STATUS_OK)
        status = sealing_restore(bytes_buffer_view(&ret->kept), &ret->envelope, ret->slots);
    if (status != STATUS_OK)
        departure_sealed_free(ret);
    return status;
}

/* ---- outcomes
 * ------------------------------------------------------------------------------------------------ */

static enum status drop_sections(struct agent *agent, const uint8_t event[static UUID_SIZE])
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        agent->db,
        "DELETE FROM outbox_section WHERE outbox = (SELECT id FROM outbox WHERE event = ? AND state < 2)",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    return db_run(statement);
}

/* Doubling from the first to the longest, less up to a half at random, so that many agents do not come back
 * at once. */
static int64_t backoff(const struct random_source *random, int64_t attempts)
{
    const int doublings = attempts > BACKOFF_DOUBLINGS ? BACKOFF_DOUBLINGS : (int)attempts;
    int64_t longest = BACKOFF_FIRST_MS << doublings;
    uint8_t jitter[2] = {0, 0};

    if (longest > BACKOFF_LONGEST_MS)
        longest = BACKOFF_LONGEST_MS;
    (void)random_fill(random, jitter, sizeof jitter);
    return longest - longest * bytes_get_u16(jitter) / 2 / UINT16_MAX;
}

static enum status attempts_of(struct agent *agent, const uint8_t event[static UUID_SIZE],
                               int64_t *ret_attempts)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(agent->db, "SELECT attempts FROM outbox WHERE event = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    status = db_step(statement, &row);
    if (status == STATUS_OK && row) {
        *ret_attempts = db_column_int64(statement, 0);
        db_reset(statement);
    }
    return status;
}

enum status departure_again(struct agent *agent, const uint8_t event[static UUID_SIZE], int64_t now,
                            int64_t delay, bool differs)
{
    struct db_statement *statement = NULL;
    int64_t attempts = 0;
    int64_t wait = 0;
    enum status status = drop_sections(agent, event);

    if (status == STATUS_OK)
        status = attempts_of(agent, event, &attempts);
    if (status == STATUS_OK)
        status = db_statement(agent->db,
                              "UPDATE outbox SET state = 0, due = ?, attempts = attempts + 1,"
                              " differs = differs + ?, header = NULL, envelope = NULL, changed = ?"
                              " WHERE event = ? AND state < 2",
                              &statement);
    if (status != STATUS_OK)
        return status;
    wait = backoff(agent->random, attempts);
    db_bind_int64(statement, 1, now + (wait > delay ? wait : delay));
    db_bind_int64(statement, 2, differs ? 1 : 0);
    db_bind_int64(statement, 3, now);
    db_bind_blob(statement, 4, bytes_view(event, UUID_SIZE));
    return db_run(statement);
}

enum status departure_busy(struct agent *agent, const uint8_t event[static UUID_SIZE], const char *reason,
                           int64_t now)
{
    int64_t attempts = 0;
    enum status status = attempts_of(agent, event, &attempts);

    if (status == STATUS_OK && attempts > 0)
        status = incidents_add(agent->db, now, "the broker takes nothing now, it is tried again: %.200s",
                               reason != NULL ? reason : "it does not say why");
    return status == STATUS_OK ? departure_again(agent, event, now, 0, false) : status;
}

static enum status seal_answer(struct agent *agent, const uint8_t event[static UUID_SIZE],
                               const json_t *answer, struct byte_buffer *ret)
{
    char *text = NULL;
    enum status status = STATUS_OK;

    if (answer == NULL)
        return STATUS_OK;
    text = json_dumps(answer, JSON_COMPACT);
    if (text == NULL)
        return STATUS_NO_MEMORY;
    status = outbox_row_seal(agent, OUTBOX_ROW_ANSWER, event, bytes_of_string(text), ret);
    free(text);
    return status;
}

static enum status settle(struct agent *agent, const uint8_t event[static UUID_SIZE], enum outbox_state state,
                          const json_t *answer, int64_t now)
{
    struct db_statement *statement = NULL;
    struct byte_buffer sealed = bytes_buffer(OUTBOX_ROW_ANSWER_MAX);
    enum status status = seal_answer(agent, event, answer, &sealed);

    if (status == STATUS_OK)
        status = db_statement(
            agent->db, "UPDATE outbox SET state = ?, answer = ?, changed = ? WHERE event = ? AND state < 2",
            &statement);
    if (status == STATUS_OK) {
        db_bind_int64(statement, 1, (int64_t)state);
        if (sealed.size > 0)
            db_bind_blob(statement, 2, bytes_buffer_view(&sealed));
        else
            db_bind_null(statement, 2);
        db_bind_int64(statement, 3, now);
        db_bind_blob(statement, 4, bytes_view(event, UUID_SIZE));
        status = db_run(statement);
    }
    bytes_buffer_free(&sealed);
    return status;
}

/* Whether somebody's receipt is still to come. */
static enum status undelivered(struct agent *agent, const uint8_t event[static UUID_SIZE], bool *ret)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(agent->db,
                                      "SELECT 1 FROM outbox_section WHERE state = 0 AND outbox = (SELECT id "
                                      "FROM outbox WHERE event = ?) LIMIT 1",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    status = db_step(statement, &row);
    if (status == STATUS_OK)
        *ret = row;
    if (row)
        db_reset(statement);
    return status;
}

enum status departure_accept(struct agent *agent, const uint8_t event[static UUID_SIZE], const json_t *answer,
                             int64_t now)
{
    bool waiting = false;
    enum status status = undelivered(agent, event, &waiting);

    if (status == STATUS_OK)
        status = settle(agent, event, waiting ? OUTBOX_ACCEPTED : OUTBOX_DELIVERED, answer, now);
    return status;
}

enum status departure_refuse(struct agent *agent, const uint8_t event[static UUID_SIZE], const json_t *answer,
                             int64_t now)
{
    enum status status = drop_sections(agent, event);

    return status == STATUS_OK ? settle(agent, event, OUTBOX_REFUSED, answer, now) : status;
}

static json_t *refusal_json(const Wire__Refusal *refusal)
{
    return json_pack("{s:s?, s:s?, s:s?, s:s, s:s}", "to", refusal->to, "rule", refusal->rule, "item",
                     refusal->item, "code", refusal->code, "text", refusal->text);
}

json_t *departure_answer(const char *reason, Wire__Refusal *const *refusals, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count && list != NULL; i++)
        if (json_array_append_new(list, refusal_json(refusals[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return json_pack("{s:s?, s:o}", "reason", reason, "refusals", list);
}

enum status departure_refuse_text(struct agent *agent, const uint8_t event[static UUID_SIZE],
                                  const char *reason, int64_t now)
{
    json_t *answer = departure_answer(reason, NULL, 0);
    enum status status = answer != NULL ? departure_refuse(agent, event, answer, now) : STATUS_NO_MEMORY;

    json_decref(answer);
    return status;
}
