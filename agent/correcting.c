#include "agent/correcting.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/listing.h"
#include "agent/outbox.h"
#include "agent/outbox_row.h"
#include "agent/proofs.h"
#include "proto/labels.h"

static enum status refuse(struct draft_reason *ret_reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum status refuse(struct draft_reason *ret_reason, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(ret_reason->text, sizeof ret_reason->text, format, arguments);
    va_end(arguments);
    return STATUS_REFUSED;
}

/* ---- asking for it ---- */

/* The original and its repeats, as far as the broker has them. */
static enum status find_events(struct agent *agent, const uint8_t *target, uint8_t (*events)[UUID_SIZE],
                               size_t *ret_count)
{
    struct db_statement *statement = NULL;
    size_t count = 0;
    bool row = false;
    enum status status =
        db_statement(agent->db,
                     "SELECT event FROM outbox WHERE (event = ?1 OR repeats = ?1) AND state IN (2, 3)"
                     " ORDER BY id LIMIT ?2",
                     &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(target, UUID_SIZE));
    db_bind_int64(statement, 2, CORRECTING_EVENTS);
    while ((status = db_step(statement, &row)) == STATUS_OK && row)
        if (db_column_blob(statement, 0).size == UUID_SIZE)
            memcpy(events[count++], db_column_blob(statement, 0).data, UUID_SIZE);
    *ret_count = count;
    return status;
}

/* Whether some recipient of an event was told one of these values. */
static enum status was_told(struct agent *agent, const uint8_t *event, const struct correcting *correcting,
                            bool *ret)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(
        agent->db,
        "SELECT s.labels FROM outbox_section AS s JOIN outbox AS o ON o.id = s.outbox WHERE o.event = ?",
        &statement);

    *ret = correcting->what != CORRECTION_VALUES;
    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    while ((status = db_step(statement, &row)) == STATUS_OK && row) {
        struct byte_view rest = bytes_of_string(db_column_text(statement, 0));
        struct byte_view label;

        while (labels_next(&rest, &label))
            for (size_t i = 0; i < correcting->value_count; i++)
                *ret = *ret || bytes_equal(label, correcting->values[i].label);
    }
    return status;
}

static const char *type_of(const struct catalogue *catalogue, enum correction what)
{
    for (uint16_t i = 0; i < catalogue->event_count; i++)
        if (catalogue->events[i].corrects == what)
            return catalogue->events[i].type;
    return NULL;
}

static const char *usual_reason(enum correction what)
{
    switch (what) {
    case CORRECTION_RETRACTION:
        return "withdrawn";
    case CORRECTION_ERASURE:
        return "request";
    case CORRECTION_VALUES:
    case CORRECTION_NONE:
        break;
    }
    return "wrong_value";
}

/* What the draft of one correction borrows. */
struct wording {
    char type[65];
    char protocol[65];
    char target[UUID_TEXT_SIZE];
    struct draft_value values[DRAFT_VALUES_MAX];
};

static void copy_text(struct byte_view from, char *to, size_t size)
{
    const size_t length = from.size < size ? from.size : size - 1;

    memcpy(to, from.data, length);
    to[length] = '\0';
}

static enum status queue_one(struct agent *agent, const struct correcting *correcting, const uint8_t *event,
                             struct wording *words, int64_t now, uint8_t *ret_event,
                             struct draft_reason *ret_reason)
{
    const struct catalogue *catalogue = agent->membership->catalogue;
    struct byte_buffer kept = bytes_buffer(PREPARED_SIZE_MAX);
    struct draft draft = {.type = type_of(catalogue, correcting->what),
                          .protocol = words->protocol,
                          .subject = DRAFT_PSEUDONYM,
                          .correlation = event,
                          .corrects = words->type,
                          .officer = correcting->officer,
                          .values = words->values};
    struct prepared prepared;
    uint16_t type = CATALOGUE_NONE;
    enum status status = outbox_row_content(agent, event, &kept);

    if (status == STATUS_OK)
        status = prepared_decode(bytes_buffer_view(&kept), &prepared);
    if (status != STATUS_OK) {
        bytes_buffer_wipe(&kept);
        return status == STATUS_CORRUPT ? refuse(ret_reason, "the event was erased") : status;
    }
    copy_text(prepared.type, words->type, sizeof words->type);
    copy_text(prepared.protocol, words->protocol, sizeof words->protocol);
    memcpy(draft.pseudonym.bytes, prepared.subject, PSEUDONYM_SIZE);
    bytes_buffer_wipe(&kept);
    type = catalogue_find_event(catalogue, bytes_of_string(words->type));
    if (draft.type == NULL || type == CATALOGUE_NONE || catalogue->events[type].corrects != CORRECTION_NONE)
        return refuse(ret_reason, "%s cannot be corrected: correct the event that it is about", words->type);
    uuid_format(event, words->target);
    words->values[0] = (struct draft_value){.label = bytes_of_string("target"),
                                            .value = bytes_of_string(words->target),
                                            .place = DRAFT_ATTRIBUTE};
    words->values[1] = (struct draft_value){
        .label = bytes_of_string("reason"),
        .value =
            bytes_of_string(correcting->reason != NULL ? correcting->reason : usual_reason(correcting->what)),
        .place = DRAFT_ATTRIBUTE};
    draft.value_count = 2;
    for (size_t i = 0; i < correcting->value_count; i++)
        words->values[draft.value_count++] = correcting->values[i];
    return outbox_queue(agent, &draft, now, ret_event, ret_reason);
}

enum status correcting_queue(struct agent *agent, const struct correcting *correcting, int64_t now,
                             uint8_t ret_events[static CORRECTING_EVENTS][UUID_SIZE], size_t *ret_count,
                             struct draft_reason *ret_reason)
{
    uint8_t events[CORRECTING_EVENTS][UUID_SIZE];
    struct wording *words = NULL;
    size_t count = 0;
    size_t queued = 0;
    enum status status = STATUS_OK;

    if (agent->membership == NULL)
        return refuse(ret_reason, "this agent has not joined a partnership yet: run concordat-agent join");
    if ((correcting->what == CORRECTION_VALUES) != (correcting->value_count > 0) ||
        correcting->value_count > DRAFT_VALUES_MAX - 2)
        return refuse(ret_reason, "say which values are wrong, and what they should be: --item LABEL=VALUE");
    status = find_events(agent, correcting->target, events, &count);
    if (status == STATUS_OK && count == 0)
        return refuse(ret_reason, "no event of ours that was accepted has this id");
    words = calloc(1, sizeof *words);
    if (words == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        bool told = false;

        status = was_told(agent, events[i], correcting, &told);
        if (status == STATUS_OK && told)
            status = queue_one(agent, correcting, events[i], words, now, ret_events[queued++], ret_reason);
    }
    bytes_wipe(words, sizeof *words);
    free(words);
    if (status == STATUS_OK && queued == 0)
        return refuse(ret_reason, "nobody was told any of these values, so there is nothing to correct");
    *ret_count = queued;
    return status;
}

/* ---- after it was accepted ---- */

static const struct byte_view *prepared_value(const void *values, const char *label)
{
    return prepared_find(values, bytes_of_string(label));
}

/* The original with the corrected values in the place of its own, which is what a repeat will say. */
static void put_values(struct prepared *original, const struct prepared *correction)
{
    for (size_t i = 0; i < original->value_count; i++) {
        const struct byte_view *value = prepared_find(correction, original->values[i].label);

        if (value != NULL)
            original->values[i].value = *value;
    }
}

static enum status keep(struct agent *agent, const uint8_t *event, struct byte_view content, bool standing)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        agent->db, "UPDATE outbox SET content = ?, standing = standing * ? WHERE event = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, content);
    db_bind_int64(statement, 2, standing ? 1 : 0);
    db_bind_blob(statement, 3, bytes_view(event, UUID_SIZE));
    return db_run(statement);
}

static enum status correct(struct agent *agent, const uint8_t *event, const struct prepared *correction)
{
    struct byte_buffer kept = bytes_buffer(PREPARED_SIZE_MAX);
    struct byte_buffer plain = bytes_buffer(PREPARED_SIZE_MAX);
    struct byte_buffer sealed = bytes_buffer(PREPARED_SIZE_MAX + VAULT_OVERHEAD);
    struct prepared original;
    enum status status = outbox_row_content(agent, event, &kept);

    if (status == STATUS_OK)
        status = prepared_decode(bytes_buffer_view(&kept), &original);
    if (status == STATUS_OK) {
        put_values(&original, correction);
        status = prepared_encode(&original, &plain);
    }
    if (status == STATUS_OK)
        status = outbox_row_seal(agent, OUTBOX_ROW_CONTENT, event, bytes_buffer_view(&plain), &sealed);
    if (status == STATUS_OK)
        status = keep(agent, event, bytes_buffer_view(&sealed), true);
    bytes_buffer_wipe(&kept);
    bytes_buffer_wipe(&plain);
    bytes_buffer_free(&sealed);
    return status == STATUS_NOT_FOUND || status == STATUS_CORRUPT ? STATUS_OK : status;
}

static enum status end_standing(struct agent *agent, const uint8_t *event)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        agent->db,
        "UPDATE outbox SET standing = 0 WHERE event = (SELECT coalesce(repeats, event) FROM outbox"
        " WHERE event = ?1) OR event = ?1",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    return db_run(statement);
}

/* Contents of the event and of what corrected it; ids, states and digests stay. */
static enum status erase(struct agent *agent, const uint8_t *event)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(agent->db,
                                      "UPDATE outbox SET content = x'', envelope = NULL, answer = NULL"
                                      " WHERE event = ?1 OR (target = ?1 AND corrects = 1)",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    status = db_run(statement);
    const struct proofs_event of = {.role = PROOFS_SENT, .id = event};
    return status == STATUS_OK ? proofs_forget_person(agent, &of) : status;
}

enum status correcting_accepted(struct agent *agent, const struct prepared *prepared)
{
    const struct catalogue *catalogue = agent->membership->catalogue;
    const uint16_t type = catalogue_find_event(catalogue, prepared->type);
    uint8_t target[UUID_SIZE];
    enum status status = STATUS_OK;

    if (type == CATALOGUE_NONE || catalogue->events[type].corrects == CORRECTION_NONE ||
        !prepared_target(prepared, target))
        return STATUS_OK;
    if (catalogue->events[type].corrects == CORRECTION_VALUES) {
        const struct listing listing = {.event = target,
                                        .subject = prepared->subject,
                                        .protocol = prepared->protocol,
                                        .from = bytes_of_string(agent->settings.member),
                                        .value = prepared_value,
                                        .values = prepared};

        status = correct(agent, target, prepared);
        return status == STATUS_OK ? listing_correct(agent, &listing) : status;
    }
    status = end_standing(agent, target);
    if (status == STATUS_OK && catalogue->events[type].corrects == CORRECTION_ERASURE)
        status = erase(agent, target);
    return status;
}
