#include "broker/operator.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/local_server.h"
#include "broker/backup_file.h"
#include "broker/load.h"
#include "broker/search.h"
#include "broker/status_report.h"
#include "proto/uuid.h"
#include "proto/wire_check.h"

#define IDLE_MS      30000
#define PENDING_MAX  LOCAL_SERVER_CONNECTIONS
#define OFFICER_SIZE 32
#define PUMP_MAX     256 /* rows of a search in one turn */

/* A request whose answer needs more than one turn of the loop; number 0: none. */
struct pending {
    uint64_t number; /* of the connection, and the pipeline's token */
    enum operator_verb verb;
    json_t *request;
    struct search *search; /* once it was logged */
    json_t *reply;         /* a row that found no room */
    bool last;
};

struct operator
{
    struct operator_options options;
    struct local_server *server;
    struct sessions_time time; /* of this turn */
    struct pending pending[PENDING_MAX];
    uint64_t loading; /* connection that waits for a bundle to come into force; 0: none does */
    bool in_progress; /* a bundle is on its way into force */
    bool renewed;     /* it brings certificates for renewed keys of ours */
    bool stopping;
};

/* ---- requests ---- */

struct verb_word {
    const char *word;
    enum operator_verb verb;
};

static const struct verb_word verbs[] = {
    {"load", OPERATOR_LOAD},
    {"status", OPERATOR_STATUS},
    {"lift", OPERATOR_LIFT},
    {"aggregate", OPERATOR_AGGREGATE},
    {"confirm-erasure", OPERATOR_CONFIRM_ERASURE},
    {"backup", OPERATOR_BACKUP},
    {"export", OPERATOR_EXPORT},
    {"stop", OPERATOR_STOP},
};

static enum status wrong(struct operator_reason *reason, const char *text)
{
    (void)snprintf(reason->text, sizeof reason->text, "%s", text);
    return STATUS_BAD_ARGUMENT;
}

static enum status parse_load(const json_t *request, struct operator_request *parsed,
                              struct operator_reason *reason)
{
    const json_t *fingerprint = json_object_get(request, "fingerprint");
    size_t known = fingerprint == NULL ? 2 : 3;

    parsed->bundle = json_string_value(json_object_get(request, "bundle"));
    if (parsed->bundle == NULL || parsed->bundle[0] != '/')
        return wrong(reason, "\"bundle\" must be the absolute path of a file");
    parsed->has_fingerprint = fingerprint != NULL;
    if (fingerprint != NULL &&
        (!json_is_string(fingerprint) ||
         certificate_fingerprint(json_string_value(fingerprint), parsed->fingerprint) != STATUS_OK))
        return wrong(reason, "the fingerprint must have 64 hexadecimal digits");
    return json_object_size(request) == known ? STATUS_OK : wrong(reason, "the request has a key too many");
}

static enum status parse_search(const json_t *request, struct operator_reason *reason)
{
    struct search_question question;
    struct search_reason why = {{0}};

    if (search_question_parse(request, &question, &why) == STATUS_OK)
        return STATUS_OK;
    return wrong(reason, why.text);
}

static enum status parse_lift(const json_t *request, struct operator_request *parsed,
                              struct operator_reason *reason)
{
    const json_t *from = json_object_get(request, "from");
    uint8_t event[UUID_SIZE];

    parsed->event = json_string_value(json_object_get(request, "event"));
    parsed->from = json_string_value(from);
    if (parsed->event == NULL || uuid_parse(bytes_of_string(parsed->event), event) != STATUS_OK)
        return wrong(reason, "\"event\" must be the id of an event");
    if (from != NULL && (parsed->from == NULL || member_check(bytes_of_string(parsed->from)) != STATUS_OK))
        return wrong(reason, "\"from\" must be the id of the member whose event it is");
    return json_object_size(request) == (from == NULL ? 2 : 3)
               ? STATUS_OK
               : wrong(reason, "the request has a key too many");
}

static enum status parse_aggregate(const json_t *request, struct operator_request *parsed,
                                   struct operator_reason *reason)
{
    const json_t *protocol = json_object_get(request, "protocol");

    parsed->month = json_string_value(json_object_get(request, "month"));
    parsed->protocol = json_string_value(protocol);
    if (parsed->month == NULL || (protocol != NULL && parsed->protocol == NULL))
        return wrong(reason, "\"month\" must be YYYY-MM, and \"protocol\" the id of one");
    return json_object_size(request) == (protocol == NULL ? 2 : 3)
               ? STATUS_OK
               : wrong(reason, "the request has a key too many");
}

static enum status parse_confirmation(const json_t *request, struct operator_request *parsed,
                                      struct operator_reason *reason)
{
    const json_t *from = json_object_get(request, "from");
    uint8_t event[UUID_SIZE];

    parsed->event = json_string_value(json_object_get(request, "event"));
    parsed->from = json_string_value(from);
    parsed->officer = json_string_value(json_object_get(request, "officer"));
    if (parsed->event == NULL || uuid_parse(bytes_of_string(parsed->event), event) != STATUS_OK ||
        parsed->officer == NULL || !wire_check_officer(bytes_of_string(parsed->officer)))
        return wrong(reason,
                     "\"event\" must be the id of an event, and \"officer\" who confirms its erasure");
    if (from != NULL && (parsed->from == NULL || member_check(bytes_of_string(parsed->from)) != STATUS_OK))
        return wrong(reason, "\"from\" must be the id of the member whose event it is");
    return json_object_size(request) == (from == NULL ? 3 : 4)
               ? STATUS_OK
               : wrong(reason, "the request has a key too many");
}

static enum status parse_backup(const json_t *request, struct operator_request *parsed,
                                struct operator_reason *reason)
{
    const json_t *hold = json_object_get(request, "hold");
    const json_t *key = json_object_get(request, "key");
    const json_t *drop = json_object_get(request, "drop");
    uint8_t id[BACKUP_FILE_KEY_ID];

    parsed->hold = json_integer_value(hold);
    parsed->key = json_string_value(key);
    parsed->drop = json_is_true(drop);
    if ((hold != NULL && parsed->hold < 1) || (hold == NULL && (key != NULL || drop != NULL)))
        return wrong(reason, "\"hold\" must be the number that the first answer gave");
    if (key != NULL && (parsed->key == NULL || strlen(parsed->key) != 2 * sizeof id ||
                        bytes_from_hex(parsed->key, id, sizeof id) != STATUS_OK))
        return wrong(reason, "\"key\" must be the id of the key that opens the backup");
    if (drop != NULL && !parsed->drop)
        return wrong(reason, "\"drop\" must be true");
    return json_object_size(request) == (size_t)(1 + (hold != NULL) + (key != NULL) + (drop != NULL))
               ? STATUS_OK
               : wrong(reason, "the request has a key too many");
}

enum status operator_parse(const json_t *request, struct operator_request *ret,
                           struct operator_reason *ret_reason)
{
    const char *word = json_string_value(json_object_get(request, "do"));
    struct operator_request parsed = {0};
    enum status status = STATUS_NOT_FOUND;

    for (size_t i = 0; word != NULL && i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(word, verbs[i].word) == 0) {
            parsed.verb = verbs[i].verb;
            status = STATUS_OK;
        }
    }
    if (word != NULL && search_question_verb(word)) {
        parsed.verb = OPERATOR_SEARCH;
        status = STATUS_OK;
    }
    if (status != STATUS_OK)
        return wrong(ret_reason,
                     "\"do\" must be load, status, search, explain, recheck, register, protocols, "
                     "replay-export, lift, aggregate, confirm-erasure, backup or stop");
    if (parsed.verb == OPERATOR_LOAD)
        status = parse_load(request, &parsed, ret_reason);
    else if (parsed.verb == OPERATOR_SEARCH)
        status = parse_search(request, ret_reason);
    else if (parsed.verb == OPERATOR_LIFT)
        status = parse_lift(request, &parsed, ret_reason);
    else if (parsed.verb == OPERATOR_AGGREGATE)
        status = parse_aggregate(request, &parsed, ret_reason);
    else if (parsed.verb == OPERATOR_CONFIRM_ERASURE)
        status = parse_confirmation(request, &parsed, ret_reason);
    else if (parsed.verb == OPERATOR_BACKUP)
        status = parse_backup(request, &parsed, ret_reason);
    else if (json_object_size(request) != 1)
        status = wrong(ret_reason, "the request has a key too many");
    if (status == STATUS_OK)
        *ret = parsed;
    return status;
}

/* ---- replies ---- */

static void reply(struct local_connection *connection, json_t *object)
{
    if (local_server_reply(connection, object, true) != STATUS_OK)
        local_server_drop(connection);
}

static void reply_error(struct local_connection *connection, const char *text)
{
    reply(connection, json_pack("{s:s}", "error", text));
}

static void forget(struct pending *pending)
{
    search_stop(&pending->search);
    json_decref(pending->request);
    json_decref(pending->reply);
    *pending = (struct pending){0};
}

static struct pending *find_pending(struct operator* operator, uint64_t number)
{
    for (size_t i = 0; i < PENDING_MAX; i++) {
        if (operator->pending[i].number == number)
            return &operator->pending[i];
    }
    return NULL;
}

static size_t count_searches(const struct operator* operator)
{
    size_t count = 0;

    for (size_t i = 0; i < PENDING_MAX; i++)
        count += operator->pending[i].number != 0 && operator->pending[i].verb == OPERATOR_SEARCH;
    return count;
}

/* ---- load ---- */

static json_t *loaded_reply(const struct operator* operator, bool fresh)
{
    const struct bundle *bundle = sessions_bundle(operator->options.sessions);

    return json_pack("{s:I, s:b, s:b}", "serial", (json_int_t)bundle_serial(bundle), "fresh", fresh ? 1 : 0,
                     "restart", operator->renewed ? 1 : 0);
}

static void adopt(struct operator* operator, struct local_connection * connection,
                  const struct loaded *loaded)
{
    struct pipeline_reason reason = {{0}};
    char text[sizeof reason.text + 128];

    if (pipeline_bundle(operator->options.pipeline, loaded->bundle, &reason) != STATUS_OK) {
        (void)snprintf(text, sizeof text, "the bundle was kept and is not in force, restart the broker: %s",
                       reason.text);
        reply_error(connection, text);
        return;
    }
    sessions_adopt(operator->options.sessions, operator->time, loaded->bundle);
    operator->in_progress = true;
    operator->renewed = loaded->renewed;
    operator->loading = local_server_number(connection);
}

static void handle_load(struct operator* operator, struct local_connection * connection,
                        const struct operator_request *request)
{
    const struct load_request wanted = {
        .folder = operator->options.folder,
        .path = request->bundle,
        .held = sessions_bundle(operator->options.sessions),
        .fingerprint = request->has_fingerprint ? request->fingerprint : NULL,
        .now = operator->time.now,
    };
    struct loaded loaded = {0};
    struct bundle_reason reason = {{0}};

    if (operator->in_progress) {
        reply_error(connection, "another bundle is being loaded: try again");
        return;
    }
    if (load_bundle(&wanted, &loaded, &reason) != STATUS_OK) {
        reply_error(connection, reason.text);
        return;
    }
    operator->renewed = loaded.renewed;
    if (loaded.fresh)
        adopt(operator, connection, &loaded);
    else
        reply(connection, loaded_reply(operator, false));
    bundle_free(&loaded.bundle);
}

void operator_in_force(struct operator* operator, struct sessions_time time)
{
    struct local_connection *connection = local_server_find(operator->server, operator->loading);
    const struct bundle *bundle = sessions_bundle(operator->options.sessions);

    sessions_announce(operator->options.sessions, time);
    say_line(operator->options.say, time.now, LOGLINE_NOTICE, "bundle", "bundle in force serial=%llu",
             (unsigned long long)bundle_serial(bundle));
    if (connection != NULL)
        reply(connection, loaded_reply(operator, true));
    operator->in_progress = false;
    operator->loading = 0;
}

/* ---- status, search ---- */

/* Asks the pipeline; its answer comes to operator_answer. */
static void ask(struct operator* operator, struct local_connection * connection, enum operator_verb verb,
                json_t *question, const json_t *request)
{
    struct pending *pending = find_pending(operator, 0);
    char *text = question == NULL ? NULL : json_dumps(question, JSON_COMPACT);
    enum status status = text == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    uint64_t number = local_server_number(connection);

    if (pending == NULL)
        status = STATUS_BUSY;
    if (status == STATUS_OK)
        status = pipeline_control(operator->options.pipeline, number, bytes_of_string(text));
    if (status != STATUS_OK)
        reply_error(connection, "the broker has too much to do: try again");
    else
        *pending = (struct pending){.number = number, .verb = verb, .request = json_deep_copy(request)};
    free(text);
    json_decref(question);
}

/* Who asks, as the log names them. */
static void name_officer(const struct local_connection *connection, char out[static OFFICER_SIZE])
{
    (void)snprintf(out, OFFICER_SIZE, "unix:%u", (unsigned)local_server_peer(connection).uid);
}

static json_t *log_query(const struct local_connection *connection, const json_t *request)
{
    struct byte_buffer question = bytes_buffer(SEARCH_QUESTION_LINE_MAX);
    char officer[OFFICER_SIZE];
    json_t *object = NULL;

    name_officer(connection, officer);
    search_question_text(request, &question);
    if (question.status == STATUS_OK)
        object = json_pack("{s:s, s:s, s:s%}", "do", "log-query", "officer", officer, "question",
                           (const char *)question.data, question.size);
    bytes_buffer_free(&question);
    return object;
}

/* Who confirms is, for now, whom somebody with an account on this host names: the log says so. */
static json_t *confirmation(const struct local_connection *connection, const struct operator_request *parsed)
{
    char how[64];

    (void)snprintf(how, sizeof how, "named on the broker's host by unix:%u",
                   (unsigned)local_server_peer(connection).uid);
    return json_pack("{s:s, s:s, s:s, s:s, s:s*}", "do", "confirm-erasure", "event", parsed->event, "officer",
                     parsed->officer, "how", how, "from", parsed->from);
}

static json_t *backup(const struct local_connection *connection, const struct operator_request *parsed)
{
    char officer[OFFICER_SIZE];
    json_t *object;

    name_officer(connection, officer);
    object = json_pack("{s:s, s:s, s:I, s:s*}", "do", "backup", "officer", officer, "hold", parsed->hold,
                       "key", parsed->key);
    if (parsed->drop)
        (void)json_object_set_new(object, "drop", json_true());
    return object;
}

static json_t *export_query(const char *officer)
{
    return json_pack("{s:s, s:s, s:s}", "do", "log-query", "officer", officer, "question", "export");
}

static void handle(struct local_connection *connection, const json_t *request, void *context)
{
    struct operator* operator= context;
    char officer[OFFICER_SIZE];
    struct operator_request parsed;
    struct operator_reason reason = {{0}};

    if (operator_parse(request, &parsed, &reason) != STATUS_OK) {
        reply_error(connection, reason.text);
        return;
    }
    name_officer(connection, officer);
    switch (parsed.verb) {
    case OPERATOR_LOAD:
        handle_load(operator, connection, &parsed);
        break;
    case OPERATOR_STATUS:
        ask(operator, connection, OPERATOR_STATUS, json_pack("{s:s}", "do", "status"), request);
        break;
    case OPERATOR_SEARCH:
        if (count_searches(operator) < OPERATOR_SEARCHES)
            ask(operator, connection, OPERATOR_SEARCH, log_query(connection, request), request);
        else
            reply_error(connection, "as many searches as are allowed at once are running: try again");
        break;
    case OPERATOR_LIFT:
        ask(operator, connection, OPERATOR_LIFT,
            json_pack("{s:s, s:s, s:s, s:s*}", "do", "lift", "officer", officer, "event", parsed.event,
                      "from", parsed.from),
            request);
        break;
    case OPERATOR_AGGREGATE:
        ask(operator, connection, OPERATOR_AGGREGATE,
            json_pack("{s:s, s:s, s:s, s:s*}", "do", "aggregate", "officer", officer, "month", parsed.month,
                      "protocol", parsed.protocol),
            request);
        break;
    case OPERATOR_CONFIRM_ERASURE:
        ask(operator, connection, OPERATOR_CONFIRM_ERASURE, confirmation(connection, &parsed), request);
        break;
    case OPERATOR_BACKUP:
        ask(operator, connection, OPERATOR_BACKUP, backup(connection, &parsed), request);
        break;
    case OPERATOR_EXPORT:
        ask(operator, connection, OPERATOR_EXPORT, export_query(officer), request);
        break;
    case OPERATOR_STOP:
        operator->stopping = true;
        reply(connection, json_pack("{s:b}", "stopping", 1));
        break;
    }
}

/* Rows go out while the connection has room for them; a row that finds none waits for the next turn. */
static void pump(struct operator* operator, struct pending * pending)
{
    struct local_connection *connection = local_server_find(operator->server, pending->number);
    struct search_reason reason = {{0}};

    for (int i = 0; connection != NULL && i < PUMP_MAX; i++) {
        enum status status = STATUS_OK;
        if (pending->reply == NULL)
            status = search_take(pending->search, &pending->reply, &pending->last, &reason);
        if (status == STATUS_BUSY)
            return;
        if (status != STATUS_OK) {
            reply_error(connection, reason.text);
            forget(pending);
            return;
        }
        status = local_server_reply(connection, json_incref(pending->reply), pending->last);
        if (status == STATUS_BUSY)
            return;
        bool done = pending->last || status != STATUS_OK;
        json_decref(pending->reply);
        pending->reply = NULL;
        if (status != STATUS_OK)
            local_server_drop(connection);
        if (done) {
            forget(pending);
            return;
        }
    }
    if (connection == NULL)
        forget(pending);
}

/* The look is in the log: now it may be answered. */
static void begin_search(struct operator* operator, struct pending * pending,
                         struct local_connection *connection, const json_t *answer)
{
    static const struct index_scope host = {.everything = true}; /* who may open the socket owns the host */
    struct search_reason reason = {{0}};
    const char *error = json_string_value(json_object_get(answer, "error"));

    if (!json_is_integer(json_object_get(answer, "index"))) {
        reply_error(connection, error == NULL ? "the look could not be logged" : error);
        forget(pending);
    } else if (search_start(&operator->options.index, &host, pending->request, &pending->search, &reason) !=
               STATUS_OK) {
        reply_error(connection, reason.text);
        forget(pending);
    }
}

static void finish_status(struct operator* operator, struct local_connection * connection, json_t *answer)
{
    const struct status_report report = {
        .member = operator->options.member,
        .endpoint = operator->options.endpoint,
        .sessions = operator->options.sessions,
        .time = operator->time,
    };

    reply(connection, status_report_make(&report, answer));
}

void operator_answer(struct operator* operator, struct sessions_time time, uint64_t token,
                     struct byte_view answer)
{
    struct pending *pending = find_pending(operator, token);
    struct local_connection *connection = local_server_find(operator->server, token);
    json_t *object = json_loadb((const char *)answer.data, answer.size, JSON_REJECT_DUPLICATES, NULL);

    operator->time = time;
    if (pending == NULL || token == 0) {
        json_decref(object);
        return;
    }
    if (connection == NULL) {
        forget(pending);
    } else if (pending->verb == OPERATOR_SEARCH) {
        begin_search(operator, pending, connection, object);
    } else if (pending->verb == OPERATOR_LIFT || pending->verb == OPERATOR_AGGREGATE ||
               pending->verb == OPERATOR_CONFIRM_ERASURE || pending->verb == OPERATOR_BACKUP ||
               pending->verb == OPERATOR_EXPORT) {
        reply(connection, json_incref(object));
        forget(pending);
    } else {
        finish_status(operator, connection, object);
        forget(pending);
    }
    json_decref(object);
}

/* ---- the socket ---- */

enum status operator_open(const struct operator_options *options, struct operator** ret)
{
    struct operator* operator= calloc(1, sizeof *operator);
    enum status status = STATUS_NO_MEMORY;

    if (operator!= NULL) {
        operator->options = * options;
        status = local_server_new(options->folder, OPERATOR_SOCKET, 0600, IDLE_MS, &operator->server);
    }
    if (status == STATUS_OK)
        *ret = operator;
    else
        free(operator);
    return status;
}

void operator_close(struct operator** operator)
{
    if (*operator== NULL)
        return;
    for (size_t i = 0; i < PENDING_MAX; i++)
        forget(&(*operator)->pending[i]);
    local_server_free(&(*operator)->server);
    free(*operator);
    *operator= NULL;
}

size_t operator_fds(const struct operator* operator, int out[static 1 + OPERATOR_SEARCHES])
{
    size_t count = 0;

    out[count++] = local_server_fd(operator->server);
    for (size_t i = 0; i < PENDING_MAX && count < 1 + OPERATOR_SEARCHES; i++) {
        const struct pending *pending = &operator->pending[i];
        if (pending->search != NULL && pending->reply == NULL)
            out[count++] = search_fd(pending->search);
    }
    return count;
}

int operator_wait(const struct operator* operator, int64_t elapsed)
{
    return local_server_wait(operator->server, elapsed);
}

void operator_step(struct operator* operator, struct sessions_time time)
{
    operator->time = time;
    local_server_step(operator->server, time.elapsed, handle, operator);
    for (size_t i = 0; i < PENDING_MAX; i++) {
        if (operator->pending[i].search != NULL)
            pump(operator, & operator->pending[i]);
    }
}

bool operator_stopping(const struct operator* operator)
{
    return operator->stopping;
}
