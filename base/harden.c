#include "base/harden.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

enum status harden_process(void)
{
    const struct rlimit none = {0, 0};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return STATUS_PERMISSION;
    (void)umask(0077);
    sigemptyset(&ignore.sa_mask);
    return sigaction(SIGPIPE, &ignore, NULL) == 0 ? STATUS_OK : STATUS_PERMISSION;
}

static void stop_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
}

enum status harden_stop_fd(int *ret_fd)
{
    sigset_t set;

    stop_signals(&set);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return errno == ENOMEM ? STATUS_NO_MEMORY : STATUS_IO;
    int failed = pthread_sigmask(SIG_BLOCK, &set, NULL);
    assert(failed == 0); /* only a bad first argument can fail */
    *ret_fd = fd;
    return STATUS_OK;
}

void harden_child(void)
{
    sigset_t set;
    struct sigaction usual = {.sa_handler = SIG_DFL};

    stop_signals(&set);
    sigemptyset(&usual.sa_mask);
    (void)sigaction(SIGPIPE, &usual, NULL);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
