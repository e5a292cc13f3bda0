#include "tests/support/support.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crash.h"

#ifdef CONCORDAT_CRASH_POINTS

static void *pass_a_thousand_times(void *unused)
{
    (void)unused;
    for (int i = 0; i < 1000; i++) {
        CRASH_POINT("test.a");
        CRASH_POINT("test.b");
    }
    return NULL;
}

/* Two threads in a child with these settings; returns how the child ended. */
static int run_child(const char *crash, const char *list)
{
    pthread_t threads[2];
    int result = -1;
    pid_t child = fork();

    if (child == 0) {
        if (crash != NULL)
            setenv("CONCORDAT_CRASH", crash, 1);
        if (list != NULL)
            setenv("CONCORDAT_CRASH_LIST", list, 1);
        signal(SIGABRT, SIG_DFL);
        for (size_t i = 0; i < 2; i++)
            pthread_create(&threads[i], NULL, pass_a_thousand_times, NULL);
        for (size_t i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    return result;
}

static void the_nth_passage_kills(void **state)
{
    (void)state;
    assert_int_equal(run_child(NULL, NULL), 0);
    assert_int_equal(run_child("test.other:1", NULL), 0);
    assert_int_equal(run_child("test:1", NULL), 0);
    assert_int_equal(WTERMSIG(run_child("test.a:1", NULL)), SIGKILL);
    assert_int_equal(WTERMSIG(run_child("test.b:2000", NULL)), SIGKILL);
    assert_int_equal(run_child("test.b:2001", NULL), 0);
}

static void malformed_settings_are_not_ignored(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "test.a", "test.a:", "test.a:0", "test.a:1x", ":1"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(WTERMSIG(run_child(bad[i], NULL)), SIGABRT);
}

static void names_are_listed_once(void **state)
{
    (void)state;
    char path[] = "/tmp/test-crash-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(run_child(NULL, path), 0);
    struct byte_buffer content = support_read_file(path);
    assert_true(bytes_equal(bytes_buffer_view(&content), bytes_of_string("test.a\ntest.b\n")) ||
                bytes_equal(bytes_buffer_view(&content), bytes_of_string("test.b\ntest.a\n")));
    bytes_buffer_free(&content);
    assert_int_equal(WTERMSIG(run_child("test.a:1", path)), SIGKILL);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nth_passage_kills),
        cmocka_unit_test(malformed_settings_are_not_ignored),
        cmocka_unit_test(names_are_listed_once),
    };
    return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}

#else

static void a_release_has_no_crash_points(void **state)
{
    (void)state;
    setenv("CONCORDAT_CRASH", "test.a:1", 1);
    CRASH_POINT("test.a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_release_has_no_crash_points)};
    return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}

#endif
