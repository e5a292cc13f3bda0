#include "base/local_client.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/local_wire.h"
#include "base/safefile.h"

struct local_client {
    int fd;
    bool expecting; /* the last reply to the last request has not come yet */
    struct byte_buffer input;
};

static enum status status_of_socket(int error)
{
    switch (error) {
    case EAGAIN:
        return STATUS_TIMEOUT;
    case EPIPE:
    case ECONNRESET:
    case ECONNREFUSED:
        return STATUS_CLOSED;
    default:
        return safefile_status(error);
    }
}

static enum status open_folder(const char *path, int *ret_folder, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);

    if (folder == NULL)
        return STATUS_NO_MEMORY;
    int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int error = errno;
    free(folder);
    if (fd < 0)
        return safefile_status(error);
    *ret_folder = fd;
    *ret_name = slash == NULL ? path : slash + 1;
    return STATUS_OK;
}

/* Connecting waits in the kernel (for room among the connections not yet accepted), so its time is set there.
 */
static enum status connect_to(const struct sockaddr_un *address, int timeout_ms, int *ret_fd)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    enum status status = STATUS_OK;
    int result;

    if (fd < 0)
        return safefile_status(errno);
    if (timeout_ms >= 0) {
        /* Zero would mean for ever. */
        struct timeval limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000 + 1};
        if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0)
            status = STATUS_IO;
    }
    do
        result = status != STATUS_OK ? 0 : connect(fd, (const struct sockaddr *)address, sizeof *address);
    while (result != 0 && errno == EINTR);
    if (result != 0)
        status = status_of_socket(errno);
    if (status == STATUS_OK && fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        status = STATUS_IO;
    if (status == STATUS_OK)
        *ret_fd = fd;
    else
        close(fd);
    return status;
}

enum status local_client_connect(const char *path, int timeout_ms, struct local_client **ret_client)
{
    struct local_client *client = calloc(1, sizeof *client);
    struct sockaddr_un address;
    const char *name = NULL;
    int folder = -1;
    enum status status;

    if (client == NULL)
        return STATUS_NO_MEMORY;
    *client = (struct local_client){.fd = -1, .input = bytes_buffer(LOCAL_WIRE_FRAME)};
    status = open_folder(path, &folder, &name);
    if (status == STATUS_OK)
        status = local_wire_address(folder, name, &address);
    if (status == STATUS_OK)
        status = connect_to(&address, timeout_ms, &client->fd);
    if (folder >= 0)
        close(folder);
    if (status == STATUS_OK)
        *ret_client = client;
    else
        local_client_close(&client);
    return status;
}

void local_client_close(struct local_client **client)
{
    if (*client == NULL)
        return;
    if ((*client)->fd >= 0)
        close((*client)->fd);
    bytes_buffer_wipe(&(*client)->input);
    free(*client);
    *client = NULL;
}

static enum status wait_for(int fd, short events, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    int ready = poll(&poll_fd, 1, timeout_ms);

    if (ready == 0)
        return STATUS_TIMEOUT;
    return ready > 0 || errno == EINTR ? STATUS_OK : STATUS_IO;
}

static enum status send_all(int fd, struct byte_view content, int timeout_ms)
{
    enum status status = STATUS_OK;

    while (status == STATUS_OK && content.size > 0) {
        ssize_t put = send(fd, content.data, content.size, MSG_NOSIGNAL);
        if (put > 0) {
            content.data += put;
            content.size -= (size_t)put;
        } else if (errno == EAGAIN) {
            status = wait_for(fd, POLLOUT, timeout_ms);
        } else if (errno != EINTR) {
            status = status_of_socket(errno);
        }
    }
    return status;
}

static enum status receive_some(struct local_client *client, int timeout_ms)
{
    uint8_t chunk[16384];
    enum status status = STATUS_OK;
    size_t room = client->input.limit - client->input.size;

    /* A whole frame always fits, and what follows one waits in the socket. */
    assert(room > 0);
    ssize_t got = recv(client->fd, chunk, room < sizeof chunk ? room : sizeof chunk, 0);
    if (got > 0) {
        bytes_append(&client->input, chunk, (size_t)got);
        status = client->input.status;
    } else if (got == 0) {
        status = STATUS_CLOSED;
    } else if (errno == EAGAIN) {
        status = wait_for(client->fd, POLLIN, timeout_ms);
    } else if (errno != EINTR) {
        status = status_of_socket(errno);
    }
    bytes_wipe(chunk, sizeof chunk);
    return status;
}

static void drop_front(struct byte_buffer *buffer, size_t count)
{
    memmove(buffer->data, buffer->data + count, buffer->size - count);
    buffer->size -= count;
}

/* Takes the envelope off. */
static enum status open_reply(const json_t *envelope, json_t **ret_reply, bool *ret_last)
{
    json_t *last = json_object_get(envelope, "last");
    json_t *reply = json_object_get(envelope, "reply");

    if (!json_is_boolean(last) || !json_is_object(reply))
        return STATUS_BAD_FORMAT;
    *ret_last = json_is_true(last);
    *ret_reply = json_incref(reply);
    return STATUS_OK;
}

enum status local_client_next(struct local_client *client, int timeout_ms, json_t **ret_reply, bool *ret_last)
{
    json_t *envelope = NULL;
    enum status status = STATUS_OK;
    bool last = false;

    assert(client->expecting);
    while (status == STATUS_OK && envelope == NULL) {
        size_t used = 0;
        status = local_wire_read(bytes_buffer_view(&client->input), &used, &envelope);
        if (status == STATUS_OK && envelope == NULL)
            status = receive_some(client, timeout_ms);
        else if (status == STATUS_OK)
            drop_front(&client->input, used);
    }
    if (status == STATUS_OK)
        status = open_reply(envelope, ret_reply, &last);
    json_decref(envelope);
    if (status != STATUS_OK)
        return status;
    client->expecting = !last;
    *ret_last = last;
    return STATUS_OK;
}

enum status local_client_call(struct local_client *client, const json_t *request, int timeout_ms,
                              json_t **ret_reply, bool *ret_last)
{
    struct byte_buffer frame = bytes_buffer(LOCAL_WIRE_FRAME);
    enum status status = local_wire_append(&frame, request);

    assert(!client->expecting);
    if (status == STATUS_OK)
        status = send_all(client->fd, bytes_buffer_view(&frame), timeout_ms);
    bytes_buffer_wipe(&frame);
    if (status != STATUS_OK)
        return status;
    client->expecting = true;
    return local_client_next(client, timeout_ms, ret_reply, ret_last);
}
