#include "broker/router.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "proto/wire_codec.h"

/* libzmq 4.3.4 hides these among its drafts, yet has them: 93 since 4.3.0. router_open checks that it works.
 */
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

#ifndef ZMQ_MSG_PROPERTY_USER_ID
#define ZMQ_MSG_PROPERTY_USER_ID "User-Id"
#endif

#define ENDPOINT_SIZE 256
#define ROUTE_MAX     255 /* bytes of a routing id that a client chose */

struct router {
    void *context;
    void *socket;
    void *zap;
    char endpoint[ENDPOINT_SIZE];
    zmq_msg_t route;
    zmq_msg_t payload;
};

struct number_option {
    int name;
    int value;
};

/* Set in this order before binding; a refusal of any of them is a reason not to start. */
static const struct number_option numbers[] = {
    {ZMQ_ZAP_ENFORCE_DOMAIN, 1}, {ZMQ_CURVE_SERVER, 1},
    {ZMQ_ROUTER_MANDATORY, 1}, /* otherwise what cannot be sent is dropped silently */
    {ZMQ_ROUTER_HANDOVER, 0},    {ZMQ_HANDSHAKE_IVL, 3000},
    {ZMQ_HEARTBEAT_IVL, 10000},  {ZMQ_HEARTBEAT_TIMEOUT, 30000},
    {ZMQ_HEARTBEAT_TTL, 30000},  {ZMQ_LINGER, 1000},
    {ZMQ_SNDHWM, 1024},          {ZMQ_RCVHWM, 1024},
    {ZMQ_BACKLOG, 1024},
};

static enum status fail(struct router_reason *reason, enum status status, const char *what)
{
    (void)snprintf(reason->text, sizeof reason->text, "%s: %s", what, zmq_strerror(errno));
    return status;
}

static enum status set_bytes(void *socket, int option, const void *value, size_t size)
{
    return zmq_setsockopt(socket, option, value, size) == 0 ? STATUS_OK : STATUS_UNSUPPORTED;
}

/* Trap 1 and 2: the domain before its enforcement, and both before the socket is bound. */
static enum status protect(void *socket, const struct router_options *options, struct router_reason *reason)
{
    int64_t largest = (int64_t)(WIRE_FRAME_LIMIT + WIRE_CURVE_ADDED);
    int ipv6 = strchr(options->endpoint, '[') != NULL;
    enum status status = set_bytes(socket, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN, strlen(ZAP_DOMAIN));

    for (size_t i = 0; status == STATUS_OK && i < sizeof numbers / sizeof numbers[0]; i++)
        status = set_bytes(socket, numbers[i].name, &numbers[i].value, sizeof numbers[i].value);
    if (status == STATUS_OK)
        status = set_bytes(socket, ZMQ_CURVE_SECRETKEY, options->secret, X25519_KEY_SIZE);
    if (status == STATUS_OK)
        status = set_bytes(socket, ZMQ_CURVE_PUBLICKEY, options->public_key, X25519_KEY_SIZE);
    if (status == STATUS_OK)
        status = set_bytes(socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest);
    if (status == STATUS_OK)
        status = set_bytes(socket, ZMQ_IPV6, &ipv6, sizeof ipv6);
    if (status != STATUS_OK)
        return fail(reason, status,
                    "this libzmq cannot protect the socket; version 4.3.4 with CURVE is needed");
    return STATUS_OK;
}

static enum status bind_socket(struct router *router, const char *endpoint, struct router_reason *reason)
{
    size_t size = sizeof router->endpoint;

    if (zmq_bind(router->socket, endpoint) != 0) {
        enum status status = errno == EADDRINUSE ? STATUS_IN_USE
                             : errno == EINVAL || errno == ENODEV || errno == EADDRNOTAVAIL
                                 ? STATUS_BAD_ARGUMENT
                                 : STATUS_IO;
        return fail(reason, status, endpoint);
    }
    if (zmq_getsockopt(router->socket, ZMQ_LAST_ENDPOINT, router->endpoint, &size) != 0)
        return fail(reason, STATUS_IO, endpoint);
    return STATUS_OK;
}

/* The ZAP socket first: whoever connects before it is there would have to wait for it. */
static enum status open_sockets(struct router *router, const struct router_options *options,
                                struct router_reason *reason)
{
    int none = 0;

    router->context = zmq_ctx_new();
    if (router->context == NULL)
        return fail(reason, STATUS_NO_MEMORY, "ZeroMQ");
    router->zap = zmq_socket(router->context, ZMQ_REP);
    router->socket = zmq_socket(router->context, ZMQ_ROUTER);
    if (router->zap == NULL || router->socket == NULL)
        return fail(reason, STATUS_IO, "ZeroMQ");
    if (zmq_setsockopt(router->zap, ZMQ_LINGER, &none, sizeof none) != 0 ||
        zmq_bind(router->zap, ZAP_ENDPOINT) != 0)
        return fail(reason, STATUS_IO, ZAP_ENDPOINT);
    enum status status = protect(router->socket, options, reason);
    if (status == STATUS_OK)
        status = bind_socket(router, options->endpoint, reason);
    return status;
}

enum status router_open(const struct router_options *options, struct router **ret,
                        struct router_reason *ret_reason)
{
    struct router_reason reason = {"out of memory"};
    struct router *router = calloc(1, sizeof *router);
    enum status status = STATUS_NO_MEMORY;

    if (router != NULL) {
        (void)zmq_msg_init(&router->route);
        (void)zmq_msg_init(&router->payload);
        status = open_sockets(router, options, &reason);
    }
    if (status == STATUS_OK) {
        *ret = router;
        return STATUS_OK;
    }
    router_close(&router);
    *ret_reason = reason;
    return status;
}

void router_close(struct router **router)
{
    if (*router == NULL)
        return;
    (void)zmq_msg_close(&(*router)->route);
    (void)zmq_msg_close(&(*router)->payload);
    if ((*router)->socket != NULL)
        (void)zmq_close((*router)->socket);
    if ((*router)->zap != NULL)
        (void)zmq_close((*router)->zap);
    if ((*router)->context != NULL) {
        while (zmq_ctx_term((*router)->context) != 0 && errno == EINTR)
            continue;
    }
    free(*router);
    *router = NULL;
}

void *router_socket(const struct router *router)
{
    return router->socket;
}

void *router_zap_socket(const struct router *router)
{
    return router->zap;
}

const char *router_endpoint(const struct router *router)
{
    return router->endpoint;
}

static bool has_more(const zmq_msg_t *message)
{
    return zmq_msg_more(message) != 0;
}

/* Reads the frames that follow and drops them; returns how many. */
static size_t drain(void *socket)
{
    size_t count = 0;
    bool more = true;

    while (more) {
        zmq_msg_t extra;
        (void)zmq_msg_init(&extra);
        more = zmq_msg_recv(&extra, socket, ZMQ_DONTWAIT) >= 0 && has_more(&extra);
        (void)zmq_msg_close(&extra);
        count++;
    }
    return count;
}

static struct byte_view view_of(zmq_msg_t *message)
{
    return bytes_view(zmq_msg_data(message), zmq_msg_size(message));
}

/* ---- who comes in ---- */

static void send_reply(void *socket, const struct zap_reply *reply)
{
    for (size_t i = 0; i < ZAP_REPLY_FRAMES; i++) {
        int more = i + 1 < ZAP_REPLY_FRAMES ? ZMQ_SNDMORE : 0;
        (void)zmq_send(socket, reply->frames[i].data, reply->frames[i].size, ZMQ_DONTWAIT | more);
    }
}

enum status router_admit(struct router *router, const struct directory *directory, int64_t now,
                         bool *ret_admitted)
{
    zmq_msg_t frames[ZAP_REQUEST_MAX];
    struct zap_request request = {.count = 0};
    struct zap_reply reply;
    bool more = true;
    enum status status = STATUS_OK;

    while (more && request.count < ZAP_REQUEST_MAX) {
        zmq_msg_t *frame = &frames[request.count];
        (void)zmq_msg_init(frame);
        if (zmq_msg_recv(frame, router->zap, ZMQ_DONTWAIT) < 0) {
            status = errno == EAGAIN || errno == EINTR ? STATUS_BUSY : STATUS_IO;
            (void)zmq_msg_close(frame);
            break;
        }
        request.frames[request.count++] = view_of(frame);
        more = has_more(frame);
    }
    size_t kept = request.count;
    if (status == STATUS_OK) {
        request.count += more ? drain(router->zap) : 0;
        zap_judge(&request, directory, now, &reply);
        send_reply(router->zap, &reply);
        *ret_admitted = reply.admitted;
    }
    for (size_t i = 0; i < kept; i++)
        (void)zmq_msg_close(&frames[i]);
    return status;
}

/* ---- messages ---- */

/* Trap 5: an id that libzmq assigned is a zero and four more bytes; what a client chose is refused. */
static bool is_assigned(struct byte_view route)
{
    return route.size == ROUTER_ROUTE_SIZE && route.data[0] == 0;
}

enum status router_take(struct router *router, struct router_message *ret)
{
    if (zmq_msg_recv(&router->route, router->socket, ZMQ_DONTWAIT) < 0)
        return errno == EAGAIN || errno == EINTR ? STATUS_BUSY : STATUS_IO;
    struct router_message message = {.route = view_of(&router->route)};
    message.assigned = is_assigned(message.route);
    if (has_more(&router->route)) {
        if (zmq_msg_recv(&router->payload, router->socket, ZMQ_DONTWAIT) < 0)
            return STATUS_IO;
        message.frames = 1;
        message.bytes = view_of(&router->payload);
        /* Trap 3: not from the routing id's frame, where both are absent. */
        message.member = zmq_msg_gets(&router->payload, ZMQ_MSG_PROPERTY_USER_ID);
        message.certificate = zmq_msg_gets(&router->payload, ZAP_CERTIFICATE);
        if (has_more(&router->payload))
            message.frames += drain(router->socket);
    }
    *ret = message;
    return STATUS_OK;
}

static enum status send_status(void)
{
    switch (errno) {
    case EAGAIN:
        return STATUS_BUSY;
    case EHOSTUNREACH:
        return STATUS_CLOSED;
    case ENOMEM:
        return STATUS_NO_MEMORY;
    default:
        return STATUS_IO;
    }
}

enum status router_send(struct router *router, struct byte_view route, struct byte_view bytes)
{
    zmq_msg_t payload;

    assert(route.size > 0 && route.size <= ROUTE_MAX);
    if (zmq_msg_init_size(&payload, bytes.size) != 0)
        return STATUS_NO_MEMORY;
    if (bytes.size > 0)
        memcpy(zmq_msg_data(&payload), bytes.data, bytes.size);
    /* Whether the peer is there and has room is decided with the routing id. */
    if (zmq_send(router->socket, route.data, route.size, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0) {
        enum status status = send_status();
        (void)zmq_msg_close(&payload);
        return status;
    }
    if (zmq_msg_send(&payload, router->socket, ZMQ_DONTWAIT) < 0) {
        (void)zmq_msg_close(&payload);
        return STATUS_IO;
    }
    return STATUS_OK;
}
