#include "tests/support/support.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/local_client.h"
#include "base/local_server.h"
#include "base/local_wire.h"
#include "base/safefile.h"

#define IDLE_MS 1000

/* A folder whose path alone is longer than a socket address can be. */
static char top[] = "/tmp/test-local-XXXXXX";
static char folder[256];
static char path[300];
static struct local_server *server;

static int start(void **state)
{
    (void)state;
    strcpy(top, "/tmp/test-local-XXXXXX");
    if (mkdtemp(top) == NULL)
        return 1;
    snprintf(folder, sizeof folder, "%s/%0150d", top, 0);
    snprintf(path, sizeof path, "%s/socket", folder);
    return safefile_make_folder(folder, 0700) != STATUS_OK ||
           local_server_new(folder, "socket", 0600, IDLE_MS, &server) != STATUS_OK;
}

static int stop(void **state)
{
    char command[64];

    (void)state;
    local_server_free(&server);
    snprintf(command, sizeof command, "rm -rf %s", top);
    return system(command);
}

/* What the handler saw, and what it shall do, by the request's "do". */
static struct {
    unsigned requests;
    struct local_peer peer;
    uint64_t number;
    json_int_t left;
    unsigned ends;
    enum status large;
    enum status busy;
} seen;

static void give_one_piece(struct local_connection *connection, void *context)
{
    json_int_t *left = context;
    json_int_t number = (*left)--;

    assert_int_equal(local_server_reply(connection, json_pack("{s:I}", "left", number), *left == 0),
                     STATUS_OK);
}

static void count_end(struct local_connection *connection, void *context)
{
    (void)connection;
    (void)context;
    seen.ends++;
}

static json_t *text_of_size(size_t size)
{
    char *text = calloc(1, size + 1);

    assert_non_null(text);
    memset(text, 'x', size);
    json_t *object = json_pack("{s:s}", "text", text);
    free(text);
    return object;
}

static void give_large_pieces(struct local_connection *connection, void *context)
{
    json_int_t *left = context;

    (*left)--;
    assert_int_equal(local_server_reply(connection, text_of_size(900000), *left == 0), STATUS_OK);
}

static void handle(struct local_connection *connection, const json_t *request, void *context)
{
    const char *what = json_string_value(json_object_get(request, "do"));

    (void)context;
    seen.requests++;
    seen.peer = local_server_peer(connection);
    seen.number = local_server_number(connection);
    seen.left = json_integer_value(json_object_get(request, "count"));
    if (strcmp(what, "echo") == 0) {
        json_t *echo = json_deep_copy(request);
        assert_int_equal(local_server_reply(connection, echo, true), STATUS_OK);
    } else if (strcmp(what, "stream") == 0) {
        local_server_stream(connection, give_one_piece, count_end, &seen.left);
    } else if (strcmp(what, "stream large") == 0) {
        local_server_stream(connection, give_large_pieces, count_end, &seen.left);
    } else if (strcmp(what, "overfill") == 0) {
        seen.large = local_server_reply(connection, text_of_size(LOCAL_WIRE_LARGEST), false);
        assert_int_equal(local_server_reply(connection, text_of_size(900000), false), STATUS_OK);
        assert_int_equal(local_server_reply(connection, text_of_size(900000), false), STATUS_OK);
        seen.busy = local_server_reply(connection, text_of_size(900000), true);
    } else if (strcmp(what, "large") == 0) {
        assert_int_equal(local_server_reply(connection, text_of_size(900000), true), STATUS_OK);
    } else if (strcmp(what, "drop") == 0) {
        local_server_drop(connection);
    } else {
        assert_string_equal(what, "later");
    }
}

static void step_at(int64_t now_ms)
{
    for (int i = 0; i < 8; i++)
        local_server_step(server, now_ms, handle, NULL);
}

static bool is_ready(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    return poll(&poll_fd, 1, 0) == 1;
}

/* A peer without manners: a bare socket. */
static int connect_raw(void)
{
    char cwd[512];
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_non_null(getcwd(cwd, sizeof cwd));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(chdir(cwd), 0);
    return fd;
}

static void send_text(int fd, const char *text)
{
    uint8_t head[4];

    bytes_put_u32(head, (uint32_t)strlen(text));
    assert_int_equal(send(fd, head, 4, MSG_NOSIGNAL), 4);
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Whether the server has closed its end. */
static bool is_closed(int fd)
{
    char buffer[65536];
    ssize_t got;

    while ((got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
        continue;
    return got == 0 || errno == ECONNRESET;
}

static void expect_text(int fd, const char *expected)
{
    char buffer[256];
    ssize_t got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);

    assert_int_equal(got, strlen(expected) + 4);
    assert_memory_equal(buffer + 4, expected, strlen(expected));
}

static atomic_bool stopping;

static void *serve_until_stopped(void *unused)
{
    (void)unused;
    while (!atomic_load(&stopping)) {
        struct pollfd poll_fd = {.fd = local_server_fd(server), .events = POLLIN};
        poll(&poll_fd, 1, 10);
        local_server_step(server, 0, handle, NULL);
    }
    return NULL;
}

static void a_client_gets_its_answers(void **state)
{
    (void)state;
    pthread_t thread;
    struct local_client *client = NULL;
    json_t *reply = NULL;
    bool last = false;

    memset(&seen, 0, sizeof seen);
    atomic_store(&stopping, false);
    assert_int_equal(pthread_create(&thread, NULL, serve_until_stopped, NULL), 0);
    assert_int_equal(local_client_connect(path, 5000, &client), STATUS_OK);
    json_t *request = text_of_size(900000);
    json_object_set_new(request, "do", json_string("echo"));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(local_client_call(client, request, 5000, &reply, &last), STATUS_OK);
        assert_true(last);
        assert_true(json_equal(reply, request));
        json_decref(reply);
    }
    json_decref(request);
    request = json_pack("{s:s, s:i}", "do", "stream", "count", 500);
    assert_int_equal(local_client_call(client, request, 5000, &reply, &last), STATUS_OK);
    for (json_int_t left = 500;; left--) {
        assert_int_equal(json_integer_value(json_object_get(reply, "left")), left);
        json_decref(reply);
        assert_true(last == (left == 1));
        if (last)
            break;
        assert_int_equal(local_client_next(client, 5000, &reply, &last), STATUS_OK);
    }
    json_decref(request);
    /* More than fits in the socket and the server's buffer together. */
    request = json_pack("{s:s, s:i}", "do", "stream large", "count", 8);
    assert_int_equal(local_client_call(client, request, 5000, &reply, &last), STATUS_OK);
    for (int count = 1;; count++) {
        json_decref(reply);
        assert_true(last == (count == 8));
        if (last)
            break;
        assert_int_equal(local_client_next(client, 5000, &reply, &last), STATUS_OK);
    }
    json_decref(request);
    request = json_pack("{s:s}", "do", "later");
    assert_int_equal(local_client_call(client, request, 50, &reply, &last), STATUS_TIMEOUT);
    local_client_close(&client);
    assert_null(client);
    assert_int_equal(local_client_connect(path, 5000, &client), STATUS_OK);
    json_object_set_new(request, "do", json_string("drop"));
    assert_int_equal(local_client_call(client, request, 5000, &reply, &last), STATUS_CLOSED);
    json_decref(request);
    local_client_close(&client);
    atomic_store(&stopping, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(seen.ends, 2);
    assert_int_equal(seen.peer.uid, geteuid());
    assert_int_equal(seen.peer.pid, getpid());
}

static void connecting_tells_what_is_wrong(void **state)
{
    (void)state;
    struct local_client *client = NULL;
    struct stat found;
    char other[300];

    assert_int_equal(stat(path, &found), 0);
    assert_true(S_ISSOCK(found.st_mode));
    assert_int_equal(found.st_mode & 07777, 0600);
    snprintf(other, sizeof other, "%s/none", folder);
    assert_int_equal(local_client_connect(other, 100, &client), STATUS_NOT_FOUND);
    snprintf(other, sizeof other, "%s/none/socket", folder);
    assert_int_equal(local_client_connect(other, 100, &client), STATUS_NOT_FOUND);
    /* Nobody accepts: the kernel takes a few, then the client waits in vain. */
    struct local_client *waiting[64];
    size_t count = 0;
    enum status status = STATUS_OK;
    while (count < 64 && (status = local_client_connect(path, 30, &waiting[count])) == STATUS_OK)
        count++;
    assert_int_equal(status, STATUS_TIMEOUT);
    while (count > 0)
        local_client_close(&waiting[--count]);
    local_server_free(&server);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(local_client_connect(path, 100, &client), STATUS_NOT_FOUND);
    assert_null(client);
}

static void a_socket_left_behind_is_replaced_and_nothing_else(void **state)
{
    (void)state;
    struct local_server *other = NULL;
    struct local_client *client = NULL;
    char file[300];
    char moved[300];

    /* What a killed daemon leaves: a socket file that nobody listens on. */
    snprintf(moved, sizeof moved, "%s/moved", folder);
    assert_int_equal(rename(path, moved), 0);
    local_server_free(&server);
    assert_int_equal(local_client_connect(moved, 100, &client), STATUS_CLOSED);
    mode_t before = umask(0077);
    assert_int_equal(local_server_new(folder, "moved", 0660, IDLE_MS, &other), STATUS_OK);
    umask(before);
    struct stat found;
    assert_int_equal(stat(moved, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0660);
    assert_int_equal(local_client_connect(moved, 100, &client), STATUS_OK);
    local_client_close(&client);
    local_server_free(&other);
    snprintf(file, sizeof file, "%s/file", folder);
    assert_int_equal(safefile_write(file, bytes_of_string("x"), 0600), STATUS_OK);
    assert_int_equal(local_server_new(folder, "file", 0600, IDLE_MS, &other), STATUS_EXISTS);
    assert_int_equal(access(file, F_OK), 0);
    assert_int_equal(local_server_new(file, "socket", 0600, IDLE_MS, &other), STATUS_NOT_A_FOLDER);
    assert_null(other);
}

static void a_request_may_come_in_pieces_and_several_at_once(void **state)
{
    (void)state;
    static const char request[] = "{\"do\":\"echo\"}";
    struct byte_buffer frames = bytes_buffer(65536);
    int fd = connect_raw();

    memset(&seen, 0, sizeof seen);
    for (int i = 0; i < 100; i++) {
        bytes_append_u32(&frames, sizeof request - 1);
        bytes_append_string(&frames, request);
    }
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(send(fd, frames.data + i, 1, 0), 1);
        step_at(0);
        /* Part of a request is no reason to be woken again. */
        assert_false(is_ready(local_server_fd(server)));
    }
    assert_int_equal(seen.requests, 1);
    assert_int_equal(send(fd, frames.data + 20, frames.size - 20, 0), frames.size - 20);
    step_at(0);
    assert_int_equal(seen.requests, 100);
    assert_false(is_ready(local_server_fd(server)));
    bytes_buffer_free(&frames);
    close(fd);
}

static void requests_wait_for_the_answer_before(void **state)
{
    (void)state;
    int fd = connect_raw();

    memset(&seen, 0, sizeof seen);
    send_text(fd, "{\"do\":\"later\"}");
    send_text(fd, "{\"do\":\"echo\"}");
    step_at(0);
    /* The daemon may take as long as it likes. */
    assert_int_equal(local_server_wait(server, 0), -1);
    step_at(10 * IDLE_MS);
    assert_int_equal(seen.requests, 1);
    assert_false(is_ready(local_server_fd(server)));
    struct local_connection *connection = local_server_find(server, seen.number);
    assert_non_null(connection);
    assert_int_equal(local_server_reply(connection, NULL, true), STATUS_NO_MEMORY);
    assert_int_equal(local_server_reply(connection, json_pack("{s:i}", "n", 1), false), STATUS_OK);
    assert_true(is_ready(local_server_fd(server)));
    step_at(100 * IDLE_MS);
    expect_text(fd, "{\"last\":false,\"reply\":{\"n\":1}}");
    assert_int_equal(seen.requests, 1);
    assert_int_equal(local_server_reply(connection, json_pack("{s:i}", "n", 2), true), STATUS_OK);
    local_server_step(server, 100 * IDLE_MS, handle, NULL);
    assert_int_equal(seen.requests, 2);
    step_at(100 * IDLE_MS);
    assert_null(local_server_find(server, seen.number + 1));
    close(fd);
    step_at(100 * IDLE_MS);
    assert_null(local_server_find(server, seen.number));
}

/* Sends until the socket takes no more. Returns how much it took. */
static size_t fill(int fd)
{
    static const uint8_t zeros[65536];
    size_t sent = 0;

    for (ssize_t put; (put = send(fd, zeros, sizeof zeros, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0;)
        sent += (size_t)put;
    return sent;
}

static void nothing_is_read_while_an_answer_is_due(void **state)
{
    (void)state;
    int fd = connect_raw();

    memset(&seen, 0, sizeof seen);
    send_text(fd, "{\"do\":\"later\"}");
    step_at(0);
    assert_true(fill(fd) > 0);
    step_at(0);
    assert_false(is_ready(local_server_fd(server)));
    assert_int_equal(fill(fd), 0);
    close(fd);
    /* Hanging up is noticed all the same. */
    step_at(0);
    assert_null(local_server_find(server, seen.number));
    assert_int_equal(local_server_wait(server, 0), -1);
}

static void answers_that_nobody_reads_hold_up_what_was_asked_after(void **state)
{
    (void)state;
    int fd = connect_raw();

    memset(&seen, 0, sizeof seen);
    for (int i = 0; i < 6; i++)
        send_text(fd, "{\"do\":\"large\"}");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    step_at(0);
    assert_int_equal(seen.requests, 1);
    assert_false(is_ready(local_server_fd(server)));
    size_t size = 0;
    for (;;) {
        char buffer[65536];
        ssize_t got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (got == 0)
            break;
        if (got > 0)
            size += (size_t)got;
        else
            step_at(0);
    }
    assert_int_equal(seen.requests, 6);
    assert_true(size > (size_t)6 * 900000);
    close(fd);
}

static void a_stream_may_begin_later(void **state)
{
    (void)state;
    int fd = connect_raw();

    memset(&seen, 0, sizeof seen);
    send_text(fd, "{\"do\":\"later\",\"count\":1}");
    step_at(0);
    struct local_connection *connection = local_server_find(server, seen.number);
    assert_non_null(connection);
    local_server_stream(connection, give_one_piece, count_end, &seen.left);
    assert_true(is_ready(local_server_fd(server)));
    step_at(0);
    expect_text(fd, "{\"last\":true,\"reply\":{\"left\":1}}");
    assert_int_equal(seen.ends, 1);
    close(fd);
}

static void a_dropped_connection_is_not_found(void **state)
{
    (void)state;
    int fd = connect_raw();

    memset(&seen, 0, sizeof seen);
    send_text(fd, "{\"do\":\"later\"}");
    step_at(0);
    local_server_drop(local_server_find(server, seen.number));
    assert_null(local_server_find(server, seen.number));
    assert_int_equal(local_server_wait(server, 0), 0);
    step_at(0);
    assert_true(is_closed(fd));
    close(fd);
}

static void a_peer_has_its_time_from_when_there_is_something_to_read(void **state)
{
    (void)state;
    int64_t now_ms = 0;
    int fd = connect_raw();

    memset(&seen, 0, sizeof seen);
    send_text(fd, "{\"do\":\"later\"}");
    step_at(0);
    /* The daemon answers now and then, until a reply finds the socket full. */
    do {
        now_ms += 10 * IDLE_MS;
        struct local_connection *connection = local_server_find(server, seen.number);
        assert_non_null(connection);
        assert_int_equal(local_server_reply(connection, text_of_size(20000), false), STATUS_OK);
        step_at(now_ms);
    } while (local_server_wait(server, now_ms) == -1);
    assert_int_equal(local_server_wait(server, now_ms), IDLE_MS);
    /* Reading some of it buys the same time again. */
    char buffer[65536];
    now_ms += IDLE_MS - 1;
    step_at(now_ms);
    assert_non_null(local_server_find(server, seen.number));
    assert_true(recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) > 0);
    assert_int_equal(local_server_reply(local_server_find(server, seen.number), text_of_size(900000), false),
                     STATUS_OK);
    while (recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) > 0)
        continue;
    step_at(now_ms);
    assert_int_equal(local_server_wait(server, now_ms), IDLE_MS);
    step_at(now_ms + IDLE_MS - 1);
    assert_non_null(local_server_find(server, seen.number));
    step_at(now_ms + IDLE_MS);
    assert_null(local_server_find(server, seen.number));
    close(fd);
}

static void a_peer_that_says_no_more_still_gets_its_answer(void **state)
{
    (void)state;
    int fd = connect_raw();

    send_text(fd, "{\"do\":\"echo\"}");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    step_at(0);
    expect_text(fd, "{\"last\":true,\"reply\":{\"do\":\"echo\"}}");
    assert_true(is_closed(fd));
    close(fd);
}

static void what_is_no_frame_ends_the_connection(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {{"\x00\x10\x00\x01", 4}, {"GET / HTTP/1.1\r\n", 16}, {"\0\0\0\2[]", 6}, {"\0\0\0\0", 4}};

    memset(&seen, 0, sizeof seen);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int fd = connect_raw();
        assert_int_equal(send(fd, bad[i].bytes, bad[i].size, 0), bad[i].size);
        step_at(0);
        assert_true(is_closed(fd));
        close(fd);
    }
    assert_int_equal(seen.requests, 0);
}

static void idle_and_slow_peers_are_dropped(void **state)
{
    (void)state;
    int silent = connect_raw();

    step_at(0);
    assert_int_equal(local_server_wait(server, 400), IDLE_MS - 400);
    step_at(500);
    /* One byte now and then buys no time; a whole request does. */
    int slow = connect_raw();
    int busy = connect_raw();
    step_at(500);
    step_at(IDLE_MS - 1);
    assert_false(is_closed(silent));
    assert_int_equal(send(slow, "\0", 1, 0), 1);
    send_text(busy, "{\"do\":\"echo\"}");
    step_at(IDLE_MS);
    assert_true(is_closed(silent));
    assert_int_equal(send(slow, "\0", 1, 0), 1);
    step_at(500 + IDLE_MS);
    assert_true(is_closed(slow));
    assert_false(is_closed(busy));
    step_at(2 * IDLE_MS);
    assert_true(is_closed(busy));
    assert_int_equal(local_server_wait(server, 2 * IDLE_MS), -1);
    close(silent);
    close(slow);
    close(busy);
}

static void a_peer_that_does_not_read_is_bounded_and_dropped(void **state)
{
    (void)state;
    int fd = connect_raw();

    memset(&seen, 0, sizeof seen);
    send_text(fd, "{\"do\":\"overfill\"}");
    step_at(0);
    assert_int_equal(seen.large, STATUS_TOO_LARGE);
    assert_int_equal(seen.busy, STATUS_BUSY);
    step_at(IDLE_MS - 1);
    assert_non_null(local_server_find(server, seen.number));
    step_at(IDLE_MS);
    assert_null(local_server_find(server, seen.number));
    close(fd);
    /* A stream that nobody reads stops being asked for more, and its end is told. */
    fd = connect_raw();
    send_text(fd, "{\"do\":\"stream large\",\"count\":1000}");
    step_at(IDLE_MS);
    step_at(IDLE_MS);
    assert_in_range(seen.left, 990, 999);
    assert_int_equal(seen.ends, 0);
    step_at(2 * IDLE_MS);
    assert_int_equal(seen.ends, 1);
    assert_null(local_server_find(server, seen.number));
    close(fd);
}

static void a_peer_that_hangs_up_ends_its_stream(void **state)
{
    (void)state;
    int fd = connect_raw();

    memset(&seen, 0, sizeof seen);
    send_text(fd, "{\"do\":\"stream large\",\"count\":1000}");
    step_at(0);
    close(fd);
    step_at(0);
    assert_int_equal(seen.ends, 1);
    assert_null(local_server_find(server, seen.number));
}

static void too_many_wait_their_turn(void **state)
{
    (void)state;
    int fds[LOCAL_SERVER_CONNECTIONS + 1];

    memset(&seen, 0, sizeof seen);
    for (size_t i = 0; i <= LOCAL_SERVER_CONNECTIONS; i++) {
        fds[i] = connect_raw();
        send_text(fds[i], "{\"do\":\"echo\"}");
        step_at(0);
    }
    assert_int_equal(seen.requests, LOCAL_SERVER_CONNECTIONS);
    assert_false(is_ready(local_server_fd(server)));
    close(fds[3]);
    step_at(0);
    assert_int_equal(seen.requests, LOCAL_SERVER_CONNECTIONS + 1);
    for (size_t i = 0; i <= LOCAL_SERVER_CONNECTIONS; i++) {
        if (i != 3)
            close(fds[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_gets_its_answers),
        TEST(connecting_tells_what_is_wrong),
        TEST(a_socket_left_behind_is_replaced_and_nothing_else),
        TEST(a_request_may_come_in_pieces_and_several_at_once),
        TEST(requests_wait_for_the_answer_before),
        TEST(nothing_is_read_while_an_answer_is_due),
        TEST(answers_that_nobody_reads_hold_up_what_was_asked_after),
        TEST(a_stream_may_begin_later),
        TEST(a_dropped_connection_is_not_found),
        TEST(a_peer_has_its_time_from_when_there_is_something_to_read),
        TEST(a_peer_that_says_no_more_still_gets_its_answer),
        TEST(what_is_no_frame_ends_the_connection),
        TEST(idle_and_slow_peers_are_dropped),
        TEST(a_peer_that_does_not_read_is_bounded_and_dropped),
        TEST(a_peer_that_hangs_up_ends_its_stream),
        TEST(too_many_wait_their_turn),
    };
    return cmocka_run_group_tests_name("local_server", tests, NULL, NULL);
}
