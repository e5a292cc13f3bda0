#include "base/local_server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/local_wire.h"
#include "base/safefile.h"

#define OUTPUT_LIMIT    (2 * LOCAL_WIRE_FRAME)
#define TURNS_MAX       64   /* requests and stream pieces that one connection gets in a step */
#define ACCEPT_PAUSE_MS 1000 /* after running out of descriptors or memory */
#define BACKLOG         16

struct local_connection {
    struct local_server *server;
    uint64_t number;
    int fd;
    struct local_peer peer;
    uint32_t events;  /* what epoll watches for */
    bool answering;   /* a request was handed over, its last reply is not queued yet */
    bool timing;      /* since_ms is to be set in the next step, when the time is known */
    bool ended;       /* the peer sends no more */
    bool dropped;     /* to be closed at the end of the step */
    int64_t since_ms; /* when the peer's time to send or read began */
    struct byte_buffer input;
    struct byte_buffer output;
    size_t sent; /* of output */
    local_source *more;
    local_source *end;
    void *stream_context;
};

struct local_server {
    int folder;
    char *name; /* of the socket file, once it is ours */
    int listener;
    int epoll;
    bool listening; /* epoll watches the listener */
    int64_t accept_after_ms;
    int64_t idle_ms;
    int64_t now_ms;
    uint64_t last_number;
    struct local_connection *connections[LOCAL_SERVER_CONNECTIONS];
    size_t count;
};

static void watch_listener(struct local_server *server, bool listening)
{
    struct epoll_event event = {.events = listening ? EPOLLIN : 0, .data.ptr = NULL};

    if (listening == server->listening)
        return;
    int result = epoll_ctl(server->epoll, EPOLL_CTL_MOD, server->listener, &event);
    assert(result == 0);
    server->listening = listening;
}

/* A socket file that an earlier process left behind goes; anything else stays. */
static enum status remove_old_socket(int folder, const char *name)
{
    struct stat found;

    if (fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? STATUS_OK : safefile_status(errno);
    if (!S_ISSOCK(found.st_mode))
        return STATUS_EXISTS;
    return unlinkat(folder, name, 0) == 0 ? STATUS_OK : safefile_status(errno);
}

static enum status bind_socket(struct local_server *server, const char *name, mode_t mode)
{
    struct sockaddr_un address;
    enum status status = local_wire_address(server->folder, name, &address);

    if (status == STATUS_OK)
        status = remove_old_socket(server->folder, name);
    if (status != STATUS_OK)
        return status;
    /* Before bind this sets the mode that the file gets, so that it is never open to more people. */
    if (fchmod(server->listener, mode) != 0 ||
        bind(server->listener, (const struct sockaddr *)&address, sizeof address) != 0)
        return safefile_status(errno);
    server->name = strdup(name);
    if (server->name == NULL) {
        (void)unlinkat(server->folder, name, 0);
        return STATUS_NO_MEMORY;
    }
    /* The umask may have taken bits away. */
    if (fchmodat(server->folder, name, mode, 0) != 0 || listen(server->listener, BACKLOG) != 0)
        return safefile_status(errno);
    return STATUS_OK;
}

static enum status open_server(struct local_server *server, const char *folder, const char *name, mode_t mode)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    server->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (server->folder < 0)
        return safefile_status(errno);
    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server->listener < 0 || server->epoll < 0)
        return safefile_status(errno);
    enum status status = bind_socket(server, name, mode);
    if (status == STATUS_OK && epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listener, &event) != 0)
        status = safefile_status(errno);
    server->listening = status == STATUS_OK;
    return status;
}

enum status local_server_new(const char *folder, const char *name, mode_t mode, int64_t idle_ms,
                             struct local_server **ret_server)
{
    struct local_server *server = calloc(1, sizeof *server);

    assert(idle_ms > 0);
    if (server == NULL)
        return STATUS_NO_MEMORY;
    *server = (struct local_server){.folder = -1, .listener = -1, .epoll = -1, .idle_ms = idle_ms};
    enum status status = open_server(server, folder, name, mode);
    if (status == STATUS_OK)
        *ret_server = server;
    else
        local_server_free(&server);
    return status;
}

static void end_stream(struct local_connection *connection)
{
    local_source *end = connection->end;

    connection->more = NULL;
    connection->end = NULL;
    if (end != NULL)
        end(connection, connection->stream_context);
}

static void free_connection(struct local_connection *connection)
{
    end_stream(connection);
    close(connection->fd);
    bytes_buffer_wipe(&connection->input);
    bytes_buffer_wipe(&connection->output);
    free(connection);
}

void local_server_free(struct local_server **server)
{
    if (*server == NULL)
        return;
    for (size_t i = 0; i < (*server)->count; i++)
        free_connection((*server)->connections[i]);
    if ((*server)->name != NULL)
        (void)unlinkat((*server)->folder, (*server)->name, 0);
    free((*server)->name);
    if ((*server)->listener >= 0)
        close((*server)->listener);
    if ((*server)->epoll >= 0)
        close((*server)->epoll);
    if ((*server)->folder >= 0)
        close((*server)->folder);
    free(*server);
    *server = NULL;
}

int local_server_fd(const struct local_server *server)
{
    return server->epoll;
}

static size_t output_left(const struct local_connection *connection)
{
    return connection->output.size - connection->sent;
}

static bool has_room(const struct local_connection *connection)
{
    return output_left(connection) <= OUTPUT_LIMIT - LOCAL_WIRE_FRAME;
}

/* It is the peer's turn: to send a request, or to read what waits for it. */
static bool waits_for_peer(const struct local_connection *connection)
{
    return !connection->answering || output_left(connection) > 0;
}

int local_server_wait(const struct local_server *server, int64_t now_ms)
{
    int64_t first = INT64_MAX;

    if (!server->listening && server->count < LOCAL_SERVER_CONNECTIONS)
        first = server->accept_after_ms;
    for (size_t i = 0; i < server->count; i++) {
        const struct local_connection *connection = server->connections[i];
        int64_t due = connection->since_ms + server->idle_ms;
        if (connection->dropped)
            due = now_ms;
        if ((connection->dropped || waits_for_peer(connection)) && due < first)
            first = due;
    }
    if (first == INT64_MAX)
        return -1;
    if (first <= now_ms)
        return 0;
    return first - now_ms > INT_MAX ? INT_MAX : (int)(first - now_ms);
}

static enum status add_connection(struct local_server *server, int fd)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    struct local_connection *connection = calloc(1, sizeof *connection);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

    if (connection == NULL)
        return STATUS_NO_MEMORY;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 ||
        epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        free(connection);
        return STATUS_IO;
    }
    *connection = (struct local_connection){
        .server = server,
        .number = ++server->last_number,
        .fd = fd,
        .peer = {credentials.uid, credentials.gid, credentials.pid},
        .events = EPOLLIN,
        .since_ms = server->now_ms,
        .input = bytes_buffer(LOCAL_WIRE_FRAME),
        .output = bytes_buffer(OUTPUT_LIMIT),
    };
    server->connections[server->count++] = connection;
    return STATUS_OK;
}

static void accept_connections(struct local_server *server)
{
    while (server->count < LOCAL_SERVER_CONNECTIONS) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0 && errno == EAGAIN)
            return;
        if (fd >= 0 && add_connection(server, fd) == STATUS_OK)
            continue;
        if (fd >= 0)
            close(fd);
        server->accept_after_ms = server->now_ms + ACCEPT_PAUSE_MS;
        return;
    }
}

/* Once per step, so that a fast sender cannot keep the daemon here. */
static void receive(struct local_connection *connection)
{
    uint8_t chunk[65536];
    size_t room = connection->input.limit - connection->input.size;

    if (room == 0)
        return;
    ssize_t got = recv(connection->fd, chunk, room < sizeof chunk ? room : sizeof chunk, 0);
    if (got > 0) {
        bytes_append(&connection->input, chunk, (size_t)got);
        bytes_wipe(chunk, (size_t)got);
        connection->dropped |= connection->input.status != STATUS_OK;
    } else if (got == 0) {
        connection->ended = true;
    } else if (errno != EAGAIN && errno != EINTR) {
        connection->dropped = true;
    }
}

static void transmit(struct local_connection *connection)
{
    while (output_left(connection) > 0) {
        ssize_t put = send(connection->fd, connection->output.data + connection->sent,
                           output_left(connection), MSG_NOSIGNAL);
        if (put > 0) {
            connection->sent += (size_t)put;
            connection->since_ms = connection->server->now_ms;
        } else if (errno != EINTR) {
            connection->dropped |= errno != EAGAIN;
            return;
        }
    }
    bytes_buffer_clear(&connection->output);
    connection->sent = 0;
}

/* Hands over the next request if it is there whole. Returns whether it was. */
static bool handle_request(struct local_connection *connection, local_handler *handler, void *context)
{
    struct byte_buffer *input = &connection->input;
    json_t *request = NULL;
    size_t used = 0;

    if (local_wire_read(bytes_buffer_view(input), &used, &request) != STATUS_OK) {
        connection->dropped = true;
        return false;
    }
    if (request == NULL) {
        connection->dropped |= connection->ended;
        return false;
    }
    memmove(input->data, input->data + used, input->size - used);
    input->size -= used;
    connection->answering = true;
    handler(connection, request, context);
    json_decref(request);
    return true;
}

/* What the connection's next turn did: false when nothing is left to do without waiting. */
static bool serve_once(struct local_connection *connection, local_handler *handler, void *context)
{
    transmit(connection);
    if (!connection->answering)
        end_stream(connection);
    if (connection->dropped)
        return false;
    if (connection->more != NULL && has_room(connection)) {
        connection->more(connection, connection->stream_context);
        return true;
    }
    if (connection->answering || output_left(connection) > 0)
        return false;
    return handle_request(connection, handler, context);
}

/* Turns left over come with the next step: the last one left output, or a stream, to wake us. */
static void serve(struct local_connection *connection, local_handler *handler, void *context)
{
    for (int turn = 0; turn < TURNS_MAX && serve_once(connection, handler, context); turn++)
        continue;
}

static void watch(struct local_connection *connection)
{
    uint32_t events = 0;

    if (!connection->answering && !connection->ended)
        events |= EPOLLIN;
    /* Also wakes us for a stream's next piece, and for requests that are in the input already. */
    if (output_left(connection) > 0 || connection->more != NULL)
        events |= EPOLLOUT;
    if (events == connection->events)
        return;
    struct epoll_event event = {.events = events, .data.ptr = connection};
    int result = epoll_ctl(connection->server->epoll, EPOLL_CTL_MOD, connection->fd, &event);
    assert(result == 0);
    connection->events = events;
}

/* Closes what was dropped and what took too long, and says what to wake us for. */
static void tidy(struct local_server *server)
{
    for (size_t i = server->count; i-- > 0;) {
        struct local_connection *connection = server->connections[i];
        if (connection->timing)
            connection->since_ms = server->now_ms;
        connection->timing = false;
        bool late = waits_for_peer(connection) && server->now_ms - connection->since_ms >= server->idle_ms;
        if (connection->dropped || late) {
            server->connections[i] = server->connections[--server->count];
            free_connection(connection);
        } else {
            watch(connection);
        }
    }
    watch_listener(server,
                   server->count < LOCAL_SERVER_CONNECTIONS && server->now_ms >= server->accept_after_ms);
}

void local_server_step(struct local_server *server, int64_t now_ms, local_handler *handler, void *context)
{
    struct epoll_event events[LOCAL_SERVER_CONNECTIONS + 1];

    server->now_ms = now_ms;
    int count = epoll_wait(server->epoll, events, LOCAL_SERVER_CONNECTIONS + 1, 0);
    for (int i = 0; i < count; i++) {
        struct local_connection *connection = events[i].data.ptr;
        if (connection == NULL) {
            accept_connections(server);
            continue;
        }
        if ((events[i].events & (EPOLLHUP | EPOLLERR)) != 0)
            connection->dropped = true;
        if (!connection->dropped && (events[i].events & EPOLLIN) != 0)
            receive(connection);
        if (!connection->dropped)
            serve(connection, handler, context);
    }
    tidy(server);
}

/* Makes place at the end by dropping what was sent. */
static void close_ranks(struct local_connection *connection)
{
    struct byte_buffer *output = &connection->output;

    if (connection->sent == 0)
        return;
    memmove(output->data, output->data + connection->sent, output_left(connection));
    output->size -= connection->sent;
    connection->sent = 0;
}

enum status local_server_reply(struct local_connection *connection, json_t *reply, bool last)
{
    struct byte_buffer *output = &connection->output;
    json_t *envelope;

    assert(connection->answering);
    if (reply == NULL)
        return STATUS_NO_MEMORY;
    envelope = json_pack("{s:b, s:o}", "last", last ? 1 : 0, "reply", reply);
    if (envelope == NULL)
        return STATUS_NO_MEMORY;
    close_ranks(connection);
    bool room = has_room(connection);
    connection->timing |= output->size == 0;
    enum status status = local_wire_append(output, envelope);
    output->status = STATUS_OK;
    json_decref(envelope);
    if (status == STATUS_TOO_LARGE && !room)
        return STATUS_BUSY;
    if (status != STATUS_OK)
        return status;
    /* A stream ends in the step, not here: its source may be the one that is calling. */
    connection->answering = !last;
    watch(connection);
    return STATUS_OK;
}

void local_server_stream(struct local_connection *connection, local_source *more, local_source *end,
                         void *context)
{
    assert(connection->answering && connection->more == NULL && more != NULL);
    connection->more = more;
    connection->end = end;
    connection->stream_context = context;
    watch(connection);
}

void local_server_drop(struct local_connection *connection)
{
    connection->dropped = true;
}

struct local_peer local_server_peer(const struct local_connection *connection)
{
    return connection->peer;
}

uint64_t local_server_number(const struct local_connection *connection)
{
    return connection->number;
}

struct local_connection *local_server_find(struct local_server *server, uint64_t number)
{
    for (size_t i = 0; i < server->count; i++) {
        if (server->connections[i]->number == number && !server->connections[i]->dropped)
            return server->connections[i];
    }
    return NULL;
}
