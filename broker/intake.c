#include "broker/intake.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct lane {
    struct job *first; /* linked by `later` */
    struct job *last;
    uint64_t sequence; /* of the job put last */
};

struct intake {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    struct lane lanes[JOB_LANES];
    size_t room;
    size_t count;
    bool closed;
};

/* Everything here can fail only through a bug. */
static void must(int error)
{
    assert(error == 0);
}

enum status intake_new(size_t room, struct intake **ret)
{
    struct intake *intake = calloc(1, sizeof *intake);

    assert(room > 0);
    if (intake == NULL)
        return STATUS_NO_MEMORY;
    intake->room = room;
    must(pthread_mutex_init(&intake->mutex, NULL));
    must(pthread_cond_init(&intake->filled, NULL));
    *ret = intake;
    return STATUS_OK;
}

static struct job *take_first(struct intake *intake, struct lane *lane)
{
    struct job *job = lane->first;

    if (job == NULL)
        return NULL;
    lane->first = job->later;
    if (lane->first == NULL)
        lane->last = NULL;
    job->later = NULL;
    intake->count--;
    return job;
}

void intake_free(struct intake **intake)
{
    if (*intake == NULL)
        return;
    for (size_t i = 0; i < JOB_LANES; i++) {
        struct job *job = take_first(*intake, &(*intake)->lanes[i]);
        for (; job != NULL; job = take_first(*intake, &(*intake)->lanes[i]))
            job_free(&job);
    }
    must(pthread_mutex_destroy(&(*intake)->mutex));
    must(pthread_cond_destroy(&(*intake)->filled));
    free(*intake);
    *intake = NULL;
}

enum status intake_put(struct intake *intake, struct job *job)
{
    struct lane *lane = &intake->lanes[job->lane];
    enum status status = STATUS_OK;

    must(pthread_mutex_lock(&intake->mutex));
    if (intake->closed) {
        status = STATUS_CLOSED;
    } else if (intake->count == intake->room) {
        status = STATUS_BUSY;
    } else {
        job->later = NULL;
        job->sequence = ++lane->sequence;
        *(lane->last == NULL ? &lane->first : &lane->last->later) = job;
        lane->last = job;
        intake->count++;
        must(pthread_cond_signal(&intake->filled));
    }
    must(pthread_mutex_unlock(&intake->mutex));
    return status;
}

enum status intake_take(struct intake *intake, enum job_lane preferred, struct job **ret)
{
    struct job *job;

    must(pthread_mutex_lock(&intake->mutex));
    while (intake->count == 0 && !intake->closed)
        must(pthread_cond_wait(&intake->filled, &intake->mutex));
    job = take_first(intake, &intake->lanes[preferred]);
    for (size_t i = 0; job == NULL && i < JOB_LANES; i++)
        job = take_first(intake, &intake->lanes[i]);
    must(pthread_mutex_unlock(&intake->mutex));
    if (job == NULL)
        return STATUS_CLOSED;
    *ret = job;
    return STATUS_OK;
}

void intake_close(struct intake *intake)
{
    must(pthread_mutex_lock(&intake->mutex));
    intake->closed = true;
    must(pthread_cond_broadcast(&intake->filled));
    must(pthread_mutex_unlock(&intake->mutex));
}

size_t intake_count(struct intake *intake)
{
    must(pthread_mutex_lock(&intake->mutex));
    size_t count = intake->count;
    must(pthread_mutex_unlock(&intake->mutex));
    return count;
}
