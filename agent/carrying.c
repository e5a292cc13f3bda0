#include "agent/carrying.h"

#include <stdlib.h>
#include <string.h>

#include "certs/officer.h"
#include "proto/query.h"
#include "proto/wire_check.h"
#include "proto/wire_codec.h"

#define REQUESTS (UINT64_C(1) << 62) /* our request numbers; the session counts from 1 */

/* One question. number 0: the place is free. */
struct carried {
    uint64_t number;  /* of the local connection */
    uint64_t query;   /* request number of its Query */
    uint64_t request; /* that is under way; 0: it is for the officer to ask on */
};

struct carrying {
    struct agent *agent;
    carrying_send *send;
    void *context;
    uint64_t last_request;
    struct wire_arena arena;
    struct carried places[CARRYING_MAX];
};

enum status carrying_new(struct agent *agent, carrying_send *send, void *context, struct carrying **ret)
{
    struct carrying *carrying = calloc(1, sizeof *carrying);

    if (carrying == NULL)
        return STATUS_NO_MEMORY;
    carrying->agent = agent;
    carrying->send = send;
    carrying->context = context;
    carrying->last_request = REQUESTS;
    carrying->arena = wire_arena(WIRE_ARENA_FRAME);
    *ret = carrying;
    return STATUS_OK;
}

void carrying_free(struct carrying **carrying)
{
    if (*carrying == NULL)
        return;
    wire_arena_free(&(*carrying)->arena);
    free(*carrying);
    *carrying = NULL;
}

static struct carried *find(struct carrying *carrying, uint64_t number)
{
    for (size_t i = 0; i < CARRYING_MAX; i++) {
        if (carrying->places[i].number == number)
            return &carrying->places[i];
    }
    return NULL;
}

static void reply(struct local_connection *connection, json_t *object)
{
    if (local_server_reply(connection, object, true) != STATUS_OK)
        local_server_drop(connection);
}

static void reply_sentence(struct local_connection *connection, const char *kind, const char *text)
{
    reply(connection, json_pack("{s:s}", kind, text));
}

/* ---- asking ---- */

static bool send_frame(struct carrying *carrying, uint64_t request, Wire__Frame__VerbCase verb,
                       const ProtobufCMessage *message)
{
    struct byte_buffer body = bytes_buffer(WIRE_FRAME_LIMIT);
    struct byte_buffer frame = bytes_buffer(WIRE_FRAME_LIMIT);

    wire_pack(message, &body);
    bool sent = body.status == STATUS_OK &&
                wire_frame_pack(request, verb, bytes_buffer_view(&body), &frame) == STATUS_OK &&
                carrying->send(carrying->context, bytes_buffer_view(&frame));
    bytes_buffer_free(&body);
    bytes_buffer_free(&frame);
    return sent;
}

static void send_next(struct carrying *carrying, struct carried *carried, bool stop)
{
    Wire__QueryNext next = WIRE__QUERY_NEXT__INIT;

    next.query = carried->query;
    next.stop = stop;
    carried->request = ++carrying->last_request;
    if (!send_frame(carrying, carried->request, WIRE__FRAME__VERB_QUERY_NEXT, &next.base))
        *carried = (struct carried){.number = 0};
}

/* A query as it came in JSON; the fixed fields. */
struct draft {
    uint8_t certificate[DIGEST_SIZE];
    uint8_t signature[OFFICER_SIGNATURE];
    uint8_t nonce[QUERY_NONCE_SIZE];
    uint8_t answer_key[X25519_KEY_SIZE];
    uint8_t chain[OFFICER_CHAIN_MAX][OFFICER_CERT_LARGEST];
    ProtobufCBinaryData list[OFFICER_CHAIN_MAX];
    char officer[WIRE_OFFICER_MAX + 1];
    char *question; /* free it */
};

static bool take_hex(const json_t *request, const char *key, uint8_t *out, size_t size,
                     ProtobufCBinaryData *field)
{
    const char *text = json_string_value(json_object_get(request, key));

    if (text == NULL || bytes_from_hex(text, out, size) != STATUS_OK)
        return false;
    *field = wire_data(bytes_view(out, size));
    return true;
}

static bool take_chain(const json_t *request, struct draft *draft, Wire__Query *query)
{
    const json_t *list = json_object_get(request, "chain");
    size_t n = json_array_size(list);

    if (n == 0 || n > OFFICER_CHAIN_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        size_t size = 0;
        if (text == NULL ||
            bytes_from_base64(text, strlen(text), draft->chain[i], OFFICER_CERT_LARGEST, &size) != STATUS_OK)
            return false;
        draft->list[i] = wire_data(bytes_view(draft->chain[i], size));
    }
    query->n_chain = n;
    query->chain = draft->list;
    return true;
}

static bool take_query(const json_t *request, struct draft *draft, Wire__Query *query)
{
    const char *officer = json_string_value(json_object_get(request, "officer"));
    const char *question = json_string_value(json_object_get(request, "question"));
    const json_t *time = json_object_get(request, "time");

    if (officer == NULL || strlen(officer) > WIRE_OFFICER_MAX || question == NULL || !json_is_integer(time) ||
        json_integer_value(time) < 0)
        return false;
    memcpy(draft->officer, officer, strlen(officer) + 1);
    draft->question = strdup(question);
    query->officer = draft->officer;
    query->question = draft->question;
    query->has_time = true;
    query->time = (uint64_t)json_integer_value(time);
    query->has_nonce = true;
    query->has_answer_key = true;
    return draft->question != NULL &&
           take_hex(request, "certificate", draft->certificate, sizeof draft->certificate,
                    &query->certificate) &&
           take_hex(request, "signature", draft->signature, sizeof draft->signature, &query->signature) &&
           take_hex(request, "nonce", draft->nonce, sizeof draft->nonce, &query->nonce) &&
           take_hex(request, "answer_key", draft->answer_key, sizeof draft->answer_key, &query->answer_key) &&
           take_chain(request, draft, query);
}

static const char away[] = "the broker is away: ask when the agent is connected (concordat status)";

static void start_query(struct carrying *carrying, struct local_connection *connection, const json_t *request)
{
    struct draft draft = {.question = NULL};
    Wire__Query query = WIRE__QUERY__INIT;
    struct carried *carried = find(carrying, 0);

    if (carried == NULL) {
        reply_sentence(connection, "refused",
                       "as many questions as are carried at once are under way: ask again");
    } else if (!take_query(request, &draft, &query)) {
        reply_sentence(
            connection, "refused",
            "a query has officer, question, certificate, signature, time, nonce, answer_key and chain");
    } else {
        *carried =
            (struct carried){.number = local_server_number(connection), .query = ++carrying->last_request};
        carried->request = carried->query;
        if (!send_frame(carrying, carried->request, WIRE__FRAME__VERB_QUERY, &query.base)) {
            *carried = (struct carried){.number = 0};
            reply_sentence(connection, "failed", away);
        }
    }
    free(draft.question);
}

static void ask_on(struct carrying *carrying, struct local_connection *connection, const json_t *request)
{
    struct carried *carried = find(carrying, local_server_number(connection));
    const json_t *number = json_object_get(request, "query");

    if (carried == NULL || carried->request != 0 || !json_is_integer(number) ||
        (uint64_t)json_integer_value(number) != carried->query) {
        reply_sentence(connection, "refused", "no such question waits to be asked on");
        return;
    }
    send_next(carrying, carried, json_is_true(json_object_get(request, "stop")));
    if (carried->number == 0)
        reply_sentence(connection, "failed", away);
}

static json_t *info(const struct carrying *carrying, bool welcomed)
{
    const struct membership *membership = carrying->agent->membership;
    char root[2 * DIGEST_SIZE + 1];

    bytes_to_hex(bundle_root_digest(membership->bundle), DIGEST_SIZE, root);
    return json_pack("{s:{s:s, s:s, s:b}}", "ok", "member", carrying->agent->settings.member, "root", root,
                     "connected", welcomed ? 1 : 0);
}

bool carrying_request(struct carrying *carrying, struct local_connection *connection, const json_t *request,
                      bool welcomed)
{
    const char *verb = json_string_value(json_object_get(request, "do"));
    bool asks = verb != NULL && strcmp(verb, "query") == 0;
    bool goes_on = verb != NULL && strcmp(verb, "query-next") == 0;

    if (verb != NULL && strcmp(verb, "query-info") == 0) {
        reply(connection, info(carrying, welcomed));
        return true;
    }
    if (!asks && !goes_on)
        return false;
    if (!welcomed)
        reply_sentence(connection, "failed", away);
    else if (asks)
        start_query(carrying, connection, request);
    else
        ask_on(carrying, connection, request);
    return true;
}

/* ---- answers ---- */

static json_t *answer_json(const struct carried *carried, const Wire__QueryAnswer *answer)
{
    char enc[2 * X25519_KEY_SIZE + 1];
    char *sealed = malloc(bytes_base64_size(answer->sealed.len) + 1);
    json_t *body = NULL;

    if (sealed == NULL)
        return NULL;
    bytes_to_base64(answer->sealed.data, answer->sealed.len, sealed);
    body = json_pack("{s:I, s:b, s:s}", "query", (json_int_t)carried->query, "more", answer->more ? 1 : 0,
                     "sealed", sealed);
    free(sealed);
    if (body != NULL && answer->has_enc && answer->enc.len == X25519_KEY_SIZE) {
        bytes_to_hex(answer->enc.data, answer->enc.len, enc);
        (void)json_object_set_new(body, "enc", json_string(enc));
    }
    return json_pack("{s:o}", "ok", body);
}

static void answered(struct carried *carried, struct local_connection *connection, const Wire__Frame *frame)
{
    bool ours = frame->verb_case == WIRE__FRAME__VERB_QUERY_ANSWER && frame->query_answer->has_sealed;
    bool more = ours && frame->query_answer->more;

    if (connection != NULL && ours)
        reply(connection, answer_json(carried, frame->query_answer));
    else if (connection != NULL && frame->verb_case == WIRE__FRAME__VERB_ERROR)
        reply_sentence(connection, "refused", frame->error->text);
    else if (connection != NULL)
        reply_sentence(connection, "failed", "the broker answered something else than was asked");
    carried->request = 0;
    if (!more)
        *carried = (struct carried){.number = 0};
}

/* Whether the request number at the front of a frame is one of ours: field 1, version 1, field 2. */
static bool is_ours(struct byte_view bytes)
{
    struct byte_reader reader = bytes_reader(bytes);
    uint64_t request = 0;
    uint8_t byte = 0x80;

    if (bytes_read_u8(&reader) != 0x08 || bytes_read_u8(&reader) != WIRE_VERSION ||
        bytes_read_u8(&reader) != 0x10)
        return false;
    for (unsigned shift = 0; shift < 63 && (byte & 0x80) != 0; shift += 7) {
        byte = bytes_read_u8(&reader);
        request |= (uint64_t)(byte & 0x7f) << shift;
    }
    return (byte & 0x80) == 0 && !reader.failed && request > REQUESTS;
}

bool carrying_frame(struct carrying *carrying, struct local_server *server, struct byte_view bytes)
{
    const Wire__Frame *frame = NULL;
    const char *reason = NULL;

    if (!is_ours(bytes))
        return false;
    wire_arena_reset(&carrying->arena);
    if (wire_frame_unpack(bytes, &carrying->arena, &frame) != STATUS_OK ||
        wire_check_frame(frame, &reason) != STATUS_OK)
        return false; /* the session tells of malformed frames */
    for (size_t i = 0; i < CARRYING_MAX; i++) {
        struct carried *carried = &carrying->places[i];
        if (carried->request == frame->request)
            answered(carried, local_server_find(server, carried->number), frame);
    }
    return true;
}

void carrying_step(struct carrying *carrying, struct local_server *server, bool welcomed)
{
    for (size_t i = 0; i < CARRYING_MAX; i++) {
        struct carried *carried = &carrying->places[i];
        struct local_connection *connection =
            carried->number == 0 ? NULL : local_server_find(server, carried->number);

        if (carried->number == 0)
            continue;
        if (!welcomed) {
            if (connection != NULL && carried->request != 0)
                reply_sentence(connection, "failed", away);
            *carried = (struct carried){.number = 0};
        } else if (connection == NULL) {
            send_next(carrying, carried, true);
            *carried = (struct carried){.number = 0};
        }
    }
}
