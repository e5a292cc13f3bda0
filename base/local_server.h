#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"

/*
 * A daemon's local socket (base/local_wire.h), served from inside the daemon's own poll loop: nothing here
 * blocks. One thread. now_ms is any clock that does not jump; the same one in every call.
 *
 *   poll on local_server_fd() for input, at most local_server_wait() long, then local_server_step().
 *
 * Limits: LOCAL_SERVER_CONNECTIONS at once (others wait in the kernel), one request at a time on each, frames
 * as in local_wire.h, two frames of output waiting. A peer that takes longer than idle_ms to send a request,
 * or to read what waits for it, is dropped; so is one that sends no valid frame. Time that the daemon takes
 * to answer does not count.
 */
#define LOCAL_SERVER_CONNECTIONS 16

struct local_server;
struct local_connection;

/* Who is at the other end, by SO_PEERCRED at the time of connecting. */
struct local_peer {
    uid_t uid;
    gid_t gid;
    pid_t pid; /* for messages only */
};

/*
 * A request has come (borrowed). Answer with local_server_reply now, or later through the connection's
 * number, or with local_server_stream. The connection is valid during the call.
 */
typedef void local_handler(struct local_connection *connection, const json_t *request, void *context);

/* There is room for at least one reply: give it. */
typedef void local_source(struct local_connection *connection, void *context);

/*
 * local_server_new - listen on the socket file `name` in the folder. The caller holds the folder
 * (safefile_lock): a socket file left behind is replaced.
 *
 * mode      of the socket file, usually 0600: who can write to it can connect
 * idle_ms   see above; positive
 *
 * Returns STATUS_EXISTS when the name is taken by something else, STATUS_BAD_ARGUMENT when it is too long, or
 * what safefile_status makes of errno.
 */
enum status local_server_new(const char *folder, const char *name, mode_t mode, int64_t idle_ms,
                             struct local_server **ret_server);

/* local_server_free - drop every connection and remove the socket file. */
void local_server_free(struct local_server **server);

/* local_server_fd - readable when local_server_step has something to do. Belongs to the server. */
int local_server_fd(const struct local_server *server);

/* local_server_wait - milliseconds until step should be called even if nothing is readable; -1: no need. */
int local_server_wait(const struct local_server *server, int64_t now_ms);

/* local_server_step - accept, read, call the handler, write, drop; whatever can be done without waiting. */
void local_server_step(struct local_server *server, int64_t now_ms, local_handler *handler, void *context);

/*
 * local_server_reply - queue a reply; it leaves in the next steps. Takes over the reference to reply (NULL is
 * STATUS_NO_MEMORY), also when it fails. last ends the request: nothing may follow until the handler is
 * called again.
 *
 * Returns STATUS_TOO_LARGE, STATUS_BUSY (too much is waiting already; see local_server_stream) or
 * STATUS_NO_MEMORY; nothing was queued then, and the request is still to be answered (or the connection to be
 * dropped).
 */
enum status local_server_reply(struct local_connection *connection, json_t *reply, bool last);

/*
 * local_server_stream - answer piecemeal: more is called whenever there is room for a reply, until one with
 * last true was queued or the connection ends; then end is called once (it may be NULL). more must give a
 * reply or drop.
 */
void local_server_stream(struct local_connection *connection, local_source *more, local_source *end,
                         void *context);

/* local_server_drop - close the connection, at the latest in the next step; what waits to be sent is lost. */
void local_server_drop(struct local_connection *connection);

struct local_peer local_server_peer(const struct local_connection *connection);

/* local_server_number - names the connection for as long as the server lives; never used again. */
uint64_t local_server_number(const struct local_connection *connection);

/* local_server_find - the connection of that number, valid until the next step; NULL when it is gone. */
struct local_connection *local_server_find(struct local_server *server, uint64_t number);
