#include "tests/support/support.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/harden.h"

static void a_hardened_process_leaves_no_core(void **state)
{
    (void)state;
    struct rlimit core = {1, 1};

    assert_int_equal(harden_process(), STATUS_OK);
    assert_int_equal(harden_process(), STATUS_OK);
    assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
    assert_int_equal(core.rlim_cur, 0);
    assert_int_equal(core.rlim_max, 0);
    assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
    assert_int_equal(umask(0077), 0077);
    assert_int_equal(raise(SIGPIPE), 0);
}

static bool is_readable(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    return poll(&poll_fd, 1, 0) == 1;
}

/* Forks a child that is ended by SIGTERM only if harden_child undid the blocking. */
static void expect_a_child_to_be_stoppable(void)
{
    int result = -1;
    pid_t child = fork();

    if (child == 0) {
        struct sigaction pipe_action;
        alarm(5);
        harden_child();
        if (sigaction(SIGPIPE, NULL, &pipe_action) != 0 || pipe_action.sa_handler != SIG_DFL)
            _exit(1);
        raise(SIGTERM);
        _exit(2);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFSIGNALED(result));
    assert_int_equal(WTERMSIG(result), SIGTERM);
}

static void stop_signals_make_a_descriptor_readable(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM};
    int fd = -1;

    assert_int_equal(harden_stop_fd(&fd), STATUS_OK);
    assert_false(is_readable(fd));
    for (size_t i = 0; i < 2; i++) {
        char consumed[256];
        assert_int_equal(kill(getpid(), signals[i]), 0);
        assert_true(is_readable(fd));
        assert_true(is_readable(fd));
        assert_true(read(fd, consumed, sizeof consumed) > 0);
        assert_int_equal(read(fd, consumed, sizeof consumed), -1);
        assert_false(is_readable(fd));
    }
    close(fd);
    expect_a_child_to_be_stoppable();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hardened_process_leaves_no_core),
        cmocka_unit_test(stop_signals_make_a_descriptor_readable),
    };
    return cmocka_run_group_tests_name("harden", tests, NULL, NULL);
}
