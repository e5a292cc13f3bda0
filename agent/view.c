#include "agent/view.h"

#include <string.h>

#include "agent/alerts.h"
#include "agent/incidents.h"
#include "agent/membership.h"
#include "agent/onward.h"
#include "agent/outbox.h"
#include "agent/outbox_row.h"
#include "agent/outstanding.h"
#include "agent/prepared.h"
#include "agent/proof_view.h"
#include "agent/questions.h"
#include "agent/witness.h"
#include "proto/labels.h"

#define VIEW_EXPIRY_WARNING_MS (21 * CIVIL_DAY_MS)

static json_t *text_of(struct byte_view view)
{
    return json_stringn((const char *)view.data, view.size);
}

static json_t *time_of(int64_t time)
{
    char text[CIVIL_TIME_SIZE];

    civil_format_time(time, text);
    return json_string(text);
}

static json_t *time_or_null(int64_t time)
{
    return time == 0 ? json_null() : time_of(time);
}

static json_t *id_of(bool present, const uint8_t id[static UUID_SIZE])
{
    char text[UUID_TEXT_SIZE];

    if (!present)
        return json_null();
    uuid_format(id, text);
    return json_string(text);
}

static json_t *subject_of(const uint8_t subject[static CORE_SUBJECT_SIZE])
{
    struct pseudonym pseudonym;
    char text[PSEUDONYM_TEXT];

    memcpy(pseudonym.bytes, subject, PSEUDONYM_SIZE);
    pseudonym_format(&pseudonym, text);
    return json_string(text);
}

/* ---- received
 * ---------------------------------------------------------------------------------------------------- */

static json_t *labels_of(const struct inbox_event *event)
{
    json_t *list = json_array();

    for (size_t i = 0; i < event->label_count; i++)
        (void)json_array_append_new(list, text_of(event->labels[i]));
    return list;
}

/* Every line has the same keys; what a recall or the end of retention took away is null. */
static int set_no_content(json_t *line)
{
    static const char *const keys[] = {"type",    "subject",    "rule",       "purpose",
                                       "created", "supersedes", "correlation"};
    int failed = 0;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        failed |= json_object_set_new(line, keys[i], json_null());
    return failed;
}

json_t *view_line(const struct inbox_event *event)
{
    json_t *line = json_pack("{s:o, s:s}", "event", id_of(true, event->core.event), "from", event->sender);
    int failed = 0;

    if (line == NULL)
        return NULL;
    if (event->has_content) {
        failed |= json_object_set_new(line, "type", text_of(event->core.type));
        failed |= json_object_set_new(line, "subject", subject_of(event->core.subject));
        failed |= json_object_set_new(line, "rule", text_of(event->rule));
        failed |= json_object_set_new(line, "purpose", text_of(event->core.purpose));
        failed |= json_object_set_new(line, "created", time_of(event->core.created));
        failed |= json_object_set_new(line, "supersedes",
                                      id_of(event->core.has_supersedes, event->core.supersedes));
        failed |= json_object_set_new(line, "correlation",
                                      id_of(event->core.has_correlation, event->core.correlation));
    } else {
        failed |= set_no_content(line);
    }
    failed |= json_object_set_new(line, "labels", labels_of(event));
    failed |= json_object_set_new(line, "received", time_of(event->received));
    failed |= json_object_set_new(line, "late", json_boolean(event->late));
    failed |= json_object_set_new(line, "state", json_string(inbox_state_text(event->state)));
    failed |= json_object_set_new(line, "corrected_by", id_of(event->is_corrected, event->correction));
    failed |= json_object_set_new(line, "superseded_by", id_of(event->has_successor, event->successor));
    failed |= json_object_set_new(line, "acknowledge_by", time_or_null(event->acknowledge_by));
    failed |= json_object_set_new(line, "acknowledged", time_or_null(event->acknowledged));
    failed |= json_object_set_new(line, "escalated", time_or_null(event->escalated));
    if (event->reason != ARRIVAL_NONE)
        failed |= json_object_set_new(line, "reason", json_string(arrival_text(event->reason)));
    if (failed != 0) {
        json_decref(line);
        return NULL;
    }
    return line;
}

json_t *view_received(const struct inbox_event *event)
{
    json_t *view = view_line(event);
    json_t *items = json_object();
    int failed = 0;

    if (view == NULL || items == NULL) {
        json_decref(view);
        json_decref(items);
        return NULL;
    }
    for (size_t i = 0; i < event->item_count; i++)
        failed |= json_object_setn_new(items, (const char *)event->items[i].label.data,
                                       event->items[i].label.size, text_of(event->items[i].value));
    failed |= json_object_set_new(view, "direction", json_string("in"));
    failed |= json_object_set_new(view, "items", items);
    failed |= json_object_set_new(view, "attributes", json_object());
    failed |= json_object_set_new(view, "retention_until", time_of(event->until));
    if (event->has_content)
        failed |= json_object_set_new(view, "officer", text_of(event->core.officer));
    if (failed != 0) {
        json_decref(view);
        return NULL;
    }
    return view;
}

enum status view_mark(struct agent *agent, const struct inbox_event *event, json_t *view)
{
    const struct catalogue *catalogue = agent->membership != NULL ? agent->membership->catalogue : NULL;
    const struct protocol *held = NULL;
    uint16_t type = CATALOGUE_NONE;
    bool waits = false;
    enum status status = questions_waits(agent, event->core.event, &waits);

    if (status != STATUS_OK)
        return status;
    if (catalogue != NULL && event->has_content)
        type = catalogue_find_event(catalogue, event->core.type);
    if (event->has_content && agent->membership != NULL)
        held = membership_protocol(agent->membership, event->core.protocol);
    if (json_object_set_new(view, "onward", held == NULL ? json_null() : json_string(held->onward)) != 0 ||
        json_object_set_new(
            view, "break_glass",
            json_boolean(type != CATALOGUE_NONE && catalogue->events[type].effect == EFFECT_OVERRIDE)) != 0 ||
        json_object_set_new(view, "waiting", json_boolean(waits)) != 0)
        return STATUS_NO_MEMORY;
    return STATUS_OK;
}

/* ---- sent
 * ----------------------------------------------------------------------------------------------------------
 */

/* A list of labels, as it stands in outbox_section. */
static json_t *split_labels(const char *text)
{
    struct byte_view rest = bytes_of_string(text);
    struct byte_view label = {0};
    json_t *list = json_array();

    while (labels_next(&rest, &label))
        (void)json_array_append_new(list, text_of(label));
    return list;
}

static enum status add_recipients(struct agent *agent, const uint8_t event[static UUID_SIZE], json_t *view)
{
    struct db_statement *statement = NULL;
    json_t *list = json_array();
    bool row = false;
    enum status status = db_statement(
        agent->db,
        "SELECT recipient, rule, labels, state, late, urgent, uncollected, escalated, acknowledged,"
        " confirmed FROM outbox_section WHERE outbox ="
        " (SELECT id FROM outbox WHERE event = ?) ORDER BY recipient",
        &statement);

    if (status == STATUS_OK)
        db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    while (status == STATUS_OK && (status = db_step(statement, &row)) == STATUS_OK && row) {
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:o, s:s, s:b, s:b, s:o, s:o, s:o, s:o}", "to",
                            db_column_text(statement, 0), "rule", db_column_text(statement, 1), "labels",
                            split_labels(db_column_text(statement, 2)), "state",
                            outbox_row_delivery(db_column_int64(statement, 3)), "late",
                            (int)(db_column_int64(statement, 4) != 0), "urgent",
                            (int)(db_column_int64(statement, 5) != 0), "uncollected",
                            time_or_null(db_column_int64(statement, 6)), "escalated",
                            time_or_null(db_column_int64(statement, 7)), "acknowledged",
                            time_or_null(db_column_int64(statement, 8)), "confirmed",
                            time_or_null(db_column_int64(statement, 9))));
    }
    if (json_object_set_new(view, "recipients", list) != 0 && status == STATUS_OK)
        status = STATUS_NO_MEMORY;
    return status;
}

/* The reason and refusals that came with the outcome. */
static enum status add_answer(struct agent *agent, const uint8_t event[static UUID_SIZE],
                              struct byte_view sealed, json_t *view)
{
    struct byte_buffer plain = bytes_buffer(OUTBOX_ROW_ANSWER_MAX);
    json_t *answer = NULL;
    enum status status = STATUS_OK;

    if (sealed.size > 0)
        status = outbox_row_open(agent, OUTBOX_ROW_ANSWER, event, sealed, &plain);
    if (status == STATUS_OK && plain.size > 0)
        answer = json_loadb((const char *)plain.data, plain.size, 0, NULL);
    bytes_buffer_wipe(&plain);
    if (answer != NULL)
        (void)json_object_update(view, answer);
    else
        (void)json_object_set_new(view, "refusals", json_array());
    json_decref(answer);
    return status;
}

static bool sealed_label(const struct agent *agent, const struct prepared *prepared, struct byte_view label)
{
    const struct catalogue *catalogue = agent->membership != NULL ? agent->membership->catalogue : NULL;
    uint16_t event = CATALOGUE_NONE;
    uint16_t index = CATALOGUE_NONE;

    if (catalogue == NULL)
        return true;
    event = catalogue_find_event(catalogue, prepared->type);
    index = catalogue_find_label(catalogue, label);
    return event == CATALOGUE_NONE || index == CATALOGUE_NONE ||
           label_set_has(&catalogue->events[event].item_set, index);
}

static json_t *sent_json(const struct agent *agent, const struct prepared *prepared, enum outbox_state state)
{
    static const char *const states[] = {"queued", "sealed", "accepted", "delivered", "refused"};
    json_t *items = json_object();
    json_t *attributes = json_object();
    json_t *labels = json_array();
    json_t *stated = json_object();

    for (size_t i = 0; i < prepared->value_count; i++) {
        const struct byte_view label = prepared->values[i].label;
        json_t *group = sealed_label(agent, prepared, label) ? items : attributes;

        (void)json_object_setn_new(group, (const char *)label.data, label.size,
                                   text_of(prepared->values[i].value));
        (void)json_array_append_new(labels, text_of(label));
        if (prepared->values[i].source != DRAFT_UNSAID)
            (void)json_object_setn_new(stated, (const char *)label.data, label.size,
                                       json_string(onward_source_text(prepared->values[i].source)));
    }
    return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "event",
                     id_of(true, prepared->event), "direction", "out", "from", agent->settings.member, "type",
                     text_of(prepared->type), "subject", subject_of(prepared->subject), "labels", labels,
                     "items", items, "attributes", attributes, "stated", stated, "created",
                     time_of(prepared->created), "supersedes",
                     id_of(prepared->has_supersedes, prepared->supersedes), "correlation",
                     id_of(prepared->has_correlation, prepared->correlation), "officer",
                     text_of(prepared->officer), "state", states[state]);
}

/* The events of ours that corrected, retracted or erased this one. */
static enum status add_corrections(struct agent *agent, const uint8_t event[static UUID_SIZE], json_t *view)
{
    struct db_statement *statement = NULL;
    json_t *list = json_array();
    bool row = false;
    enum status status = db_statement(
        agent->db, "SELECT event, type FROM outbox WHERE target = ? AND state IN (2, 3) ORDER BY id",
        &statement);

    if (status == STATUS_OK)
        db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    while (status == STATUS_OK && (status = db_step(statement, &row)) == STATUS_OK && row)
        if (db_column_blob(statement, 0).size == UUID_SIZE)
            (void)json_array_append_new(list, json_pack("{s:o, s:s}", "event",
                                                        id_of(true, db_column_blob(statement, 0).data),
                                                        "type", db_column_text(statement, 1)));
    if (json_object_set_new(view, "corrections", list) != 0 && status == STATUS_OK)
        status = STATUS_NO_MEMORY;
    return status;
}

/* What is left of an event of ours that was erased. */
static enum status view_erased(struct agent *agent, const uint8_t event[static UUID_SIZE], json_t **ret)
{
    json_t *view = json_pack("{s:o, s:s, s:s, s:s, s:{}, s:{}, s:[], s:[]}", "event", id_of(true, event),
                             "direction", "out", "from", agent->settings.member, "state", "erased", "items",
                             "attributes", "labels", "refusals");
    enum status status = view == NULL ? STATUS_NO_MEMORY : add_recipients(agent, event, view);

    if (status == STATUS_OK)
        status = add_corrections(agent, event, view);
    if (status == STATUS_OK)
        *ret = view;
    else
        json_decref(view);
    return status;
}

enum status view_sent(struct agent *agent, const uint8_t event[static UUID_SIZE], json_t **ret)
{
    struct db_statement *statement = NULL;
    struct byte_buffer kept = bytes_buffer(PREPARED_SIZE_MAX);
    struct prepared prepared;
    json_t *view = NULL;
    bool row = false;
    enum status status =
        db_statement(agent->db, "SELECT state, content, answer FROM outbox WHERE event = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    status = db_step(statement, &row);
    if (status == STATUS_OK && !row)
        return STATUS_NOT_FOUND;
    if (status == STATUS_OK && db_column_blob(statement, 1).size == 0) {
        db_reset(statement);
        return view_erased(agent, event, ret);
    }
    if (status == STATUS_OK)
        status = outbox_row_open(agent, OUTBOX_ROW_CONTENT, event, db_column_blob(statement, 1), &kept);
    if (status == STATUS_OK)
        status = prepared_decode(bytes_buffer_view(&kept), &prepared);
    if (status == STATUS_OK) {
        view = sent_json(agent, &prepared, (enum outbox_state)db_column_int64(statement, 0));
        status =
            view != NULL ? add_answer(agent, event, db_column_blob(statement, 2), view) : STATUS_NO_MEMORY;
    }
    db_reset(statement);
    if (status == STATUS_OK)
        status = add_recipients(agent, event, view);
    if (status == STATUS_OK)
        status = add_corrections(agent, event, view);
    bytes_buffer_wipe(&kept);
    if (status == STATUS_OK)
        *ret = view;
    else
        json_decref(view);
    return status;
}

/* ---- status
 * -------------------------------------------------------------------------------------------------------- */

static json_t *bundle_json(const struct agent *agent, int64_t now)
{
    static const char *const states[] = {"not yet in force", "in force", "expiring", "expired"};
    const struct bundle *bundle = NULL;

    if (agent->membership == NULL)
        return json_null();
    bundle = agent->membership->bundle;
    return json_pack("{s:I, s:o, s:s}", "serial", (json_int_t)bundle_serial(bundle), "expires",
                     time_of(bundle_not_after(bundle)), "state",
                     agent_sealing(agent) ? states[bundle_state(bundle, now, VIEW_EXPIRY_WARNING_MS)]
                                          : "a newer one is being fetched");
}

static json_t *protocols_json(const struct agent *agent)
{
    json_t *list = json_array();

    for (size_t i = 0; agent->membership != NULL && i < agent->membership->protocol_count; i++)
        (void)json_array_append_new(list, json_string(agent->membership->protocols[i]->id));
    return list;
}

static enum status count_outbox(struct agent *agent, int64_t counts[static OUTBOX_STATES])
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(agent->db, "SELECT state, count(*) FROM outbox GROUP BY state", &statement);

    while (status == STATUS_OK && (status = db_step(statement, &row)) == STATUS_OK && row) {
        const int64_t state = db_column_int64(statement, 0);

        if (state >= 0 && state < OUTBOX_STATES)
            counts[state] = db_column_int64(statement, 1);
    }
    return status;
}

static json_t *outbox_json(const int64_t *out)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "queued", (json_int_t)out[0], "sealed", (json_int_t)out[1],
                     "accepted", (json_int_t)out[2], "delivered", (json_int_t)out[3], "refused",
                     (json_int_t)out[4]);
}

static json_t *inbox_json(const struct inbox_counts *counts)
{
    json_t *object = json_object();

    for (int state = 0; state < INBOX_STATES; state++)
        (void)json_object_set_new(object, inbox_state_text((enum inbox_state)state),
                                  json_integer((json_int_t)counts->by_state[state]));
    (void)json_object_set_new(object, "late", json_integer((json_int_t)counts->late));
    (void)json_object_set_new(object, "unacknowledged", json_integer((json_int_t)counts->unacknowledged));
    return object;
}

/* What somebody should look at. */
static enum status add_lists(struct agent *agent, json_t *view)
{
    json_t *incidents = NULL;
    json_t *alerts = NULL;
    json_t *outstanding = NULL;
    json_t *log = NULL;
    json_t *witness = NULL;
    enum status status = incidents_list(agent->db, &incidents);

    if (status == STATUS_OK)
        status = alerts_list(agent, &alerts);
    if (status == STATUS_OK)
        status = outstanding_list(agent, &outstanding);
    if (status == STATUS_OK &&
        (json_object_set(view, "incidents", incidents) != 0 || json_object_set(view, "alerts", alerts) != 0 ||
         json_object_set(view, "outstanding", outstanding) != 0))
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = proof_view_status(agent, &log);
    if (status == STATUS_OK && json_object_set_new(view, "log", log) != 0)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = witness_status(agent, &witness);
    if (status == STATUS_OK && json_object_set_new(view, "witness", witness) != 0)
        status = STATUS_NO_MEMORY;
    json_decref(incidents);
    json_decref(alerts);
    json_decref(outstanding);
    return status;
}

enum status view_status(struct agent *agent, int64_t now, json_t **ret)
{
    int64_t out[OUTBOX_STATES] = {0};
    struct inbox_counts in = {{0}, 0, 0};
    int64_t people = 0;
    json_t *view = NULL;
    int64_t questions = 0;
    int64_t oldest = INT64_MAX;
    enum status status = count_outbox(agent, out);

    if (status == STATUS_OK)
        status = questions_count(agent, &questions, &oldest);
    if (status == STATUS_OK)
        status = inbox_event_counts(agent, &in);
    if (status == STATUS_OK)
        status = people_count(agent->people, &people);
    if (status != STATUS_OK)
        return status;
    view = json_pack("{s:s, s:o, s:o, s:o, s:I, s:o, s:o, s:{s:I, s:o}}", "member", agent->settings.member,
                     "now", time_of(now), "bundle", bundle_json(agent, now), "protocols",
                     protocols_json(agent), "people", (json_int_t)people, "outbox", outbox_json(out), "inbox",
                     inbox_json(&in), "questions", "waiting", (json_int_t)questions, "since",
                     oldest == INT64_MAX ? json_null() : time_of(oldest));
    status = view != NULL ? add_lists(agent, view) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        *ret = view;
    else
        json_decref(view);
    return status;
}
