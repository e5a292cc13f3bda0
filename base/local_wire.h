#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/bytes.h"

/*
 * What goes over the local socket between a daemon and its command line: frames of uint32 length (big-endian)
 * and so many bytes of JSON in UTF-8, an object. A request is the command's own object; a reply is
 * {"last": true or false, "reply": {...}}, and each request gets replies up to one with last true.
 */
#define LOCAL_WIRE_LARGEST ((size_t)1 << 20) /* bytes of JSON in a frame */
#define LOCAL_WIRE_HEAD    4
#define LOCAL_WIRE_FRAME   (LOCAL_WIRE_HEAD + LOCAL_WIRE_LARGEST)

/* local_wire_append - one frame, or nothing. message is borrowed. STATUS_TOO_LARGE or STATUS_NO_MEMORY. */
enum status local_wire_append(struct byte_buffer *out, const json_t *message);

/*
 * local_wire_read - the frame at the start of input.
 *
 * ret_used      bytes that the frame takes; 0 when input holds no whole frame yet
 * ret_message   the caller's (json_decref), or NULL when there is no whole frame yet
 *
 * Returns STATUS_TOO_LARGE (as soon as the length is seen), STATUS_BAD_FORMAT (no JSON object, or a key
 * twice) or STATUS_NO_MEMORY. After a failure the stream cannot be read further.
 */
enum status local_wire_read(struct byte_view input, size_t *ret_used, json_t **ret_message);

/*
 * local_wire_address - the address of a socket file however long its folder's path is: the name inside a
 * folder that is held open. STATUS_BAD_ARGUMENT when the name itself is empty, too long or has a slash.
 */
enum status local_wire_address(int folder, const char *name, struct sockaddr_un *ret_address);
