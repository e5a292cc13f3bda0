#include "broker/control.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/utf8.h"
#include "broker/aggregate.h"
#include "broker/backing.h"
#include "broker/clocks.h"
#include "broker/erasing.h"
#include "broker/logbook.h"
#include "broker/overriding.h"
#include "proto/note.h"
#include "proto/uuid.h"

#define QUESTION_DETAILS 17 /* SEARCH_QUESTION_LINE_MAX, in pieces that may be a little shorter */

static enum status answer(struct engine *engine, const struct job *job, json_t *json)
{
    struct outgoing *outgoing = NULL;
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    enum status status = text == NULL ? STATUS_NO_MEMORY : outgoing_new(PIPELINE_CONTROL, &outgoing);

    if (status == STATUS_OK) {
        outgoing->face.token = job->token;
        bytes_append_string(&outgoing->bytes, text);
        status = outgoing->bytes.status;
    }
    if (status == STATUS_OK)
        status = engine_answer(engine, outgoing);
    else
        outgoing_free(&outgoing);
    free(text);
    json_decref(json);
    return status;
}

static enum status answer_problem(struct engine *engine, const struct job *job, const char *sentence)
{
    return answer(engine, job, json_pack("{s:s}", "error", sentence));
}

static json_int_t number(uint64_t value)
{
    return (json_int_t)value;
}

/* Break-glass uses that nobody has confirmed yet. */
static json_t *waiting_uses(const struct engine *engine)
{
    json_t *list = json_array();

    for (size_t i = 0; i < glass_count(engine->glass); i++) {
        const struct glass_use *use = glass_at(engine->glass, i);
        const struct peer *sender = peers_number(engine->peers, use->sender);
        char id[UUID_TEXT_SIZE];
        char due[CIVIL_TIME_SIZE];

        if (!glass_waits(use))
            continue;
        uuid_format(use->event, id);
        civil_format_time(use->due, due);
        (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "event", id,
                                                    "from", sender == NULL ? "" : sender->stored.id,
                                                    "protocol", use->protocol, "rule", use->rule, "reason",
                                                    use->reason, "confirm_by", due, "state",
                                                    use->due < engine->now ? "suspended" : "waiting"));
    }
    return list;
}

/* ---- what is waited for ---- */

#define OUTSTANDING_MAX 200 /* in a status; the number says how many there are */

struct outstanding {
    struct engine *engine;
    const char *what;
    json_t *list;
    size_t count;
};

static enum status add_outstanding(void *context, const struct store_watch *watch)
{
    struct outstanding *self = context;
    const struct peer *sender = peers_number(self->engine->peers, watch->sender);
    const struct peer *recipient = peers_number(self->engine->peers, watch->recipient);
    char event[UUID_TEXT_SIZE];
    char since[CIVIL_TIME_SIZE];

    if (watch->kind == STORE_WATCH_ACKNOWLEDGE && !clocks_escalated(watch))
        return STATUS_OK; /* its time has not come */
    self->count++;
    if (json_array_size(self->list) >= OUTSTANDING_MAX)
        return STATUS_OK;
    uuid_format(watch->event, event);
    civil_format_time(watch->since, since);
    (void)json_array_append_new(self->list,
                                json_pack("{s:s, s:s, s:s*, s:s*, s:s}", "what", self->what, "event", event,
                                          "from", sender == NULL ? NULL : sender->stored.id, "to",
                                          recipient == NULL ? NULL : recipient->stored.id, "since", since));
    return STATUS_OK;
}

/* {"unacknowledged":N, "unconfirmed":N, "erasures":N, "outstanding":[…]} */
static enum status tell_outstanding(struct engine *engine, json_t *status)
{
    static const struct {
        enum store_watch_kind kind;
        const char *number;
        const char *what;
    } kinds[] = {{STORE_WATCH_ACKNOWLEDGE, "unacknowledged", "acknowledgement"},
                 {STORE_WATCH_CONFIRM, "unconfirmed", "confirmation"},
                 {STORE_WATCH_ERASURE, "erasures", "an officer's word on an erasure"},
                 {STORE_WATCH_ERASING, "erasing", "an erasure under way"}};
    json_t *list = json_array();
    enum status result = STATUS_OK;

    for (size_t i = 0; result == STATUS_OK && i < sizeof kinds / sizeof kinds[0]; i++) {
        struct outstanding self = {.engine = engine, .what = kinds[i].what, .list = list};
        result = store_each_watch(engine->store, kinds[i].kind, add_outstanding, &self);
        (void)json_object_set_new(status, kinds[i].number, json_integer(number(self.count)));
    }
    (void)json_object_set_new(status, "outstanding", list);
    return result;
}

/* ---- witnesses ---- */

static json_t *tell_witness(const struct witnessing_state *state)
{
    char since[CIVIL_TIME_SIZE];

    if (state->size > 0)
        civil_format_time(state->time, since);
    return json_pack("{s:s, s:b, s:b, s:b, s:I, s:s*, s:I, s:I}", "member", state->member, "connected",
                     (int)state->connected, "heard", (int)state->heard, "current", (int)state->current,
                     "cosigned", number(state->size), "since", state->size > 0 ? since : NULL, "refused",
                     number(state->refused), "bad", number(state->bad));
}

/* {"final":N, "may_sign":B, "witness_quorum":K, …, "witnesses":[…]}; with none named, all that is signed is
 * final. */
static enum status tell_witnesses(const struct engine *engine, json_t *status)
{
    const struct witnessing_summary summary = witnessing_summary(engine->witnessing);
    struct witnessing_note final = {.size = 0};
    json_t *list = json_array();

    (void)witnessing_final(engine->witnessing, &final);
    for (size_t i = 0; i < summary.count; i++) {
        const struct witnessing_state state = witnessing_state(engine->witnessing, i);
        (void)json_array_append_new(list, tell_witness(&state));
    }
    json_t *more =
        json_pack("{s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:o}", "final", number(final.size), "may_sign",
                  (int)summary.may_sign, "witness_quorum", (json_int_t)summary.quorum, "witness_dishonest",
                  (json_int_t)summary.dishonest, "witnesses_heard", number(summary.heard), "offered",
                  number(summary.offered), "bad_checkpoints", number(summary.bad_notes), "witnesses", list);
    const bool whole = more != NULL && json_object_update(status, more) == 0;

    json_decref(more);
    return whole ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status tell_status(struct engine *engine, const struct job *job)
{
    struct logbook_checkpoint checkpoint = logbook_checkpoint(engine->logbook);
    uint64_t undelivered = 0;
    size_t connected = 0;

    for (size_t i = 0; i < peers_count(engine->peers); i++) {
        undelivered += peers_at(engine->peers, i)->stored.undelivered;
        connected += peers_at(engine->peers, i)->connection != 0;
    }
    json_t *object = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o}", "serial",
                               number(bundle_serial(engine->rulebook->bundle)), "members",
                               number(peers_count(engine->peers)), "connected", number(connected), "entries",
                               number(logbook_size(engine->logbook)), "signed", number(checkpoint.size),
                               "accepted", number(engine->accepted), "refused", number(engine->refused),
                               "delivered", number(engine->delivered), "undelivered", number(undelivered),
                               "disk_full", (int)engine->disk_full, "break_glass", waiting_uses(engine));
    enum status status = object == NULL ? STATUS_NO_MEMORY : tell_outstanding(engine, object);

    if (status == STATUS_OK)
        status = tell_witnesses(engine, object);
    if (status == STATUS_OK)
        return answer(engine, job, object);
    json_decref(object);
    return status;
}

static enum status confirm_erasure(struct engine *engine, const struct job *job, const json_t *request)
{
    const char *event = json_string_value(json_object_get(request, "event"));
    const struct erasing_officer officer = {json_string_value(json_object_get(request, "officer")),
                                            json_string_value(json_object_get(request, "how"))};
    uint8_t id[STORE_EVENT_SIZE];
    enum status status;

    if (event == NULL || uuid_parse(bytes_of_string(event), id) != STATUS_OK || officer.name == NULL ||
        officer.how == NULL || !wire_check_officer(bytes_of_string(officer.name)))
        return answer_problem(engine, job, "say which event is to be erased, and which officer confirms it");
    status = erasing_confirmed(engine, json_string_value(json_object_get(request, "from")), id, &officer);
    if (status == STATUS_EXISTS)
        return answer_problem(
            engine, job, "several members have asked that an event of this id be erased: say whose (--from)");
    if (status == STATUS_NOT_FOUND)
        return answer_problem(engine, job,
                              "its sender has not asked that this event be erased, or it is under way");
    return status == STATUS_OK ? answer(engine, job, json_pack("{s:s}", "event", event)) : status;
}

/* A question in pieces of what a detail holds, none of which breaks a character. Returns how many; 0: it is
 * too long. */
static size_t split_question(struct byte_view question, struct byte_view details[static QUESTION_DETAILS])
{
    size_t count = 0;

    while (question.size > 0 && count < QUESTION_DETAILS) {
        size_t size = question.size < RECORD_DETAIL_SIZE ? question.size : RECORD_DETAIL_SIZE;

        while (size < question.size && size > 1 && (question.data[size] & 0xc0) == 0x80)
            size--;
        details[count++] = bytes_view(question.data, size);
        question = bytes_view(question.data + size, question.size - size);
    }
    return question.size == 0 ? count : 0;
}

static enum status log_query(struct engine *engine, const struct job *job, const json_t *request)
{
    const char *officer = json_string_value(json_object_get(request, "officer"));
    const char *question = json_string_value(json_object_get(request, "question"));
    const char *from = json_string_value(json_object_get(request, "from"));
    const char *refused = json_string_value(json_object_get(request, "refused"));
    struct record_account account = {.time = engine->now,
                                     .from = bytes_of_string(from == NULL ? "" : from),
                                     .outcome = bytes_of_string(refused == NULL ? "asked" : "refused"),
                                     .reason = bytes_of_string(refused == NULL ? "" : refused)};
    struct byte_view details[QUESTION_DETAILS];
    uint64_t index;
    enum status status;

    if (question != NULL)
        account.detail_count = split_question(bytes_of_string(question), details);
    if (officer == NULL || account.detail_count == 0 || !wire_check_officer(bytes_of_string(officer)) ||
        !utf8_printable(account.reason) || (from != NULL && member_check(account.from) != STATUS_OK))
        return answer_problem(engine, job, "who asks, and what, must be said in a few words");
    status = engine_write(engine);
    if (status != STATUS_OK)
        return status;
    account.details = details;
    struct record_personal personal = {.officer = bytes_of_string(officer)};
    (void)engine_records(engine, NULL, 0);
    index = records_add(&engine->records, RECORD_AUDIT_QUERY, &account,
                        records_personal(&engine->records, &personal));
    status = engine_append(engine);
    return status == STATUS_OK ? answer(engine, job, json_pack("{s:I}", "index", number(index))) : status;
}

static enum status lift(struct engine *engine, const struct job *job, const json_t *request)
{
    const char *officer = json_string_value(json_object_get(request, "officer"));
    const char *text = json_string_value(json_object_get(request, "event"));
    uint8_t event[UUID_SIZE];
    enum status status;

    if (officer == NULL || !wire_check_officer(bytes_of_string(officer)) || text == NULL ||
        uuid_parse(bytes_of_string(text), event) != STATUS_OK)
        return answer_problem(engine, job, "who lifts, and which event, must be said");
    status = overriding_lift(engine, json_string_value(json_object_get(request, "from")), event,
                             bytes_of_string(officer));
    if (status == STATUS_EXISTS)
        return answer_problem(engine, job,
                              "overrides of several members wait under this id: say whose (--from)");
    if (status == STATUS_NOT_FOUND)
        return answer_problem(engine, job, "no override of that id waits to be confirmed");
    return status == STATUS_OK ? answer(engine, job, json_pack("{s:b}", "lifted", 1)) : status;
}

/* The protocol that is named, or the only one that has somebody to count for. */
static const struct rulebook_protocol *aggregated(const struct engine *engine, const char *id)
{
    const struct rulebook_protocol *found = NULL;

    for (size_t i = 0; i < engine->rulebook->protocol_count; i++) {
        const struct rulebook_protocol *candidate = &engine->rulebook->protocols[i];

        if (candidate->protocol->aggregates.to == 0 ||
            (id != NULL && strcmp(candidate->protocol->id, id) != 0))
            continue;
        if (found != NULL)
            return NULL;
        found = candidate;
    }
    return found;
}

static enum status log_aggregate(struct engine *engine, const struct rulebook_protocol *protocol,
                                 const char *month, const char *officer)
{
    struct record_account account = {.time = engine->now,
                                     .outcome = bytes_of_string("aggregated"),
                                     .protocol = bytes_view(protocol->digest, DIGEST_SIZE)};
    struct record_personal personal = {.officer = bytes_of_string(officer)};
    struct byte_view detail = bytes_of_string(month);

    account.details = &detail;
    account.detail_count = 1;
    (void)engine_records(engine, NULL, 0);
    (void)records_add(&engine->records, RECORD_AUDIT_QUERY, &account,
                      records_personal(&engine->records, &personal));
    return engine_append(engine);
}

#define WHICH_MONTH "say which month, one that has ended: YYYY-MM"

static enum status aggregate(struct engine *engine, const struct job *job, const json_t *request)
{
    const char *officer = json_string_value(json_object_get(request, "officer"));
    const char *month = json_string_value(json_object_get(request, "month"));
    const struct rulebook_protocol *protocol =
        aggregated(engine, json_string_value(json_object_get(request, "protocol")));
    struct byte_buffer text = bytes_buffer(NOTE_SIZE_MAX);
    struct byte_buffer note = bytes_buffer(NOTE_SIZE_MAX);
    enum status status;

    if (officer == NULL || !wire_check_officer(bytes_of_string(officer)) || month == NULL)
        return answer_problem(engine, job, WHICH_MONTH);
    if (protocol == NULL)
        return answer_problem(engine, job, "say which protocol: one that has 'aggregates'");
    status = engine_write(engine);
    if (status == STATUS_OK)
        status = subjects_save(engine->subjects);
    if (status == STATUS_OK)
        status = aggregate_month(engine->store, engine->tally, protocol->protocol, month, engine->now, &text);
    if (status == STATUS_REFUSED) {
        status = answer_problem(engine, job, WHICH_MONTH);
        goto out;
    }
    if (status == STATUS_OK)
        status = logbook_note(engine->logbook, bytes_buffer_view(&text), &note);
    if (status == STATUS_OK)
        status = log_aggregate(engine, protocol, month, officer);
    if (status == STATUS_OK)
        status = answer(engine, job, json_pack("{s:s%}", "note", (const char *)note.data, note.size));
out:
    bytes_buffer_free(&text);
    bytes_buffer_free(&note);
    return status;
}

static enum status back_up(struct engine *engine, const struct job *job, const json_t *request)
{
    json_t *told = NULL;
    enum status status = backing_control(engine, request, &told);

    return status == STATUS_OK ? answer(engine, job, told) : status;
}

static json_t *read_request(const struct job *job)
{
    json_error_t error;

    return json_loadb((const char *)job->bytes.data, job->bytes.size, JSON_REJECT_DUPLICATES, &error);
}

static bool asks(const json_t *request, const char *what)
{
    const char *verb = json_string_value(json_object_get(request, "do"));

    return verb != NULL && strcmp(verb, what) == 0;
}

enum status control_handle(struct engine *engine, struct job *job)
{
    json_t *request = read_request(job);
    enum status status;

    if (job->error != NULL) /* containing.h */
        status = answer_problem(engine, job, job->error);
    else if (asks(request, "status"))
        status = tell_status(engine, job);
    else if (asks(request, "log-query"))
        status = log_query(engine, job, request);
    else if (asks(request, "confirm-erasure"))
        status = confirm_erasure(engine, job, request);
    else if (asks(request, "lift"))
        status = lift(engine, job, request);
    else if (asks(request, "backup"))
        status = back_up(engine, job, request);
    else if (asks(request, "aggregate"))
        status = aggregate(engine, job, request);
    else
        status = answer_problem(
            engine, job,
            "the broker's store knows status, log-query, confirm-erasure, lift, aggregate and backup");
    json_decref(request);
    return status;
}

/* How it stands can be asked above all when nothing can be written. */
enum status control_busy(struct engine *engine, const struct job *job)
{
    json_t *request = read_request(job);
    enum status status =
        asks(request, "status")
            ? tell_status(engine, job)
            : answer_problem(engine, job, "the broker has no room to write this down now; try again");

    json_decref(request);
    return status;
}
