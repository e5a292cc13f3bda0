#include "base/crash.h"

#ifdef CONCORDAT_CRASH_POINTS

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LISTED_MAX 256

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const char *chosen; /* not terminated after the name: chosen_size characters */
static size_t chosen_size;
static unsigned long passages_left;
static const char *list;
static const char *listed[LISTED_MAX];
static size_t listed_count;

static void read_settings(void)
{
    char *end = NULL;

    list = getenv("CONCORDAT_CRASH_LIST");
    chosen = getenv("CONCORDAT_CRASH");
    if (chosen == NULL)
        return;
    const char *colon = strrchr(chosen, ':');
    if (colon != NULL) {
        chosen_size = (size_t)(colon - chosen);
        passages_left = strtoul(colon + 1, &end, 10);
    }
    if (chosen_size == 0 || passages_left == 0 || *end != '\0')
        abort(); /* a test that believes it crashes must not run on */
}

static bool is_chosen(const char *name)
{
    return chosen != NULL && strlen(name) == chosen_size && memcmp(name, chosen, chosen_size) == 0;
}

static bool is_listed(const char *name)
{
    for (size_t i = 0; i < listed_count; i++) {
        if (strcmp(listed[i], name) == 0)
            return true;
    }
    return false;
}

/* One write to a file opened for appending, so that processes that share the list do not mix their lines. */
static void append_to_list(const char *name)
{
    char line[128];
    int size = snprintf(line, sizeof line, "%s\n", name);
    int fd = open(list, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0 || size <= 0 || (size_t)size >= sizeof line || listed_count == LISTED_MAX ||
        write(fd, line, (size_t)size) != size)
        abort();
    close(fd);
    listed[listed_count++] = name;
}

void crash_point(const char *name)
{
    pthread_once(&once, read_settings);
    if (list == NULL && !is_chosen(name))
        return;
    pthread_mutex_lock(&mutex);
    if (list != NULL && !is_listed(name))
        append_to_list(name);
    if (is_chosen(name) && passages_left > 0 && --passages_left == 0)
        raise(SIGKILL);
    pthread_mutex_unlock(&mutex);
}

static const char *faulty;
static unsigned faults_left;

bool crash_fault(const char *name)
{
    bool fails = false;

    (void)pthread_mutex_lock(&mutex);
    if (faults_left > 0 && strcmp(faulty, name) == 0) {
        fails = true;
        faults_left--;
    }
    (void)pthread_mutex_unlock(&mutex);
    return fails;
}

void crash_fault_next(const char *name, unsigned passages)
{
    (void)pthread_mutex_lock(&mutex);
    faulty = name;
    faults_left = passages;
    (void)pthread_mutex_unlock(&mutex);
}

#else

/* ISO C wants a declaration in every translation unit. */
typedef int crash_nothing;
#endif
