#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"

/*
 * The command line's end of a daemon's local socket (base/local_wire.h). Blocks; one thread at a time.
 *
 * timeout_ms is how long nothing may move before STATUS_TIMEOUT (negative: for ever). After any failure but
 * STATUS_TOO_LARGE of a request the client is good for local_client_close only.
 */
struct local_client;

/*
 * local_client_connect - to the socket file at path, however long the path.
 *
 * Returns STATUS_NOT_FOUND (no such folder or socket), STATUS_CLOSED (a socket file that nobody serves),
 * STATUS_PERMISSION, STATUS_TIMEOUT (the daemon has all its connections in use), STATUS_BAD_ARGUMENT or
 * STATUS_IO.
 */
enum status local_client_connect(const char *path, int timeout_ms, struct local_client **ret_client);

/*
 * local_client_call - send a request (borrowed) and wait for the first reply, the caller's (json_decref).
 *
 * *ret_last false: more come, and local_client_next must fetch them before the next call. Returns
 * STATUS_TOO_LARGE, STATUS_TIMEOUT, STATUS_CLOSED (the daemon hung up), STATUS_BAD_FORMAT, STATUS_NO_MEMORY
 * or STATUS_IO.
 */
enum status local_client_call(struct local_client *client, const json_t *request, int timeout_ms,
                              json_t **ret_reply, bool *ret_last);

/* local_client_next - wait for the next reply to the same request. Errors as local_client_call. */
enum status local_client_next(struct local_client *client, int timeout_ms, json_t **ret_reply,
                              bool *ret_last);

void local_client_close(struct local_client **client);
