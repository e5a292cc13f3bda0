#include "base/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct mailbox {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    pthread_cond_t emptied;
    void **items; /* a ring of capacity places */
    size_t capacity;
    size_t first;
    size_t count;
    bool closed;
    bool watched; /* somebody has asked for the descriptor */
    bool raised;  /* it is readable */
    int fd;
};

/* Everything here can fail only through a bug. */
static void must(int error)
{
    assert(error == 0);
}

static void lock(struct mailbox *mailbox)
{
    must(pthread_mutex_lock(&mailbox->mutex));
}

static void unlock(struct mailbox *mailbox)
{
    must(pthread_mutex_unlock(&mailbox->mutex));
}

enum status mailbox_new(size_t capacity, struct mailbox **ret_mailbox)
{
    struct mailbox *mailbox = calloc(1, sizeof *mailbox);
    pthread_condattr_t attributes;

    assert(capacity > 0);
    if (mailbox == NULL)
        return STATUS_NO_MEMORY;
    mailbox->items = calloc(capacity, sizeof *mailbox->items);
    mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mailbox->items == NULL || mailbox->fd < 0) {
        enum status status = mailbox->items == NULL ? STATUS_NO_MEMORY : STATUS_IO;
        if (mailbox->fd >= 0)
            close(mailbox->fd);
        free(mailbox->items);
        free(mailbox);
        return status;
    }
    mailbox->capacity = capacity;
    must(pthread_condattr_init(&attributes));
    must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
    must(pthread_mutex_init(&mailbox->mutex, NULL));
    must(pthread_cond_init(&mailbox->filled, &attributes));
    must(pthread_cond_init(&mailbox->emptied, &attributes));
    must(pthread_condattr_destroy(&attributes));
    *ret_mailbox = mailbox;
    return STATUS_OK;
}

void mailbox_free(struct mailbox **mailbox)
{
    if (*mailbox == NULL)
        return;
    must(pthread_mutex_destroy(&(*mailbox)->mutex));
    must(pthread_cond_destroy(&(*mailbox)->filled));
    must(pthread_cond_destroy(&(*mailbox)->emptied));
    close((*mailbox)->fd);
    free((*mailbox)->items);
    free(*mailbox);
    *mailbox = NULL;
}

/* Called with the mutex held after every change: the descriptor tells whether a take would return at once.
 * Two system calls an item are too many for a descriptor that nobody polls. */
static void show_state(struct mailbox *mailbox)
{
    uint64_t value = 1;
    bool wanted = mailbox->count > 0 || mailbox->closed;

    if (!mailbox->watched || wanted == mailbox->raised)
        return;
    ssize_t done =
        wanted ? write(mailbox->fd, &value, sizeof value) : read(mailbox->fd, &value, sizeof value);
    assert(done == (ssize_t)sizeof value);
    mailbox->raised = wanted;
}

enum end { LAST, FIRST };

static enum status put(struct mailbox *mailbox, void *item, bool wait, enum end end)
{
    enum status status = STATUS_OK;

    assert(item != NULL);
    lock(mailbox);
    while (wait && !mailbox->closed && mailbox->count == mailbox->capacity)
        must(pthread_cond_wait(&mailbox->emptied, &mailbox->mutex));
    if (mailbox->closed) {
        status = STATUS_CLOSED;
    } else if (mailbox->count == mailbox->capacity) {
        status = STATUS_BUSY;
    } else {
        if (end == FIRST)
            mailbox->first = (mailbox->first + mailbox->capacity - 1) % mailbox->capacity;
        mailbox->items[(mailbox->first + (end == FIRST ? 0 : mailbox->count)) % mailbox->capacity] = item;
        mailbox->count++;
        show_state(mailbox);
        must(pthread_cond_signal(&mailbox->filled));
    }
    unlock(mailbox);
    return status;
}

enum status mailbox_put(struct mailbox *mailbox, void *item)
{
    return put(mailbox, item, true, LAST);
}

enum status mailbox_try_put(struct mailbox *mailbox, void *item)
{
    return put(mailbox, item, false, LAST);
}

enum status mailbox_give_back(struct mailbox *mailbox, void *item)
{
    return put(mailbox, item, false, FIRST);
}

static struct timespec time_after(int milliseconds)
{
    struct timespec now;

    must(clock_gettime(CLOCK_MONOTONIC, &now));
    now.tv_sec += milliseconds / 1000;
    now.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (now.tv_nsec >= 1000000000) {
        now.tv_sec++;
        now.tv_nsec -= 1000000000;
    }
    return now;
}

/* With the mutex held, waits until there is an item. */
static enum status wait_for_item(struct mailbox *mailbox, int timeout_ms)
{
    struct timespec until = {0, 0};

    if (timeout_ms > 0 && mailbox->count == 0)
        until = time_after(timeout_ms);
    while (mailbox->count == 0) {
        if (mailbox->closed)
            return STATUS_CLOSED;
        if (timeout_ms == 0)
            return STATUS_TIMEOUT;
        int error = timeout_ms < 0 ? pthread_cond_wait(&mailbox->filled, &mailbox->mutex)
                                   : pthread_cond_timedwait(&mailbox->filled, &mailbox->mutex, &until);
        if (error == ETIMEDOUT)
            timeout_ms = 0; /* once more round: an item may have come at the last moment */
        else
            must(error);
    }
    return STATUS_OK;
}

enum status mailbox_take_all(struct mailbox *mailbox, int timeout_ms, void **ret_items, size_t limit,
                             size_t *ret_count)
{
    size_t taken = 0;

    assert(limit > 0);
    lock(mailbox);
    enum status status = wait_for_item(mailbox, timeout_ms);
    while (taken < limit && mailbox->count > 0) {
        ret_items[taken++] = mailbox->items[mailbox->first];
        mailbox->first = (mailbox->first + 1) % mailbox->capacity;
        mailbox->count--;
    }
    if (status == STATUS_OK) {
        *ret_count = taken;
        show_state(mailbox);
        must(pthread_cond_broadcast(&mailbox->emptied));
    }
    unlock(mailbox);
    return status;
}

enum status mailbox_take(struct mailbox *mailbox, int timeout_ms, void **ret_item)
{
    size_t count = 0;

    return mailbox_take_all(mailbox, timeout_ms, ret_item, 1, &count);
}

void mailbox_close(struct mailbox *mailbox)
{
    lock(mailbox);
    mailbox->closed = true;
    show_state(mailbox);
    must(pthread_cond_broadcast(&mailbox->filled));
    must(pthread_cond_broadcast(&mailbox->emptied));
    unlock(mailbox);
}

size_t mailbox_count(struct mailbox *mailbox)
{
    lock(mailbox);
    size_t count = mailbox->count;
    unlock(mailbox);
    return count;
}

int mailbox_fd(struct mailbox *mailbox)
{
    lock(mailbox);
    mailbox->watched = true;
    show_state(mailbox);
    unlock(mailbox);
    return mailbox->fd;
}
