#include "agent/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "proto/random.h"
#include "proto/wire_codec.h"

#define LINK_KEY_SIZE          32
#define LINK_ENDPOINT          256
#define LINK_QUEUE             1000
#define LINK_HEARTBEAT_MS      5000
#define LINK_SILENCE_MS        20000
#define LINK_HANDSHAKE_MS      5000
#define LINK_RECONNECT_MS      200
#define LINK_RECONNECT_MAX     10000
#define LINK_BACKOFF_MS        ((int64_t)500)
#define LINK_BACKOFF_MAX       ((int64_t)60 * 1000)
#define LINK_BACKOFF_DOUBLINGS 7
#define LINK_FAILURES          2
#define LINK_EVENTS                                                                                          \
    (ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |                                  \
     ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_DISCONNECTED)

struct link {
    void *context;
    void *socket; /* NULL while it is to be made anew */
    void *monitor;
    char endpoint[LINK_ENDPOINT];
    uint8_t server_key[LINK_KEY_SIZE];
    uint8_t public_key[LINK_KEY_SIZE];
    uint8_t secret_key[LINK_KEY_SIZE];
    unsigned sockets; /* made so far; names the monitor */
    int refusals;     /* one after the other */
    int failures;     /* handshakes that failed, one after the other; a broker that ends makes one */
    int64_t anew_at;  /* elapsed; valid while there is no socket */
};

static bool set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool set_key(void *socket, int option, const uint8_t *key)
{
    return zmq_setsockopt(socket, option, key, LINK_KEY_SIZE) == 0;
}

static bool configure(const struct link *link)
{
    void *socket = link->socket;
    const int64_t largest = (int64_t)(WIRE_FRAME_LIMIT + WIRE_CURVE_ADDED);

    return set_int(socket, ZMQ_LINGER, 0) && set_int(socket, ZMQ_IMMEDIATE, 1) &&
           set_int(socket, ZMQ_SNDHWM, LINK_QUEUE) && set_int(socket, ZMQ_RCVHWM, LINK_QUEUE) &&
           set_int(socket, ZMQ_HEARTBEAT_IVL, LINK_HEARTBEAT_MS) &&
           set_int(socket, ZMQ_HEARTBEAT_TIMEOUT, LINK_SILENCE_MS) &&
           set_int(socket, ZMQ_HEARTBEAT_TTL, LINK_SILENCE_MS) &&
           set_int(socket, ZMQ_HANDSHAKE_IVL, LINK_HANDSHAKE_MS) &&
           set_int(socket, ZMQ_RECONNECT_IVL, LINK_RECONNECT_MS) &&
           set_int(socket, ZMQ_RECONNECT_IVL_MAX, LINK_RECONNECT_MAX) &&
           zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest) == 0 &&
           set_key(socket, ZMQ_CURVE_SERVERKEY, link->server_key) &&
           set_key(socket, ZMQ_CURVE_PUBLICKEY, link->public_key) &&
           set_key(socket, ZMQ_CURVE_SECRETKEY, link->secret_key);
}

static bool watch(struct link *link)
{
    char name[64];

    (void)snprintf(name, sizeof name, "inproc://link-%u", ++link->sockets);
    if (zmq_socket_monitor(link->socket, name, LINK_EVENTS) != 0)
        return false;
    link->monitor = zmq_socket(link->context, ZMQ_PAIR);
    return link->monitor != NULL && set_int(link->monitor, ZMQ_LINGER, 0) &&
           zmq_connect(link->monitor, name) == 0;
}

static void close_socket(struct link *link)
{
    if (link->socket != NULL) {
        (void)zmq_socket_monitor(link->socket, NULL, 0);
        (void)zmq_close(link->socket);
    }
    if (link->monitor != NULL)
        (void)zmq_close(link->monitor);
    link->socket = NULL;
    link->monitor = NULL;
}

static enum status open_socket(struct link *link)
{
    link->socket = zmq_socket(link->context, ZMQ_DEALER);
    if (link->socket != NULL && configure(link) && watch(link) &&
        zmq_connect(link->socket, link->endpoint) == 0)
        return STATUS_OK;
    close_socket(link);
    return errno == EINVAL || errno == EPROTONOSUPPORT ? STATUS_BAD_ARGUMENT : STATUS_IO;
}

static void take_options(struct link *link, const struct link_options *options)
{
    (void)snprintf(link->endpoint, sizeof link->endpoint, "%s", options->endpoint);
    memcpy(link->server_key, options->server_key, LINK_KEY_SIZE);
    memcpy(link->public_key, options->public_key, LINK_KEY_SIZE);
    memcpy(link->secret_key, options->secret_key, LINK_KEY_SIZE);
}

enum status link_open(const struct link_options *options, struct link **ret_link)
{
    struct link *link = calloc(1, sizeof *link);
    enum status status = STATUS_NO_MEMORY;

    if (link == NULL)
        return status;
    take_options(link, options);
    link->context = zmq_ctx_new();
    if (link->context != NULL)
        status = open_socket(link);
    if (status == STATUS_OK)
        *ret_link = link;
    else
        link_close(&link);
    return status;
}

void link_close(struct link **link)
{
    if (*link == NULL)
        return;
    close_socket(*link);
    if ((*link)->context != NULL)
        (void)zmq_ctx_term((*link)->context);
    bytes_wipe(*link, sizeof **link);
    free(*link);
    *link = NULL;
}

enum status link_again(struct link *link, const struct link_options *options)
{
    take_options(link, options);
    close_socket(link);
    return open_socket(link);
}

void link_fds(const struct link *link, struct pollfd ret_fds[static 2])
{
    void *const sockets[2] = {link->socket, link->monitor};

    for (size_t i = 0; i < 2; i++) {
        size_t size = sizeof ret_fds[i].fd;

        ret_fds[i] = (struct pollfd){.fd = -1, .events = POLLIN};
        if (sockets[i] != NULL)
            (void)zmq_getsockopt(sockets[i], ZMQ_FD, &ret_fds[i].fd, &size);
    }
}

static bool readable(void *socket)
{
    int events = 0;
    size_t size = sizeof events;

    return socket != NULL && zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0 &&
           (events & ZMQ_POLLIN) != 0;
}

bool link_pending(const struct link *link)
{
    const bool frames = readable(link->socket);

    return readable(link->monitor) || frames;
}

/* The number of the next monitor event, 0 if there is none. Its second part, the address, is dropped. */
static unsigned next_event(struct link *link)
{
    zmq_msg_t part;
    uint16_t number = 0;
    int more = 1;

    if (link->monitor == NULL)
        return 0;
    for (bool first = true; more != 0; first = false) {
        (void)zmq_msg_init(&part);
        if (zmq_msg_recv(&part, link->monitor, ZMQ_DONTWAIT) < 0) {
            (void)zmq_msg_close(&part);
            return number;
        }
        if (first && zmq_msg_size(&part) >= sizeof number)
            memcpy(&number, zmq_msg_data(&part), sizeof number);
        more = zmq_msg_more(&part);
        (void)zmq_msg_close(&part);
    }
    return number;
}

/* How long to stay away: doubling, less up to a half at random. */
static int64_t backoff(int refusals)
{
    int64_t longest = LINK_BACKOFF_MS
                      << (refusals < LINK_BACKOFF_DOUBLINGS ? refusals : LINK_BACKOFF_DOUBLINGS);
    uint8_t jitter[2] = {0, 0};

    if (longest > LINK_BACKOFF_MAX)
        longest = LINK_BACKOFF_MAX;
    (void)random_bytes(jitter, sizeof jitter);
    return longest - longest * bytes_get_u16(jitter) / 2 / UINT16_MAX;
}

enum link_event link_event(struct link *link, int64_t elapsed)
{
    switch (next_event(link)) {
    case 0:
        return LINK_NOTHING;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        link->refusals = 0;
        link->failures = 0;
        return LINK_CONNECTED;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        if (link->failures < LINK_FAILURES)
            link->failures++;
        return link->failures < LINK_FAILURES ? LINK_DISCONNECTED : LINK_STRANGER;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        close_socket(link);
        link->anew_at = elapsed + backoff(link->refusals++);
        return LINK_REFUSED;
    default:
        return LINK_DISCONNECTED;
    }
}

enum status link_receive(struct link *link, struct byte_buffer *ret)
{
    zmq_msg_t part;
    enum status status = STATUS_NOT_FOUND;

    bytes_buffer_clear(ret);
    if (link->socket == NULL)
        return status;
    (void)zmq_msg_init(&part);
    if (zmq_msg_recv(&part, link->socket, ZMQ_DONTWAIT) >= 0) {
        status = zmq_msg_more(&part) != 0 ? STATUS_TOO_LARGE : STATUS_OK;
        bytes_append(ret, zmq_msg_data(&part), zmq_msg_size(&part));
        while (zmq_msg_more(&part) != 0 && zmq_msg_recv(&part, link->socket, ZMQ_DONTWAIT) >= 0)
            continue; /* a message of ours has one part; the others are dropped with it */
        if (status == STATUS_OK)
            status = ret->status;
    }
    (void)zmq_msg_close(&part);
    return status;
}

bool link_send(struct link *link, struct byte_view frame)
{
    return link->socket != NULL && zmq_send(link->socket, frame.data, frame.size, ZMQ_DONTWAIT) >= 0;
}

enum status link_step(struct link *link, int64_t elapsed, int64_t *ret_wait)
{
    *ret_wait = -1;
    if (link->socket != NULL)
        return STATUS_OK;
    if (elapsed < link->anew_at) {
        *ret_wait = link->anew_at - elapsed;
        return STATUS_OK;
    }
    return open_socket(link);
}
