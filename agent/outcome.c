#include "agent/outcome.h"

#include <string.h>

#include "agent/consents.h"
#include "agent/correcting.h"
#include "agent/departure.h"
#include "agent/inbox.h"
#include "agent/listing.h"
#include "agent/outbox.h"
#include "agent/reconcile.h"
#include "agent/republishing.h"
#include "agent/withdrawing.h"

static const struct byte_view *prepared_value(const void *values, const char *label)
{
    return prepared_find(values, bytes_of_string(label));
}

static enum status end_standing(struct agent *agent, const uint8_t event[static UUID_SIZE])
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(agent->db, "UPDATE outbox SET standing = 0 WHERE event = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    return db_run(statement);
}

/* The next standing event about a person after *cursor, and its protocol, which borrows kept.
 * STATUS_NOT_FOUND. */
static enum status next_standing(struct agent *agent, const uint8_t subject[static CORE_SUBJECT_SIZE],
                                 int64_t *cursor, struct byte_buffer *kept, struct prepared *ret)
{
    struct db_statement *statement = NULL;
    uint8_t key[VAULT_LOOKUP_SIZE];
    uint8_t event[UUID_SIZE];
    bool row = false;
    enum status status =
        db_statement(agent->db,
                     "SELECT id, event FROM outbox WHERE subject = ? AND standing = 1 AND id > ?"
                     " ORDER BY id LIMIT 1",
                     &statement);

    if (status != STATUS_OK)
        return status;
    outbox_row_subject(agent, subject, key);
    db_bind_blob(statement, 1, bytes_view(key, sizeof key));
    db_bind_int64(statement, 2, *cursor);
    status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    *cursor = db_column_int64(statement, 0);
    if (db_column_blob(statement, 1).size == UUID_SIZE)
        memcpy(event, db_column_blob(statement, 1).data, UUID_SIZE);
    else
        status = STATUS_CORRUPT;
    db_reset(statement);
    if (status == STATUS_OK)
        status = outbox_row_content(agent, event, kept);
    return status == STATUS_OK ? prepared_decode(bytes_buffer_view(kept), ret) : status;
}

/* Whoever left a protocol's list has no standing events under it any more. */
static enum status end_standing_of(struct agent *agent, struct byte_view protocol,
                                   const uint8_t subject[static CORE_SUBJECT_SIZE])
{
    int64_t cursor = 0;

    for (;;) {
        struct byte_buffer kept = bytes_buffer(PREPARED_SIZE_MAX);
        struct prepared prepared;
        enum status status = next_standing(agent, subject, &cursor, &kept, &prepared);

        if (status == STATUS_OK && bytes_equal(prepared.protocol, protocol))
            status = end_standing(agent, prepared.event);
        bytes_buffer_wipe(&kept);
        if (status != STATUS_OK)
            return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    }
}

static enum effect effect_of(const struct agent *agent, struct byte_view type)
{
    const struct catalogue *catalogue = agent->membership->catalogue;
    const uint16_t event = catalogue_find_event(catalogue, type);

    return event == CATALOGUE_NONE ? EFFECT_NONE : catalogue->events[event].effect;
}

static enum status note_consent(struct agent *agent, const struct prepared *prepared, enum effect effect)
{
    const struct byte_view *scope = prepared_find(prepared, bytes_of_string("scope"));
    enum status status = STATUS_OK;

    if ((effect != EFFECT_CONSENT && effect != EFFECT_WITHDRAW) || scope == NULL)
        return STATUS_OK;
    status = consents_note(agent, prepared->protocol, prepared->subject, *scope, effect == EFFECT_CONSENT,
                           prepared->created);
    if (status == STATUS_OK && effect == EFFECT_WITHDRAW)
        status = withdrawing_apply(agent, prepared->protocol, prepared->subject, *scope, prepared->created);
    return status;
}

static enum status follow(struct agent *agent, const struct prepared *prepared, int64_t now)
{
    const enum effect effect = effect_of(agent, prepared->type);
    const struct listing listing = {.event = prepared->event,
                                    .subject = prepared->subject,
                                    .protocol = prepared->protocol,
                                    .from = bytes_of_string(agent->settings.member),
                                    .created = prepared->created,
                                    .value = prepared_value,
                                    .values = prepared};
    enum status status = listing_apply(agent, effect, &listing);

    if (status == STATUS_OK)
        status = note_consent(agent, prepared, effect);
    if (status == STATUS_OK && prepared->has_supersedes)
        status = end_standing(agent, prepared->supersedes);
    if (status == STATUS_OK && effect == EFFECT_REMOVE)
        status = end_standing_of(agent, prepared->protocol, prepared->subject);
    if (status == STATUS_OK)
        status = correcting_accepted(agent, prepared);
    if (status == STATUS_OK && effect == EFFECT_REMOVE)
        status = inbox_removed(agent, prepared->protocol, prepared->subject, now);
    return status;
}

static enum status accept(struct agent *agent, const Wire__Outcome *outcome, const json_t *answer,
                          int64_t now)
{
    struct byte_buffer kept = bytes_buffer(PREPARED_SIZE_MAX);
    struct prepared prepared;
    enum status status = outbox_row_content(agent, outcome->event.data, &kept);

    if (status == STATUS_OK)
        status = prepared_decode(bytes_buffer_view(&kept), &prepared);
    if (status == STATUS_OK)
        status = departure_accept(agent, outcome->event.data, answer, now);
    if (status == STATUS_OK)
        status = reconcile_accepted(agent, outcome->event.data,
                                    outcome->has_log_index ? &outcome->log_index : NULL, now);
    if (status == STATUS_OK)
        status = follow(agent, &prepared, now);
    bytes_buffer_wipe(&kept);
    return status;
}

enum status outcome_apply(struct agent *agent, const Wire__Outcome *outcome, int64_t now)
{
    enum outbox_state state = OUTBOX_DELIVERED;
    json_t *answer = NULL;
    bool again = false;
    enum status status = STATUS_BAD_FORMAT;

    if (outcome->event.len != UUID_SIZE)
        return status;
    status = outbox_state(agent, outcome->event.data, &state);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && state != OUTBOX_SEALED))
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    status = republishing_outcome(agent, outcome, now, &again);
    if (status != STATUS_OK || again)
        return status;
    answer = departure_answer(outcome->reason, outcome->refusals, outcome->n_refusals);
    if (answer == NULL)
        return STATUS_NO_MEMORY;
    switch (outcome->verdict) {
    case WIRE__VERDICT__ACCEPTED:
        status = accept(agent, outcome, answer, now);
        break;
    case WIRE__VERDICT__REFUSED:
        status = departure_refuse(agent, outcome->event.data, answer, now);
        break;
    case WIRE__VERDICT__BUSY:
        status = departure_busy(agent, outcome->event.data, outcome->reason, now);
        break;
    case WIRE__VERDICT__STALE:
    case _WIRE__VERDICT_IS_INT_SIZE:
    default:
        status = departure_again(agent, outcome->event.data, now, 0, false);
        break;
    }
    json_decref(answer);
    return status;
}
