#pragma once

#include "broker/zap.h"

/*
 * The broker's door: a ZeroMQ ROUTER with CURVE, and the ZAP socket that decides who comes in. Everything
 * here belongs to one thread and never waits.
 *
 * The traps of libzmq 4.3.4 are dealt with here: CURVE without an enforced ZAP domain lets everybody in;
 * the domain must be set before it is enforced; the identity stands on payload frames only; clients may
 * choose their routing id; ROUTER drops silently unless it is told not to; sizes, handshakes and silences
 * are unlimited by default.
 */

#define ROUTER_ROUTE_SIZE 5 /* bytes of a routing id that libzmq assigned: zero, then a number */

struct router;

struct router_options {
    const char *endpoint;      /* tcp://HOST:PORT */
    const uint8_t *secret;     /* CURVE secret key, X25519_KEY_SIZE bytes; copied */
    const uint8_t *public_key; /* its public half */
};

struct router_reason {
    char text[256];
};

/*
 * router_open - bind. ret is closed with router_close.
 *
 * Returns STATUS_UNSUPPORTED when this libzmq does not enforce ZAP domains or has no CURVE (the broker must
 * not start), STATUS_IN_USE when the endpoint is taken, STATUS_BAD_ARGUMENT when it is none of this machine,
 * STATUS_NO_MEMORY or STATUS_IO; each with a reason.
 */
enum status router_open(const struct router_options *options, struct router **ret,
                        struct router_reason *ret_reason);

/* router_close - what is queued for peers gets up to a second. */
void router_close(struct router **router);

/* The two sockets, for zmq_poll (ZMQ_POLLIN). */
void *router_socket(const struct router *router);
void *router_zap_socket(const struct router *router);

/* router_endpoint - where it is bound: the port in place of a *. Owned by the router. */
const char *router_endpoint(const struct router *router);

/*
 * router_admit - answer one waiting ZAP request from this directory. STATUS_BUSY when none waits.
 * ret_admitted says whether somebody was let in.
 */
enum status router_admit(struct router *router, const struct directory *directory, int64_t now,
                         bool *ret_admitted);

/* One message from somebody that the handshake let in; borrowed until the next router_take. */
struct router_message {
    struct byte_view route;  /* where an answer goes */
    bool assigned;           /* the routing id is of the broker's choosing */
    size_t frames;           /* after the routing id: 1 in a good message */
    struct byte_view bytes;  /* the first of them */
    const char *member;      /* User-Id as ZAP gave it, from the payload frame; NULL: refuse */
    const char *certificate; /* digest in hexadecimal, likewise */
};

/* router_take - STATUS_BUSY when nothing waits; STATUS_IO. */
enum status router_take(struct router *router, struct router_message *ret);

/*
 * router_send - bytes are copied. Returns STATUS_BUSY (that peer does not read: its queue is full),
 * STATUS_CLOSED (nobody is there any more), STATUS_NO_MEMORY or STATUS_IO; nothing was sent then.
 */
enum status router_send(struct router *router, struct byte_view route, struct byte_view bytes);
