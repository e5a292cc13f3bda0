/* What members may say once they are through the door, and what the local socket answers. */
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/head.h"
#include "tests/gate/house.h"

#define SOON_MS 400
#define LATE_MS 15000

static struct house house;

static int set_up(void **state)
{
    (void)state;
    house_open(&house, PARTNERSHIP_NOW + 60000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    house_close(&house);
    return 0;
}

/* ---- hello ---- */

static void hello_comes_first(void **state)
{
    static struct client client;
    static const Wire__Frame__VerbCase verbs[] = {
        WIRE__FRAME__VERB_PLAN_REQUEST, WIRE__FRAME__VERB_PUBLISH, WIRE__FRAME__VERB_FETCH,
        WIRE__FRAME__VERB_RECEIPTS,     WIRE__FRAME__VERB_REPORTS, WIRE__FRAME__VERB_QUERY,
    };

    (void)state;
    client_dial(&house, &(struct client_options){.keys = house.police}, &client);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        client_verb(&client, 10 + i, verbs[i], bytes_of_string(""));
        client_error(&client, WIRE__ERROR_CODE__NEED_HELLO, 10 + i);
    }
    house_quiet(&house);
    client_hello(&client, &house, HOUSE_POLICE, 77);
    const Wire__Frame *frame = client_frame(&client, LATE_MS);
    assert_non_null(frame);
    assert_int_equal(frame->verb_case, WIRE__FRAME__VERB_WELCOME);
    assert_int_equal(frame->request, 77);
    assert_int_equal(frame->welcome->largest_frame, 262144);
    assert_int_equal(frame->welcome->largest_batch, 256);
    assert_int_equal(frame->welcome->largest_credit, 1024);
    assert_true(frame->welcome->now >= (uint64_t)PARTNERSHIP_NOW + 60000);
    assert_int_equal(house_record(&house).what, TOLD_CONNECTED);
    /* An officer's question is the gate's own, and this is none. */
    client_verb(&client, 19, WIRE__FRAME__VERB_QUERY, bytes_of_string("whatever"));
    client_error(&client, WIRE__ERROR_CODE__MALFORMED, 19);
    for (size_t i = 0; i + 1 < sizeof verbs / sizeof verbs[0]; i++) {
        client_verb(&client, 20 + i, verbs[i], bytes_of_string("whatever"));
        struct told told = house_record(&house);
        assert_int_equal(told.what, TOLD_FRAME);
        assert_string_equal(told.member, HOUSE_POLICE);
    }
}

/* How a hello differs from a good one. */
struct change {
    const char *member;
    bool certificate;
    uint32_t version;
    bool head;
    Wire__ErrorCode code;
};

static void send_changed(struct client *client, const struct change *change)
{
    Wire__Hello hello = WIRE__HELLO__INIT;
    const struct directory *directory = bundle_directory(house.bundle);
    uint8_t digest[DIGEST_SIZE];
    uint8_t head_bytes[512];
    struct byte_view head = bundle_head(house.bundle);
    Wire__SignedHead signed_head = *bundle_signed_head(house.bundle);
    char member[MEMBER_ID_LENGTH + 1];
    struct byte_buffer body = bytes_buffer(WIRE_FRAME_LIMIT);

    memcpy(digest, directory_known(directory, HOUSE_POLICE)->digest, sizeof digest);
    digest[0] ^= change->certificate ? 1 : 0;
    memcpy(head_bytes, head.data, head.size);
    head_bytes[head.size - 1] ^= change->head ? 1 : 0; /* the root's digest: another partnership */
    snprintf(member, sizeof member, "%s", change->member);
    hello.member = member;
    hello.highest_version = change->version;
    hello.certificate = wire_data(bytes_view(digest, sizeof digest));
    signed_head.head = wire_data(bytes_view(head_bytes, head.size));
    hello.head = &signed_head;
    wire_pack(&hello.base, &body);
    client_verb(client, 9, WIRE__FRAME__VERB_HELLO, bytes_buffer_view(&body));
    bytes_buffer_free(&body);
}

static void bad_hellos_are_refused(void **state)
{
    static struct client client;
    static const struct change changes[] = {
        {HOUSE_PRISON, false, 1, false, WIRE__ERROR_CODE__NOT_ALLOWED},
        {HOUSE_POLICE, true, 1, false, WIRE__ERROR_CODE__NOT_ALLOWED},
        {HOUSE_POLICE, false, 0, false, WIRE__ERROR_CODE__MALFORMED},
        {HOUSE_POLICE, false, 1, true, WIRE__ERROR_CODE__NEED_BUNDLE},
        {"Police", false, 1, false, WIRE__ERROR_CODE__MALFORMED},
    };

    (void)state;
    client_dial(&house, &(struct client_options){.keys = house.police}, &client);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        send_changed(&client, &changes[i]);
        client_error(&client, changes[i].code, 9);
    }
    house_quiet(&house);
}

/* A head that the authority signed, with our serial and other content: what a forked bundle shows. */
static void forks_are_incidents(void **state)
{
    static struct client client;
    struct head head;
    struct byte_buffer bytes = bytes_buffer(512);
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    Wire__Hello hello = WIRE__HELLO__INIT;
    Wire__SignedHead signed_head = WIRE__SIGNED_HEAD__INIT;
    Wire__HeadSignature one = WIRE__HEAD_SIGNATURE__INIT;
    Wire__HeadSignature *list[] = {&one};
    struct authority_parts parts = authority_parts(house.partnership->authority);
    const struct directory_entry *board =
        directory_known(bundle_directory(house.bundle), keystore_member(parts.keystore));
    const struct directory_entry *police = directory_known(bundle_directory(house.bundle), HOUSE_POLICE);
    struct byte_buffer body = bytes_buffer(WIRE_FRAME_LIMIT);
    char member[] = HOUSE_POLICE;

    (void)state;
    assert_int_equal(head_decode(bundle_head(house.bundle), &head), STATUS_OK);
    head.body[0] ^= 1;
    head_encode(&head, &bytes);
    assert_int_equal(head_sign(bytes_buffer_view(&bytes), bundle_root_digest(house.bundle), board->digest,
                               keystore_signing(parts.keystore), signature),
                     STATUS_OK);
    one.certificate = wire_data(bytes_view(board->digest, DIGEST_SIZE));
    one.signature = wire_data(bytes_view(signature, sizeof signature));
    signed_head.head = wire_data(bytes_buffer_view(&bytes));
    signed_head.n_signatures = 1;
    signed_head.signatures = list;
    hello.member = member;
    hello.highest_version = 1;
    hello.certificate = wire_data(bytes_view(police->digest, DIGEST_SIZE));
    hello.head = &signed_head;
    wire_pack(&hello.base, &body);
    client_dial(&house, &(struct client_options){.keys = house.police}, &client);
    client_verb(&client, 4, WIRE__FRAME__VERB_HELLO, bytes_buffer_view(&body));
    client_error(&client, WIRE__ERROR_CODE__NEED_BUNDLE, 4);
    assert_int_equal(house_record(&house).what, TOLD_INCIDENT);
    house_quiet(&house);
    assert_true(house_said(&house, "INCIDENT"));
    bytes_buffer_free(&bytes);
    bytes_buffer_free(&body);
}

static void newer_connection_replaces_the_older(void **state)
{
    static struct client first;
    static struct client second;

    (void)state;
    uint64_t old = client_join(&house, house.police, &first);
    client_dial(&house, &(struct client_options){.keys = house.police}, &second);
    client_hello(&second, &house, HOUSE_POLICE, 1);
    struct told told = house_record(&house);
    assert_int_equal(told.what, TOLD_DISCONNECTED);
    assert_int_equal(told.connection, old);
    told = house_record(&house);
    assert_int_equal(told.what, TOLD_CONNECTED);
    assert_true(told.connection != old);
    assert_non_null(client_frame(&second, LATE_MS));
    client_verb(&first, 2, WIRE__FRAME__VERB_FETCH, bytes_of_string(""));
    client_error(&first, WIRE__ERROR_CODE__NEED_HELLO, 2);
    /* What was meant for the old one goes nowhere. */
    house_deliver(&house, old, HOUSE_POLICE, bytes_of_string("late"));
    assert_null(client_frame(&second, SOON_MS));
    assert_null(client_frame(&first, 0));
}

/* ---- frames ---- */

static void odd_frames_are_refused(void **state)
{
    static struct client client;
    static const uint8_t version_2[] = {0x08, 0x02, 0x10, 0x05, 0x82, 0x01, 0x00};
    static const uint8_t fetch[] = {0x08, 0x01, 0x10, 0x05, 0x9a, 0x01, 0x04, 0x08, 0x01, 0x10, 0x00};
    static const uint8_t hello_not_canonical[] = {0x08, 0x01, 0x10, 0x85, 0x00, 0x52, 0x00};

    (void)state;
    client_join(&house, house.police, &client);
    client_send(&client, bytes_of_string("no protobuf"));
    client_error(&client, WIRE__ERROR_CODE__MALFORMED, 0);
    client_send(&client, bytes_of_string(""));
    client_error(&client, WIRE__ERROR_CODE__MALFORMED, 0);
    client_send(&client, bytes_view(version_2, sizeof version_2));
    client_error(&client, WIRE__ERROR_CODE__UNSUPPORTED, 5);
    client_send(&client, bytes_view(hello_not_canonical, sizeof hello_not_canonical));
    client_error(&client, WIRE__ERROR_CODE__MALFORMED, 5);
    client_send_two(&client, bytes_view(fetch, sizeof fetch));
    client_error(&client, WIRE__ERROR_CODE__MALFORMED, 0);
    client_verb(&client, 6, WIRE__FRAME__VERB_DELIVER, bytes_of_string("what a broker says"));
    client_error(&client, WIRE__ERROR_CODE__MALFORMED, 6);
    house_quiet(&house);
}

static void busy_is_told(void **state)
{
    static struct client client;

    (void)state;
    client_join(&house, house.police, &client);
    house_submit_status(&house, STATUS_BUSY);
    client_verb(&client, 3, WIRE__FRAME__VERB_FETCH, bytes_of_string(""));
    const Wire__Frame *frame = client_frame(&client, LATE_MS);
    assert_non_null(frame);
    assert_int_equal(frame->error->code, WIRE__ERROR_CODE__NOT_NOW);
    assert_true(frame->error->has_retry_after && frame->error->retry_after > 0);
    assert_int_equal(frame->request, 3);
}

static void too_many_own_answers_are_cut_off(void **state)
{
    static struct client client;
    unsigned refused = 0;
    unsigned put_off = 0;
    const Wire__Frame *frame = NULL;

    (void)state;
    client_dial(&house, &(struct client_options){.keys = house.police}, &client);
    for (unsigned i = 0; i < 400; i++)
        client_verb(&client, i, WIRE__FRAME__VERB_FETCH, bytes_of_string(""));
    while ((frame = client_frame(&client, SOON_MS)) != NULL) {
        refused += frame->error->code == WIRE__ERROR_CODE__NEED_HELLO;
        put_off += frame->error->code == WIRE__ERROR_CODE__NOT_NOW;
    }
    assert_in_range(refused, 128, 200);
    assert_in_range(put_off, 1, 100);
    assert_true(refused + put_off < 300);
}

/* ---- the bundle ---- */

/* All parts of a body, as an agent fetches them; also before hello. */
static void bundles_are_served(void **state)
{
    static struct client client;
    struct byte_view body = bundle_body(house.bundle);
    struct byte_buffer got = bytes_buffer(WIRE_BODY_LIMIT);
    const Wire__Frame *frame = NULL;

    (void)state;
    client_dial(&house, &(struct client_options){.keys = house.police}, &client);
    while (got.size < body.size) {
        Wire__BundleRequest request = WIRE__BUNDLE_REQUEST__INIT;
        struct byte_buffer bytes = bytes_buffer(64);
        request.offset = got.size;
        wire_pack(&request.base, &bytes);
        client_verb(&client, 40, WIRE__FRAME__VERB_BUNDLE_REQUEST, bytes_buffer_view(&bytes));
        bytes_buffer_free(&bytes);
        frame = client_frame(&client, LATE_MS);
        assert_non_null(frame);
        assert_int_equal(frame->verb_case, WIRE__FRAME__VERB_BUNDLE_PART);
        assert_int_equal(frame->bundle_part->offset, got.size);
        assert_int_equal(frame->bundle_part->body_size, body.size);
        assert_true(frame->bundle_part->data.len > 0);
        bytes_append_view(&got, wire_view(frame->bundle_part->data));
    }
    assert_true(bytes_equal(bytes_buffer_view(&got), body));
    bytes_buffer_free(&got);
    client_verb(&client, 41, WIRE__FRAME__VERB_BUNDLE_REQUEST, bytes_of_string("\x08\xff\xff\xff\x7f"));
    client_error(&client, WIRE__ERROR_CODE__MALFORMED, 41);
}

static void certificates_expire_on_open_connections(void **state)
{
    static struct client client;
    int64_t end = directory_known(bundle_directory(house.bundle), HOUSE_POLICE)->not_after;

    (void)state;
    house_close(&house);
    house_open(&house, end - 8000);
    uint64_t connection = client_join(&house, house.police, &client);
    sleep(9);
    house_deliver(&house, connection, HOUSE_POLICE, bytes_of_string("secret"));
    client_error(&client, WIRE__ERROR_CODE__NOT_ALLOWED, 0);
    assert_int_equal(house_record(&house).what, TOLD_DISCONNECTED);
    client_verb(&client, 3, WIRE__FRAME__VERB_FETCH, bytes_of_string(""));
    assert_null(client_frame(&client, SOON_MS));
    house_quiet(&house);
    client_hang_up(&client);
    /* And nobody comes in with it. */
    client_dial(&house, &(struct client_options){.keys = house.prison}, &client);
    client_hello(&client, &house, HOUSE_PRISON, 1);
    assert_null(client_frame(&client, SOON_MS));
}

/* ---- the local socket ---- */

static void expect_error(const char *request, const char *part)
{
    json_t *reply = house_ask(&house, request);
    const char *text = json_string_value(json_object_get(reply, "error"));

    if (text == NULL || strstr(text, part) == NULL)
        fail_msg("%s: %s", request, text == NULL ? "taken" : text);
    json_decref(reply);
}

static void local_requests_are_strict(void **state)
{
    char path[512];
    struct stat found;

    (void)state;
    snprintf(path, sizeof path, "%s/control.sock", house.folder);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    expect_error("{}", "\"do\"");
    expect_error("{\"do\":\"dance\"}", "\"do\"");
    expect_error("{\"do\":\"status\",\"more\":1}", "too many");
    expect_error("{\"do\":\"stop\",\"more\":1}", "too many");
    expect_error("{\"do\":\"load\"}", "absolute");
    expect_error("{\"do\":\"load\",\"bundle\":\"relative\"}", "absolute");
    expect_error("{\"do\":\"load\",\"bundle\":\"/x\",\"fingerprint\":\"12\"}", "64 hex");
    expect_error("{\"do\":\"load\",\"bundle\":\"/x\",\"fingerprint\":12}", "64 hex");
    expect_error("{\"do\":\"load\",\"bundle\":\"/x\",\"more\":12}", "too many");
    expect_error("{\"do\":\"load\",\"bundle\":\"/nowhere\"}", "not found");
    expect_error("{\"do\":\"search\",\"subject\":\"x\"}", "");
}

static void status_tells_who_is_there(void **state)
{
    static struct client client;

    (void)state;
    client_join(&house, house.police, &client);
    house_answer(&house, "{\"entries\":12}");
    json_t *reply = house_ask(&house, "{\"do\":\"status\"}");
    assert_int_equal(json_integer_value(json_object_get(reply, "connected")), 1);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(reply, "pipeline"), "entries")), 12);
    const json_t *members = json_object_get(reply, "members");
    assert_int_equal(json_array_size(members), 2);
    const json_t *police = json_array_get(members, 0);
    assert_string_equal(json_string_value(json_object_get(police, "member")), HOUSE_POLICE);
    assert_true(json_is_true(json_object_get(police, "connected")));
    assert_int_equal(json_integer_value(json_object_get(police, "bundle")), 1);
    assert_true(json_is_false(json_object_get(json_array_get(members, 1), "connected")));
    json_decref(reply);
}

/* No look at the log goes unlogged: without an entry there is no answer. */
static void searches_are_logged_first(void **state)
{
    char expected[128];

    (void)state;
    house_answer(&house, "{\"error\":\"the disk is full\"}");
    expect_error("{\"do\":\"search\"}", "the disk is full");
    snprintf(expected, sizeof expected,
             "{\"do\":\"log-query\",\"officer\":\"unix:%u\",\"question\":\"everything\"}",
             (unsigned)getuid());
    assert_string_equal(house_asked(&house), expected);
}

static void bad_bundles_are_refused(void **state)
{
    char path[256];
    char request[512];

    (void)state;
    house_next_bundle(&house, path);
    snprintf(request, sizeof request, "{\"do\":\"load\",\"bundle\":\"%s\",\"fingerprint\":\"%064d\"}", path,
             0);
    expect_error(request, "");
    assert_int_equal(truncate(path, 1000), 0);
    snprintf(request, sizeof request, "{\"do\":\"load\",\"bundle\":\"%s\"}", path);
    expect_error(request, "");
}

static void death_of_the_pipeline_ends_the_gate(void **state)
{
    (void)state;
    house_fatal(&house, "the disk is broken");
}

static void stop_is_answered(void **state)
{
    (void)state;
    json_t *reply = house_ask(&house, "{\"do\":\"stop\"}");
    assert_true(json_is_true(json_object_get(reply, "stopping")));
    json_decref(reply);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(hello_comes_first),
        STORY(bad_hellos_are_refused),
        STORY(forks_are_incidents),
        STORY(newer_connection_replaces_the_older),
        STORY(odd_frames_are_refused),
        STORY(busy_is_told),
        STORY(too_many_own_answers_are_cut_off),
        STORY(bundles_are_served),
        STORY(certificates_expire_on_open_connections),
        STORY(local_requests_are_strict),
        STORY(status_tells_who_is_there),
        STORY(searches_are_logged_first),
        STORY(bad_bundles_are_refused),
        STORY(death_of_the_pipeline_ends_the_gate),
        STORY(stop_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
