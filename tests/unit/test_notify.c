#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/notify.h"

/* A manager's end; name begins with / or @ as in NOTIFY_SOCKET, which it sets. */
static int listen_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0 && length < sizeof address.sun_path);
    memcpy(address.sun_path, name, length);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    size_t size = offsetof(struct sockaddr_un, sun_path) + length + (name[0] == '/');
    assert_int_equal(bind(fd, (struct sockaddr *)&address, (socklen_t)size), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static void expect_message(int fd, const char *expected)
{
    char got[1024] = "";
    ssize_t size = recv(fd, got, sizeof got - 1, 0);

    assert_int_equal(size, (ssize_t)strlen(expected));
    assert_string_equal(got, expected);
}

static void all_messages_arrive(const char *name)
{
    int fd = listen_at(name);
    char longest[2000];

    assert_int_equal(notify_ready(), STATUS_OK);
    expect_message(fd, "READY=1");
    assert_int_equal(notify_stopping(), STATUS_OK);
    expect_message(fd, "STOPPING=1");
    assert_int_equal(notify_watchdog(), STATUS_OK);
    expect_message(fd, "WATCHDOG=1");
    assert_int_equal(notify_status("3 agents\nREADY=1\r!"), STATUS_OK);
    expect_message(fd, "STATUS=3 agents READY=1 !");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(notify_status(longest), STATUS_OK);
    close(fd);
}

static void a_socket_in_the_file_system_hears(void **state)
{
    (void)state;
    char folder[] = "/tmp/concordat-notify-XXXXXX", name[64];

    assert_non_null(mkdtemp(folder));
    snprintf(name, sizeof name, "%s/socket", folder);
    all_messages_arrive(name);
    assert_int_equal(notify_ready(), STATUS_IO); /* nobody reads there any more */
    unlink(name);
    rmdir(folder);
}

static void an_abstract_socket_hears(void **state)
{
    (void)state;
    char name[64];

    snprintf(name, sizeof name, "@concordat-notify-%d", (int)getpid());
    all_messages_arrive(name);
}

static void without_a_manager_nothing_happens(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(notify_ready(), STATUS_OK);
    assert_int_equal(notify_status("x"), STATUS_OK);
}

static void an_address_that_is_none_is_told(void **state)
{
    (void)state;
    char longest[200] = "/";

    static const char *const bad[] = {"", "relative", "@", "/", "vsock:2:1234"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        setenv("NOTIFY_SOCKET", bad[i], 1);
        assert_int_equal(notify_ready(), STATUS_BAD_ARGUMENT);
    }
    memset(longest + 1, 'x', sizeof longest - 2);
    setenv("NOTIFY_SOCKET", longest, 1);
    assert_int_equal(notify_ready(), STATUS_BAD_ARGUMENT);
    setenv("NOTIFY_SOCKET", "/nonexistent/concordat", 1);
    assert_int_equal(notify_ready(), STATUS_IO);
}

static void the_watchdogs_interval_is_for_this_process(void **state)
{
    (void)state;
    char pid[32];

    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    assert_true(notify_watchdog_interval() == 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_true(notify_watchdog_interval() == 30000);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_true(notify_watchdog_interval() == 30000);
    setenv("WATCHDOG_PID", "1", 1);
    assert_true(notify_watchdog_interval() == 0);
    setenv("WATCHDOG_PID", pid, 1);
    setenv("WATCHDOG_USEC", "3000000s", 1);
    assert_true(notify_watchdog_interval() == 0);
    setenv("WATCHDOG_USEC", "-1", 1);
    assert_true(notify_watchdog_interval() == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_in_the_file_system_hears),
        cmocka_unit_test(an_abstract_socket_hears),
        cmocka_unit_test(without_a_manager_nothing_happens),
        cmocka_unit_test(an_address_that_is_none_is_told),
        cmocka_unit_test(the_watchdogs_interval_is_for_this_process),
    };
    return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
