#include "base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/harden.h"

#define POLL_MS 20 /* between looks at a program that has closed its output and not ended yet */

struct program {
    struct program_limits limits;
    pid_t pid; /* and its process group; 0: it has been waited for */
    int to;    /* its input; -1: closed */
    int from;  /* its output; -1: closed */
    size_t written;
    int64_t until; /* elapsed */
    struct byte_buffer input;
    struct byte_buffer output;
    enum program_end end;
};

/* ---- in the child: only what may be called between fork and exec ---- */

static void limit(int what, rlim_t value)
{
    const struct rlimit limits = {value, value};

    if (setrlimit((__rlimit_resource_t)what, &limits) != 0)
        _exit(126);
}

static void become(const char *path, int input, int output, const struct program_limits *limits)
{
    static char search[] = "PATH=/usr/bin:/bin";
    static char language[] = "LANG=C.UTF-8";
    static char *const environment[] = {search, language, NULL};
    char *const arguments[] = {(char *)(uintptr_t)path, NULL};
    int nowhere = open("/dev/null", O_WRONLY);

    harden_child();
    if (nowhere < 0 || setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || dup2(input, STDIN_FILENO) < 0 ||
        dup2(output, STDOUT_FILENO) < 0 || dup2(nowhere, STDERR_FILENO) < 0 ||
        syscall(SYS_close_range, 3u, ~0u, 0u) != 0 || chdir("/") != 0)
        _exit(126);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, 64);
    limit(RLIMIT_CPU, limits->cpu);
    if (limits->memory != 0)
        limit(RLIMIT_AS, limits->memory);
    (void)execve(path, arguments, environment);
    _exit(127);
}

/* ---- in the parent ---- */

static void shut(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static enum status open_pipes(int input[static 2], int output[static 2])
{
    if (pipe2(input, O_CLOEXEC) != 0)
        return STATUS_IO;
    if (pipe2(output, O_CLOEXEC) != 0)
        return STATUS_IO;
    if (fcntl(input[1], F_SETFL, O_NONBLOCK) != 0 || fcntl(output[0], F_SETFL, O_NONBLOCK) != 0)
        return STATUS_IO;
    return STATUS_OK;
}

static enum status start(struct program *program, const char *path)
{
    int input[2] = {-1, -1};
    int output[2] = {-1, -1};
    enum status status = open_pipes(input, output);

    if (status == STATUS_OK) {
        program->pid = fork();
        if (program->pid == 0)
            become(path, input[0], output[1], &program->limits);
        if (program->pid < 0) {
            program->pid = 0;
            status = STATUS_IO;
        }
    }
    shut(&input[0]);
    shut(&output[1]);
    if (status == STATUS_OK) {
        (void)setpgid(program->pid, program->pid); /* whoever comes first; both mean the same */
        program->to = input[1];
        program->from = output[0];
    } else {
        shut(&input[1]);
        shut(&output[0]);
    }
    return status;
}

enum status program_start(const char *path, struct byte_view input, const struct program_limits *limits,
                          int64_t elapsed, struct program **ret)
{
    struct program *program = NULL;
    enum status status = STATUS_OK;

    if (path == NULL || path[0] != '/')
        return STATUS_BAD_ARGUMENT;
    program = calloc(1, sizeof *program);
    if (program == NULL)
        return STATUS_NO_MEMORY;
    program->limits = *limits;
    program->to = program->from = -1;
    program->until = elapsed + limits->wall;
    program->input = bytes_buffer(input.size);
    program->output = bytes_buffer(limits->output + 1);
    bytes_append_view(&program->input, input);
    status = program->input.status;
    if (status == STATUS_OK)
        status = start(program, path);
    if (status != STATUS_OK) {
        program_free(&program);
        return status;
    }
    *ret = program;
    return STATUS_OK;
}

int program_fd(const struct program *program)
{
    return program->from;
}

int64_t program_wait(const struct program *program, int64_t elapsed)
{
    int64_t left = program->until > elapsed ? program->until - elapsed : 0;

    if (program->end != PROGRAM_RUNS)
        return 0;
    return (program->from < 0 || program->to >= 0) && left > POLL_MS ? POLL_MS : left;
}

static void feed(struct program *program)
{
    while (program->to >= 0 && program->written < program->input.size) {
        const ssize_t count = write(program->to, program->input.data + program->written,
                                    program->input.size - program->written);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return;
        if (count < 0) /* it does not care to read all of it */
            break;
        program->written += (size_t)count;
    }
    shut(&program->to);
}

static void drain(struct program *program)
{
    uint8_t chunk[4096];

    while (program->from >= 0) {
        const ssize_t count = read(program->from, chunk, sizeof chunk);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            break;
        if (count <= 0) {
            shut(&program->from);
            break;
        }
        if (program->output.size + (size_t)count > program->limits.output) {
            program->end = PROGRAM_TOO_MUCH;
            break;
        }
        bytes_append(&program->output, chunk, (size_t)count);
        if (program->output.status != STATUS_OK) {
            program->end = PROGRAM_TOO_MUCH;
            break;
        }
    }
    bytes_wipe(chunk, sizeof chunk);
}

static void end_it(struct program *program)
{
    if (program->pid == 0)
        return;
    (void)kill(-program->pid, SIGKILL);
    (void)kill(program->pid, SIGKILL);
    while (waitpid(program->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    program->pid = 0;
}

/* Has it ended by itself? Whatever it left behind in its group ends with it. */
static void look(struct program *program)
{
    int how = 0;

    if (program->from >= 0 || waitpid(program->pid, &how, WNOHANG) != program->pid)
        return;
    (void)kill(-program->pid, SIGKILL);
    program->pid = 0;
    program->end = WIFEXITED(how) && WEXITSTATUS(how) == 0 ? PROGRAM_DONE : PROGRAM_FAILED;
}

enum program_end program_step(struct program *program, int64_t elapsed)
{
    if (program->end != PROGRAM_RUNS)
        return program->end;
    feed(program);
    drain(program);
    if (program->end == PROGRAM_RUNS)
        look(program);
    if (program->end == PROGRAM_RUNS && elapsed >= program->until)
        program->end = PROGRAM_TOO_LONG;
    if (program->end != PROGRAM_RUNS)
        end_it(program);
    return program->end;
}

struct byte_view program_output(const struct program *program)
{
    return bytes_buffer_view(&program->output);
}

void program_free(struct program **program)
{
    if (*program == NULL)
        return;
    end_it(*program);
    shut(&(*program)->to);
    shut(&(*program)->from);
    bytes_buffer_wipe(&(*program)->input);
    bytes_buffer_wipe(&(*program)->output);
    free(*program);
    *program = NULL;
}
