#include "broker/query_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "broker/search_question.h"

/* One clause after "refused: "; the first reason stands. */
__attribute__((format(printf, 2, 3))) static void refuse(struct query_checked *checked, const char *format,
                                                         ...)
{
    va_list arguments;

    if (checked->refusal[0] != 0)
        return;
    va_start(arguments, format);
    (void)vsnprintf(checked->refusal, sizeof checked->refusal, format, arguments);
    va_end(arguments);
    /* It goes into the log and may quote what came: never half a character, never a control character. */
    if (!utf8_printable(bytes_of_string(checked->refusal)))
        (void)snprintf(checked->refusal, sizeof checked->refusal, "the question is malformed");
}

/* The chain, and that it is the one that the query names. */
static enum status prove_officer(const Wire__Query *query, const struct query_check_place *place,
                                 struct query_checked *checked)
{
    struct byte_view chain[OFFICER_CHAIN_MAX];
    const char *reason = NULL;
    size_t n = query->n_chain < OFFICER_CHAIN_MAX ? query->n_chain : OFFICER_CHAIN_MAX;

    for (size_t i = 0; i < n; i++)
        chain[i] = wire_view(query->chain[i]);
    enum status status = officer_verify(chain, n, place->bundle, place->now, &checked->officer, &reason);
    if (status == STATUS_NO_MEMORY || status == STATUS_CRYPTO)
        return status;
    if (status != STATUS_OK)
        refuse(checked, "the officer's certificate does not hold: %s", reason);
    else if (!bytes_equal(wire_view(query->certificate),
                          bytes_view(checked->officer.certificate, DIGEST_SIZE)) ||
             strcmp(query->officer, checked->officer.text) != 0) {
        refuse(checked, "the certificate is another officer's than the one who is named");
        checked->officer.text[0] = 0; /* nobody's: what is signed by whom does not matter any more */
    }
    return STATUS_OK;
}

static enum status prove_signature(const Wire__Query *query, const struct query_check_place *place,
                                   struct query_checked *checked)
{
    struct byte_buffer message = bytes_buffer(QUERY_MESSAGE_MAX);
    const struct query_terms terms = {.root = bundle_root_digest(place->bundle),
                                      .member = bytes_of_string(place->member),
                                      .officer = bytes_of_string(query->officer),
                                      .certificate = checked->officer.certificate,
                                      .time = query->time,
                                      .nonce = query->nonce.data,
                                      .answer_key = query->answer_key.data,
                                      .question = bytes_of_string(query->question)};

    query_message(&terms, &message);
    enum status status = message.status;
    if (status == STATUS_OK)
        status = officer_signed(&checked->officer, bytes_buffer_view(&message), query->signature.data);
    if (status == STATUS_OK) {
        digest_sha256(bytes_buffer_view(&message), checked->digest);
        checked->proven = true;
    } else if (status == STATUS_BAD_SIGNATURE) {
        refuse(checked, "the signature is not the officer's over this question, through this agency's agent");
        status = STATUS_OK;
    }
    bytes_buffer_free(&message);
    return status;
}

/* An agency's officer asks through the own agency's agent, the scheme's through anybody's. */
static void check_right(const struct query_check_place *place, struct query_checked *checked)
{
    const struct officer_name *name = &checked->officer.name;

    if (name->role != OFFICER_DPO)
        refuse(checked, "only data protection officers may ask the log");
    if (name->agency[0] != 0 && strcmp(name->agency, place->member) != 0)
        refuse(checked, "an officer of %s asks through that agency's own agent", name->agency);
    checked->scope.everything = name->agency[0] == 0;
    checked->scope.agency = bytes_of_string(name->agency);
}

static void check_time(const Wire__Query *query, const struct query_check_place *place,
                       struct query_checked *checked)
{
    int64_t time = (int64_t)query->time;

    if (time < place->now - QUERY_CHECK_AGE_MS)
        refuse(checked, "it was signed too long ago: ask again, with a clock that is right");
    else if (time > place->now + QUERY_CHECK_AGE_MS)
        refuse(checked, "it was signed ahead of time: is the clock right?");
    else if (time < place->started)
        refuse(checked, "it was signed before the broker started: ask again");
}

static void check_question(const Wire__Query *query, struct query_checked *checked)
{
    struct search_question question;
    struct search_reason reason = {{0}};

    checked->question = json_loads(query->question, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(checked->question)) {
        json_decref(checked->question);
        checked->question = NULL;
        refuse(checked, "the question is not a JSON object");
    } else if (search_question_parse(checked->question, &question, &reason) != STATUS_OK) {
        json_decref(checked->question);
        checked->question = NULL;
        refuse(checked, "%.200s", reason.text);
    } else if (search_question_needs_everything(question.what) && !checked->scope.everything) {
        refuse(checked, "only the scheme's data protection officer may ask for that");
    }
}

/* What is no officer's name is not repeated. */
static void name_for_log(const Wire__Query *query, struct query_checked *checked)
{
    struct officer_name name;

    if (checked->proven)
        (void)snprintf(checked->named, sizeof checked->named, "%s", checked->officer.text);
    else if (officer_name_parse(bytes_of_string(query->officer), &name))
        (void)snprintf(checked->named, sizeof checked->named, "unproven:%s", query->officer);
    else
        (void)snprintf(checked->named, sizeof checked->named, "unproven:nobody");
}

enum status query_check(const Wire__Query *query, const struct query_check_place *place,
                        struct query_checked *ret)
{
    enum status status = STATUS_OK;

    *ret = (struct query_checked){.proven = false};
    if (bundle_state(place->bundle, place->now, 0) == BUNDLE_EXPIRED)
        refuse(ret, "the partnership's bundle has expired: nothing is answered until a newer one is loaded");
    if (!query->has_time || !query->has_nonce || !query->has_answer_key || query->n_chain == 0) {
        refuse(ret, "a query needs time, nonce, answer_key and chain");
    } else {
        memcpy(ret->nonce, query->nonce.data, QUERY_NONCE_SIZE);
        memcpy(ret->answer_key, query->answer_key.data, X25519_KEY_SIZE);
        status = prove_officer(query, place, ret);
        if (status == STATUS_OK && ret->officer.text[0] != 0)
            status = prove_signature(query, place, ret);
        if (status == STATUS_OK && ret->proven) {
            check_right(place, ret);
            check_time(query, place, ret);
        }
    }
    if (status != STATUS_OK)
        return status;
    name_for_log(query, ret);
    check_question(query, ret);
    return STATUS_OK;
}

void query_check_clear(struct query_checked *checked)
{
    json_decref(checked->question);
    checked->question = NULL;
}
