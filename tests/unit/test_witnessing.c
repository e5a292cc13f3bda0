#include "tests/support/support.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/db.h"
#include "broker/witnessing.h"
#include "proto/logrow.h"
#include "proto/merkle.h"
#include "tests/support/exchange.h"

/* Five agencies are witnesses of a broker's log, one of them may be dishonest: four must cosign, and three
 * must have said hello before anything is signed. The agencies' side is played here. */

#define WITNESSES 5
#define QUORUM    4
#define LATE_MS   INT64_C(10000)

struct offer {
    struct byte_buffer note; /* as it was offered */
    uint64_t size;
    struct digest root;
};

/* ---- what happens ---- */

static struct exchange *open_exchange(void **state)
{
    struct exchange *exchange = *state;

    exchange->limits.cosign_every = 100;
    exchange->limits.sign_every = 20;
    exchange_witnesses(exchange, WITNESSES, 1);
    return exchange;
}

static json_t *read_status(struct exchange *exchange)
{
    json_error_t error;
    json_t *status = json_loads(exchange_control(exchange, "{\"do\":\"status\"}"), 0, &error);

    if (status == NULL)
        fail_msg("no status: %s", exchange->fatal);
    return status;
}

static json_int_t number(struct exchange *exchange, const char *name)
{
    json_t *status = read_status(exchange);
    json_int_t value = json_integer_value(json_object_get(status, name));

    json_decref(status);
    return value;
}

static void until(struct exchange *exchange, const char *name, json_int_t least)
{
    const int64_t late = clock_elapsed() + LATE_MS;

    while (number(exchange, name) < least && clock_elapsed() < late)
        continue;
    assert_true(number(exchange, name) >= least);
}

static void until_signed(struct exchange *exchange)
{
    until(exchange, "signed", number(exchange, "entries"));
}

static void until_fatal(struct exchange *exchange, const char *part)
{
    const int64_t late = clock_elapsed() + LATE_MS;

    while (exchange->fatal[0] == '\0' && clock_elapsed() < late)
        (void)exchange_control(exchange, "{\"do\":\"status\"}");
    if (strstr(exchange->fatal, part) == NULL)
        fail_msg("the broker ended otherwise: %s", exchange->fatal);
}

static void connect_witnesses(struct exchange *exchange, size_t count)
{
    for (size_t i = 0; i < count; i++)
        exchange_connect(exchange, i);
}

static struct note_key *own_key(struct exchange *exchange)
{
    struct note_key *key = NULL;

    assert_int_equal(note_key_parse(bytes_of_string(bundle_log_vkey(exchange->bundle)), &key), STATUS_OK);
    return key;
}

/* Takes the next offer to an agent, which must follow what it holds. */
static struct offer take_offer(struct exchange *exchange, size_t agent, const struct offer *before)
{
    const Wire__CheckpointOffer *offered =
        exchange_wait(exchange, agent, WIRE__FRAME__VERB_CHECKPOINT)->checkpoint;
    struct note_key *log = own_key(exchange);
    struct checkpoint checkpoint;
    struct digest proof[MERKLE_CONSISTENCY_MAX];
    struct offer offer = {.note = bytes_buffer(WIRE_FRAME_LIMIT)};
    const struct digest empty = merkle_empty_root();

    bytes_append_view(&offer.note, wire_view(offered->note));
    assert_int_equal(checkpoint_open(bytes_buffer_view(&offer.note), log, NULL, &checkpoint), STATUS_OK);
    for (size_t i = 0; i < offered->n_consistency; i++)
        memcpy(proof[i].bytes, offered->consistency[i].data, DIGEST_SIZE);
    assert_int_equal(offered->old_size, before == NULL ? 0 : before->size);
    assert_int_equal(merkle_verify_consistency(offered->old_size, checkpoint.size, proof,
                                               offered->n_consistency,
                                               before == NULL ? &empty : &before->root, &checkpoint.root),
                     STATUS_OK);
    offer.size = checkpoint.size;
    offer.root = checkpoint.root;
    note_key_free(&log);
    return offer;
}

/* The offer of what is signed by now, after those of less. */
static struct offer take_newest(struct exchange *exchange, size_t agent, const struct offer *before)
{
    until_signed(exchange);
    const uint64_t least = (uint64_t)number(exchange, "signed");
    struct offer offer = take_offer(exchange, agent, before);

    while (offer.size < least) {
        bytes_buffer_free(&offer.note);
        offer = take_offer(exchange, agent, before);
    }
    return offer;
}

static void free_offer(struct offer *offer)
{
    bytes_buffer_free(&offer->note);
}

static void send(struct exchange *exchange, size_t agent, struct byte_view line, const struct offer *offer,
                 struct byte_view held)
{
    struct byte_buffer bytes = bytes_buffer(WIRE_FRAME_LIMIT);
    Wire__Frame frame = WIRE__FRAME__INIT;
    Wire__Cosignature cosignature = WIRE__COSIGNATURE__INIT;

    frame.version = WIRE_VERSION;
    frame.request = 9;
    frame.verb_case = WIRE__FRAME__VERB_COSIGN;
    frame.cosign = &cosignature;
    cosignature.line = wire_data(line);
    cosignature.old_size = offer->size;
    cosignature.has_size = 1;
    cosignature.size = offer->size;
    cosignature.has_held = held.size > 0;
    cosignature.held = wire_data(held);
    wire_pack(&frame.base, &bytes);
    exchange_send(exchange, agent, bytes_buffer_view(&bytes));
    bytes_buffer_free(&bytes);
}

/* The line by which an agent cosigns a note. */
static struct byte_buffer line_of(struct exchange *exchange, size_t agent, const struct offer *offer)
{
    struct byte_buffer line = bytes_buffer(1024);
    struct note_key *key = NULL;
    struct note note;

    assert_int_equal(note_parse(bytes_buffer_view(&offer->note), &note), STATUS_OK);
    assert_int_equal(note_key_new(bytes_of_string(exchange->agents[agent].id), NOTE_KEY_COSIGNATURE,
                                  keystore_witness(exchange->agents[agent].keys), &key),
                     STATUS_OK);
    assert_int_equal(checkpoint_cosign(note.text, key, PARTNERSHIP_NOW, &line), STATUS_OK);
    note_key_free(&key);
    return line;
}

static void cosign(struct exchange *exchange, size_t agent, const struct offer *offer)
{
    struct byte_buffer line = line_of(exchange, agent, offer);

    send(exchange, agent, bytes_buffer_view(&line), offer, bytes_view(NULL, 0));
    bytes_buffer_free(&line);
}

/* So many take the next offer and cosign it; the last of them gives it back. */
static struct offer cosign_all(struct exchange *exchange, size_t count, const struct offer *before)
{
    struct offer offer = {.note = bytes_buffer(0)};

    for (size_t i = 0; i < count; i++) {
        free_offer(&offer);
        offer = take_newest(exchange, i, before);
        cosign(exchange, i, &offer);
    }
    return offer;
}

/* Of how many witnesses the note that Welcomes carry has cosignatures. */
static size_t cosignatures(struct exchange *exchange)
{
    struct witnesses *witnesses = NULL;
    struct note_signed by[WITNESSES_MAX];
    struct note note;
    size_t count = 0;
    size_t bad = 0;

    assert_int_equal(witnesses_new(exchange->bundle, &witnesses), STATUS_OK);
    assert_int_equal(note_parse(bytes_of_string(exchange->checkpoint), &note), STATUS_OK);
    assert_int_equal(witnesses_signed(witnesses, &note, by, &count, &bad), STATUS_OK);
    assert_int_equal(bad, 0);
    witnesses_free(&witnesses);
    return count;
}

/* ---- copies of the folder, as a backup takes and brings them ---- */

static void copy(const struct exchange *exchange, const char *from, const char *to)
{
    char command[512];

    snprintf(command, sizeof command, "mkdir -p %s/%s && rm -f %s/%s/*.db* && cp %s/%s/*.db* %s/%s",
             exchange->folder, to, exchange->folder, to, exchange->folder, from, exchange->folder, to);
    assert_int_equal(system(command), 0);
}

static void stop(struct exchange *exchange)
{
    exchange_stop(exchange);
    exchange->fatal[0] = '\0';
}

/* ---- stories ---- */

/* For many periods of signing. */
static void stays_unsigned(struct exchange *exchange)
{
    const int64_t end = clock_elapsed() + 500;

    while (clock_elapsed() < end)
        assert_int_equal(number(exchange, "signed"), 0);
}

static void nothing_is_signed_until_enough_have_said_hello(void **state)
{
    struct exchange *exchange = open_exchange(state);

    exchange_start(exchange);
    exchange_connect(exchange, EXCHANGE_POLICE);
    exchange_connect(exchange, 1);
    exchange_list(exchange, 1); /* accepting goes on */
    assert_true(number(exchange, "entries") > 0);
    stays_unsigned(exchange);
    assert_int_equal(number(exchange, "final"), 0);
    exchange_disconnect(exchange, 1);
    exchange_connect(exchange, 1); /* again is no third */
    assert_int_equal(number(exchange, "witnesses_heard"), 2);
    stays_unsigned(exchange);
    exchange_connect(exchange, EXCHANGE_DRUGS);
    until_signed(exchange);
}

static void what_the_quorum_cosigned_is_final(void **state)
{
    struct exchange *exchange = open_exchange(state);

    exchange_start(exchange);
    connect_witnesses(exchange, WITNESSES);
    until_signed(exchange);
    struct offer first = cosign_all(exchange, QUORUM - 1, NULL);
    assert_int_equal(number(exchange, "final"), 0);
    struct offer same = take_offer(exchange, 3, NULL);
    assert_int_equal(same.size, first.size);
    cosign(exchange, 3, &same);
    until(exchange, "final", (json_int_t)first.size);
    until_signed(exchange);
    free_offer(&same);

    /* A fifth comes late, and stands in the note as well. */
    same = take_offer(exchange, 4, NULL);
    cosign(exchange, 4, &same);
    free_offer(&same);
    const int64_t late = clock_elapsed() + LATE_MS;
    while (cosignatures(exchange) < WITNESSES && clock_elapsed() < late)
        (void)number(exchange, "final");
    assert_int_equal(cosignatures(exchange), WITNESSES);

    /* What follows is provisional until it is cosigned too, from where each of them stands. */
    exchange_list(exchange, 1);
    until_signed(exchange);
    assert_int_equal(number(exchange, "final"), first.size);
    struct offer second = cosign_all(exchange, QUORUM, &first);
    assert_true(second.size > first.size);
    until(exchange, "final", (json_int_t)second.size);
    exchange_stop(exchange);

    /* And stays so. */
    exchange_start(exchange);
    assert_int_equal(number(exchange, "final"), second.size);
    for (size_t i = 0; i < WITNESSES; i++)
        exchange_show(exchange, i, bytes_buffer_view(i == 4 ? &first.note : &second.note));
    assert_int_equal(number(exchange, "final"), second.size);
    same = take_offer(exchange, 4, &first);
    assert_int_equal(same.size, second.size);
    free_offer(&same);
    free_offer(&first);
    free_offer(&second);
}

static void a_bundle_with_other_witnesses_asks_for_their_word(void **state)
{
    struct exchange *exchange = open_exchange(state);

    exchange_start(exchange);
    connect_witnesses(exchange, WITNESSES);
    until_signed(exchange);
    struct offer first = cosign_all(exchange, QUORUM, NULL);
    until(exchange, "final", (json_int_t)first.size);
    exchange->witnesses = 3; /* three of three with one dishonest */
    exchange_load(exchange, exchange_bundle(exchange, NULL));
    until_signed(exchange);
    assert_int_equal(number(exchange, "witness_quorum"), 3);
    assert_int_equal(number(exchange, "final"), first.size); /* three of the four are still witnesses */
    exchange->witnesses = 5;
    exchange->dishonest = 3; /* all five must */
    exchange_load(exchange, exchange_bundle(exchange, NULL));
    assert_int_equal(number(exchange, "witness_quorum"), 5);
    assert_int_equal(number(exchange, "final"), 0);
    free_offer(&first);
}

static void one_liar_stops_nothing(void **state)
{
    struct exchange *exchange = open_exchange(state);

    exchange_start(exchange);
    connect_witnesses(exchange, WITNESSES);
    until_signed(exchange);
    /* Another's cosignature, a cosignature of something else, rubbish, a refusal. */
    struct offer offer = take_offer(exchange, 0, NULL);
    struct byte_buffer line = line_of(exchange, 1, &offer);
    send(exchange, 0, bytes_buffer_view(&line), &offer, bytes_view(NULL, 0));
    send(exchange, 0, bytes_of_string("rubbish"), &offer, bytes_view(NULL, 0));
    line.data[line.size - 4] ^= 1;
    send(exchange, 0, bytes_buffer_view(&line), &offer, bytes_view(NULL, 0));
    send(exchange, 0, bytes_of_string(""), &offer, bytes_view(NULL, 0));
    /* A checkpoint that nobody signed, in a cosignature and in a hello. */
    send(exchange, 0, bytes_of_string(""), &offer,
         bytes_of_string("log\n99999\nAAAA\n\n\xe2\x80\x94 log AAAA\n"));
    exchange_disconnect(exchange, 0);
    exchange_show(exchange, 0, bytes_of_string("log\n99999\nAAAA\n\n\xe2\x80\x94 log AAAA\n"));
    bytes_buffer_free(&line);
    for (size_t i = 1; i < WITNESSES; i++) {
        struct offer good = take_offer(exchange, i, NULL);
        cosign(exchange, i, &good);
        free_offer(&good);
    }
    until(exchange, "final", (json_int_t)offer.size);
    assert_string_equal(exchange->fatal, "");
    assert_int_equal(number(exchange, "bad_checkpoints"), 2);
    json_t *status = read_status(exchange);
    json_t *liar = json_array_get(json_object_get(status, "witnesses"), 1); /* police, in order of members */
    assert_string_equal(json_string_value(json_object_get(liar, "member")), exchange->agents[0].id);
    assert_int_equal(json_integer_value(json_object_get(liar, "bad")), 3);
    json_decref(status);
    free_offer(&offer);
    exchange_stop(exchange);
    /* each of the three once: a bad cosignature, no cosignature, a checkpoint of nobody */
    assert_int_equal(exchange_entries(exchange, RECORD_INCIDENT), 3);
}

static void a_cosignature_that_comes_too_late_is_no_lie(void **state)
{
    struct exchange *exchange = open_exchange(state);

    exchange_start(exchange);
    connect_witnesses(exchange, WITNESSES);
    struct offer first = take_newest(exchange, 0, NULL);
    exchange_list(exchange, 1);
    struct offer second = take_newest(exchange, 0, NULL);
    assert_true(second.size > first.size);
    cosign(exchange, 0, &first);
    cosign(exchange, 0, &second);
    until(exchange, "offered", (json_int_t)second.size);
    json_t *status = read_status(exchange);
    json_t *witness = json_array_get(json_object_get(status, "witnesses"), 1);
    assert_int_equal(json_integer_value(json_object_get(witness, "bad")), 0);
    assert_int_equal(json_integer_value(json_object_get(witness, "cosigned")), second.size);
    json_decref(status);
    free_offer(&first);
    free_offer(&second);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_INCIDENT), 0);
}

static void a_witness_that_holds_less_is_asked_again_from_there(void **state)
{
    struct exchange *exchange = open_exchange(state);

    exchange_start(exchange);
    connect_witnesses(exchange, WITNESSES);
    struct offer first = take_newest(exchange, 0, NULL);
    cosign(exchange, 0, &first);
    exchange_list(exchange, 1);
    struct offer second = take_newest(exchange, 0, &first);
    cosign(exchange, 0, &second);
    exchange_list(exchange, 2);
    struct offer third = take_newest(exchange, 0, &second);
    /* it lost the second */
    send(exchange, 0, bytes_of_string(""), &third, bytes_buffer_view(&first.note));
    struct offer again = take_offer(exchange, 0, &first);
    assert_int_equal(again.size, third.size);
    free_offer(&first);
    free_offer(&second);
    free_offer(&third);
    free_offer(&again);
}

/* A backup of the whole folder, checkpoint.db included, is brought back: the log has gone on since. */
static void a_restored_backup_is_found_by_a_hello(void **state)
{
    struct exchange *exchange = open_exchange(state);
    struct pipeline_reason reason;

    exchange_start(exchange);
    connect_witnesses(exchange, WITNESSES);
    until_signed(exchange);
    exchange_stop(exchange);
    copy(exchange, ".", "backup");
    exchange_start(exchange);
    connect_witnesses(exchange, WITNESSES);
    exchange_list(exchange, 1);
    struct offer offer = take_newest(exchange, EXCHANGE_DRUGS, NULL);
    cosign(exchange, EXCHANGE_DRUGS, &offer);
    stop(exchange);
    copy(exchange, "backup", ".");

    exchange_start(exchange);
    exchange_connect(exchange, EXCHANGE_POLICE);
    exchange_connect(exchange, 1);
    exchange_list(exchange, 2); /* accepting goes on, nothing is signed */
    exchange_show(exchange, EXCHANGE_DRUGS, bytes_buffer_view(&offer.note));
    until_fatal(exchange, "it is an older copy, and going on would fork the log");
    stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_INCIDENT), 1);
    /* nor does it start again */
    assert_int_equal(exchange_try_start(exchange, &reason), STATUS_FORKED);
    assert_non_null(strstr(reason.text, "older copy"));
    free_offer(&offer);
}

/* The folder was copied, and both copies went on: each signed its own log of one size. */
static void two_heads_of_one_log_are_found_by_a_hello(void **state)
{
    struct exchange *exchange = open_exchange(state);

    exchange_start(exchange);
    connect_witnesses(exchange, WITNESSES);
    until_signed(exchange);
    exchange_stop(exchange);
    copy(exchange, ".", "other");
    exchange_start(exchange);
    connect_witnesses(exchange, WITNESSES);
    exchange_list(exchange, 1);
    struct offer offer = take_newest(exchange, EXCHANGE_DRUGS, NULL);
    stop(exchange);
    copy(exchange, "other", ".");
    exchange_start(exchange);
    connect_witnesses(exchange, 4);
    exchange_list(exchange, 2);
    exchange_list(exchange, 3);
    until_signed(exchange);
    exchange_show(exchange, EXCHANGE_DRUGS, bytes_buffer_view(&offer.note));
    until_fatal(exchange, "the log was forked");
    stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_INCIDENT), 1);
    free_offer(&offer);
}

static void a_fork_is_found_by_a_refusal_too(void **state)
{
    struct exchange *exchange = open_exchange(state);

    exchange_start(exchange);
    connect_witnesses(exchange, WITNESSES);
    until_signed(exchange);
    exchange_stop(exchange);
    copy(exchange, ".", "other");
    exchange_start(exchange);
    connect_witnesses(exchange, WITNESSES);
    exchange_list(exchange, 1);
    struct offer offer = take_newest(exchange, EXCHANGE_DRUGS, NULL);
    stop(exchange);
    copy(exchange, "other", ".");
    exchange_start(exchange);
    connect_witnesses(exchange, WITNESSES); /* shows nothing in its hello */
    exchange_list(exchange, 2);
    struct offer other = take_newest(exchange, EXCHANGE_DRUGS, NULL);
    send(exchange, EXCHANGE_DRUGS, bytes_of_string(""), &other, bytes_buffer_view(&offer.note));
    until_fatal(exchange, exchange->agents[EXCHANGE_DRUGS].id);
    free_offer(&offer);
    free_offer(&other);
}

/* The member's newest entry as a sender, with its log proof. */
static void ask_for_proof(struct exchange *exchange, size_t agent)
{
    struct byte_buffer bytes = bytes_buffer(WIRE_FRAME_LIMIT);
    Wire__Frame frame = WIRE__FRAME__INIT;
    Wire__LogRequest request = WIRE__LOG_REQUEST__INIT;

    frame.version = WIRE_VERSION;
    frame.request = 11;
    frame.verb_case = WIRE__FRAME__VERB_LOG_REQUEST;
    frame.log_request = &request;
    request.first_counter = 1;
    request.count = 1;
    request.as_sender = 1;
    wire_pack(&frame.base, &bytes);
    exchange_send(exchange, agent, bytes_buffer_view(&bytes));
    bytes_buffer_free(&bytes);
    (void)exchange_wait(exchange, agent, WIRE__FRAME__VERB_LOG_ANSWER);
}

static void nothing_is_offered_before_its_time(void **state)
{
    struct exchange *exchange = open_exchange(state);

    exchange->limits.cosign_every = 3600000;
    exchange_start(exchange);
    connect_witnesses(exchange, WITNESSES);
    until_signed(exchange);
    struct offer first = cosign_all(exchange, QUORUM, NULL);
    exchange_list(exchange, 1);
    until_signed(exchange);
    const int64_t end = clock_elapsed() + 500;
    while (clock_elapsed() < end)
        exchange_none(exchange, 0, WIRE__FRAME__VERB_CHECKPOINT);

    /* Unless somebody asks for a proof that waits for it. */
    ask_for_proof(exchange, 0);
    struct offer second = take_offer(exchange, 0, &first);
    assert_true(second.size > first.size);
    free_offer(&first);
    free_offer(&second);
}

static void without_witnesses_what_is_signed_is_final(void **state)
{
    struct exchange *exchange = *state;

    exchange_start(exchange);
    exchange_connect(exchange, EXCHANGE_POLICE);
    until_signed(exchange);
    assert_int_equal(number(exchange, "final"), number(exchange, "signed"));
    assert_int_equal(cosignatures(exchange), 0);
}

static void a_bundles_fork_is_logged_once(void **state)
{
    struct exchange *exchange = *state;

    exchange_start(exchange);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pipeline_incident(exchange->pipeline, exchange->agents[i / 2].id, "bundle-fork",
                                           "it holds another bundle 1"),
                         STATUS_OK);
    until_signed(exchange);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_INCIDENT), 2);
}

#define STORY(function) cmocka_unit_test_setup_teardown(function, exchange_setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(nothing_is_signed_until_enough_have_said_hello),
        STORY(what_the_quorum_cosigned_is_final),
        STORY(a_bundle_with_other_witnesses_asks_for_their_word),
        STORY(one_liar_stops_nothing),
        STORY(a_cosignature_that_comes_too_late_is_no_lie),
        STORY(a_witness_that_holds_less_is_asked_again_from_there),
        STORY(a_restored_backup_is_found_by_a_hello),
        STORY(two_heads_of_one_log_are_found_by_a_hello),
        STORY(a_fork_is_found_by_a_refusal_too),
        STORY(nothing_is_offered_before_its_time),
        STORY(without_witnesses_what_is_signed_is_final),
        STORY(a_bundles_fork_is_logged_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
