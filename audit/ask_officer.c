#include "audit/ask_officer.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/local_client.h"
#include "proto/hpke.h"
#include "proto/query.h"

#define TIMEOUT_MS     600000 /* a question may go through the whole log before its first row */
#define ANSWER_LARGEST ((size_t)256 << 10)

struct asking {
    struct local_client *client;
    const struct officer_key *key;
    const struct ask_taker *taker;
    char *reason;
    char member[MEMBER_ID_LENGTH + 1];
    uint8_t root[DIGEST_SIZE];
    struct x25519_private *own; /* for this question alone */
    struct hpke_receiver *receiver;
    uint8_t digest[DIGEST_SIZE]; /* of what was signed */
    uint64_t sequence;           /* of the next answer */
    json_int_t query;            /* as the agent names it */
};

__attribute__((format(printf, 3, 4))) static enum ask_result
end(struct asking *asking, enum ask_result result, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(asking->reason, ASK_REASON_SIZE, format, arguments);
    va_end(arguments);
    return result;
}

/* ---- the agent ---- */

/* One request, one reply: what stands under "ok", the caller's. */
static enum ask_result call(struct asking *asking, const json_t *request, json_t **ret_ok)
{
    json_t *reply = NULL;
    bool last = false;
    enum status status = local_client_call(asking->client, request, TIMEOUT_MS, &reply, &last);
    enum ask_result result = ASK_DONE;

    if (status != STATUS_OK)
        return end(asking, ASK_BROKEN, "the agent's answer did not come: %s", status_text(status));
    const char *refused = json_string_value(json_object_get(reply, "refused"));
    const char *failed = json_string_value(json_object_get(reply, "failed"));
    json_t *ok = json_object_get(reply, "ok");
    if (refused != NULL)
        result = end(asking, ASK_REFUSED, "%.500s", refused);
    else if (failed != NULL || !last || ok == NULL)
        result = end(asking, ASK_BROKEN, "%.500s", failed != NULL ? failed : "the agent's answer is none");
    else
        *ret_ok = json_incref(ok);
    json_decref(reply);
    return result;
}

static enum ask_result learn_place(struct asking *asking)
{
    json_t *request = json_pack("{s:s}", "do", "query-info");
    json_t *ok = NULL;
    enum ask_result result = call(asking, request, &ok);
    const char *member = json_string_value(json_object_get(ok, "member"));
    const char *root = json_string_value(json_object_get(ok, "root"));

    if (result == ASK_DONE && (member == NULL || member_check(bytes_of_string(member)) != STATUS_OK ||
                               root == NULL || bytes_from_hex(root, asking->root, DIGEST_SIZE) != STATUS_OK))
        result = end(asking, ASK_BROKEN, "the agent does not say whose it is");
    else if (result == ASK_DONE)
        (void)snprintf(asking->member, sizeof asking->member, "%s", member);
    json_decref(request);
    json_decref(ok);
    return result;
}

/* ---- the question ---- */

/* The chain as a list of base64; NULL without memory. */
static json_t *chain_json(const struct byte_view *chain, size_t n)
{
    char text[(OFFICER_CERT_LARGEST + 2) / 3 * 4 + 1];
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < n; i++) {
        bytes_to_base64(chain[i].data, chain[i].size, text);
        (void)json_array_append_new(list, json_string(text));
    }
    return list;
}

static json_t *hex_json(const uint8_t *bytes, size_t size)
{
    char text[2 * 64 + 1];

    bytes_to_hex(bytes, size, text);
    return json_string(text);
}

static enum status sign(struct asking *asking, struct query_terms *terms,
                        uint8_t signature[static OFFICER_SIGNATURE])
{
    struct byte_buffer message = bytes_buffer(QUERY_MESSAGE_MAX);

    query_message(terms, &message);
    enum status status = message.status;
    if (status == STATUS_OK) {
        digest_sha256(bytes_buffer_view(&message), asking->digest);
        status = officer_key_sign(asking->key, bytes_buffer_view(&message), signature);
    }
    bytes_buffer_free(&message);
    return status;
}

/* The signed question as the agent takes it. */
static enum status make_query(struct asking *asking, const char *question, int64_t now, json_t **ret)
{
    struct byte_view chain[OFFICER_CHAIN_MAX];
    size_t n = officer_key_chain(asking->key, chain);
    char officer[OFFICER_NAME_SIZE];
    uint8_t certificate[DIGEST_SIZE];
    uint8_t nonce[QUERY_NONCE_SIZE];
    uint8_t answer_key[X25519_KEY_SIZE];
    uint8_t signature[OFFICER_SIGNATURE];
    struct query_terms terms = {.root = asking->root,
                                .member = bytes_of_string(asking->member),
                                .officer = bytes_of_string(officer),
                                .certificate = certificate,
                                .time = (uint64_t)now,
                                .nonce = nonce,
                                .answer_key = answer_key,
                                .question = bytes_of_string(question)};

    officer_name_format(officer_key_name(asking->key), officer);
    terms.officer = bytes_of_string(officer);
    digest_sha256(chain[0], certificate);
    enum status status = random_bytes(nonce, sizeof nonce);
    if (status == STATUS_OK)
        status = x25519_generate(random_system(), &asking->own);
    if (status != STATUS_OK)
        return status;
    memcpy(answer_key, x25519_public_of(asking->own), sizeof answer_key);
    status = sign(asking, &terms, signature);
    if (status != STATUS_OK)
        return status;
    *ret = json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:o, s:o, s:o}", "do", "query", "officer", officer,
                     "question", question, "certificate", hex_json(certificate, sizeof certificate),
                     "signature", hex_json(signature, sizeof signature), "time", (json_int_t)now, "nonce",
                     hex_json(nonce, sizeof nonce), "answer_key", hex_json(answer_key, sizeof answer_key),
                     "chain", chain_json(chain, n));
    return *ret == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

/* ---- answers ---- */

static enum status start_opening(struct asking *asking, const json_t *ok)
{
    const char *text = json_string_value(json_object_get(ok, "enc"));
    uint8_t enc[HPKE_ENC_SIZE];

    if (asking->receiver != NULL)
        return STATUS_OK;
    if (text == NULL || bytes_from_hex(text, enc, sizeof enc) != STATUS_OK)
        return STATUS_BAD_FORMAT;
    return hpke_receiver_start(asking->own, enc, bytes_of_string(QUERY_ANSWER_INFO), &asking->receiver);
}

/* The next answer in order: one that was left out, repeated or exchanged does not open. */
static enum status open_answer(struct asking *asking, const json_t *ok, json_t **ret)
{
    const char *text = json_string_value(json_object_get(ok, "sealed"));
    uint8_t *sealed = malloc(ANSWER_LARGEST);
    struct byte_buffer plain = bytes_buffer(ANSWER_LARGEST);
    size_t size = 0;
    enum status status = sealed == NULL ? STATUS_NO_MEMORY : start_opening(asking, ok);

    if (status == STATUS_OK)
        status = text == NULL ? STATUS_BAD_FORMAT
                              : bytes_from_base64(text, strlen(text), sealed, ANSWER_LARGEST, &size);
    if (status == STATUS_OK)
        status = hpke_open_at(asking->receiver, asking->sequence++, bytes_view(asking->digest, DIGEST_SIZE),
                              bytes_view(sealed, size), &plain);
    if (status == STATUS_OK) {
        *ret = json_loadb((const char *)plain.data, plain.size, JSON_REJECT_DUPLICATES, NULL);
        status = *ret == NULL ? STATUS_BAD_FORMAT : STATUS_OK;
    }
    bytes_buffer_wipe(&plain);
    free(sealed);
    return status;
}

/* Hands the rows over; *ret_more as the sealed word has it: the last one counts them. */
static enum ask_result take_answer(struct asking *asking, const json_t *ok, bool *ret_more)
{
    json_t *answer = NULL;
    enum status status = open_answer(asking, ok, &answer);
    const json_t *rows = json_object_get(answer, "rows");

    if (status != STATUS_OK || !json_is_array(rows)) {
        json_decref(answer);
        return end(asking, ASK_BROKEN, "an answer is not the broker's to this question: %s",
                   status_text(status));
    }
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(rows); i++)
        status = asking->taker->row(asking->taker->context, json_array_get(rows, i));
    *ret_more = json_object_get(answer, "found") == NULL;
    json_decref(answer);
    return status == STATUS_OK
               ? ASK_DONE
               : end(asking, ASK_BROKEN, "the answer could not be dealt with: %s", status_text(status));
}

static enum ask_result converse(struct asking *asking, json_t *request)
{
    bool more = true;
    enum ask_result result = ASK_DONE;

    while (result == ASK_DONE && more) {
        json_t *ok = NULL;
        result = call(asking, request, &ok);
        if (result == ASK_DONE)
            result = take_answer(asking, ok, &more);
        if (result == ASK_DONE && more && !json_is_true(json_object_get(ok, "more")))
            result = end(asking, ASK_BROKEN, "the answer broke off before its end");
        asking->query = json_integer_value(json_object_get(ok, "query"));
        json_decref(ok);
        json_decref(request);
        request = json_pack("{s:s, s:I}", "do", "query-next", "query", asking->query);
        if (request == NULL)
            result = end(asking, ASK_BROKEN, "%s", status_text(STATUS_NO_MEMORY));
    }
    json_decref(request);
    return result;
}

static enum ask_result ask(struct asking *asking, const json_t *request, int64_t now)
{
    enum ask_result result = learn_place(asking);
    char *question = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);
    json_t *query = NULL;
    enum status status = question == NULL ? STATUS_NO_MEMORY : STATUS_OK;

    if (result == ASK_DONE && status == STATUS_OK)
        status = make_query(asking, question, now, &query);
    if (result == ASK_DONE && status != STATUS_OK)
        result = end(asking, ASK_BROKEN, "the question could not be signed: %s", status_text(status));
    if (result == ASK_DONE)
        result = converse(asking, query);
    else
        json_decref(query);
    free(question);
    return result;
}

enum ask_result ask_officer(const char *folder, const struct officer_key *key, int64_t now,
                            const json_t *request, const struct ask_taker *taker,
                            char reason[static ASK_REASON_SIZE])
{
    struct asking asking = {.key = key, .taker = taker, .reason = reason};
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/control.sock", folder);
    enum status status = length < 0 || (size_t)length >= sizeof path
                             ? STATUS_BAD_ARGUMENT
                             : local_client_connect(path, TIMEOUT_MS, &asking.client);
    enum ask_result result = ASK_DONE;

    if (status == STATUS_NOT_FOUND || status == STATUS_CLOSED)
        result = end(&asking, ASK_NOT_RUNNING,
                     "%.300s: no agent runs there; it carries the question to the broker", folder);
    else if (status != STATUS_OK)
        result = end(&asking, ASK_BROKEN, "%.400s: %s", path, status_text(status));
    else
        result = ask(&asking, request, now);
    local_client_close(&asking.client);
    hpke_receiver_free(&asking.receiver);
    x25519_private_free(&asking.own);
    return result;
}
