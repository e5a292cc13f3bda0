/* Officers' questions over the wire: logged before they are answered, sealed, paced, never twice. */
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/queries.h"
#include "broker/query_check.h"
#include "certs/authority_officers.h"
#include "certs/officer_key.h"
#include "proto/hpke.h"
#include "tests/gate/house.h"
#include "tests/support/loghouse.h"

#define NOW        (PARTNERSHIP_NOW + 60000)
#define SIGNED     (NOW + 60000) /* after the broker started */
#define PASSPHRASE "correct horse battery"
#define LATE_MS    15000
#define ENTRIES    700

static struct house house;
static struct loghouse logs;
static struct officer_key *scheme;
static struct officer_key *police;

static struct officer_key *officer(const char *agency, const char *id)
{
    struct byte_buffer p12 = bytes_buffer(0);
    struct bundle_reason reason = {{0}};
    struct officer_key *key = NULL;
    char name[OFFICER_NAME_SIZE];
    const char *why = NULL;

    assert_int_equal(authority_officers_add(house.partnership->authority, agency, id, 30, PASSPHRASE,
                                            PARTNERSHIP_NOW, &p12, name, &reason),
                     STATUS_OK);
    assert_int_equal(officer_key_open(bytes_buffer_view(&p12), PASSPHRASE, &key, &why), STATUS_OK);
    bytes_buffer_wipe(&p12);
    return key;
}

static int set_up(void **state)
{
    char path[512];

    (void)state;
    house_open(&house, NOW);
    scheme = officer("", "anna.lee");
    police = officer(HOUSE_POLICE, "jane.doe");
    loghouse_make(&logs, 99);
    if (loghouse_open(&logs) != STATUS_OK)
        return 1;
    for (size_t i = 0; i < ENTRIES / 7; i++)
        assert_int_equal(loghouse_commit_row(&logs, 7), STATUS_OK);
    snprintf(path, sizeof path, "%s/broker.db", house.folder);
    return symlink(logs.store_path, path);
}

static int tear_down(void **state)
{
    (void)state;
    house_close(&house);
    loghouse_remove(&logs);
    officer_key_free(&scheme);
    officer_key_free(&police);
    return 0;
}

/* ---- asking ---- */

/* A signed question, and what opens its answers. */
struct asked {
    struct byte_buffer body; /* an encoded Query */
    struct x25519_private *own;
    struct hpke_receiver *receiver;
    uint8_t digest[DIGEST_SIZE];
    uint64_t sequence;
};

static struct asked ask(const struct officer_key *key, const char *member, int64_t time, const char *question)
{
    struct asked asked = {.body = bytes_buffer(WIRE_FRAME_LIMIT)};
    struct byte_buffer message = bytes_buffer(QUERY_MESSAGE_MAX);
    struct byte_view chain[OFFICER_CHAIN_MAX];
    size_t n = officer_key_chain(key, chain);
    ProtobufCBinaryData list[OFFICER_CHAIN_MAX];
    Wire__Query query = WIRE__QUERY__INIT;
    char name[OFFICER_NAME_SIZE];
    char *text = strdup(question);
    uint8_t certificate[DIGEST_SIZE];
    uint8_t nonce[QUERY_NONCE_SIZE];
    uint8_t answer_key[X25519_KEY_SIZE];
    uint8_t signature[OFFICER_SIGNATURE];

    officer_name_format(officer_key_name(key), name);
    digest_sha256(chain[0], certificate);
    assert_int_equal(random_bytes(nonce, sizeof nonce), STATUS_OK);
    assert_int_equal(x25519_generate(random_system(), &asked.own), STATUS_OK);
    memcpy(answer_key, x25519_public_of(asked.own), sizeof answer_key);
    const struct query_terms terms = {.root = bundle_root_digest(house.bundle),
                                      .member = bytes_of_string(member),
                                      .officer = bytes_of_string(name),
                                      .certificate = certificate,
                                      .time = (uint64_t)time,
                                      .nonce = nonce,
                                      .answer_key = answer_key,
                                      .question = bytes_of_string(question)};
    query_message(&terms, &message);
    digest_sha256(bytes_buffer_view(&message), asked.digest);
    assert_int_equal(officer_key_sign(key, bytes_buffer_view(&message), signature), STATUS_OK);
    for (size_t i = 0; i < n; i++)
        list[i] = wire_data(chain[i]);
    query.officer = name;
    query.question = text;
    query.certificate = wire_data(bytes_view(certificate, sizeof certificate));
    query.signature = wire_data(bytes_view(signature, sizeof signature));
    query.has_time = query.has_nonce = query.has_answer_key = true;
    query.time = (uint64_t)time;
    query.nonce = wire_data(bytes_view(nonce, sizeof nonce));
    query.answer_key = wire_data(bytes_view(answer_key, sizeof answer_key));
    query.n_chain = n;
    query.chain = list;
    wire_pack(&query.base, &asked.body);
    assert_int_equal(asked.body.status, STATUS_OK);
    bytes_buffer_free(&message);
    free(text);
    return asked;
}

static void drop(struct asked *asked)
{
    bytes_buffer_free(&asked->body);
    x25519_private_free(&asked->own);
    hpke_receiver_free(&asked->receiver);
}

static void send_query(struct client *client, uint64_t request, const struct asked *asked)
{
    client_verb(client, request, WIRE__FRAME__VERB_QUERY, bytes_buffer_view(&asked->body));
}

static void send_next(struct client *client, uint64_t request, uint64_t query, bool stop)
{
    struct byte_buffer body = bytes_buffer(64);
    Wire__QueryNext next = WIRE__QUERY_NEXT__INIT;

    next.query = query;
    next.stop = stop;
    wire_pack(&next.base, &body);
    client_verb(client, request, WIRE__FRAME__VERB_QUERY_NEXT, bytes_buffer_view(&body));
    bytes_buffer_free(&body);
}

/* The next frame must be an answer to this request; its JSON. */
static json_t *answer(struct client *client, uint64_t request, struct asked *asked, bool *ret_more)
{
    const Wire__Frame *frame = client_frame(client, LATE_MS);
    struct byte_buffer plain = bytes_buffer(WIRE_FRAME_LIMIT);

    assert_non_null(frame);
    if (frame->verb_case == WIRE__FRAME__VERB_ERROR)
        fail_msg("error: %s", frame->error->text);
    assert_int_equal(frame->verb_case, WIRE__FRAME__VERB_QUERY_ANSWER);
    assert_int_equal(frame->request, request);
    const Wire__QueryAnswer *got = frame->query_answer;
    assert_string_equal(got->answer, ""); /* nothing in clear */
    assert_true(got->has_sealed);
    assert_true(got->has_enc == (asked->receiver == NULL));
    if (asked->receiver == NULL)
        assert_int_equal(hpke_receiver_start(asked->own, got->enc.data, bytes_of_string(QUERY_ANSWER_INFO),
                                             &asked->receiver),
                         STATUS_OK);
    assert_int_equal(hpke_open_at(asked->receiver, asked->sequence++, bytes_view(asked->digest, DIGEST_SIZE),
                                  wire_view(got->sealed), &plain),
                     STATUS_OK);
    *ret_more = got->more;
    json_t *json = json_loadb((const char *)plain.data, plain.size, 0, NULL);
    assert_non_null(json);
    bytes_buffer_free(&plain);
    return json;
}

/* ---- stories ---- */

static void answers_come_when_asked_on(void **state)
{
    static struct client client;
    struct asked asked = ask(scheme, HOUSE_PRISON, SIGNED, "{\"do\":\"search\"}");
    uint64_t request = 50;
    uint64_t expected = 0;
    size_t frames = 0;
    bool more = true;

    (void)state;
    client_join(&house, house.prison, &client);
    house_answer(&house, "{\"index\":7}");
    send_query(&client, request, &asked);
    while (more) {
        json_t *json = answer(&client, request, &asked, &more);
        json_t *rows = json_object_get(json, "rows");
        for (size_t i = 0; i < json_array_size(rows); i++)
            assert_int_equal(json_integer_value(json_object_get(json_array_get(rows, i), "index")),
                             expected++);
        if (!more)
            assert_int_equal(json_integer_value(json_object_get(json, "found")), ENTRIES);
        json_decref(json);
        frames++;
        if (frames == 1) {
            /* Nothing more comes by itself. */
            assert_null(client_frame(&client, 300));
            assert_non_null(strstr(house_asked(&house), "\"officer\":\"concordat://scheme/dpo/anna.lee\""));
            assert_non_null(strstr(house_asked(&house), "\"from\":\"" HOUSE_PRISON "\""));
            assert_null(strstr(house_asked(&house), "refused"));
        }
        if (more)
            send_next(&client, ++request, 50, false);
    }
    assert_int_equal(expected, ENTRIES);
    assert_true(frames > 2);
    send_next(&client, 99, 50, false); /* it is over */
    client_error(&client, WIRE__ERROR_CODE__NOT_ALLOWED, 99);
    drop(&asked);
}

static void no_question_counts_twice(void **state)
{
    static struct client client;
    struct asked asked = ask(scheme, HOUSE_PRISON, SIGNED, "{\"do\":\"search\",\"limit\":1}");
    bool more = true;

    (void)state;
    client_join(&house, house.prison, &client);
    house_answer(&house, "{\"index\":7}");
    send_query(&client, 50, &asked);
    for (uint64_t request = 50; more; request++) {
        json_decref(answer(&client, request, &asked, &more));
        if (more)
            send_next(&client, request + 1, 50, false);
    }
    send_query(&client, 90, &asked);
    client_error(&client, WIRE__ERROR_CODE__NOT_ALLOWED, 90);
    assert_non_null(strstr(house_asked(&house), "asked before"));
    drop(&asked);
}

/* The look is in the log, or there is no answer; and what is refused is in the log too. */
static void what_is_not_logged_is_not_answered(void **state)
{
    static struct client client;
    struct asked asked = ask(scheme, HOUSE_PRISON, SIGNED, "{\"do\":\"search\"}");
    struct asked other = ask(police, HOUSE_PRISON, SIGNED, "{\"do\":\"search\"}");
    struct asked odd = ask(police, HOUSE_POLICE, SIGNED, "{\"do\":\"search\",\"colour\":1}");

    (void)state;
    client_join(&house, house.prison, &client);
    house_answer(&house, "{\"error\":\"the broker has no room\"}");
    send_query(&client, 50, &asked);
    client_error(&client, WIRE__ERROR_CODE__NOT_NOW, 50);
    house_answer(&house, "{\"index\":7}");
    send_query(&client, 51, &other);
    client_error(&client, WIRE__ERROR_CODE__NOT_ALLOWED, 51);
    assert_non_null(strstr(house_asked(&house), "own agent"));
    assert_non_null(
        strstr(house_asked(&house), "\"officer\":\"concordat://police.staffordshire/dpo/jane.doe\""));
    send_query(&client, 52, &odd); /* signed for another member's connection */
    client_error(&client, WIRE__ERROR_CODE__NOT_ALLOWED, 52);
    assert_non_null(strstr(house_asked(&house), "\"officer\":\"unproven:concordat"));
    assert_true(house_said(&house, "an officer's question was refused"));
    drop(&asked);
    drop(&other);
    drop(&odd);
}

static void few_are_answered_at_once(void **state)
{
    static struct client client;
    struct asked asked[3];
    bool more = false;

    (void)state;
    client_join(&house, house.prison, &client);
    house_answer(&house, "{\"index\":7}");
    for (size_t i = 0; i < 3; i++)
        asked[i] = ask(scheme, HOUSE_PRISON, SIGNED, "{\"do\":\"search\"}");
    for (size_t i = 0; i < QUERIES_EACH; i++) {
        send_query(&client, 50 + i, &asked[i]);
        json_decref(answer(&client, 50 + i, &asked[i], &more));
        assert_true(more);
    }
    send_query(&client, 60, &asked[2]);
    client_error(&client, WIRE__ERROR_CODE__NOT_NOW, 60);
    send_next(&client, 61, 50, true); /* no more of the first */
    json_decref(answer(&client, 61, &asked[0], &more));
    assert_false(more);
    send_query(&client, 62, &asked[2]);
    json_decref(answer(&client, 62, &asked[2], &more));
    for (size_t i = 0; i < 3; i++)
        drop(&asked[i]);
}

static void revoked_in_the_middle(void **state)
{
    static struct client client;
    struct asked asked = ask(scheme, HOUSE_PRISON, SIGNED, "{\"do\":\"search\"}");
    struct bundle_reason reason = {{0}};
    char path[256];
    char load[512];
    size_t n = 0;
    bool more = false;

    (void)state;
    client_join(&house, house.prison, &client);
    house_answer(&house, "{\"index\":7}");
    send_query(&client, 50, &asked);
    json_decref(answer(&client, 50, &asked, &more));
    assert_int_equal(authority_officers_revoke(house.partnership->authority,
                                               "concordat://scheme/dpo/anna.lee", "left", PARTNERSHIP_NOW, &n,
                                               &reason),
                     STATUS_OK);
    house_next_bundle(&house, path);
    snprintf(load, sizeof load, "{\"do\":\"load\",\"bundle\":\"%s\"}", path);
    json_t *loaded = house_ask(&house, load);
    assert_null(json_object_get(loaded, "error"));
    json_decref(loaded);
    assert_int_equal(client_frame(&client, LATE_MS)->verb_case,
                     WIRE__FRAME__VERB_WELCOME); /* of the bundle */
    send_next(&client, 51, 50, false);
    client_error(&client, WIRE__ERROR_CODE__NOT_ALLOWED, 51);
    drop(&asked);
}

/* ---- what may be asked, without a broker around it ---- */

static void expect(const struct asked *asked, const char *member, int64_t now, const char *refusal)
{
    struct wire_arena arena = wire_arena(WIRE_ARENA_FRAME);
    const ProtobufCMessage *message = NULL;
    const struct query_check_place place = {
        .bundle = house.bundle, .member = member, .now = now, .started = NOW - 1000000};
    struct query_checked checked;

    assert_int_equal(wire_unpack(&wire__query__descriptor, bytes_buffer_view(&asked->body), WIRE_FRAME_LIMIT,
                                 &arena, &message),
                     STATUS_OK);
    assert_int_equal(query_check((const Wire__Query *)message, &place, &checked), STATUS_OK);
    if (refusal == NULL ? checked.refusal[0] != 0 : strstr(checked.refusal, refusal) == NULL)
        fail_msg("'%s', expected '%s'", checked.refusal, refusal == NULL ? "" : refusal);
    query_check_clear(&checked);
    wire_arena_free(&arena);
}

static void questions_are_judged(void **state)
{
    struct asked wide = ask(scheme, HOUSE_PRISON, NOW, "{\"do\":\"search\"}");
    struct asked own = ask(police, HOUSE_POLICE, NOW, "{\"do\":\"search\",\"type\":\"arrest.made\"}");
    struct asked strange = ask(police, HOUSE_PRISON, NOW, "{\"do\":\"search\"}");
    struct asked past = ask(police, HOUSE_POLICE, NOW, "{\"do\":\"replay-export\"}");
    struct asked odd = ask(police, HOUSE_POLICE, NOW, "{\"do\":\"search\",\"colour\":\"red\"}");
    struct asked none = ask(police, HOUSE_POLICE, NOW, "[]");
    struct asked control = ask(police, HOUSE_POLICE, NOW, "{\"do\":\"search\",\"a\\u0001\":1}");

    (void)state;
    expect(&wide, HOUSE_PRISON, NOW, NULL);
    expect(&wide, HOUSE_POLICE, NOW, "signature"); /* another agent carries it on */
    expect(&own, HOUSE_POLICE, NOW, NULL);
    expect(&own, HOUSE_POLICE, NOW + QUERY_CHECK_AGE_MS, NULL);
    expect(&own, HOUSE_POLICE, NOW + QUERY_CHECK_AGE_MS + 1, "too long ago");
    expect(&own, HOUSE_POLICE, NOW - QUERY_CHECK_AGE_MS - 1, "ahead of time");
    expect(&own, HOUSE_POLICE, NOW + 40 * PARTNERSHIP_DAY, "certificate");
    expect(&strange, HOUSE_PRISON, NOW, "own agent");
    expect(&past, HOUSE_POLICE, NOW, "only the scheme's");
    expect(&odd, HOUSE_POLICE, NOW, "colour");
    expect(&none, HOUSE_POLICE, NOW, "not a JSON object");
    expect(&control, HOUSE_POLICE, NOW,
           "the question is malformed"); /* and nothing that the log cannot hold */
    expect(&own, HOUSE_POLICE, NOW + 91 * PARTNERSHIP_DAY, "bundle has expired");
    /* Whatever is changed on the way, it is not the officer's question any more. */
    for (size_t i = 0; i < own.body.size; i += 11) {
        struct wire_arena arena = wire_arena(WIRE_ARENA_FRAME);
        const ProtobufCMessage *message = NULL;
        const struct query_check_place place = {.bundle = house.bundle, .member = HOUSE_POLICE, .now = NOW};
        struct query_checked checked;
        own.body.data[i] ^= 1;
        if (wire_unpack(&wire__query__descriptor, bytes_buffer_view(&own.body), WIRE_FRAME_LIMIT, &arena,
                        &message) == STATUS_OK) {
            const Wire__Query *query = (const Wire__Query *)message;
            /* What wire_check_frame sees to. */
            if (query->signature.len == 64 && query->certificate.len == 32 && query->nonce.len == 16 &&
                query->answer_key.len == 32 && query->n_chain <= 2) {
                assert_int_equal(query_check(query, &place, &checked), STATUS_OK);
                assert_true(checked.refusal[0] != 0);
                query_check_clear(&checked);
            }
        }
        own.body.data[i] ^= 1;
        wire_arena_free(&arena);
    }
    drop(&wide);
    drop(&own);
    drop(&strange);
    drop(&past);
    drop(&odd);
    drop(&none);
    drop(&control);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(answers_come_when_asked_on),
        TEST(no_question_counts_twice),
        TEST(what_is_not_logged_is_not_answered),
        TEST(few_are_answered_at_once),
        TEST(revoked_in_the_middle),
        TEST(questions_are_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
