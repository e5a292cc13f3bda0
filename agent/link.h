#pragma once

#include <poll.h>

#include "base/bytes.h"

/*
 * The connection to the broker: one ZeroMQ DEALER with CURVE that pins the broker's key, its monitor, and
 * making it anew. It only dials out and sets no routing id. One thread.
 *
 * After an authentication failure libzmq's DEALER never tries again, so the socket is made anew, with a
 * back-off that grows to a minute and has jitter. elapsed: clock_elapsed().
 */
struct link;

struct link_options {
    const char *endpoint;
    const uint8_t *server_key; /* the broker's transport key, 32 bytes; copied */
    const uint8_t *public_key; /* ours */
    const uint8_t *secret_key;
};

enum link_event {
    LINK_NOTHING,
    LINK_CONNECTED,    /* handshake done */
    LINK_DISCONNECTED, /* it tries again by itself, or by link_step */
    LINK_REFUSED,      /* the broker does not let our key in; it is tried again later */
    LINK_STRANGER, /* whoever answers fails the handshake again and again: it does not hold the broker's key,
                      or is no broker; it is tried again */
};

/* link_open - STATUS_BAD_ARGUMENT for an endpoint that ZeroMQ does not take, STATUS_NO_MEMORY or STATUS_IO.
 */
enum status link_open(const struct link_options *options, struct link **ret_link);
void link_close(struct link **link);

/* link_again - make the connection anew, with these keys. Same errors. */
enum status link_again(struct link *link, const struct link_options *options);

/* link_fds - two descriptors to poll for input; after either became readable, and after link_send, call
 * link_event and link_receive until they have nothing more. */
void link_fds(const struct link *link, struct pollfd ret_fds[static 2]);

/* link_pending - is there something for link_event or link_receive now? To be asked before waiting: the
 * descriptors tell changes only. */
bool link_pending(const struct link *link);

/* link_event - the next thing that happened to the connection. */
enum link_event link_event(struct link *link, int64_t elapsed);

/* link_receive - the next frame into ret (cleared first); STATUS_NOT_FOUND if none, STATUS_TOO_LARGE
 * (dropped). */
enum status link_receive(struct link *link, struct byte_buffer *ret);

/* link_send - false when the connection takes nothing now. Never blocks. */
bool link_send(struct link *link, struct byte_view frame);

/* link_step - what is due: making the socket anew. *ret_wait: milliseconds until the next call, -1: none.
 * Errors as link_open. */
enum status link_step(struct link *link, int64_t elapsed, int64_t *ret_wait);
