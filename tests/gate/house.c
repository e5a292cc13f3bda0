#include "tests/gate/house.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#include "base/local_client.h"
#include "base/safefile.h"
#include "certs/archive.h"
#include "proto/wire_codec.h"

#define PATIENCE_MS 15000
#define QUIET_MS    200
#define RECORDS     4096

/* ---- the pipeline that only remembers ---- */

struct pipeline {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct told records[RECORDS];
    size_t first, count; /* records first to count - 1 were not asked for yet */
    struct pipeline_out *outs[RECORDS];
    size_t out_first, out_count;
    int fd;
    enum status submit;
    char answer[256];
    char asked[1024];
    char said[4096];
};

struct pipeline_limits pipeline_limits(void)
{
    return (struct pipeline_limits){.credit = 1024};
}

static void remember(struct pipeline *pipeline, enum told_what what, uint64_t connection, const char *member,
                     size_t size)
{
    pthread_mutex_lock(&pipeline->mutex);
    assert_true(pipeline->count < RECORDS);
    struct told *record = &pipeline->records[pipeline->count++];
    *record = (struct told){.what = what, .connection = connection, .size = size};
    if (member != NULL)
        snprintf(record->member, sizeof record->member, "%s", member);
    pthread_cond_broadcast(&pipeline->changed);
    pthread_mutex_unlock(&pipeline->mutex);
}

static void put_out(struct pipeline *pipeline, struct pipeline_out out, struct byte_view bytes)
{
    struct pipeline_out *copy = malloc(sizeof *copy);
    uint8_t *data = malloc(bytes.size + 1);
    uint64_t one = 1;

    assert_true(copy != NULL && data != NULL);
    memcpy(data, bytes.data, bytes.size);
    *copy = out;
    copy->bytes = bytes_view(data, bytes.size);
    copy->member = out.member == NULL ? NULL : strdup(out.member);
    pthread_mutex_lock(&pipeline->mutex);
    assert_true(pipeline->out_count < RECORDS);
    pipeline->outs[pipeline->out_count++] = copy;
    pthread_mutex_unlock(&pipeline->mutex);
    assert_int_equal(write(pipeline->fd, &one, sizeof one), sizeof one);
}

enum status pipeline_submit(struct pipeline *pipeline, const struct pipeline_frame *frame)
{
    pthread_mutex_lock(&pipeline->mutex);
    enum status status = pipeline->submit;
    pthread_mutex_unlock(&pipeline->mutex);
    if (status == STATUS_OK)
        remember(pipeline, TOLD_FRAME, frame->connection, frame->member, frame->bytes.size);
    return status;
}

enum status pipeline_connected(struct pipeline *pipeline, uint64_t connection, const char *member,
                               struct byte_view checkpoint)
{
    remember(pipeline, TOLD_CONNECTED, connection, member, checkpoint.size);
    return STATUS_OK;
}

enum status pipeline_incident(struct pipeline *pipeline, const char *member, const char *word,
                              const char *sentence)
{
    assert_string_equal(word, "bundle-fork");
    remember(pipeline, TOLD_INCIDENT, 0, member, strlen(sentence));
    return STATUS_OK;
}

enum status pipeline_disconnected(struct pipeline *pipeline, uint64_t connection)
{
    remember(pipeline, TOLD_DISCONNECTED, connection, NULL, 0);
    return STATUS_OK;
}

enum status pipeline_bundle(struct pipeline *pipeline, struct bundle *bundle,
                            struct pipeline_reason *ret_reason)
{
    (void)bundle;
    (void)ret_reason;
    put_out(pipeline, (struct pipeline_out){.kind = PIPELINE_BUNDLE}, bytes_of_string(""));
    return STATUS_OK;
}

enum status pipeline_control(struct pipeline *pipeline, uint64_t token, struct byte_view json)
{
    snprintf(pipeline->asked, sizeof pipeline->asked, "%.*s", (int)json.size, (const char *)json.data);
    put_out(pipeline, (struct pipeline_out){.kind = PIPELINE_CONTROL, .token = token},
            bytes_of_string(pipeline->answer));
    return STATUS_OK;
}

int pipeline_fd(const struct pipeline *pipeline)
{
    return pipeline->fd;
}

size_t pipeline_take(struct pipeline *pipeline, struct pipeline_out **ret_out, size_t limit)
{
    uint64_t drained = 0;
    size_t count = 0;

    pthread_mutex_lock(&pipeline->mutex);
    while (count < limit && pipeline->out_first < pipeline->out_count)
        ret_out[count++] = pipeline->outs[pipeline->out_first++];
    if (pipeline->out_first == pipeline->out_count)
        (void)!read(pipeline->fd, &drained, sizeof drained);
    pthread_mutex_unlock(&pipeline->mutex);
    return count;
}

void pipeline_out_free(struct pipeline *pipeline, struct pipeline_out **out)
{
    uint8_t *data = NULL;
    char *member = NULL;

    (void)pipeline;
    memcpy(&data, &(*out)->bytes.data, sizeof data);
    memcpy(&member, &(*out)->member, sizeof member);
    free(data);
    free(member);
    free(*out);
    *out = NULL;
}

static struct pipeline *pipeline_new(void)
{
    struct pipeline *pipeline = calloc(1, sizeof *pipeline);
    pthread_condattr_t attributes;

    assert_non_null(pipeline);
    pthread_mutex_init(&pipeline->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pipeline->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pipeline->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    strcpy(pipeline->answer, "{\"entries\":0}");
    return pipeline;
}

static void pipeline_drop(struct pipeline *pipeline)
{
    while (pipeline->out_first < pipeline->out_count)
        pipeline_out_free(pipeline, &pipeline->outs[pipeline->out_first++]);
    close(pipeline->fd);
    pthread_cond_destroy(&pipeline->changed);
    pthread_mutex_destroy(&pipeline->mutex);
    free(pipeline);
}

/* ---- the house ---- */

static void hang_up_all(void);

static void hear(void *context, int64_t now, enum logline_level level, const char *text)
{
    struct pipeline *pipeline = context;

    (void)now;
    (void)level;
    pthread_mutex_lock(&pipeline->mutex);
    size_t used = strlen(pipeline->said);
    snprintf(pipeline->said + used, sizeof pipeline->said - used, "%s\n", text);
    pthread_mutex_unlock(&pipeline->mutex);
}

static pthread_t thread;
static enum gate_end ended;
static struct gate_reason ended_reason;

static void *run(void *context)
{
    struct house *house = context;

    ended = gate_run(house->gate, &ended_reason);
    return NULL;
}

static struct byte_buffer make_bundle(struct house *house)
{
    struct byte_buffer catalogue = support_read_file(PROJECT_ROOT "/policy/catalogue.yaml");
    struct byte_buffer protocol = support_read_file(PROJECT_ROOT "/policy/staffordshire-ppo.yaml");
    const struct authority_bundle_file file = {"staffordshire-ppo.yaml", bytes_buffer_view(&protocol)};
    struct authority_bundle_options options = partnership_options();
    struct byte_buffer bundle = bytes_buffer(0);
    struct bundle_reason reason;

    options.protocols = &file;
    options.catalogue.content = bytes_buffer_view(&catalogue);
    if (authority_bundle_make(house->partnership->authority, &options, house->partnership->now, &bundle,
                              &reason) != STATUS_OK)
        fail_msg("bundle: %s", reason.text);
    bytes_buffer_free(&catalogue);
    bytes_buffer_free(&protocol);
    return bundle;
}

void house_next_bundle(struct house *house, char ret_path[static 256])
{
    struct byte_buffer file = make_bundle(house);

    snprintf(ret_path, 256, "%s/next.bundle", house->partnership->folder);
    assert_int_equal(safefile_write(ret_path, bytes_buffer_view(&file), 0600), STATUS_OK);
    bytes_buffer_free(&file);
}

static void make_partnership(struct house *house)
{
    house->partnership = partnership_new();
    house->broker = partnership_member(house->partnership, PARTNERSHIP_BROKER, ROLE_BROKER);
    house->police = partnership_member(house->partnership, HOUSE_POLICE, ROLE_AGENT);
    house->prison = partnership_member(house->partnership, HOUSE_PRISON, ROLE_AGENT);
    struct byte_buffer file = make_bundle(house);
    house->bundle = partnership_first(house->partnership, &file);
    bytes_buffer_free(&file);
    snprintf(house->folder, sizeof house->folder, "%s/%s", house->partnership->folder, PARTNERSHIP_BROKER);
    assert_int_equal(archive_accept(house->folder, house->bundle, NULL), STATUS_OK);
}

void house_open(struct house *house, int64_t now)
{
    struct clock clock = clock_at(now);
    struct gate_reason reason = {{0}};

    memset(house, 0, sizeof *house);
    make_partnership(house);
    house->pipeline = pipeline_new();
    house->say = say_new(hear, house->pipeline, 100);
    assert_int_equal(pipe(house->stop), 0);
    const struct gate_options options = {
        .folder = house->folder,
        .listen = "tcp://127.0.0.1:*",
        .keystore = house->broker,
        .bundle = house->bundle,
        .clock = &clock,
        .pipeline = house->pipeline,
        .credit = 1024,
        .stop_fd = house->stop[0],
        .say = &house->say,
    };
    if (gate_open(&options, &house->gate, &reason) != STATUS_OK)
        fail_msg("gate: %s", reason.text);
    house->context = zmq_ctx_new();
    house->running = pthread_create(&thread, NULL, run, house) == 0;
    assert_true(house->running);
}

void house_close(struct house *house)
{
    assert_int_equal(write(house->stop[1], "x", 1), 1);
    if (house->running)
        pthread_join(thread, NULL);
    gate_close(&house->gate);
    pipeline_drop(house->pipeline);
    hang_up_all();
    zmq_ctx_term(house->context);
    close(house->stop[0]);
    close(house->stop[1]);
    bundle_free(&house->bundle);
    keystore_free(&house->broker);
    keystore_free(&house->police);
    keystore_free(&house->prison);
    partnership_free(&house->partnership);
}

json_t *house_ask(struct house *house, const char *json)
{
    char path[512];
    struct local_client *client = NULL;
    json_t *request = json_loads(json, 0, NULL);
    json_t *reply = NULL;
    bool last = false;

    assert_non_null(request);
    snprintf(path, sizeof path, "%s/control.sock", house->folder);
    assert_int_equal(local_client_connect(path, PATIENCE_MS, &client), STATUS_OK);
    assert_int_equal(local_client_call(client, request, PATIENCE_MS, &reply, &last), STATUS_OK);
    assert_true(last);
    local_client_close(&client);
    json_decref(request);
    return reply;
}

static bool wait_record(struct house *house, int timeout_ms, struct told *ret)
{
    struct pipeline *pipeline = house->pipeline;
    struct timespec until;
    bool found = false;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    until.tv_sec += timeout_ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&pipeline->mutex);
    while (pipeline->first == pipeline->count &&
           pthread_cond_timedwait(&pipeline->changed, &pipeline->mutex, &until) != ETIMEDOUT)
        continue;
    if (pipeline->first < pipeline->count) {
        *ret = pipeline->records[pipeline->first++];
        found = true;
    }
    pthread_mutex_unlock(&pipeline->mutex);
    return found;
}

struct told house_record(struct house *house)
{
    struct told record = {0};

    if (!wait_record(house, PATIENCE_MS, &record))
        fail_msg("the pipeline was told nothing");
    return record;
}

void house_quiet(struct house *house)
{
    struct told record = {0};

    if (wait_record(house, QUIET_MS, &record))
        fail_msg("the pipeline was told something: %d %s", (int)record.what, record.member);
}

void house_deliver(struct house *house, uint64_t connection, const char *member, struct byte_view bytes)
{
    put_out(house->pipeline,
            (struct pipeline_out){.kind = PIPELINE_FRAME, .connection = connection, .member = member}, bytes);
}

void house_submit_status(struct house *house, enum status status)
{
    pthread_mutex_lock(&house->pipeline->mutex);
    house->pipeline->submit = status;
    pthread_mutex_unlock(&house->pipeline->mutex);
}

void house_answer(struct house *house, const char *json)
{
    snprintf(house->pipeline->answer, sizeof house->pipeline->answer, "%s", json);
}

const char *house_asked(struct house *house)
{
    return house->pipeline->asked;
}

bool house_said(struct house *house, const char *part)
{
    pthread_mutex_lock(&house->pipeline->mutex);
    bool found = strstr(house->pipeline->said, part) != NULL;
    pthread_mutex_unlock(&house->pipeline->mutex);
    return found;
}

void house_fatal(struct house *house, const char *sentence)
{
    put_out(house->pipeline, (struct pipeline_out){.kind = PIPELINE_FATAL}, bytes_of_string(sentence));
    pthread_join(thread, NULL);
    assert_int_equal(ended, GATE_FATAL);
    assert_string_equal(ended_reason.text, sentence);
    house->running = false;
}

/* ---- clients ---- */

/* Those that are open, so that a failed test can be tidied up after. */
#define CLIENTS 16
static struct client *clients[CLIENTS];

static void keep(struct client *client)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        if (clients[i] == NULL) {
            clients[i] = client;
            return;
        }
    }
    fail_msg("too many clients");
}

static void hang_up_all(void)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        if (clients[i] != NULL)
            client_hang_up(clients[i]);
    }
}

static void set(void *socket, int option, const void *value, size_t size)
{
    if (zmq_setsockopt(socket, option, value, size) != 0)
        fail_msg("option %d: %s", option, zmq_strerror(errno));
}

static void set_number(void *socket, int option, int value)
{
    set(socket, option, &value, sizeof value);
}

static void set_keys(const struct house *house, void *socket, const struct client_options *options)
{
    const uint8_t *secret =
        options->keys != NULL ? keystore_transport_secret(options->keys) : options->secret;
    const uint8_t *public_key =
        options->keys != NULL ? keystore_transport_public(options->keys) : options->public_key;

    if (secret == NULL)
        return;
    set(socket, ZMQ_CURVE_SERVERKEY, keystore_transport_public(house->broker), 32);
    set(socket, ZMQ_CURVE_SECRETKEY, secret, 32);
    set(socket, ZMQ_CURVE_PUBLICKEY, public_key, 32);
}

void client_dial(struct house *house, const struct client_options *options, struct client *ret)
{
    static unsigned number;
    char name[64];

    *ret = (struct client){.socket = zmq_socket(house->context, ZMQ_DEALER),
                           .monitor = zmq_socket(house->context, ZMQ_PAIR),
                           .arena = wire_arena(WIRE_ARENA_FRAME)};
    set_number(ret->socket, ZMQ_LINGER, 0);
    set_number(ret->monitor, ZMQ_LINGER, 0);
    set_keys(house, ret->socket, options);
    if (options->route != NULL)
        set(ret->socket, ZMQ_ROUTING_ID, options->route, 5);
    if (options->metadata != NULL)
        set(ret->socket, 95 /* ZMQ_METADATA, hidden as draft */, options->metadata,
            strlen(options->metadata));
    if (options->receive_limit > 0) {
        set_number(ret->socket, ZMQ_RCVHWM, options->receive_limit);
        set_number(ret->socket, ZMQ_RCVBUF, 4096);
    }
    keep(ret);
    snprintf(name, sizeof name, "inproc://monitor-%u", number++);
    assert_int_equal(zmq_socket_monitor(ret->socket, name, ZMQ_EVENT_ALL), 0);
    assert_int_equal(zmq_connect(ret->monitor, name), 0);
    assert_int_equal(zmq_connect(ret->socket, gate_endpoint(house->gate)), 0);
}

void client_hang_up(struct client *client)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        if (clients[i] == client)
            clients[i] = NULL;
    }
    zmq_socket_monitor(client->socket, NULL, 0);
    zmq_close(client->monitor);
    zmq_close(client->socket);
    wire_arena_free(&client->arena);
}

void client_send(struct client *client, struct byte_view bytes)
{
    assert_int_equal(zmq_send(client->socket, bytes.data, bytes.size, 0), bytes.size);
}

void client_send_two(struct client *client, struct byte_view bytes)
{
    assert_int_equal(zmq_send(client->socket, bytes.data, bytes.size, ZMQ_SNDMORE), bytes.size);
    client_send(client, bytes);
}

void client_verb(struct client *client, uint64_t request, Wire__Frame__VerbCase verb, struct byte_view body)
{
    struct byte_buffer frame = bytes_buffer(WIRE_FRAME_LIMIT);

    assert_int_equal(wire_frame_pack(request, verb, body, &frame), STATUS_OK);
    client_send(client, bytes_buffer_view(&frame));
    bytes_buffer_free(&frame);
}

void client_hello(struct client *client, const struct house *house, const char *member, uint64_t request)
{
    Wire__Hello hello = WIRE__HELLO__INIT;
    const Wire__SignedHead *head = bundle_signed_head(house->bundle);
    const struct directory_entry *entry = directory_known(bundle_directory(house->bundle), member);
    struct byte_buffer body = bytes_buffer(WIRE_FRAME_LIMIT);
    char name[MEMBER_ID_LENGTH + 1];

    snprintf(name, sizeof name, "%s", member);
    hello.member = name;
    hello.highest_version = 1;
    hello.certificate = wire_data(bytes_view(entry->digest, DIGEST_SIZE));
    memcpy(&hello.head, &head, sizeof head);
    wire_pack(&hello.base, &body);
    client_verb(client, request, WIRE__FRAME__VERB_HELLO, bytes_buffer_view(&body));
    bytes_buffer_free(&body);
}

const Wire__Frame *client_frame(struct client *client, int timeout_ms)
{
    zmq_pollitem_t item = {.socket = client->socket, .events = ZMQ_POLLIN};
    const Wire__Frame *frame = NULL;
    zmq_msg_t message;

    if (zmq_poll(&item, 1, timeout_ms) <= 0)
        return NULL;
    zmq_msg_init(&message);
    assert_true(zmq_msg_recv(&message, client->socket, 0) >= 0);
    assert_false(zmq_msg_more(&message));
    wire_arena_reset(&client->arena);
    assert_int_equal(
        wire_frame_unpack(bytes_view(zmq_msg_data(&message), zmq_msg_size(&message)), &client->arena, &frame),
        STATUS_OK);
    zmq_msg_close(&message);
    return frame;
}

void client_error(struct client *client, Wire__ErrorCode code, uint64_t request)
{
    const Wire__Frame *frame = client_frame(client, PATIENCE_MS);

    if (frame == NULL)
        fail_msg("no answer");
    assert_int_equal(frame->verb_case, WIRE__FRAME__VERB_ERROR);
    if (frame->error->code != code)
        fail_msg("error %d: %s", (int)frame->error->code, frame->error->text);
    assert_int_equal(frame->request, request);
}

uint64_t client_join(struct house *house, const struct keystore *keys, struct client *ret)
{
    client_dial(house, &(struct client_options){.keys = keys}, ret);
    client_hello(ret, house, keystore_member(keys), 1);
    const Wire__Frame *frame = client_frame(ret, PATIENCE_MS);
    assert_non_null(frame);
    assert_int_equal(frame->verb_case, WIRE__FRAME__VERB_WELCOME);
    struct told record = house_record(house);
    if (record.what == TOLD_DISCONNECTED)
        record = house_record(house);
    assert_int_equal(record.what, TOLD_CONNECTED);
    assert_string_equal(record.member, keystore_member(keys));
    return record.connection;
}

int client_event(struct client *client, int events, int timeout_ms)
{
    zmq_pollitem_t item = {.socket = client->monitor, .events = ZMQ_POLLIN};

    while (zmq_poll(&item, 1, timeout_ms) > 0) {
        uint8_t head[6];
        char address[256];
        uint16_t event = 0;
        assert_int_equal(zmq_recv(client->monitor, head, sizeof head, 0), sizeof head);
        assert_true(zmq_recv(client->monitor, address, sizeof address, 0) >= 0);
        memcpy(&event, head, sizeof event);
        if ((event & events) != 0)
            return event;
    }
    return 0;
}
