#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#include "tests/bench/load.h"

void load_fail(struct load *load, const char *what, const char *detail)
{
    fprintf(stderr, "bench: %s: %s\n", what, detail);
    atomic_store(&load->failed, true);
}

int64_t load_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t load_spent(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool say_hello(struct load *load, struct load_party *party)
{
    struct byte_buffer frame = bytes_buffer(WIRE_FRAME_LIMIT);
    struct wire_arena arena = wire_arena(WIRE_ARENA_FRAME);
    const Wire__Frame *answer = NULL;
    Wire__Hello hello = WIRE__HELLO__INIT;
    Wire__Frame wire = WIRE__FRAME__INIT;
    zmq_msg_t message;
    bool welcome = false;

    hello.member = (char *)(uintptr_t)party->member;
    hello.highest_version = WIRE_VERSION;
    hello.certificate = wire_data(bytes_view(party->entry->digest, sizeof party->entry->digest));
    hello.head = (Wire__SignedHead *)(uintptr_t)bundle_signed_head(load->bundle);
    wire.version = WIRE_VERSION;
    wire.request = 1;
    wire.verb_case = WIRE__FRAME__VERB_HELLO;
    wire.hello = &hello;
    wire_pack(&wire.base, &frame);
    zmq_msg_init(&message);
    if (frame.status == STATUS_OK && zmq_send(party->socket, frame.data, frame.size, 0) >= 0 &&
        zmq_msg_recv(&message, party->socket, 0) >= 0 &&
        wire_frame_unpack(bytes_view(zmq_msg_data(&message), zmq_msg_size(&message)), &arena, &answer) ==
            STATUS_OK)
        welcome = answer->verb_case == WIRE__FRAME__VERB_WELCOME;
    if (answer != NULL && answer->verb_case == WIRE__FRAME__VERB_ERROR)
        load_fail(load, party->member, answer->error->text);
    zmq_msg_close(&message);
    wire_arena_free(&arena);
    bytes_buffer_free(&frame);
    return welcome;
}

static bool connect_party(struct load *load, struct load_party *party)
{
    const struct directory_entry *broker = directory_with_role(bundle_directory(load->bundle), ROLE_BROKER,
                                                               bundle_not_before(load->bundle) + 600000);
    int timeout = 10000;
    int linger = 0;
    int unlimited = 0;

    party->socket = zmq_socket(load->context, ZMQ_DEALER);
    if (broker == NULL || party->socket == NULL)
        return false;
    zmq_setsockopt(party->socket, ZMQ_CURVE_SERVERKEY, broker->transport, 32);
    zmq_setsockopt(party->socket, ZMQ_CURVE_SECRETKEY, keystore_transport_secret(party->keystore), 32);
    zmq_setsockopt(party->socket, ZMQ_CURVE_PUBLICKEY, keystore_transport_public(party->keystore), 32);
    zmq_setsockopt(party->socket, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
    zmq_setsockopt(party->socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(party->socket, ZMQ_SNDHWM, &unlimited, sizeof unlimited);
    zmq_setsockopt(party->socket, ZMQ_RCVHWM, &unlimited, sizeof unlimited);
    if (zmq_connect(party->socket, load->options.endpoint) != 0 || !say_hello(load, party)) {
        load_fail(load, party->member, "not welcomed by the broker");
        return false;
    }
    return true;
}

bool load_open(struct load *load, const char *member, struct load_party *party)
{
    char folder[PATH_MAX];

    snprintf(folder, sizeof folder, "%s/agents/%s", load->options.root, member);
    if (load->bundle == NULL && archive_newest(folder, &load->bundle, NULL) != STATUS_OK) {
        load_fail(load, member, "has no bundle");
        return false;
    }
    if (keystore_load(folder, &party->keystore) != STATUS_OK) {
        load_fail(load, member, "its keys do not load");
        return false;
    }
    party->member = keystore_member(party->keystore);
    party->entry = directory_by_member(bundle_directory(load->bundle), party->member,
                                       bundle_not_before(load->bundle) + 600000);
    if (party->entry == NULL) {
        load_fail(load, member, "is not in the bundle");
        return false;
    }
    memcpy(party->signer.root.bytes, bundle_root_digest(load->bundle), 32);
    memcpy(party->signer.certificate.bytes, party->entry->digest, 32);
    return connect_party(load, party);
}
