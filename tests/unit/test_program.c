#include "tests/support/support.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/program.h"

/* Programs beside the loop: what goes in and comes out, and what bounds them. */

static const struct program_limits usual = {.wall = 20000, .cpu = 10, .memory = 0, .output = 65536};
static char folder[64];
static char script[96];

static const char *write_script(const char *body)
{
    FILE *file = NULL;

    (void)snprintf(script, sizeof script, "%s/program", folder);
    file = fopen(script, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", body);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(script, 0700), 0);
    return script;
}

static enum program_end finish(struct program *program)
{
    enum program_end end;

    while ((end = program_step(program, clock_elapsed())) == PROGRAM_RUNS) {
        struct pollfd fd = {.fd = program_fd(program), .events = POLLIN};

        (void)poll(&fd, 1, (int)program_wait(program, clock_elapsed()));
    }
    return end;
}

static struct program *run(const char *body, const char *input, const struct program_limits *limits,
                           enum program_end expected)
{
    struct program *program = NULL;

    assert_int_equal(
        program_start(write_script(body), bytes_of_string(input), limits, clock_elapsed(), &program),
        STATUS_OK);
    assert_int_equal(finish(program), expected);
    return program;
}

static void expect(const char *body, const char *input, const char *output)
{
    struct program *program = run(body, input, &usual, PROGRAM_DONE);

    assert_true(bytes_equal(program_output(program), bytes_of_string(output)));
    program_free(&program);
}

static void test_in_and_out(void **state)
{
    (void)state;
    expect("tr a-z A-Z", "hello", "HELLO");
    expect("echo out; echo error >&2", "", "out\n");
    expect("exec <&-; echo deaf", "nobody reads this", "deaf\n");
}

/* More than a pipe holds, both ways. */
static void test_large(void **state)
{
    const struct program_limits limits = {.wall = 20000, .cpu = 10, .output = (size_t)1 << 20};
    char *input = malloc(400001);
    struct program *program;

    (void)state;
    memset(input, 'x', 400000);
    input[400000] = '\0';
    program = run("cat", input, &limits, PROGRAM_DONE);
    assert_int_equal(program_output(program).size, 400000);
    program_free(&program);
    free(input);
}

static void test_environment(void **state)
{
    (void)state;
    assert_int_equal(setenv("SECRET", "1", 1), 0);
    expect("env | grep -v '^PWD=' | grep -v '^_=' | sort", "", "LANG=C.UTF-8\nPATH=/usr/bin:/bin\n");
    expect("ls /proc/self/fd | wc -l | tr -d ' '", "", "4\n"); /* 0, 1, 2 and that of the listing */
    expect("pwd; ulimit -c; ulimit -n; ulimit -t", "", "/\n0\n64\n10\n");
}

static void test_failure(void **state)
{
    struct program *program = NULL;

    (void)state;
    program = run("exit 3", "", &usual, PROGRAM_FAILED);
    program_free(&program);
    program = run("kill -9 $$", "", &usual, PROGRAM_FAILED);
    program_free(&program);
    assert_int_equal(program_start("relative", bytes_of_string(""), &usual, 0, &program),
                     STATUS_BAD_ARGUMENT);
    assert_int_equal(
        program_start("/nonexistent/program", bytes_of_string(""), &usual, clock_elapsed(), &program),
        STATUS_OK);
    assert_int_equal(finish(program), PROGRAM_FAILED);
    program_free(&program);
}

/* It and what it started are gone. */
static void test_too_long(void **state)
{
    const struct program_limits limits = {.wall = 300, .cpu = 10, .output = 65536};
    int64_t before = clock_elapsed();
    struct program *program = run("sleep 60 & echo $!; wait", "", &limits, PROGRAM_TOO_LONG);
    pid_t child = (pid_t)atoi((const char *)program_output(program).data);

    (void)state;
    assert_true(clock_elapsed() - before < 10000);
    program_free(&program);
    assert_true(child > 0);
    for (int i = 0; i < 100 && kill(child, 0) == 0; i++)
        (void)usleep(20000);
    assert_int_equal(kill(child, 0), -1);
    assert_int_equal(errno, ESRCH);
}

/* One that closes its output and goes on is waited for, and killed in time too. */
static void test_lingering(void **state)
{
    const struct program_limits limits = {.wall = 300, .cpu = 10, .output = 65536};
    struct program *program = run("exec >&-; sleep 60", "", &limits, PROGRAM_TOO_LONG);

    (void)state;
    program_free(&program);
}

static void test_too_much(void **state)
{
    const struct program_limits limits = {.wall = 20000, .cpu = 10, .output = 1000};
    struct program *program = run("yes", "", &limits, PROGRAM_TOO_MUCH);

    (void)state;
    program_free(&program);
}

static void test_memory(void **state)
{
    const struct program_limits limits = {
        .wall = 20000, .cpu = 10, .memory = (uint64_t)64 << 20, .output = 65536};
    struct program *program =
        run("exec /usr/bin/python3 -c 'print(len(bytearray(512 << 20)))'", "", &limits, PROGRAM_FAILED);

    (void)state;
    program_free(&program);
}

/* Freed while it runs. */
static void test_dropped(void **state)
{
    struct program *program = NULL;

    (void)state;
    assert_int_equal(
        program_start(write_script("sleep 60"), bytes_of_string(""), &usual, clock_elapsed(), &program),
        STATUS_OK);
    assert_int_equal(program_step(program, clock_elapsed()), PROGRAM_RUNS);
    program_free(&program);
    assert_null(program);
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/concordat-program-XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int drop_folder(void **state)
{
    (void)state;
    (void)unlink(script);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_and_out),  cmocka_unit_test(test_large),
        cmocka_unit_test(test_environment), cmocka_unit_test(test_failure),
        cmocka_unit_test(test_too_long),    cmocka_unit_test(test_lingering),
        cmocka_unit_test(test_too_much),    cmocka_unit_test(test_memory),
        cmocka_unit_test(test_dropped),
    };

    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
