/* Who gets through the door: each trap of libzmq 4.3.4 that docs/decisions.md numbers, on real sockets. */
#include "tests/support/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include "broker/router.h"
#include "tests/gate/house.h"

#define ENFORCE_DOMAIN 93
#define SOON_MS        400
#define LATE_MS        15000

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

static const uint8_t stranger_secret[32] = {[0] = 0x58, [31] = 0x41};

static void stranger_public(uint8_t out[static 32])
{
    char secret_text[41];
    char public_text[41];

    assert_non_null(zmq_z85_encode(secret_text, stranger_secret, 32));
    assert_int_equal(zmq_curve_public(public_text, secret_text), 0);
    assert_non_null(zmq_z85_decode(out, public_text));
}

/* ---- traps 1 and 2: without an enforced, non-empty domain CURVE lets everybody in ---- */

/* Whether a ROUTER set up like this lets a stranger's message through when nobody serves ZAP. */
static bool bare_router_admits(const char *domain, int enforce, int timeout_ms)
{
    void *context = zmq_ctx_new();
    void *router = zmq_socket(context, ZMQ_ROUTER);
    void *dealer = zmq_socket(context, ZMQ_DEALER);
    uint8_t public_key[32];
    char endpoint[256];
    size_t size = sizeof endpoint;
    int yes = 1;
    int none = 0;

    stranger_public(public_key);
    zmq_setsockopt(router, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(dealer, ZMQ_LINGER, &none, sizeof none);
    if (domain[0] != '\0')
        assert_int_equal(zmq_setsockopt(router, ZMQ_ZAP_DOMAIN, domain, strlen(domain)), 0);
    assert_int_equal(zmq_setsockopt(router, ENFORCE_DOMAIN, &enforce, sizeof enforce), 0);
    assert_int_equal(zmq_setsockopt(router, ZMQ_CURVE_SERVER, &yes, sizeof yes), 0);
    assert_int_equal(zmq_setsockopt(router, ZMQ_CURVE_SECRETKEY, keystore_transport_secret(house.broker), 32),
                     0);
    assert_int_equal(zmq_bind(router, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    zmq_setsockopt(dealer, ZMQ_CURVE_SERVERKEY, keystore_transport_public(house.broker), 32);
    zmq_setsockopt(dealer, ZMQ_CURVE_SECRETKEY, stranger_secret, 32);
    zmq_setsockopt(dealer, ZMQ_CURVE_PUBLICKEY, public_key, 32);
    assert_int_equal(zmq_connect(dealer, endpoint), 0);
    assert_int_equal(zmq_send(dealer, "x", 1, 0), 1);
    zmq_pollitem_t item = {.socket = router, .events = ZMQ_POLLIN};
    bool admitted = zmq_poll(&item, 1, timeout_ms) > 0;
    zmq_close(router);
    zmq_close(dealer);
    zmq_ctx_term(context);
    return admitted;
}

/* Why the door is built as it is. If this fails on a newer libzmq, read what changed, then mend both. */
static void libzmq_fails_open(void **state)
{
    (void)state;
    assert_true(bare_router_admits("", 0, LATE_MS));
    assert_true(bare_router_admits(ZAP_DOMAIN, 0, LATE_MS));
    assert_true(bare_router_admits("", 1, LATE_MS));
    assert_false(bare_router_admits(ZAP_DOMAIN, 1, SOON_MS));
}

static void domain_is_enforced(void **state)
{
    const struct router_options options = {.endpoint = "tcp://127.0.0.1:*",
                                           .secret = keystore_transport_secret(house.broker),
                                           .public_key = keystore_transport_public(house.broker)};
    struct router_reason reason;
    struct router *router = NULL;
    char domain[64] = "";
    size_t size = sizeof domain;
    int enforced = 0;
    int64_t largest = 0;

    (void)state;
    assert_int_equal(router_open(&options, &router, &reason), STATUS_OK);
    assert_int_equal(zmq_getsockopt(router_socket(router), ZMQ_ZAP_DOMAIN, domain, &size), 0);
    assert_string_equal(domain, ZAP_DOMAIN);
    size = sizeof enforced;
    assert_int_equal(zmq_getsockopt(router_socket(router), ENFORCE_DOMAIN, &enforced, &size), 0);
    assert_int_equal(enforced, 1);
    size = sizeof largest;
    assert_int_equal(zmq_getsockopt(router_socket(router), ZMQ_MAXMSGSIZE, &largest, &size), 0);
    assert_int_equal(largest, 256 * 1024 + 33); /* as it travels: with what CURVE adds */
    router_close(&router);
}

static void strangers_stay_out(void **state)
{
    uint8_t public_key[32];
    static struct client client;

    (void)state;
    stranger_public(public_key);
    client_dial(&house, &(struct client_options){.secret = stranger_secret, .public_key = public_key},
                &client);
    client_hello(&client, &house, HOUSE_POLICE, 1);
    assert_null(client_frame(&client, SOON_MS));
    house_quiet(&house);
    client_hang_up(&client);

    client_dial(&house, &(struct client_options){0}, &client);
    client_hello(&client, &house, HOUSE_POLICE, 1);
    assert_null(client_frame(&client, SOON_MS));
    house_quiet(&house);
    client_hang_up(&client);
}

/* The broker's own key is in the bundle too, and is no agent's. */
static void brokers_are_no_agents(void **state)
{
    static struct client client;

    (void)state;
    client_dial(&house, &(struct client_options){.keys = house.broker}, &client);
    client_hello(&client, &house, PARTNERSHIP_BROKER, 1);
    assert_null(client_frame(&client, SOON_MS));
    client_hang_up(&client);
}

/* ---- trap 3: the identity is on the payload frame ---- */

static void identity_comes_with_the_payload(void **state)
{
    const struct router_options options = {.endpoint = "tcp://127.0.0.1:*",
                                           .secret = keystore_transport_secret(house.broker),
                                           .public_key = keystore_transport_public(house.broker)};
    struct router_reason reason;
    struct router_message message;
    struct router *router = NULL;
    bool admitted = false;
    void *context = zmq_ctx_new();
    void *dealer = zmq_socket(context, ZMQ_DEALER);
    int none = 0;
    char hex[ZAP_HEX];

    (void)state;
    assert_int_equal(router_open(&options, &router, &reason), STATUS_OK);
    zmq_setsockopt(dealer, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(dealer, ZMQ_CURVE_SERVERKEY, keystore_transport_public(house.broker), 32);
    zmq_setsockopt(dealer, ZMQ_CURVE_SECRETKEY, keystore_transport_secret(house.police), 32);
    zmq_setsockopt(dealer, ZMQ_CURVE_PUBLICKEY, keystore_transport_public(house.police), 32);
    assert_int_equal(zmq_connect(dealer, router_endpoint(router)), 0);
    assert_int_equal(zmq_send(dealer, "hello", 5, 0), 5);
    zmq_pollitem_t items[] = {{.socket = router_zap_socket(router), .events = ZMQ_POLLIN},
                              {.socket = router_socket(router), .events = ZMQ_POLLIN}};
    assert_true(zmq_poll(&items[0], 1, LATE_MS) > 0);
    assert_int_equal(router_admit(router, bundle_directory(house.bundle), PARTNERSHIP_NOW + 1, &admitted),
                     STATUS_OK);
    assert_true(admitted);
    assert_true(zmq_poll(&items[1], 1, LATE_MS) > 0);
    assert_int_equal(router_take(router, &message), STATUS_OK);
    assert_int_equal(message.frames, 1);
    assert_true(message.assigned);
    assert_string_equal(message.member, HOUSE_POLICE);
    bytes_to_hex(directory_known(bundle_directory(house.bundle), HOUSE_POLICE)->digest, DIGEST_SIZE, hex);
    assert_string_equal(message.certificate, hex);
    assert_int_equal(router_take(router, &message), STATUS_BUSY);
    zmq_close(dealer);
    zmq_ctx_term(context);
    router_close(&router);
}

/* What a client claims about itself in the handshake does not stand in for what ZAP said. */
static void claimed_identity_is_ignored(void **state)
{
    static struct client client;

    (void)state;
    client_dial(&house, &(struct client_options){.keys = house.prison, .metadata = "X-User-Id:" HOUSE_POLICE},
                &client);
    client_hello(&client, &house, HOUSE_POLICE, 1);
    client_error(&client, WIRE__ERROR_CODE__NOT_ALLOWED, 1);
    client_hang_up(&client);
    client_dial(
        &house,
        &(struct client_options){
            .keys = house.prison,
            .metadata = "X-Certificate:0000000000000000000000000000000000000000000000000000000000000000"},
        &client);
    client_hello(&client, &house, HOUSE_PRISON, 2);
    const Wire__Frame *frame = client_frame(&client, LATE_MS);
    assert_non_null(frame);
    assert_int_equal(frame->verb_case, WIRE__FRAME__VERB_WELCOME);
    client_hang_up(&client);
}

/* ---- trap 4: a key that is revoked while its connection is open ---- */

static void load_next_bundle(void)
{
    char path[256];
    char request[512];

    house_next_bundle(&house, path);
    snprintf(request, sizeof request, "{\"do\":\"load\",\"bundle\":\"%s\"}", path);
    json_t *reply = house_ask(&house, request);
    if (json_object_get(reply, "error") != NULL)
        fail_msg("load: %s", json_string_value(json_object_get(reply, "error")));
    assert_true(json_is_true(json_object_get(reply, "fresh")));
    json_decref(reply);
}

static void revocation_reaches_open_connections(void **state)
{
    static struct client prison;
    static struct client police;
    static struct client again;
    size_t revoked = 0;

    (void)state;
    uint64_t connection = client_join(&house, house.prison, &prison);
    client_join(&house, house.police, &police);
    assert_int_equal(
        enrol_revoke(house.partnership->authority, HOUSE_PRISON, "lost", PARTNERSHIP_NOW + 1, &revoked, NULL),
        STATUS_OK);
    load_next_bundle();
    /* Told at once and put out; the other member hears of the new bundle. */
    client_error(&prison, WIRE__ERROR_CODE__NOT_ALLOWED, 0);
    struct told told = house_record(&house);
    assert_int_equal(told.what, TOLD_DISCONNECTED);
    assert_int_equal(told.connection, connection);
    const Wire__Frame *frame = client_frame(&police, LATE_MS);
    assert_non_null(frame);
    assert_int_equal(frame->verb_case, WIRE__FRAME__VERB_WELCOME);
    assert_int_equal(frame->request, 0);
    /* Nothing that it sends is taken, nothing that is for it leaves; the connection is still open. */
    client_verb(&prison, 5, WIRE__FRAME__VERB_FETCH, bytes_of_string(""));
    client_hello(&prison, &house, HOUSE_PRISON, 6);
    house_deliver(&house, connection, HOUSE_PRISON, bytes_of_string("secret"));
    assert_null(client_frame(&prison, SOON_MS));
    house_quiet(&house);
    /* And it does not come in anew. */
    client_dial(&house, &(struct client_options){.keys = house.prison}, &again);
    client_hello(&again, &house, HOUSE_PRISON, 1);
    assert_null(client_frame(&again, SOON_MS));
    client_hang_up(&again);
    client_hang_up(&prison);
    client_hang_up(&police);
}

/* ---- trap 5: routing ids that clients choose ---- */

static void chosen_routing_ids_are_refused(void **state)
{
    static struct client squatter;
    static struct client police;

    (void)state;
    client_dial(&house, &(struct client_options){.keys = house.prison, .route = "squat"}, &squatter);
    client_hello(&squatter, &house, HOUSE_PRISON, 3);
    client_error(&squatter, WIRE__ERROR_CODE__NOT_ALLOWED, 0);
    house_quiet(&house);
    /* One who takes the same id gets nothing, and what goes to members goes to them. */
    uint64_t connection = client_join(&house, house.police, &police);
    house_deliver(&house, connection, HOUSE_PRISON, bytes_of_string("for another member"));
    assert_null(client_frame(&police, SOON_MS));
    client_hang_up(&squatter);
    client_hang_up(&police);
}

/* ---- trap 6: an agent must see that it was turned away, for libzmq does not dial again by itself ---- */

static void turning_away_can_be_seen(void **state)
{
    uint8_t public_key[32];
    static struct client client;

    (void)state;
    stranger_public(public_key);
    client_dial(&house, &(struct client_options){.secret = stranger_secret, .public_key = public_key},
                &client);
    assert_int_equal(client_event(&client, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, LATE_MS),
                     ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    client_hang_up(&client);
}

/* ---- trap 7: connections that never shake hands ---- */

static void silent_connections_end(void **state)
{
    int port = atoi(strrchr(gate_endpoint(house.gate), ':') + 1);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct pollfd item = {.fd = socket(AF_INET, SOCK_STREAM, 0), .events = POLLIN};
    char byte;

    (void)state;
    assert_int_equal(connect(item.fd, (const struct sockaddr *)&address, sizeof address), 0);
    ssize_t got = 1;
    while (got > 0) { /* the greeting, then the end */
        assert_int_equal(poll(&item, 1, LATE_MS), 1);
        got = recv(item.fd, &byte, 1, 0);
    }
    close(item.fd);
}

/* ---- trap 8: sizes, and peers that are gone or do not read ---- */

/* A Publish frame of exactly size bytes; what is in it is the pipeline's affair. */
static void send_sized(struct client *client, size_t size)
{
    uint8_t *bytes = calloc(1, size);
    const uint8_t face[] = {0x08, 0x01, 0x10, 0x07, 0x82, 0x01};

    assert_non_null(bytes);
    memcpy(bytes, face, sizeof face);
    client_send(client, bytes_view(bytes, size));
    free(bytes);
}

static void frames_have_a_limit(void **state)
{
    static struct client client;

    (void)state;
    client_join(&house, house.police, &client);
    send_sized(&client, 256 * 1024);
    struct told told = house_record(&house);
    assert_int_equal(told.what, TOLD_FRAME);
    assert_int_equal(told.size, 256 * 1024);
    send_sized(&client, 256 * 1024 + 1);
    house_quiet(&house);
    assert_int_equal(client_event(&client, ZMQ_EVENT_DISCONNECTED, LATE_MS), ZMQ_EVENT_DISCONNECTED);
    client_hang_up(&client);
}

static void who_is_gone_is_noticed(void **state)
{
    static struct client client;
    struct told told = {.what = TOLD_FRAME};

    (void)state;
    uint64_t connection = client_join(&house, house.police, &client);
    client_hang_up(&client);
    for (int i = 0; i < 50; i++) {
        house_deliver(&house, connection, HOUSE_POLICE, bytes_of_string("anyone there?"));
        usleep(10000);
    }
    told = house_record(&house);
    assert_int_equal(told.what, TOLD_DISCONNECTED);
    assert_int_equal(told.connection, connection);
    house_quiet(&house);
}

/* A frame that fills queues quickly. */
static void make_big_frame(struct byte_buffer *frame)
{
    static uint8_t zeros[65536];
    Wire__BundlePart part = WIRE__BUNDLE_PART__INIT;
    struct byte_buffer body = bytes_buffer(WIRE_FRAME_LIMIT);
    const Wire__SignedHead *head = bundle_signed_head(house.bundle);

    memcpy(&part.head, &head, sizeof head);
    part.data = wire_data(bytes_view(zeros, sizeof zeros));
    wire_pack(&part.base, &body);
    assert_int_equal(wire_frame_pack(0, WIRE__FRAME__VERB_BUNDLE_PART, bytes_buffer_view(&body), frame),
                     STATUS_OK);
    bytes_buffer_free(&body);
}

static void who_does_not_read_is_put_off(void **state)
{
    static struct client client;
    struct byte_buffer frame = bytes_buffer(WIRE_FRAME_LIMIT);
    bool needed = false;

    (void)state;
    client_dial(&house, &(struct client_options){.keys = house.police, .receive_limit = 1}, &client);
    client_hello(&client, &house, HOUSE_POLICE, 1);
    struct told told = house_record(&house);
    assert_int_equal(told.what, TOLD_CONNECTED);
    uint64_t connection = told.connection;
    make_big_frame(&frame);
    for (int i = 0; i < 2000; i++)
        house_deliver(&house, connection, HOUSE_POLICE, bytes_buffer_view(&frame));
    told = house_record(&house);
    assert_int_equal(told.what, TOLD_DISCONNECTED);
    assert_int_equal(told.connection, connection);
    /* As soon as it reads again it is told to say hello, and may. */
    for (int i = 0; i < 2100 && !needed; i++) {
        const Wire__Frame *got = client_frame(&client, LATE_MS);
        assert_non_null(got);
        needed =
            got->verb_case == WIRE__FRAME__VERB_ERROR && got->error->code == WIRE__ERROR_CODE__NEED_HELLO;
    }
    assert_true(needed);
    client_hello(&client, &house, HOUSE_POLICE, 2);
    told = house_record(&house);
    assert_int_equal(told.what, TOLD_CONNECTED);
    assert_true(told.connection != connection);
    bytes_buffer_free(&frame);
    client_hang_up(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(libzmq_fails_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(domain_is_enforced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strangers_stay_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(brokers_are_no_agents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(identity_comes_with_the_payload, set_up, tear_down),
        cmocka_unit_test_setup_teardown(claimed_identity_is_ignored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(revocation_reaches_open_connections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(chosen_routing_ids_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(turning_away_can_be_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(silent_connections_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(frames_have_a_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_gone_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_does_not_read_is_put_off, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
