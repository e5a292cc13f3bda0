#include "agent/control.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/compose.h"
#include "agent/correcting.h"
#include "agent/doctor.h"
#include "agent/feeds.h"
#include "agent/inbox_event.h"
#include "agent/onward.h"
#include "agent/outbox.h"
#include "agent/outbox_row.h"
#include "agent/prepared.h"
#include "agent/proof_view.h"
#include "agent/replies.h"
#include "agent/session.h"
#include "agent/view.h"
#include "base/crash.h"
#include "base/safefile.h"

#define CONTROL_PAGE 200 /* events of the inbox in one reply */

static json_t *sentence(const char *key, const char *format, ...) __attribute__((format(printf, 2, 3)));

static json_t *sentence(const char *key, const char *format, ...)
{
    char text[640];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return json_pack("{s:s}", key, text);
}

static json_t *ok(json_t *value)
{
    return value != NULL ? json_pack("{s:o}", "ok", value) : NULL;
}

static json_t *failed(const char *what, enum status status)
{
    return sentence("failed", "%s: %s", what, status_text(status));
}

static const char *text_at(const json_t *request, const char *key)
{
    return json_string_value(json_object_get(request, key));
}

/* ---- publish
 * ------------------------------------------------------------------------------------------------------- */

/* A publish request on its way to a draft; ids and texts that the draft borrows. */
struct publish {
    struct draft draft;
    struct draft_value values[DRAFT_VALUES_MAX];
    uint8_t correlation[UUID_SIZE];
    uint8_t supersedes[UUID_SIZE];
    char officer[SETTINGS_OFFICER_SIZE];
    struct draft_reason reason;
};

static enum status refuse(struct publish *publish, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum status refuse(struct publish *publish, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(publish->reason.text, sizeof publish->reason.text, format, arguments);
    va_end(arguments);
    return STATUS_REFUSED;
}

static enum status add_values(struct publish *publish, const json_t *list, enum draft_place place)
{
    size_t i = 0;
    json_t *entry = NULL;

    json_array_foreach(list, i, entry)
    {
        const char *text = json_string_value(entry);
        const char *equals = text != NULL ? strchr(text, '=') : NULL;
        struct draft_value *value = &publish->values[publish->draft.value_count];

        if (equals == NULL || equals == text)
            return refuse(publish, "\"%.64s\" is not LABEL=VALUE", text != NULL ? text : "");
        if (publish->draft.value_count == DRAFT_VALUES_MAX)
            return refuse(publish, "more than %d values in one event", DRAFT_VALUES_MAX);
        value->label = bytes_view(text, (size_t)(equals - text));
        value->value = bytes_of_string(equals + 1);
        value->place = place;
        publish->draft.value_count++;
    }
    publish->draft.values = publish->values;
    return STATUS_OK;
}

static enum status read_id(struct publish *publish, const char *what, const char *text,
                           uint8_t out[static UUID_SIZE])
{
    if (uuid_parse(bytes_of_string(text), out) == STATUS_OK && uuid_is_v7(out))
        return STATUS_OK;
    return refuse(publish, "%s \"%.64s\" is not an event id", what, text);
}

/* Subject and correlation from an event held here, received or sent. */
static enum status answer_to(struct agent *agent, struct publish *publish, const char *id)
{
    struct inbox_event event;
    enum status status = read_id(publish, "--re", id, publish->correlation);

    if (status != STATUS_OK)
        return status;
    publish->draft.correlation = publish->correlation;
    publish->draft.subject = DRAFT_PSEUDONYM;
    status = inbox_event_find(agent, publish->correlation, &event);
    if (status == STATUS_OK) {
        const bool usable = event.has_content && event.state != INBOX_QUARANTINED;

        memcpy(publish->draft.pseudonym.bytes, event.core.subject, PSEUDONYM_SIZE);
        inbox_event_free(&event);
        return usable ? STATUS_OK : refuse(publish, "event %s is in quarantine or was recalled", id);
    }
    if (status == STATUS_NOT_FOUND) {
        struct byte_buffer kept = bytes_buffer(PREPARED_SIZE_MAX);
        struct prepared prepared;

        status = outbox_row_content(agent, publish->correlation, &kept);
        if (status == STATUS_OK)
            status = prepared_decode(bytes_buffer_view(&kept), &prepared);
        if (status == STATUS_OK)
            memcpy(publish->draft.pseudonym.bytes, prepared.subject, PSEUDONYM_SIZE);
        bytes_buffer_wipe(&kept);
    }
    return status == STATUS_NOT_FOUND ? refuse(publish, "no event %s is held here", id) : status;
}

/* A PNC id, a pseudonym as `concordat subject` prints it, or local:REFERENCE. */
static void set_subject(struct publish *publish, const char *text)
{
    static const char local[] = "local:";

    publish->draft.subject = DRAFT_PNC;
    publish->draft.id = bytes_of_string(text);
    if (strncmp(text, local, sizeof local - 1) == 0) {
        publish->draft.subject = DRAFT_LOCAL;
        publish->draft.id = bytes_of_string(text + sizeof local - 1);
    } else if (pseudonym_parse(text, &publish->draft.pseudonym) == STATUS_OK) {
        publish->draft.subject = DRAFT_PSEUDONYM;
    }
}

/* In which role the user may override rules: the one that the draft gives, or any. */
static void set_duty(const struct agent *agent, struct publish *publish, uint32_t uid)
{
    struct byte_view role = bytes_view(NULL, 0);

    for (size_t i = 0; i < publish->draft.value_count; i++) {
        if (bytes_equal(publish->values[i].label, bytes_of_string("duty_role")))
            role = publish->values[i].value;
    }
    (void)settings_on_duty(&agent->settings, uid, role, &publish->draft.duty_role);
}

static enum status read_publish(struct agent *agent, const json_t *request, uint32_t uid,
                                struct publish *publish)
{
    const char *subject = text_at(request, "subject");
    const char *re = text_at(request, "re");
    const char *supersedes = text_at(request, "supersedes");
    enum outbox_state state = OUTBOX_QUEUED;
    enum status status = STATUS_OK;

    publish->draft.type = text_at(request, "type");
    publish->draft.protocol = text_at(request, "protocol");
    publish->draft.effective = text_at(request, "effective");
    settings_officer(&agent->settings, uid, publish->officer);
    publish->draft.officer = publish->officer;
    if (publish->draft.type == NULL || (subject == NULL) == (re == NULL))
        return refuse(publish, "say what to publish, and about whom: --subject or --re");
    if (re != NULL)
        status = answer_to(agent, publish, re);
    else
        set_subject(publish, subject);
    if (status == STATUS_OK && supersedes != NULL) {
        publish->draft.supersedes = publish->supersedes;
        status = read_id(publish, "--supersedes", supersedes, publish->supersedes);
        if (status == STATUS_OK && outbox_state(agent, publish->supersedes, &state) != STATUS_OK)
            status =
                refuse(publish, "event %s is none of ours: only one's own event can be replaced", supersedes);
    }
    if (status == STATUS_OK)
        status = add_values(publish, json_object_get(request, "attributes"), DRAFT_ATTRIBUTE);
    if (status == STATUS_OK)
        status = add_values(publish, json_object_get(request, "items"), DRAFT_ITEM);
    if (status == STATUS_OK)
        status = onward_read(request, publish->values, publish->draft.value_count, &publish->reason);
    if (status == STATUS_OK)
        set_duty(agent, publish, uid);
    return status;
}

static enum status queue(struct agent *agent, struct publish *publish, int64_t now,
                         uint8_t event[static UUID_SIZE])
{
    enum status status = db_begin(agent->db);

    if (status == STATUS_OK)
        status = outbox_queue(agent, &publish->draft, now, event, &publish->reason);
    CRASH_POINT("control.queued");
    if (status != STATUS_OK) {
        db_rollback(agent->db);
        return status;
    }
    status = db_commit(agent->db);
    CRASH_POINT("control.queued.done");
    return status;
}

static json_t *do_publish(struct control *control, const json_t *request, uint32_t uid, int64_t now)
{
    struct publish *publish = calloc(1, sizeof *publish);
    uint8_t event[UUID_SIZE];
    char id[UUID_TEXT_SIZE];
    json_t *reply = NULL;
    enum status status = STATUS_NO_MEMORY;

    if (publish == NULL)
        return NULL;
    status = read_publish(control->agent, request, uid, publish);
    if (status == STATUS_OK)
        status = queue(control->agent, publish, now, event);
    if (status == STATUS_OK) {
        uuid_format(event, id);
        reply = ok(json_pack("{s:s, s:s}", "event", id, "state", "queued"));
    } else if (status == STATUS_REFUSED) {
        reply = sentence("refused", "%s", publish->reason.text);
    } else {
        reply = failed("the event was not queued", status);
    }
    bytes_wipe(publish, sizeof *publish);
    free(publish);
    return reply;
}

/* ---- correct, retract, erase
 * --------------------------------------------------------------------------------------------- */

static bool read_correction(const char *word, enum correction *ret)
{
#define NAME(symbol, name) name,
    static const char *const names[] = {CORRECTION_TABLE(NAME)};
#undef NAME

    for (size_t i = 1; word != NULL && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(word, names[i]) == 0) {
            *ret = (enum correction)i;
            return true;
        }
    return false;
}

static enum status queue_corrections(struct agent *agent, const struct correcting *correcting, int64_t now,
                                     uint8_t (*events)[UUID_SIZE], size_t *ret_count,
                                     struct draft_reason *reason)
{
    enum status status = db_begin(agent->db);

    if (status == STATUS_OK)
        status = correcting_queue(agent, correcting, now, events, ret_count, reason);
    if (status == STATUS_OK)
        return db_commit(agent->db);
    db_rollback(agent->db);
    return status;
}

static json_t *do_correct(struct control *control, const json_t *request, uint32_t uid, int64_t now)
{
    struct publish *publish = calloc(1, sizeof *publish);
    const char *event = text_at(request, "event");
    struct correcting correcting = {.reason = text_at(request, "reason")};
    uint8_t events[CORRECTING_EVENTS][UUID_SIZE];
    size_t count = 0;
    json_t *list = json_array();
    json_t *reply = NULL;
    enum status status = STATUS_REFUSED;

    if (publish == NULL)
        return NULL;
    settings_officer(&control->agent->settings, uid, publish->officer);
    if (event == NULL || !read_correction(text_at(request, "what"), &correcting.what))
        (void)refuse(publish, "say which event, and whether it is to be corrected, retracted or erased");
    else
        status = read_id(publish, "the event", event, publish->correlation);
    if (status == STATUS_OK)
        status = add_values(publish, json_object_get(request, "items"), DRAFT_ANYWHERE);
    correcting.target = publish->correlation;
    correcting.officer = publish->officer;
    correcting.values = publish->values;
    correcting.value_count = publish->draft.value_count;
    if (status == STATUS_OK)
        status = queue_corrections(control->agent, &correcting, now, events, &count, &publish->reason);
    for (size_t i = 0; i < count; i++) {
        char id[UUID_TEXT_SIZE];

        uuid_format(events[i], id);
        (void)json_array_append_new(list, json_string(id));
    }
    if (status == STATUS_OK)
        reply = ok(json_pack("{s:O, s:s}", "events", list, "state", "queued"));
    else if (status == STATUS_REFUSED)
        reply = sentence("refused", "%s", publish->reason.text);
    else
        reply = failed("nothing was queued", status);
    json_decref(list);
    bytes_wipe(publish, sizeof *publish);
    free(publish);
    return reply;
}

/* ---- show, status, subject
 * -------------------------------------------------------------------------------------------- */

static enum status note_opened(struct agent *agent, const struct inbox_event *event, uint32_t uid,
                               int64_t now)
{
    char officer[SETTINGS_OFFICER_SIZE];
    enum status status = db_begin(agent->db);

    settings_officer(&agent->settings, uid, officer);
    if (status == STATUS_OK)
        status = inbox_event_opened(agent, event, officer, now);
    if (status == STATUS_OK)
        return db_commit(agent->db);
    db_rollback(agent->db);
    return status;
}

static json_t *do_show(struct control *control, const json_t *request, uint32_t uid, int64_t now)
{
    struct agent *agent = control->agent;
    const char *text = text_at(request, "event");
    struct inbox_event event;
    uint8_t id[UUID_SIZE];
    json_t *view = NULL;
    enum status status = STATUS_OK;

    if (text == NULL || uuid_parse(bytes_of_string(text), id) != STATUS_OK)
        return sentence("refused", "\"%.64s\" is not an event id", text != NULL ? text : "");
    status = inbox_event_find(agent, id, &event);
    if (status == STATUS_OK) {
        status = note_opened(agent, &event, uid, now);
        view = status == STATUS_OK ? view_received(&event) : NULL;
        if (view != NULL)
            status = view_mark(agent, &event, view);
        inbox_event_free(&event);
    } else if (status == STATUS_NOT_FOUND) {
        status = view_sent(agent, id, &view);
    }
    if (status == STATUS_NOT_FOUND)
        return sentence("refused", "no event %s is held here", text);
    return status == STATUS_OK ? ok(view) : failed("the event cannot be shown", status);
}

static json_t *do_acknowledge(struct control *control, const json_t *request, uint32_t uid, int64_t now)
{
    struct agent *agent = control->agent;
    const char *text = text_at(request, "event");
    char officer[SETTINGS_OFFICER_SIZE];
    struct inbox_event event;
    uint8_t id[UUID_SIZE];
    enum status status = STATUS_OK;

    if (text == NULL || uuid_parse(bytes_of_string(text), id) != STATUS_OK)
        return sentence("refused", "\"%.64s\" is not an event id", text != NULL ? text : "");
    status = inbox_event_find(agent, id, &event);
    if (status == STATUS_NOT_FOUND)
        return sentence("refused", "no event %s was received here", text);
    if (status != STATUS_OK)
        return failed("the event cannot be acknowledged", status);
    settings_officer(&agent->settings, uid, officer);
    status = db_begin(agent->db);
    if (status == STATUS_OK)
        status = inbox_event_acknowledged(agent, &event, officer, now);
    inbox_event_free(&event);
    if (status == STATUS_OK)
        status = db_commit(agent->db);
    else
        db_rollback(agent->db);
    if (status == STATUS_REFUSED)
        return sentence("refused", "event %s is in quarantine or was recalled", text);
    return status == STATUS_OK ? ok(json_pack("{s:s}", "event", text))
                               : failed("the event cannot be acknowledged", status);
}

static json_t *do_status(struct control *control, const json_t *request, uint32_t uid, int64_t now)
{
    json_t *view = NULL;
    json_t *feeds = control->feeds != NULL ? feeds_status(control->feeds) : json_object();
    enum status status = view_status(control->agent, now, &view);

    (void)request;
    (void)uid;
    if (status != STATUS_OK) {
        json_decref(feeds);
        return failed("no status", status);
    }
    if (json_object_set_new(view, "connected", json_boolean(control->connected)) != 0 ||
        json_object_set_new(view, "trouble",
                            control->connected || control->trouble == NULL
                                ? json_null()
                                : json_string(control->trouble)) != 0 ||
        json_object_set_new(view, "feeds", feeds) != 0) {
        json_decref(view);
        return NULL;
    }
    return ok(view);
}

static json_t *do_doctor(struct control *control, const json_t *request, uint32_t uid, int64_t now)
{
    struct doctor_link link = {.running = true, .connected = control->connected, .trouble = control->trouble};
    json_t *findings = NULL;
    enum status status = STATUS_OK;

    (void)request;
    (void)uid;
    link.has_skew = session_skew(control->session, &link.skew);
    status = doctor_examine(control->agent, &link, now, &findings);
    return status == STATUS_OK ? ok(findings) : failed("the examination did not end", status);
}

static json_t *do_subject(struct control *control, const json_t *request, uint32_t uid, int64_t now)
{
    struct publish publish = {0};
    struct pseudonym subject;
    char text[PSEUDONYM_TEXT];
    const char *written = text_at(request, "subject");
    enum status status = STATUS_REFUSED;

    (void)uid;
    if (written == NULL)
        return sentence("refused", "say whose pseudonym: a PNC id");
    set_subject(&publish, written);
    status = compose_subject(control->agent, &publish.draft, now, &subject, &publish.reason);
    if (status == STATUS_REFUSED)
        return sentence("refused", "%s", publish.reason.text);
    if (status != STATUS_OK)
        return failed("no pseudonym", status);
    pseudonym_format(&subject, text);
    return ok(json_pack("{s:s}", "subject", text));
}

/* ---- import, join
 * ------------------------------------------------------------------------------------------------------ */

static json_t *do_import(struct control *control, const json_t *request, uint32_t uid, int64_t now)
{
    const char *feed = text_at(request, "feed");
    const char *file = text_at(request, "file");
    struct feeds_reason reason = {0};
    char officer[SETTINGS_OFFICER_SIZE];
    struct byte_buffer text = bytes_buffer((size_t)512 << 10);
    json_t *page = NULL;
    json_t *reply = NULL;
    enum status status = STATUS_OK;

    if (feed == NULL || file == NULL || control->feeds == NULL)
        return sentence("refused", "say which feed and which file");
    settings_officer(&control->agent->settings, uid, officer);
    if (json_is_true(json_object_get(request, "accept_missing")))
        status = feeds_accept(control->feeds, feed, file, officer, now, &page, &reason);
    else
        status = feeds_import(control->feeds, feed, file, officer, now, &page, &reason);
    if (status == STATUS_OK) {
        feeds_page_text(page, &text);
        reply = json_pack("{s:{s:o, s:s%}}", "ok", "page", page, "text", (const char *)text.data, text.size);
    } else if (status == STATUS_REFUSED || status == STATUS_NOT_FOUND) {
        reply = sentence("refused", "%s", reason.text[0] != '\0' ? reason.text : status_text(status));
    } else {
        reply = failed(reason.text[0] != '\0' ? reason.text : "the file was not imported", status);
    }
    bytes_buffer_wipe(&text);
    return reply;
}

static json_t *take_bundle(struct control *control, struct byte_view file, const uint8_t *fingerprint,
                           int64_t now)
{
    struct agent *agent = control->agent;
    struct agent_reason reason = {0};
    const struct membership *before = agent->membership;
    enum status status = STATUS_OK;

    /* Plans under way speak of the bundle in force: they are dropped before it goes. */
    session_bundle_taken(control->session);
    status = agent_take_bundle(agent, file, fingerprint, now, NULL, &reason);
    if (status != STATUS_OK)
        return sentence("refused", "%s", reason.text);
    return ok(json_pack("{s:I, s:b}", "serial", (json_int_t)bundle_serial(agent->membership->bundle),
                        "changed", (int)(before != agent->membership)));
}

static json_t *do_join(struct control *control, const json_t *request, uint32_t uid, int64_t now)
{
    const char *path = text_at(request, "bundle");
    const char *hex = text_at(request, "fingerprint");
    struct byte_buffer file = {0};
    uint8_t fingerprint[DIGEST_SIZE];
    json_t *reply = NULL;
    enum status status = STATUS_OK;

    (void)uid;
    if (path == NULL || hex == NULL || certificate_fingerprint(hex, fingerprint) != STATUS_OK)
        return sentence("refused", "say which bundle and the fingerprint of its root: 64 hexadecimal digits");
    status = safefile_read(path, BUNDLE_LARGEST, &file);
    if (status != STATUS_OK)
        return failed(path, status);
    reply = take_bundle(control, bytes_buffer_view(&file), fingerprint, now);
    bytes_buffer_free(&file);
    return reply;
}

/* ---- the table
 * -------------------------------------------------------------------------------------------------------- */

struct verb {
    const char *name;
    json_t *(*run)(struct control *control, const json_t *request, uint32_t uid, int64_t now);
};

static const struct verb verbs[] = {
    {"acknowledge", do_acknowledge}, {"correct", do_correct},
    {"answer", replies_answer},      {"confirm", replies_confirm},
    {"publish", do_publish},         {"show", do_show},
    {"status", do_status},           {"subject", do_subject},
    {"import", do_import},           {"join", do_join},
    {"doctor", do_doctor},           {"proof", proof_view_reply},
};

json_t *control_request(struct control *control, const json_t *request, uint32_t uid, int64_t now)
{
    const char *name = text_at(request, "do");

    for (size_t i = 0; name != NULL && i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return verbs[i].run(control, request, uid, now);
    return sentence("failed", "this agent does not know \"%.64s\"", name != NULL ? name : "");
}

json_t *control_inbox(struct control *control, int64_t *cursor, bool *ret_last)
{
    json_t *list = json_array();
    enum status status = STATUS_OK;

    *ret_last = false;
    for (int i = 0; i < CONTROL_PAGE && status == STATUS_OK && list != NULL; i++) {
        struct inbox_event event;
        json_t *line = NULL;

        status = inbox_event_next(control->agent, cursor, &event);
        if (status != STATUS_OK)
            break;
        line = view_line(&event);
        status = line == NULL ? STATUS_NO_MEMORY : view_mark(control->agent, &event, line);
        if (json_array_append_new(list, line) != 0 && status == STATUS_OK)
            status = STATUS_NO_MEMORY;
        inbox_event_free(&event);
    }
    *ret_last = status != STATUS_OK;
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        json_decref(list);
        return failed("the inbox cannot be read", status);
    }
    return ok(json_pack("{s:o}", "events", list));
}
