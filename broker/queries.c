#include "broker/queries.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/frame.h"
#include "broker/query_check.h"
#include "broker/search.h"
#include "proto/hpke.h"
#include "proto/wire_check.h"

#define NONCES_MAX    4096
#define NONCE_KEPT_MS (2 * QUERY_CHECK_AGE_MS + 1000)
#define ANSWER_TARGET ((size_t)60 << 10) /* a frame is sent when it holds as much */
#define ROW_MAX       ((size_t)64 << 10)
#define RETRY_MS      5000

/* A nonce that was used, with its officer: never again while its time would do. */
struct nonce {
    uint8_t digest[DIGEST_SIZE];
    int64_t until;
};

/* One question. number 0: the place is free. */
struct query {
    uint64_t number;
    uint64_t connection;
    uint64_t request; /* of its Query: how QueryNext names it */
    uint64_t waiting; /* request to be answered; 0: nobody waits */
    char member[MEMBER_ID_LENGTH + 1];
    struct query_checked checked;
    struct hpke_sender *sender;
    uint8_t enc[HPKE_ENC_SIZE];
    bool begun;            /* enc was sent */
    struct search *search; /* once the look was logged */
    struct byte_buffer rows;
    size_t count;
    int64_t asked; /* elapsed, when it was last asked on */
};

struct queries {
    struct queries_options options;
    uint64_t last_number;
    struct query places[QUERIES_MAX];
    struct nonce *nonces; /* NONCES_MAX */
};

/* ---- places ---- */

static void forget(struct query *query)
{
    search_stop(&query->search);
    hpke_sender_free(&query->sender);
    query_check_clear(&query->checked);
    bytes_buffer_wipe(&query->rows);
    *query = (struct query){.number = 0};
}

static struct query *by_number(struct queries *queries, uint64_t number)
{
    for (size_t i = 0; i < QUERIES_MAX; i++) {
        if (queries->places[i].number == number)
            return &queries->places[i];
    }
    return NULL;
}

static struct query *by_request(struct queries *queries, uint64_t connection, uint64_t request)
{
    for (size_t i = 0; i < QUERIES_MAX; i++) {
        struct query *query = &queries->places[i];
        if (query->number != 0 && query->connection == connection && query->request == request)
            return query;
    }
    return NULL;
}

static size_t running(const struct queries *queries, const char *member)
{
    size_t count = 0;

    for (size_t i = 0; i < QUERIES_MAX; i++)
        count += queries->places[i].number != 0 && strcmp(queries->places[i].member, member) == 0;
    return count;
}

/* Whether the connection on which it was asked is still that member's. */
static bool connected(const struct queries *queries, const struct query *query)
{
    return roster_by_connection(sessions_roster(queries->options.sessions), query->connection) != NULL;
}

/* ---- nonces ---- */

enum nonce_found { NONCE_FRESH, NONCE_USED, NONCE_NO_ROOM };

static enum nonce_found take_nonce(struct queries *queries, const struct query_checked *checked, int64_t now)
{
    struct byte_view parts[] = {bytes_view(checked->officer.certificate, DIGEST_SIZE),
                                bytes_view(checked->nonce, QUERY_NONCE_SIZE)};
    struct nonce *room = NULL;
    uint8_t digest[DIGEST_SIZE];

    digest_sha256_parts(parts, 2, digest);
    for (size_t i = 0; i < NONCES_MAX; i++) {
        struct nonce *nonce = &queries->nonces[i];
        if (nonce->until < now)
            room = nonce;
        else if (memcmp(nonce->digest, digest, DIGEST_SIZE) == 0)
            return NONCE_USED;
    }
    if (room == NULL)
        return NONCE_NO_ROOM;
    memcpy(room->digest, digest, DIGEST_SIZE);
    room->until = now + NONCE_KEPT_MS;
    return NONCE_FRESH;
}

/* ---- sending ---- */

static void send_bytes(struct queries *queries, struct sessions_time time, const struct query *query,
                       struct byte_view bytes)
{
    const struct pipeline_out out = {
        .kind = PIPELINE_FRAME, .connection = query->connection, .member = query->member, .bytes = bytes};

    sessions_send(queries->options.sessions, time, &out);
}

static void send_error(struct queries *queries, struct sessions_time time, const struct query *query,
                       Wire__ErrorCode code, const char *text)
{
    struct byte_buffer bytes = bytes_buffer(WIRE_FRAME_LIMIT);
    const struct frame_error error = {
        .code = code, .text = text, .retry_after = code == WIRE__ERROR_CODE__NOT_NOW ? RETRY_MS : 0};

    if (frame_error(query->waiting, &error, &bytes) == STATUS_OK)
        send_bytes(queries, time, query, bytes_buffer_view(&bytes));
    bytes_buffer_free(&bytes);
}

/* One sealed answer; the plaintext stays here. */
static enum status pack_answer(struct query *query, struct byte_view json, bool more, struct byte_buffer *ret)
{
    struct byte_buffer sealed = bytes_buffer(WIRE_FRAME_LIMIT);
    struct byte_buffer body = bytes_buffer(WIRE_FRAME_LIMIT);
    Wire__QueryAnswer answer = WIRE__QUERY_ANSWER__INIT;
    char none[] = "";
    uint64_t sequence = 0;
    enum status status =
        hpke_seal(query->sender, bytes_view(query->checked.digest, DIGEST_SIZE), json, &sealed, &sequence);

    if (status == STATUS_OK) {
        answer.answer = none;
        answer.more = more;
        answer.has_enc = !query->begun;
        answer.enc = wire_data(bytes_view(query->enc, HPKE_ENC_SIZE));
        answer.has_sealed = true;
        answer.sealed = wire_data(bytes_buffer_view(&sealed));
        wire_pack(&answer.base, &body);
        status = body.status;
    }
    if (status == STATUS_OK)
        status =
            wire_frame_pack(query->waiting, WIRE__FRAME__VERB_QUERY_ANSWER, bytes_buffer_view(&body), ret);
    query->begun = query->begun || status == STATUS_OK;
    bytes_buffer_free(&body);
    bytes_buffer_free(&sealed);
    return status;
}

static void send_answer(struct queries *queries, struct sessions_time time, struct query *query, bool more)
{
    struct byte_buffer bytes = bytes_buffer(WIRE_FRAME_LIMIT);
    enum status status = query->rows.status;

    if (status == STATUS_OK)
        status = pack_answer(query, bytes_buffer_view(&query->rows), more, &bytes);
    if (status == STATUS_OK)
        send_bytes(queries, time, query, bytes_buffer_view(&bytes));
    else
        send_error(queries, time, query, WIRE__ERROR_CODE__TOO_MUCH,
                   "the answer could not be sealed: ask for less");
    query->waiting = 0;
    query->asked = time.elapsed;
    query->count = 0;
    bytes_buffer_clear(&query->rows);
    bytes_buffer_free(&bytes);
    if (!more || status != STATUS_OK)
        forget(query);
}

/* ---- rows ---- */

static void add_row(struct query *query, const json_t *row)
{
    char *text = json_dumps(row, JSON_COMPACT | JSON_PRESERVE_ORDER);

    bytes_append_string(&query->rows, query->count++ == 0 ? "{\"rows\":[" : ",");
    if (text == NULL)
        query->rows.status = STATUS_NO_MEMORY;
    else if (strlen(text) <= ROW_MAX)
        bytes_append_string(&query->rows, text);
    else
        bytes_append_format(&query->rows, "{\"index\":%" JSON_INTEGER_FORMAT ",\"too_large\":true}",
                            json_integer_value(json_object_get(row, "index")));
    free(text);
}

static void end_rows(struct query *query, const json_t *last)
{
    bytes_append_string(&query->rows, query->count == 0 ? "{\"rows\":[]" : "]");
    if (last != NULL)
        bytes_append_format(&query->rows, ",\"found\":%" JSON_INTEGER_FORMAT,
                            json_integer_value(json_object_get(last, "found")));
    bytes_append_string(&query->rows, "}");
}

/* What the search has found, up to a frame's worth. */
static void pump(struct queries *queries, struct sessions_time time, struct query *query)
{
    struct search_reason reason = {{0}};
    json_t *reply = NULL;
    bool last = false;
    enum status status = STATUS_OK;

    while (status == STATUS_OK && !last && query->rows.size < ANSWER_TARGET) {
        status = search_take(query->search, &reply, &last, &reason);
        if (status == STATUS_OK && !last)
            add_row(query, reply);
        else if (status == STATUS_OK)
            end_rows(query, reply);
        json_decref(reply);
        reply = NULL;
    }
    if (status != STATUS_OK && status != STATUS_BUSY) {
        send_error(queries, time, query, WIRE__ERROR_CODE__NOT_NOW, reason.text);
        forget(query);
    } else if (last) {
        send_answer(queries, time, query, false);
    } else if (query->count > 0) {
        end_rows(query, NULL);
        send_answer(queries, time, query, true);
    }
}

/* ---- a question comes ---- */

static json_t *log_request(const struct query *query)
{
    struct byte_buffer text = bytes_buffer(SEARCH_QUESTION_LINE_MAX);
    json_t *object = NULL;

    if (query->checked.question != NULL)
        search_question_text(query->checked.question, &text);
    else
        bytes_append_string(&text, "a question that cannot be read");
    if (text.status == STATUS_OK)
        object = json_pack("{s:s, s:s, s:s, s:s%, s:s*}", "do", "log-query", "from", query->member, "officer",
                           query->checked.named, "question", (const char *)text.data, text.size, "refused",
                           query->checked.refusal[0] == 0 ? NULL : query->checked.refusal);
    bytes_buffer_free(&text);
    return object;
}

static enum status log_look(struct queries *queries, const struct query *query)
{
    json_t *request = log_request(query);
    char *text = request == NULL ? NULL : json_dumps(request, JSON_COMPACT);
    enum status status = text == NULL ? STATUS_NO_MEMORY : STATUS_OK;

    if (status == STATUS_OK)
        status =
            pipeline_control(queries->options.pipeline, QUERIES_TOKEN | query->number, bytes_of_string(text));
    free(text);
    json_decref(request);
    return status;
}

static enum status start_sealing(struct query *query)
{
    struct x25519_public *key = NULL;
    enum status status = x25519_public(query->checked.answer_key, &key);

    if (status == STATUS_OK)
        status = hpke_sender_start(key, bytes_of_string(QUERY_ANSWER_INFO), random_system(), &query->sender,
                                   query->enc);
    x25519_public_free(&key);
    return status;
}

/* What is asked for in time, once, and can be answered to that key. */
static void check_more(struct queries *queries, struct sessions_time time, struct query *query)
{
    struct query_checked *checked = &query->checked;
    enum nonce_found nonce = NONCE_FRESH;

    if (checked->refusal[0] != 0)
        return;
    nonce = take_nonce(queries, checked, time.now);
    if (nonce != NONCE_FRESH)
        (void)snprintf(checked->refusal, sizeof checked->refusal, "%s",
                       nonce == NONCE_USED ? "this very question was asked before: sign it again to ask again"
                                           : "too many questions within minutes: ask again later");
    else if (start_sealing(query) != STATUS_OK)
        (void)snprintf(checked->refusal, sizeof checked->refusal, "its key for the answers is none");
}

static void handle_query(struct queries *queries, struct sessions_time time,
                         const struct sessions_query *asked)
{
    const struct query_check_place place = {.bundle = sessions_bundle(queries->options.sessions),
                                            .member = asked->member,
                                            .now = time.now,
                                            .started = queries->options.started};
    struct query overflow = {.connection = asked->connection, .waiting = asked->frame->request};
    struct query *query = by_number(queries, 0);

    (void)snprintf(overflow.member, sizeof overflow.member, "%s", asked->member);
    if (query == NULL || running(queries, asked->member) >= QUERIES_EACH) {
        send_error(queries, time, &overflow, WIRE__ERROR_CODE__NOT_NOW,
                   "as many questions as are allowed at once are being answered: ask again");
        return;
    }
    *query = overflow;
    query->number = ++queries->last_number;
    query->request = asked->frame->request;
    query->rows = bytes_buffer(WIRE_FRAME_LIMIT);
    query->asked = time.elapsed;
    enum status status = query_check(asked->frame->query, &place, &query->checked);
    if (status == STATUS_OK) {
        check_more(queries, time, query);
        status = log_look(queries, query);
    }
    if (status == STATUS_OK)
        return;
    send_error(queries, time, query, WIRE__ERROR_CODE__NOT_NOW, "the broker has too much to do: ask again");
    forget(query);
}

static void handle_next(struct queries *queries, struct sessions_time time,
                        const struct sessions_query *asked)
{
    const Wire__QueryNext *next = asked->frame->query_next;
    struct query *query = by_request(queries, asked->connection, next->query);
    struct query nobody = {.connection = asked->connection, .waiting = asked->frame->request};

    (void)snprintf(nobody.member, sizeof nobody.member, "%s", asked->member);
    if (query == NULL || query->waiting != 0 || query->search == NULL) {
        if (query == NULL || !next->stop)
            send_error(queries, time, &nobody, WIRE__ERROR_CODE__NOT_ALLOWED,
                       "no such question waits to be asked on");
        if (query != NULL)
            forget(query); /* asked on twice, or given up */
        return;
    }
    query->waiting = asked->frame->request;
    query->asked = time.elapsed;
    if (next->stop) {
        end_rows(query, NULL);
        send_answer(queries, time, query, false);
    }
}

static void take(void *context, struct sessions_time time, const struct sessions_query *asked)
{
    if (asked->frame->verb_case == WIRE__FRAME__VERB_QUERY)
        handle_query(context, time, asked);
    else
        handle_next(context, time, asked);
}

void queries_logged(struct queries *queries, struct sessions_time time, uint64_t token,
                    struct byte_view answer)
{
    struct query *query = by_number(queries, token & ~QUERIES_TOKEN);
    json_t *object = json_loadb((const char *)answer.data, answer.size, JSON_REJECT_DUPLICATES, NULL);
    bool logged = json_is_integer(json_object_get(object, "index"));
    struct search_reason reason = {{0}};

    json_decref(object);
    if (query == NULL || query->number == 0 || query->search != NULL)
        return;
    if (!logged) {
        send_error(queries, time, query, WIRE__ERROR_CODE__NOT_NOW,
                   "the look cannot be logged now, so that it cannot be answered: ask again");
    } else if (query->checked.refusal[0] != 0) {
        say_line(queries->options.say, time.now, LOGLINE_WARNING, query->member,
                 "an officer's question was refused member=%s: %s", query->member, query->checked.refusal);
        send_error(queries, time, query, WIRE__ERROR_CODE__NOT_ALLOWED, query->checked.refusal);
    } else if (search_start(&queries->options.index, &query->checked.scope, query->checked.question,
                            &query->search, &reason) == STATUS_OK) {
        return;
    } else {
        send_error(queries, time, query, WIRE__ERROR_CODE__NOT_NOW, reason.text);
    }
    forget(query);
}

/* ---- the turns of the loop ---- */

enum status queries_new(const struct queries_options *options, struct queries **ret)
{
    struct queries *queries = calloc(1, sizeof *queries);

    if (queries == NULL)
        return STATUS_NO_MEMORY;
    queries->options = *options;
    queries->nonces = calloc(NONCES_MAX, sizeof *queries->nonces);
    if (queries->nonces == NULL) {
        free(queries);
        return STATUS_NO_MEMORY;
    }
    sessions_on_query(options->sessions, take, queries);
    *ret = queries;
    return STATUS_OK;
}

void queries_free(struct queries **queries)
{
    if (*queries == NULL)
        return;
    for (size_t i = 0; i < QUERIES_MAX; i++)
        forget(&(*queries)->places[i]);
    free((*queries)->nonces);
    free(*queries);
    *queries = NULL;
}

size_t queries_fds(const struct queries *queries, int out[static QUERIES_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < QUERIES_MAX; i++) {
        const struct query *query = &queries->places[i];
        if (query->search != NULL && query->waiting != 0)
            out[count++] = search_fd(query->search);
    }
    return count;
}

/* Still asked on, still connected, and the officer still in force: revocation takes effect at once. */
static void look_at(struct queries *queries, struct sessions_time time, struct query *query)
{
    if (query->number == 0 || query->search == NULL)
        return;
    if (!connected(queries, query) ||
        (query->waiting == 0 && time.elapsed - query->asked >= QUERIES_IDLE_MS)) {
        forget(query);
        return;
    }
    if (query->waiting == 0)
        return;
    if (officer_standing(&query->checked.officer, sessions_bundle(queries->options.sessions), time.now)) {
        pump(queries, time, query);
        return;
    }
    send_error(queries, time, query, WIRE__ERROR_CODE__NOT_ALLOWED,
               "the officer's certificate is no longer in force");
    forget(query);
}

void queries_step(struct queries *queries, struct sessions_time time)
{
    for (size_t i = 0; i < QUERIES_MAX; i++)
        look_at(queries, time, &queries->places[i]);
}
