#include "broker/signing.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/mailbox.h"

struct signing {
    struct logbook *logbook;
    struct mailbox *asked; /* the task goes there and back; its owner is whoever took it last */
    struct mailbox *done;
    pthread_t thread;
    bool running;
    bool busy;
    struct logbook_task task;
    enum status status;
    struct logbook_reason reason;
};

/* Everything here can fail only through a bug. */
static void must(bool right)
{
    assert(right);
}

static void *run(void *context)
{
    struct signing *signing = context;
    void *item = NULL;

    while (mailbox_take(signing->asked, -1, &item) == STATUS_OK) {
        signing->status = logbook_sign_task(signing->logbook, &signing->task, &signing->reason);
        must(mailbox_put(signing->done, item) == STATUS_OK);
    }
    return NULL;
}

enum status signing_start(struct logbook *logbook, struct signing **ret)
{
    struct signing *signing = calloc(1, sizeof *signing);
    enum status status;

    assert(logbook_signs_apart(logbook));
    if (signing == NULL)
        return STATUS_NO_MEMORY;
    signing->logbook = logbook;
    status = mailbox_new(1, &signing->asked);
    if (status == STATUS_OK)
        status = mailbox_new(1, &signing->done);
    if (status == STATUS_OK) {
        signing->running = pthread_create(&signing->thread, NULL, run, signing) == 0;
        status = signing->running ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK)
        *ret = signing;
    else
        signing_stop(&signing);
    return status;
}

void signing_stop(struct signing **signing)
{
    struct signing *gone = *signing;
    enum status status;

    if (gone == NULL)
        return;
    (void)signing_take(gone, true, &status, &gone->reason);
    if (gone->running) {
        mailbox_close(gone->asked);
        must(pthread_join(gone->thread, NULL) == 0);
    }
    mailbox_free(&gone->asked);
    mailbox_free(&gone->done);
    free(gone);
    *signing = NULL;
}

void signing_ask(struct signing *signing, int64_t now)
{
    if (signing->busy)
        return;
    signing->task = logbook_task(signing->logbook, now);
    signing->busy = true;
    must(mailbox_put(signing->asked, &signing->task) == STATUS_OK);
}

bool signing_take(struct signing *signing, bool wait, enum status *ret_status,
                  struct logbook_reason *ret_reason)
{
    void *item = NULL;

    if (!signing->busy || mailbox_take(signing->done, wait ? -1 : 0, &item) != STATUS_OK)
        return false;
    signing->busy = false;
    *ret_status = logbook_signed(signing->logbook, signing->status);
    if (*ret_status != STATUS_OK)
        *ret_reason = signing->reason;
    return true;
}
